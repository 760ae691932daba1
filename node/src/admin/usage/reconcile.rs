//! Do the lines of usage add up to what the budgets in money say was spent?

use crate::admin::budgets::{accounts, per_out, window_out};
use api::admin::v1::usage::Reconciled;
use ledger::{AccountId, Budget, Ledger, Period, Unit};
use std::collections::HashMap;

/// One answer for each window of each budget in money, all its periods together.
pub(super) fn reconcile(ledger: &Ledger) -> Vec<Reconciled> {
    let listed = listed(ledger);
    let money = ledger.budgets.values().filter(|budget| budget.unit == Unit::NanoUsd);
    money.flat_map(|budget| of_budget(ledger, budget, &listed)).collect()
}

/// Sum of the lines that name each budget or instance, by its handle.
fn listed(ledger: &Ledger) -> HashMap<u64, i64> {
    let mut listed: HashMap<u64, i64> = HashMap::new();
    for (key, sums) in &ledger.usage {
        for handle in &key.budgets {
            let sum = listed.entry(*handle).or_default();
            *sum = sum.saturating_add(sums.cost_nano_usd);
        }
    }
    listed
}

fn of_budget(ledger: &Ledger, budget: &Budget, listed: &HashMap<u64, i64>) -> Vec<Reconciled> {
    let mut answers: Vec<Reconciled> = budget
        .windows
        .iter()
        .map(|terms| Reconciled {
            budget: budget.name.clone(),
            window: window_out(terms.window),
            per: per_out(budget.per),
            spent_nano_usd: 0,
            listed_nano_usd: 0,
            suspense_nano_usd: 0,
            debt_nano_usd: 0,
            difference_nano_usd: 0,
            because: None,
        })
        .collect();
    for (id, _) in accounts::all(ledger, budget) {
        let Some(answer) = answers.get_mut(usize::from(id.window)) else { continue };
        let (spent, debt) = spent_ever(ledger, id);
        answer.spent_nano_usd = answer.spent_nano_usd.saturating_add(spent);
        answer.debt_nano_usd = answer.debt_nano_usd.saturating_add(debt);
        let listed = listed.get(&id.budget).copied().unwrap_or_default();
        answer.listed_nano_usd = answer.listed_nano_usd.saturating_add(listed);
        let suspense = ledger::view::books(ledger, id).map_or(0, |books| books.suspense);
        answer.suspense_nano_usd = answer.suspense_nano_usd.saturating_add(suspense);
    }
    for answer in &mut answers {
        answer.difference_nano_usd = answer.listed_nano_usd.saturating_sub(answer.spent_nano_usd);
        answer.because = because(answer);
    }
    answers
}

/// Spent in all periods there ever were, and the debts of those that are not closed.
fn spent_ever(ledger: &Ledger, id: AccountId) -> (i64, i64) {
    let Some(account) = ledger.accounts.get(&id) else { return (0, 0) };
    let sum =
        |of: fn(&Period) -> i64| account.periods.values().map(of).fold(0, i64::saturating_add);
    let spent = account.closed_spend.saturating_add(sum(Period::spent));
    (spent, sum(|period| period.debt))
}

/// Where a difference comes from.
fn because(answer: &Reconciled) -> Option<String> {
    let difference = answer.difference_nano_usd;
    match difference {
        0 => None,
        1.. if difference <= answer.debt_nano_usd => Some(
            "lines hold what was spent beyond what was granted; the books keep it as debt".to_owned(),
        ),
        1.. => Some(
            "lines hold more than the books: the budget was charged in an entry that is not applied here yet, or \
             debt of closed periods"
                .to_owned(),
        ),
        ..0 => Some(
            "charged and unattributed: what a power cut left nobody to tell of, what nodes were granted that went \
             silent and counted as spent when its period closed, or what was on lines older than are kept"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{Account, UsageKey, UsageSums};

    /// A budget of two windows on which `spent` is booked and `listed` is listed.
    fn ledger(spent: i64, listed: i64, debt: i64) -> Ledger {
        let mut ledger = Ledger::default();
        let terms = [ledger::Window::Day, ledger::Window::Never]
            .map(|window| ledger::BudgetWindow { window, limit: 1_000 });
        let budget = Budget {
            name: "team".to_owned(),
            handle: 5,
            windows: terms.to_vec(),
            ..Budget::default()
        };
        for (id, terms) in budget.accounts() {
            let closed = Period { closed_spend: spent - 10, debt, ..Period::default() };
            let mut account = account(&budget, terms.window);
            account.closed_spend = 10;
            account.periods.insert_mut(1, closed);
            ledger.put_account(id, account);
        }
        ledger.budgets.insert_mut(budget.name.clone(), budget);
        for (handles, cost) in [(vec![5, 6], listed - 1), (vec![5], 1), (vec![6], 100)] {
            let key = UsageKey { budgets: handles, ..UsageKey::default() };
            ledger.add_usage(key, &UsageSums { cost_nano_usd: cost, ..UsageSums::default() });
        }
        ledger
    }

    fn account(budget: &Budget, window: ledger::Window) -> Account {
        Account {
            budget: budget.name.clone(),
            subject: String::new(),
            window,
            created_at: budget.created_at,
            base_limit: 1_000,
            increases: Vec::new(),
            ring_from: 1,
            unit: budget.unit,
            period: 1,
            deleted_at: None,
            closed_spend: 0,
            periods: Default::default(),
        }
    }

    #[test]
    fn lines_that_add_up_differ_by_nothing_in_every_window() {
        let answers = reconcile(&ledger(40, 40, 0));
        assert_eq!(answers.len(), 2);
        for answer in answers {
            assert_eq!((answer.spent_nano_usd, answer.listed_nano_usd), (40, 40));
            assert_eq!((answer.difference_nano_usd, answer.because), (0, None));
        }
    }

    #[test]
    fn a_difference_is_explained() {
        let because = |spent, listed, debt| {
            let answer = reconcile(&ledger(spent, listed, debt)).remove(0);
            (answer.difference_nano_usd, answer.because.unwrap())
        };
        let (difference, said) = because(40, 43, 3);
        assert!(difference == 3 && said.contains("as debt"), "{said}");
        let (difference, said) = because(40, 30, 0);
        assert!(difference == -10 && said.contains("unattributed"), "{said}");
    }
}
