//! Instances of budgets are opened on first use: one proposal for each, however many requests wait for it.

use super::terms::{Candidate, Terms};
use super::way::{NoWay, Way};
use crate::plane::core::{Core, wall_clock};
use api::inference::Hints;
use api::refusal::Reason;
use cluster::Cluster;
use ledger::command::OpenInstance;
use ledger::view::{Missing, PATH_ACCOUNTS_MAX};
use ledger::{Command, Denial, Outcome, calendar};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use wire::Refusal;

/// Longest a request waits for instances to be opened: as long as for money while a leader is elected.
const OPEN_WITHIN: Duration = Duration::from_secs(3);

/// What an opening came to; `None` while it goes on.
type Opened = Option<Result<(), Failed>>;

/// Why an instance was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failed {
    /// There are as many as there may be.
    Full(String),
    /// Anything else.
    Other(String),
}

impl Failed {
    fn refuse(&self, budget: &str) -> Refusal {
        match self {
            Failed::Full(whose) => Reason::TooManyInstances.refuse(format!(
                "{whose}, and no more may be open; use one that is open already, or try again when some have ended"
            )),
            Failed::Other(why) => Reason::ClusterUnavailable
                .refuse(format!("budget {budget} could not be opened for this request: {why}")),
        }
    }
}

/// The instances being opened by this node. Shared by all threads; the control plane proposes.
pub(crate) struct Openings {
    runtime: Handle,
    going: Arc<Mutex<BTreeMap<Missing, watch::Receiver<Opened>>>>,
}

impl Openings {
    /// None yet; proposals will run on `runtime`.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, going: Arc::default() }
    }

    /// Opens an instance, or waits for who is at it already. `opening` is what opens it.
    async fn open(
        &self,
        missing: &Missing,
        opening: impl Future<Output = Result<(), Failed>> + Send + 'static,
        until: Instant,
    ) -> Result<(), Refusal> {
        let mut opened = self.begin(missing, opening);
        let name = &missing.budget;
        let refuse = |why: &str| Failed::Other(why.to_owned()).refuse(name);
        match timeout_at(until, opened.wait_for(Option::is_some)).await {
            Err(_) => Err(refuse("the cluster did not agree in time; try again shortly")),
            Ok(Err(_)) => Err(refuse("this node gave it up; try again")),
            Ok(Ok(outcome)) => match &*outcome {
                Some(Err(failed)) => Err(failed.refuse(name)),
                Some(Ok(())) | None => Ok(()),
            },
        }
    }

    fn begin(
        &self,
        missing: &Missing,
        opening: impl Future<Output = Result<(), Failed>> + Send + 'static,
    ) -> watch::Receiver<Opened> {
        let mut going = lock(&self.going);
        if let Some(opened) = going.get(missing) {
            return opened.clone();
        }
        let (tell, opened) = watch::channel(None);
        going.insert(missing.clone(), opened.clone());
        let entry = Going { missing: missing.clone(), all: Arc::clone(&self.going) };
        self.runtime.spawn(async move {
            // Owned by the task from its first moment, so that it goes with it, whatever happens.
            let entry = entry;
            let outcome = opening.await;
            // First out of the list: who comes now looks at the ledger again.
            drop(entry);
            tell.send_replace(Some(outcome));
        });
        opened
    }
}

/// An entry in the list of what is being opened; dropped, it is out of it.
struct Going {
    missing: Missing,
    all: Arc<Mutex<BTreeMap<Missing, watch::Receiver<Opened>>>>,
}

impl Drop for Going {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.missing);
    }
}

async fn propose(cluster: Cluster, missing: Missing) -> Result<(), Failed> {
    let other = |error: &dyn std::fmt::Display| Failed::Other(error.to_string());
    let periods = {
        let ledger = cluster.ledger();
        // Deleted meanwhile: there is nothing to open, and the next look at the path will show it.
        let Some(budget) = ledger.budgets.get(&missing.budget) else { return Ok(()) };
        calendar::first_periods(budget, wall_clock()).map_err(|error| other(&error))?
    };
    let Missing { budget, subject } = missing;
    let command = Command::OpenInstance(OpenInstance { budget, subject, periods });
    let committed = cluster.propose(command).await.map_err(|error| other(&error))?;
    if let Outcome::Denied(denial) = committed.outcome {
        return Err(said(&denial));
    }
    let applied = cluster.wait_applied(committed.index, OPEN_WITHIN).await;
    applied.map_err(|error| other(&error))
}

fn said(denial: &Denial) -> Failed {
    Failed::Other(match denial {
        Denial::Full(_instances, whose) => return Failed::Full(whose.clone()),
        Denial::NotFound(kind, name) => format!("there is no {kind} {name}"),
        Denial::Invalid(field, reason) => format!("{field} {reason}"),
        Denial::InUse(by) => format!("in use by {by}"),
        Denial::IndexMismatch { .. }
        | Denial::ManagedBy(_)
        | Denial::Taken(..)
        | Denial::Revoked
        | Denial::StaleIncarnation { .. }
        | Denial::AlreadyInitialised(_) => format!("{denial:?}"),
    })
}

/// The way to a place; instances that are not open yet are opened first.
///
/// # Errors
///
/// Too many accounts, or a cluster that cannot agree.
pub(crate) async fn way(
    core: &Core,
    terms: &Terms,
    candidate: &Candidate,
    hints: &Hints,
) -> Result<Rc<Way>, Refusal> {
    let until = Instant::now() + OPEN_WITHIN;
    loop {
        let missing = match core.way(terms, candidate, hints) {
            Ok(way) => return Ok(way),
            Err(NoWay::TooMany(count)) => return Err(too_many(count)),
            Err(NoWay::Missing(missing)) => missing,
        };
        for missing in missing {
            let opening = propose(core.shared.cluster.clone(), missing.clone());
            core.shared.openings.open(&missing, opening, until).await?;
        }
        if Instant::now() >= until {
            let say = "the budgets of this request are closed as fast as they are opened";
            return Err(Reason::ClusterUnavailable.refuse(say));
        }
    }
}

fn too_many(count: usize) -> Refusal {
    Reason::TooManyBudgets.refuse(format!(
        "{count} accounts would be charged for this request, and {PATH_ACCOUNTS_MAX} is the most; send fewer tags, or have budgets taken off the key and those it belongs to"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The map holds no invariant that a panic elsewhere could have broken.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_opening_that_dies_is_told_and_the_next_one_begins_anew() {
        let openings = Openings::new(Handle::current());
        let missing = Missing { budget: "b".to_owned(), subject: "tag:x".to_owned() };
        let until = Instant::now() + OPEN_WITHIN;
        let broken = openings.open(&missing, async { panic!("as asked") }, until).await;
        assert!(broken.unwrap_err().say.contains("try again"));
        openings.open(&missing, async { Ok(()) }, until).await.unwrap();
        let refused = openings
            .open(&missing, async { Err(Failed::Other("no room".to_owned())) }, until)
            .await;
        assert!(refused.unwrap_err().say.contains("no room"));
    }

    #[test]
    fn a_budget_with_too_many_instances_is_told_from_a_cluster_that_cannot_agree() {
        let full = said(&Denial::Full("instances", "budget runs has 50000".to_owned()));
        let refusal = full.refuse("runs");
        assert_eq!((refusal.status, refusal.code), (429, "too_many_instances"));
        assert!(refusal.say.starts_with("budget runs has 50000, and no more"), "{}", refusal.say);
        let other = said(&Denial::NotFound("user", "eve".to_owned())).refuse("runs");
        assert_eq!((other.status, other.code), (503, "cluster_unavailable"));
    }
}
