//! Selectors.

use super::Node;
use super::resource::{Farewell, Kept, Wish};
use super::terms::{limits_in, limits_out, narrowed_in, narrowed_out};
use api::admin::Answer;
use api::admin::v1::selectors::{self, Selectors};
use ledger::command::{Command, DeleteSelector, PutSelector};
use ledger::{Ledger, Selector};

impl Kept for Selectors {
    type Stored = Selector;

    fn all(ledger: &Ledger) -> impl Iterator<Item = &Selector> {
        ledger.selectors.values()
    }

    fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Selector> {
        ledger.selectors.get(name)
    }

    fn name_of(selector: &Selector) -> &str {
        &selector.name
    }

    fn shown(_: &Ledger, selector: &Selector) -> selectors::Selector {
        selectors::Selector {
            name: selector.name.clone(),
            labels: selector.labels.clone(),
            budgets: selector.budgets.clone(),
            limits: limits_out(selector.limits),
            narrowed: narrowed_out(&selector.narrowed),
            managed_by: selector.managed_by.clone(),
            changed_index: selector.changed_index,
        }
    }

    fn put(_: &Node, wish: Wish<Self>) -> Answer<Command> {
        let settings = wish.settings;
        let selector = Selector {
            name: wish.name,
            labels: settings.labels,
            budgets: settings.budgets,
            limits: limits_in(settings.limits),
            narrowed: narrowed_in(settings.narrowed),
            managed_by: wish.managed_by,
            changed_index: 0,
        };
        Ok(Command::PutSelector(PutSelector { selector, if_index: wish.if_index }))
    }

    fn delete(farewell: Farewell) -> Command {
        let Farewell { name, managed_by, if_index } = farewell;
        Command::DeleteSelector(DeleteSelector { name, managed_by, if_index })
    }
}
