//! What all named objects have in common: from the ledger's to the API's, and through the log back.

use super::Node;
use super::propose::{Reach, if_index, managed_by};
use api::admin::{
    Answer, Condition, Listed, Objects, Page, Problem, Resource, Versioned, Write, Written,
};
use ledger::{Command, Ledger};

/// A kind of object that the ledger keeps by name.
pub(super) trait Kept: Resource<Object: Send, Settings: Send> {
    /// As the ledger keeps it.
    type Stored;

    /// All of them, by name.
    fn all(ledger: &Ledger) -> impl Iterator<Item = &Self::Stored>;

    /// One of them.
    fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Self::Stored>;

    /// Its name.
    fn name_of(stored: &Self::Stored) -> &str;

    /// As operators see it.
    fn shown(ledger: &Ledger, stored: &Self::Stored) -> Self::Object;

    /// The command that makes it so.
    ///
    /// # Errors
    ///
    /// Settings that cannot be.
    fn put(node: &Node, wish: Wish<Self>) -> Answer<Command>
    where
        Self: Sized;

    /// The command that deletes it.
    fn delete(farewell: Farewell) -> Command;
}

/// What shall be.
pub(super) struct Wish<R: Resource> {
    /// Of what name.
    pub(super) name: String,
    /// As the operator sets it.
    pub(super) settings: R::Settings,
    /// Who owns it then.
    pub(super) managed_by: String,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub(super) if_index: Option<u64>,
}

/// What shall not be any more.
pub(super) struct Farewell {
    /// Of what name.
    pub(super) name: String,
    /// Who asks.
    pub(super) managed_by: String,
    /// Log index of its last change.
    pub(super) if_index: Option<u64>,
}

impl<R: Kept> Objects<R> for Node {
    fn list(&self, page: &Page) -> Listed<R::Object> {
        let ledger = self.ledger();
        let found = page.cut(R::all(&ledger), |stored| R::name_of(stored));
        Listed {
            items: found.items.into_iter().map(|stored| R::shown(&ledger, stored)).collect(),
            next_cursor: found.next_cursor,
        }
    }

    fn find(&self, name: &str) -> Option<R::Object> {
        let ledger = self.ledger();
        R::stored(&ledger, name).map(|stored| R::shown(&ledger, stored))
    }

    async fn put(
        &self,
        name: String,
        settings: R::Settings,
        write: Write,
    ) -> Answer<Written<R::Object>> {
        let mut tries = 0;
        let (present, index) = loop {
            let present = Objects::<R>::find(self, &name).map(|object| object.changed_index());
            let wish = Wish {
                name: name.clone(),
                settings: settings.clone(),
                managed_by: managed_by(&write),
                if_index: if_index(&write, present)?,
            };
            tries += 1;
            match self.propose(R::KIND, R::put(self, wish)?).await {
                Err(problem) if was_overtaken(&write, &problem) && tries < TRIES_MAX => {}
                outcome => break (present, outcome?),
            }
        };
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        let object = Objects::<R>::find(self, &name).ok_or_else(|| gone(R::KIND, &name))?;
        Ok(Written { object, index, created: present.is_none(), not_confirmed_by })
    }

    async fn delete(&self, name: String, write: Write) -> Answer<Written<R::Object>> {
        let missing = || Problem::not_found(R::KIND, &name);
        let last = Objects::<R>::find(self, &name).ok_or_else(missing)?;
        let farewell = Farewell {
            managed_by: managed_by(&write),
            if_index: if_index(&write, Some(last.changed_index()))?,
            name,
        };
        let index = self.propose(R::KIND, R::delete(farewell)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        Ok(Written { object: last, index, created: false, not_confirmed_by })
    }
}

/// Most times a write is tried that keeps a secret, which others change at the same time.
pub(super) const TRIES_MAX: u32 = 16;

/// Whether a write that keeps what was there, a secret, was overtaken by one that changed it. Who wrote it
/// set no condition: it is to be made anew from what is there now.
pub(super) fn was_overtaken(write: &Write, problem: &Problem) -> bool {
    write.condition == Condition::Any && problem.present_index().is_some()
}

/// What was written is not there any more.
pub(super) fn gone(kind: &str, name: &str) -> Problem {
    Problem::conflict(format!("{kind} {name:?} was changed by somebody else in the meantime"))
        .fix("read it and decide again")
}
