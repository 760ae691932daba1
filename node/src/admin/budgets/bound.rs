//! By how much can a limit be exceeded now, and why?

use ledger::view::Books;
use ledger::{Budget, Ledger, Mode, WithoutQuorum};

/// One reason, and how much it allows; `None`: anything.
pub(crate) type Because = (Why, Option<i64>);

/// Why a limit can be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Providers billed beyond the holds.
    Debt,
    /// An operator gave up what silent nodes were granted.
    WrittenOff,
    /// The limit was lowered below what was spent and out.
    LimitLowered,
    /// The budget is soft.
    Soft,
    /// Nodes that cannot ask may go on for so much each.
    Degraded,
    /// Nodes that cannot ask go on.
    Open,
}

/// The reasons why an account's limit can be exceeded now. None: it cannot.
pub(crate) fn bound(ledger: &Ledger, budget: &Budget, books: &Books) -> Vec<Because> {
    let lowered = books.pool.saturating_neg();
    let recorded = [
        (Why::Debt, books.debt),
        (Why::WrittenOff, books.written_off),
        (Why::LimitLowered, lowered),
    ];
    let recorded = recorded.into_iter().filter(|(_, amount)| *amount > 0);
    let mut because: Vec<Because> = recorded.map(|(why, amount)| (why, Some(amount))).collect();
    match budget.mode {
        Mode::Hard => {}
        Mode::Soft => because.push((Why::Soft, None)),
    }
    match budget.without_quorum {
        WithoutQuorum::Strict => {}
        WithoutQuorum::Degraded(each) => {
            let nodes = ledger.nodes.values().filter(|node| !node.is_retired()).count();
            let nodes = i64::try_from(nodes).unwrap_or(i64::MAX);
            because.push((Why::Degraded, Some(each.saturating_mul(nodes))));
        }
        WithoutQuorum::Open => because.push((Why::Open, None)),
    }
    because
}

/// Their sum; `None`: there is no bound.
pub(crate) fn most(because: &[Because]) -> Option<i64> {
    because.iter().try_fold(0, |sum: i64, (_, amount)| Some(sum.saturating_add((*amount)?)))
}
