//! Model aliases.

use super::Node;
use super::propose::{Reach, if_index, managed_by};
use api::admin::v1::aliases::{self, AliasSettings, Aliases};
use api::admin::{Answer, Listed, Page, Problem, Write, Written};
use ledger::command::{Command, DeleteAlias, PutAlias};
use ledger::{Alias, Target};

impl Aliases for Node {
    fn list_aliases(&self, page: &Page) -> Listed<aliases::Alias> {
        let ledger = self.ledger();
        page.cut(ledger.aliases.values().map(shown), |alias| &alias.name)
    }

    fn alias(&self, name: &str) -> Option<aliases::Alias> {
        self.ledger().aliases.get(name).map(shown)
    }

    async fn put_alias(
        &self,
        name: String,
        settings: AliasSettings,
        write: Write,
    ) -> Answer<Written<aliases::Alias>> {
        let present = self.alias(&name).map(|alias| alias.changed_index);
        let targets = settings.targets.into_iter().map(|target| Target {
            provider: target.provider,
            model: target.model,
            weight: target.weight,
        });
        let alias = Alias {
            name: name.clone(),
            targets: targets.collect(),
            managed_by: managed_by(&write),
            changed_index: 0,
        };
        let put = PutAlias { alias, if_index: if_index(&write, present)? };
        let index = self.propose("alias", Command::PutAlias(put)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        let object = self.alias(&name).ok_or_else(|| {
            Problem::conflict(format!("alias {name:?} was deleted in the meantime"))
        })?;
        Ok(Written { object, index, created: present.is_none(), not_confirmed_by })
    }

    async fn delete_alias(&self, name: String, write: Write) -> Answer<Written<aliases::Alias>> {
        let last = self.alias(&name).ok_or_else(|| Problem::not_found("alias", &name))?;
        let delete = DeleteAlias {
            name,
            managed_by: managed_by(&write),
            if_index: if_index(&write, Some(last.changed_index))?,
        };
        let index = self.propose("alias", Command::DeleteAlias(delete)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        Ok(Written { object: last, index, created: false, not_confirmed_by })
    }
}

fn shown(alias: &Alias) -> aliases::Alias {
    let targets = alias.targets.iter().map(|target| aliases::Target {
        provider: target.provider.clone(),
        model: target.model.clone(),
        weight: target.weight,
    });
    aliases::Alias {
        name: alias.name.clone(),
        targets: targets.collect(),
        managed_by: alias.managed_by.clone(),
        changed_index: alias.changed_index,
    }
}
