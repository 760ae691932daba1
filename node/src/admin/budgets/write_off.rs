//! Releases what lost nodes were granted, on an operator's word.

use super::super::Node;
use super::super::propose::Reach;
use super::{shown, unit_out, window_out};
use api::admin::v1::budgets::{self, Amount, Released, WriteOffSettings};
use api::admin::v1::cluster::Id;
use api::admin::{Answer, Problem, Window, Write, Written};
use ledger::command::{Command, WriteOff};
use ledger::{AccountId, Budget, Lane, Ledger, NodeId};

/// One lane's part: how much of it is released, and the command that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    amount: i64,
    command: WriteOff,
}

impl Node {
    pub(super) async fn write_off_suspense(
        &self,
        name: String,
        settings: WriteOffSettings,
        write: Write,
    ) -> Answer<Written<budgets::WriteOff>> {
        let before = self.ledger();
        let missing = || Problem::not_found("budget", &name);
        let budget = before.budgets.get(&name).ok_or_else(missing)?;
        write.condition.check(Some(budget.changed_index))?;
        let unit = unit_out(budget.unit);
        let most = settings.most(unit)?;
        let account = account(budget, settings.window)?;
        let node = settings.node.as_deref().map(|node| find(&before, node)).transpose()?;
        let parts = parts(&before, account, node, most);
        let (mut index, mut not_confirmed_by) = (before.applied_index, Vec::new());
        if !settings.dry_run && !parts.is_empty() {
            for part in &parts {
                index = self.propose("budget", Command::WriteOff(part.command.clone())).await?;
                tracing::warn!(
                    budget = name,
                    node = part.command.node.0,
                    incarnation = part.command.incarnation,
                    amount = part.amount,
                    unit = ?unit,
                    actor = write.actor.0,
                    reason = settings.reason,
                    "suspense written off"
                );
            }
            not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        }
        let after = self.ledger();
        let budget = after.budgets.get(&name).ok_or_else(missing)?;
        let bound = ledger::view::books(&after, account).map_or(0, |books| books.overspend_bound);
        let released: i64 = parts.iter().map(|part| part.amount).fold(0, i64::saturating_add);
        let to_come = if settings.dry_run { released } else { 0 };
        let object = budgets::WriteOff {
            budget: shown(&after, budget),
            released: parts.iter().map(|part| released_of(&after, unit, part)).collect(),
            overspend_bound: Amount::of(unit, bound.saturating_add(to_come)),
            dry_run: settings.dry_run,
        };
        Ok(Written { object, index, created: false, not_confirmed_by })
    }
}

fn released_of(ledger: &Ledger, unit: budgets::Unit, part: &Part) -> Released {
    let node = part.command.node;
    Released {
        node: Id(node.0),
        label: ledger.nodes.get(&node).map_or_else(String::new, |record| record.label.clone()),
        incarnation: part.command.incarnation,
        amount: Amount::of(unit, part.amount),
    }
}

/// The account of a budget's window.
fn account(budget: &Budget, window: Option<Window>) -> Answer<AccountId> {
    let mut fits = budget
        .accounts()
        .filter(|(_, has)| window.is_none_or(|window| window_out(has.window) == window));
    match (fits.next(), fits.next()) {
        (Some((account, _)), None) => Ok(account),
        (None, _) => Err(Problem::invalid("window", "is none of this budget's")),
        (Some(_), Some(_)) => {
            Err(Problem::invalid("window", "is missing: the budget has several, name one"))
        }
    }
}

/// A node from its number or its label; removed ones too.
fn find(ledger: &Ledger, name: &str) -> Answer<NodeId> {
    let mut found = ledger.nodes.values().filter(|record| {
        name.parse() == Ok(record.id.0) || (!record.label.is_empty() && record.label == name)
    });
    match (found.next(), found.next()) {
        (Some(record), None) => Ok(record.id),
        (None, _) => Err(Problem::invalid("node", format!("there is no node {name:?}"))),
        (Some(_), Some(_)) => {
            let say = format!("several nodes are called {name:?}: give the number");
            Err(Problem::invalid("node", say))
        }
    }
}

