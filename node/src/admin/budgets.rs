//! Budgets and their books.

pub(super) mod accounts;
mod books;
mod moves;
mod shape;
mod write_off;

pub(super) use shape::{per_out, window_in};
pub(crate) use shape::{unit_out, window_out};

use super::Node;
use super::resource::{Farewell, Kept, Wish};
use api::admin::v1::budgets::{
    self, BudgetActions, Budgets, IncreaseSettings, Instance, Moved, ResetSettings,
    TransferSettings, WriteOffSettings,
};
use api::admin::{Answer, Listed, Page, Problem, Timestamp, Write, Written, suggest};
use ledger::calendar::{self, first_periods};
use ledger::command::{Command, DeleteBudget, PutBudget};
use ledger::{Budget, Ledger, UnixMillis};
use std::time::{SystemTime, UNIX_EPOCH};

impl Kept for Budgets {
    type Stored = Budget;

    fn all(ledger: &Ledger) -> impl Iterator<Item = &Budget> {
        ledger.budgets.values()
    }

    fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Budget> {
        ledger.budgets.get(name)
    }

    fn name_of(budget: &Budget) -> &str {
        &budget.name
    }

    fn shown(ledger: &Ledger, budget: &Budget) -> budgets::Budget {
        shown(ledger, budget)
    }

    fn put(_: &Node, wish: Wish<Self>) -> Answer<Command> {
        let budget = shape::budget_in(wish.name, &wish.settings, wish.managed_by)?;
        put_command(budget, wish.if_index)
    }

    fn delete(farewell: Farewell) -> Command {
        let Farewell { name, managed_by, if_index } = farewell;
        Command::DeleteBudget(DeleteBudget { name, managed_by, if_index })
    }
}

/// The command that puts a budget, with its first periods by this node's clock and calendar.
pub(super) fn put_command(budget: Budget, if_index: Option<u64>) -> Answer<Command> {
    // Where no window follows a calendar nobody would miss it, until one does.
    if !calendar::is_time_zone(&budget.time_zone) {
        return Err(no_time_zone(&budget.time_zone));
    }
    let periods = first_periods(&budget, now()).map_err(|unknown| no_time_zone(&unknown.0))?;
    Ok(Command::PutBudget(PutBudget { budget, if_index, periods }))
}

/// A time zone nobody knows, and those it may have been meant to be.
fn no_time_zone(name: &str) -> Problem {
    let all = calendar::time_zones();
    let near: Vec<&str> =
        all.iter().map(String::as_str).filter(|known| is_near(name, known)).collect();
    let near = match near[..] {
        [] => {
            suggest(name, &all.iter().map(String::as_str).collect::<Vec<_>>()).into_iter().collect()
        }
        [..] => near,
    };
    let problem = Problem::invalid("time_zone", format!("there is no time zone {name:?}"));
    match near[..] {
        [] => problem.fix("give an IANA name, as Europe/Berlin or UTC"),
        [..] => {
            problem.fix(format!("did you mean {}?", near[..near.len().min(NEAR_MAX)].join(" or ")))
        }
    }
}

/// Most names suggested.
const NEAR_MAX: usize = 5;

/// The same place, whatever stands before its last slash and however it is written.
fn is_near(asked: &str, known: &str) -> bool {
    let place = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or(name);
        last.replace([' ', '-', '_'], "").to_ascii_lowercase()
    };
    place(asked) == place(known)
}

/// This node's clock.
pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl BudgetActions for Node {
    fn list_instances(&self, name: &str, page: &Page) -> Option<Listed<Instance>> {
        let ledger = self.ledger();
        let budget = ledger.budgets.get(name)?;
        let found = page.cut(accounts::instances(&ledger, budget), |(subject, _)| subject);
        let shown = |(subject, instance)| instance_shown(&ledger, budget, subject, instance);
        Some(Listed {
            items: found.items.into_iter().map(shown).collect(),
            next_cursor: found.next_cursor,
        })
    }

    async fn increase(
        &self,
        name: String,
        settings: IncreaseSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        self.increase_budget(name, settings, write).await
    }

    async fn reset(
        &self,
        name: String,
        settings: ResetSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        self.reset_budget(name, settings, write).await
    }

    async fn transfer(
        &self,
        name: String,
        settings: TransferSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        self.transfer_budget(name, settings, write).await
    }

    async fn write_off(
        &self,
        name: String,
        settings: WriteOffSettings,
        write: Write,
    ) -> Answer<Written<budgets::WriteOff>> {
        self.write_off_suspense(name, settings, write).await
    }
}

fn shown(ledger: &Ledger, budget: &Budget) -> budgets::Budget {
    budgets::Budget {
        name: budget.name.clone(),
        unit: shape::unit_out(budget.unit),
        mode: shape::mode_out(budget.mode),
        time_zone: match budget.time_zone.as_str() {
            "" => "UTC".to_owned(),
            named => named.to_owned(),
        },
        per: shape::per_out(budget.per),
        instances: match accounts::is_shared_by_all(budget) {
            true => None,
            false => Some(accounts::instances(ledger, budget).count()),
        },
        without_quorum: shape::without_quorum_out(budget),
        thresholds: budget.thresholds.clone(),
        steps: budget.steps.iter().map(shape::step_out).collect(),
        windows: books::windows(ledger, budget),
        managed_by: budget.managed_by.clone(),
        created_at: Timestamp(budget.created_at.0),
        changed_index: budget.changed_index,
    }
}

fn instance_shown(
    ledger: &Ledger,
    budget: &Budget,
    subject: &str,
    instance: &ledger::Instance,
) -> Instance {
    Instance {
        subject: subject.to_owned(),
        opened_at: Timestamp(instance.opened_at.0),
        closes_at: instance.closes_at.map(|at| Timestamp(at.0)),
        windows: books::windows_under(ledger, budget, instance.handle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_nobody_knows_is_told_with_those_that_may_be_meant() {
        let fix = |name| {
            let sent = serde_json::to_value(no_time_zone(name)).unwrap();
            sent["fix"].as_str().unwrap().to_owned()
        };
        assert_eq!(fix("Berlin"), "did you mean Europe/Berlin?");
        assert_eq!(fix("america/new york"), "did you mean America/New_York?");
        assert_eq!(fix("Europe/Berlni"), "did you mean Europe/Berlin?");
        assert!(fix("nowhere at all").starts_with("give an IANA name"));
    }
}
