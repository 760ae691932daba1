//! The books as operators see them: of one account, or summed over those of all subjects.

use super::accounts;
use super::shape::{unit_out, window_out};
use api::admin::Timestamp;
use api::admin::v1::budgets::{Amount, Because, Books, BudgetWindow, Increase, Why};
use ledger::view::Reason;
use ledger::{AccountId, Budget, Ledger};

/// Each window of a budget, with the books of its present period.
pub(super) fn windows(ledger: &Ledger, budget: &Budget) -> Vec<BudgetWindow> {
    if accounts::is_shared_by_all(budget) {
        return windows_under(ledger, budget, budget.handle);
    }
    let mut sums = budget
        .windows
        .iter()
        .map(|terms| BudgetWindow {
            window: window_out(terms.window),
            period: None,
            starts_at: None,
            resets_at: None,
            each: Some(Amount::of(unit_out(budget.unit), terms.limit)),
            books: Books {
                unit: unit_out(budget.unit),
                overspend_bound: Some(0),
                ..Books::default()
            },
            increases: Vec::new(),
            overspend_because: Vec::new(),
        })
        .collect::<Vec<_>>();
    for (_, instance) in accounts::instances(ledger, budget) {
        for (sum, one) in sums.iter_mut().zip(windows_under(ledger, budget, instance.handle)) {
            add(&mut sum.books, &one.books);
            for because in one.overspend_because {
                note(&mut sum.overspend_because, because);
            }
        }
    }
    sums
}

/// Each window of one subject, or of the budget where all share it.
pub(super) fn windows_under(ledger: &Ledger, budget: &Budget, handle: u64) -> Vec<BudgetWindow> {
    let accounts = budget.accounts_under(handle);
    accounts.filter_map(|(account, _)| window(ledger, account)).collect()
}

fn window(ledger: &Ledger, id: AccountId) -> Option<BudgetWindow> {
    let account = ledger.accounts.get(&id)?;
    let books = ledger::view::books(ledger, id)?;
    let unit = unit_out(books.unit);
    let overspend = ledger::view::overspend(ledger, id).unwrap_or_default();
    let increases = account.increases.iter().map(|increase| Increase {
        amount: Amount::of(unit, increase.amount),
        until: Timestamp(increase.until.0),
    });
    Some(BudgetWindow {
        window: window_out(account.window),
        period: Some(books.period),
        starts_at: Some(Timestamp(books.starts_at.0)),
        resets_at: books.ends_at.map(|at| Timestamp(at.0)),
        each: None,
        books: Books {
            unit,
            limit: books.limit,
            base_limit: books.base_limit,
            increased: books.increased,
            moved: books.moved,
            spent: books.closed_spend.saturating_add(books.reported),
            held: books.outstanding,
            suspense: books.suspense,
            debt: books.debt,
            remaining: books.pool,
            overspend_bound: overspend.at_most,
        },
        increases: increases.collect(),
        overspend_because: overspend
            .because
            .into_iter()
            .map(|(why, amount)| Because {
                why: why_out(why),
                amount: amount.map(|amount| Amount::of(unit, amount)),
            })
            .collect(),
    })
}

fn add(sum: &mut Books, one: &Books) {
    sum.limit = sum.limit.saturating_add(one.limit);
    sum.base_limit = sum.base_limit.saturating_add(one.base_limit);
    sum.increased = sum.increased.saturating_add(one.increased);
    sum.moved = sum.moved.saturating_add(one.moved);
    sum.spent = sum.spent.saturating_add(one.spent);
    sum.held = sum.held.saturating_add(one.held);
    sum.suspense = sum.suspense.saturating_add(one.suspense);
    sum.debt = sum.debt.saturating_add(one.debt);
    sum.remaining = sum.remaining.saturating_add(one.remaining);
    sum.overspend_bound =
        sum.overspend_bound.zip(one.overspend_bound).map(|(sum, one)| sum.saturating_add(one));
}

/// Adds a reason to those of other subjects.
fn note(all: &mut Vec<Because>, one: Because) {
    match all.iter_mut().find(|because| because.why == one.why) {
        Some(present) => present.amount = present.amount.zip(one.amount).map(sum_of),
        None => all.push(one),
    }
}

fn sum_of((one, other): (Amount, Amount)) -> Amount {
    let sum = |one: Option<i64>, other: Option<i64>| {
        one.zip(other).map(|(one, other)| one.saturating_add(other))
    };
    Amount {
        usd: one
            .usd
            .zip(other.usd)
            .map(|(one, other)| api::admin::Usd(one.0.saturating_add(other.0))),
        nano_usd: sum(one.nano_usd, other.nano_usd),
        tokens: sum(one.tokens, other.tokens),
        requests: sum(one.requests, other.requests),
    }
}

fn why_out(reason: Reason) -> Why {
    match reason {
        Reason::Debt => Why::Debt,
        Reason::WrittenOff => Why::WrittenOff,
        Reason::LimitLowered => Why::LimitLowered,
        Reason::Soft => Why::Soft,
        Reason::Degraded => Why::Degraded,
        Reason::Open => Why::Open,
    }
}