/// What to release of each suspended lane of the present period, at most `most` in all.
fn parts(ledger: &Ledger, account: AccountId, node: Option<NodeId>, most: i64) -> Vec<Part> {
    let mut parts = Vec::new();
    let Some(books) = ledger.accounts.get(&account) else { return parts };
    let Some(period) = books.present() else { return parts };
    let mut left = most;
    for ((of, incarnation), lane) in &period.lanes {
        let asked = node.is_none_or(|node| node == *of);
        if !asked || ledger.is_present(*of, *incarnation) {
            continue;
        }
        let amount = Lane::outstanding(lane).min(left);
        if amount <= 0 {
            continue;
        }
        left -= amount;
        let command = WriteOff {
            account,
            period: books.period,
            node: *of,
            incarnation: *incarnation,
            // In all, so that a repeated entry changes nothing.
            amount: lane.written_off.saturating_add(amount),
        };
        parts.push(Part { amount, command });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::command::{AllocateNode, EnrolNode, Entry, PutBudget, Refill, RefillLine, apply};
    use ledger::{BudgetWindow, Mode, Outcome, Unit, UnixMillis};

    fn done(ledger: &mut Ledger, command: Command) -> Outcome {
        let entry = Entry { index: ledger.applied_index + 1, at: UnixMillis(1), command };
        let (outcome, _) = apply(ledger, &entry);
        assert!(!matches!(outcome, Outcome::Denied(_)), "{outcome:?}");
        outcome
    }

    /// Two nodes that were granted 300 and 40, of which the second life of the first knows nothing.
    fn suspended() -> (Ledger, AccountId) {
        let mut ledger = Ledger::default();
        let mut budget = super::super::blank("team", "api:admin");
        budget.unit = Unit::Requests;
        budget.mode = Mode::Hard;
        budget.windows = vec![BudgetWindow { window: ledger::Window::Never, limit: 1_000 }];
        done(&mut ledger, Command::PutBudget(PutBudget { budget, if_index: None }));
        let account = ledger.budgets["team"].accounts().next().unwrap().0;
        for (label, must) in [("lost", 300), ("lives", 40)] {
            let (uuid, label) = (label.to_owned(), label.to_owned());
            let allocate = AllocateNode { uuid, label, id: None };
            let Outcome::NodeAllocated(id) = done(&mut ledger, Command::AllocateNode(allocate))
            else {
                panic!("no number")
            };
            done(&mut ledger, Command::EnrolNode(EnrolNode { id, incarnation: 1 }));
            let line = RefillLine {
                account,
                period: 1,
                settled_cum: 0,
                returned_cum: 0,
                debt_cum: 0,
                want: must,
                must,
                path: 0,
            };
            let (active_nodes, lines) = (2, vec![line]);
            let refill = Refill { node: id, incarnation: 1, seq: 1, active_nodes, lines };
            done(&mut ledger, Command::Refill(refill));
        }
        let id = find(&ledger, "lost").unwrap();
        done(&mut ledger, Command::EnrolNode(EnrolNode { id, incarnation: 2 }));
        (ledger, account)
    }

    #[test]
    fn only_what_is_in_suspense_is_released_and_never_more_than_asked() {
        let (mut ledger, account) = suspended();
        let lost = find(&ledger, "lost").unwrap();
        let amounts = |ledger: &Ledger, node, most| -> Vec<i64> {
            parts(ledger, account, node, most).iter().map(|part| part.amount).collect()
        };
        assert_eq!(amounts(&ledger, None, i64::MAX), [300]);
        assert_eq!(amounts(&ledger, Some(find(&ledger, "lives").unwrap()), i64::MAX), [0; 0]);
        let first = parts(&ledger, account, Some(lost), 100);
        assert_eq!(first[0].command.amount, 100);
        done(&mut ledger, Command::WriteOff(first[0].command.clone()));
        // The same entry once more changes nothing; the next one goes on from there.
        done(&mut ledger, Command::WriteOff(first[0].command.clone()));
        let rest = parts(&ledger, account, None, i64::MAX);
        assert_eq!((rest[0].amount, rest[0].command.amount), (200, 300));
        done(&mut ledger, Command::WriteOff(rest[0].command.clone()));
        assert_eq!(amounts(&ledger, None, i64::MAX), [0; 0]);
        assert_eq!(ledger::view::books(&ledger, account).unwrap().overspend_bound, 300);
    }

    #[test]
    fn windows_and_nodes_are_named_or_refused() {
        let (ledger, id) = suspended();
        let budget = &ledger.budgets["team"];
        assert_eq!(account(budget, None).unwrap(), id);
        assert_eq!(account(budget, Some(Window::Never)).unwrap(), id);
        assert_eq!(account(budget, Some(Window::Day)).unwrap_err().status(), 422);
        assert_eq!(find(&ledger, "nobody").unwrap_err().status(), 422);
    }
}
