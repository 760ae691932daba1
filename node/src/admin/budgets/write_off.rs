//! Releases what lost nodes were granted, on an operator's word.

use super::super::Node;
use super::super::propose::Reach;
use super::accounts::{self, Meant};
use super::moves::{named, was_done, word};
use super::shape::unit_out;
use super::shown;
use api::admin::v1::budgets::{self, Amount, Released, WriteOffSettings};
use api::admin::v1::cluster::Id;
use api::admin::{Answer, Problem, Write, Written};
use ledger::command::{Command, WriteOff};
use ledger::{AccountId, Lane, Ledger, NodeId, Word};

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
        let budget = named(&before, &name)?;
        write.condition.check(Some(budget.changed_index))?;
        let unit = unit_out(budget.unit);
        let most = settings.most(unit)?;
        let subject = settings.subject.as_deref();
        let meant = Meant { window: settings.window, subject, prefix: "" };
        let account = accounts::find(&before, budget, meant)?;
        let node = settings.node.as_deref().map(|node| find(&before, node)).transpose()?;
        let word = word(&write, &settings.reason);
        let parts = parts(&before, account, node, most);
        let (mut index, mut not_confirmed_by) = (before.applied_index, Vec::new());
        if !settings.dry_run && !was_done(&before, &word) {
            for part in &parts {
                let command = WriteOff { word: word.clone(), ..part.command.clone() };
                index = self.propose("budget", Command::WriteOff(command)).await?;
            }
            if !parts.is_empty() {
                not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
            }
        }
        let after = self.ledger();
        let budget = named(&after, &name)?;
        let overspend = ledger::view::overspend(&after, account).unwrap_or_default();
        let released: i64 = parts.iter().map(|part| part.amount).fold(0, i64::saturating_add);
        let to_come = if settings.dry_run { released } else { 0 };
        let most = overspend.at_most.map(|bound| bound.saturating_add(to_come));
        let object = budgets::WriteOff {
            budget: shown(&after, budget),
            released: parts.iter().map(|part| released_of(&after, unit, part)).collect(),
            overspend_bound: most.map(|bound| Amount::of(unit, bound)),
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
            word: Word::default(),
        };
        parts.push(Part { amount, command });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::admin::Window;
    use ledger::command::{AllocateNode, EnrolNode, Entry, PutBudget, Refill, RefillLine, apply};
    use ledger::{Budget, BudgetWindow, Outcome, Unit, UnixMillis};

    fn done(ledger: &mut Ledger, command: Command) -> Outcome {
        let entry = Entry { index: ledger.applied_index + 1, at: UnixMillis(1), command };
        let (outcome, _) = apply(ledger, &entry);
        assert!(!matches!(outcome, Outcome::Denied(_)), "{outcome:?}");
        outcome
    }

    /// Two nodes that were granted 300 and 40, of which the second life of the first knows nothing.
    fn suspended() -> (Ledger, AccountId) {
        let mut ledger = Ledger::default();
        let budget = Budget {
            name: "team".to_owned(),
            unit: Unit::Requests,
            windows: vec![BudgetWindow { window: ledger::Window::Never, limit: 1_000 }],
            managed_by: "api:admin".to_owned(),
            ..Budget::default()
        };
        let put = PutBudget { budget, if_index: None, periods: vec![(UnixMillis(1), None)] };
        done(&mut ledger, Command::PutBudget(put));
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
            let refill = Refill {
                node: id,
                incarnation: 1,
                seq: 1,
                active_nodes,
                lines,
                ..Refill::default()
            };
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
        let find_account = |window, subject| {
            accounts::find(&ledger, budget, Meant { window, subject, prefix: "" })
        };
        assert_eq!(find_account(None, None).unwrap(), id);
        assert_eq!(find_account(Some(Window::Never), None).unwrap(), id);
        assert_eq!(find_account(Some(Window::Day), None).unwrap_err().status(), 422);
        assert_eq!(find_account(None, Some("ann")).unwrap_err().status(), 422);
        assert_eq!(find(&ledger, "nobody").unwrap_err().status(), 422);
    }
}
