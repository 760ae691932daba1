//! Model aliases.

use super::Node;
use super::resource::{Farewell, Kept, Wish};
use api::admin::Answer;
use api::admin::v1::aliases::{self, Aliases};
use ledger::command::{Command, DeleteAlias, PutAlias};
use ledger::{Alias, Ledger, Target};

impl Kept for Aliases {
    type Stored = Alias;

    fn all(ledger: &Ledger) -> impl Iterator<Item = &Alias> {
        ledger.aliases.values()
    }

    fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Alias> {
        ledger.aliases.get(name)
    }

    fn name_of(alias: &Alias) -> &str {
        &alias.name
    }

    fn shown(_: &Ledger, alias: &Alias) -> aliases::Alias {
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

    fn put(_: &Node, wish: Wish<Self>) -> Answer<Command> {
        let targets = wish.settings.targets.into_iter().map(|target| Target {
            provider: target.provider,
            model: target.model,
            weight: target.weight,
        });
        let alias = Alias {
            name: wish.name,
            targets: targets.collect(),
            managed_by: wish.managed_by,
            changed_index: 0,
        };
        Ok(Command::PutAlias(PutAlias { alias, if_index: wish.if_index }))
    }

    fn delete(farewell: Farewell) -> Command {
        let Farewell { name, managed_by, if_index } = farewell;
        Command::DeleteAlias(DeleteAlias { name, managed_by, if_index })
    }
}
