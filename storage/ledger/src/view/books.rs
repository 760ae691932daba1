//! How does a budget stand?

use crate::{AccountId, Lane, Ledger, Mode, Period, Unit, UnixMillis, WithoutQuorum};

/// The books of an account as they count now, in the budget's unit: those of its present period, and
/// where the window rolls, of all periods that count.
///
/// `limit = closed_spend + reported + outstanding + suspense + pool`, and
/// `limit = base_limit + increased + moved`, unless that is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// What the amounts count.
    pub unit: Unit,
    /// Number of the period.
    pub period: u64,
    /// Its start; where the window rolls, that of the first period that counts.
    pub starts_at: UnixMillis,
    /// Its end, the next reset; `None`: never. Where the window rolls, the next time something of what
    /// was spent may count no more.
    pub ends_at: Option<UnixMillis>,
    /// The limit.
    pub limit: i64,
    /// The budget's limit for this window.
    pub base_limit: i64,
    /// Added for a while.
    pub increased: i64,
    /// Moved here from other budgets, less what was moved away.
    pub moved: i64,
    /// Spent by lives of nodes that are settled and gone.
    pub closed_spend: i64,
    /// Reported as spent by the lanes there are.
    pub reported: i64,
    /// Granted to living nodes and not reported yet: counts as spent until they do.
    pub outstanding: i64,
    /// Granted to lives that are over, not reported: counts as spent until the node tells of it from its
    /// journal, the period ends, or an operator writes it off.
    pub suspense: i64,
    /// What may still be granted. Negative only after the limit was lowered.
    pub pool: i64,
    /// Billed beyond holds, or spent beyond grants.
    pub debt: i64,
    /// Written off by operators.
    pub written_off: i64,
    /// The limit can be exceeded by at most this much, as far as is recorded: debt, what was written
    /// off, and what was out when the limit was lowered. Zero where nothing of that happened. What the
    /// budget allows besides is told by [`overspend`].
    pub overspend_bound: i64,
    /// Spend of all closed periods.
    pub past_spend: i64,
}

/// The books of an account.
pub fn books(ledger: &Ledger, account: AccountId) -> Option<Books> {
    let books = ledger.accounts.get(&account)?;
    let present = books.present()?;
    let first = books.counting().next().map_or(present.starts_at, |(_, first)| first.starts_at);
    let suspense = books.sum(|period| suspense(ledger, period));
    let reported = books.sum(|period| period.reported);
    let closed_spend = books.sum(|period| period.closed_spend);
    let all_out = books.committed().saturating_sub(closed_spend).saturating_sub(reported);
    let (debt, written_off) = (books.sum(|it| it.debt), books.sum(|it| it.written_off));
    let lowered = books.pool().saturating_neg().max(0);
    Some(Books {
        unit: books.unit,
        period: books.period,
        starts_at: first,
        ends_at: present.ends_at,
        limit: present.limit,
        base_limit: books.base_limit,
        increased: books.increased(),
        moved: books.moved(),
        closed_spend,
        reported,
        outstanding: all_out.saturating_sub(suspense),
        suspense,
        pool: books.pool(),
        debt,
        written_off,
        overspend_bound: debt.saturating_add(written_off).saturating_add(lowered),
        past_spend: books.closed_spend,
    })
}

/// Why a limit may be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Requests cost more than was set aside for them.
    Debt,
    /// An operator gave back what a lost node may have spent.
    WrittenOff,
    /// The limit was lowered below what was spent or out.
    LimitLowered,
    /// The budget is soft: requests go on at the limit.
    Soft,
    /// Without quorum each node lets some more through.
    Degraded,
    /// Without quorum everything goes on.
    Open,
}

/// By how much an account's limit may be exceeded now, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overspend {
    /// In the account's unit; `None`: without bound.
    pub at_most: Option<i64>,
    /// Each reason there is, with its amount; `None`: without bound.
    pub because: Vec<(Reason, Option<i64>)>,
}

/// By how much an account's limit may be exceeded now, and why: nothing and for no reason unless something
/// was recorded or the budget allows it.
pub fn overspend(ledger: &Ledger, account: AccountId) -> Option<Overspend> {
    let books = books(ledger, account)?;
    let name = &ledger.accounts.get(&account)?.budget;
    let mut because = Vec::new();
    for (reason, amount) in [
        (Reason::Debt, books.debt),
        (Reason::WrittenOff, books.written_off),
        (Reason::LimitLowered, books.pool.saturating_neg()),
    ] {
        if amount > 0 {
            because.push((reason, Some(amount)));
        }
    }
    if let Some(budget) = ledger.budgets.get(name) {
        match budget.mode {
            Mode::Hard => {}
            Mode::Soft => because.push((Reason::Soft, None)),
        }
        match budget.without_quorum {
            WithoutQuorum::Strict | WithoutQuorum::Degraded(0) => {}
            WithoutQuorum::Degraded(more) => {
                because.push((Reason::Degraded, Some(more.saturating_mul(living_nodes(ledger)))));
            }
            WithoutQuorum::Open => because.push((Reason::Open, None)),
        }
    }
    let mut amounts = because.iter().map(|(_, amount)| *amount);
    let at_most = amounts.try_fold(0_i64, |sum, amount| Some(sum.saturating_add(amount?)));
    Some(Overspend { at_most, because })
}

/// Nodes that may spend: by a policy for the time without a quorum also those that are not enrolled yet.
///
/// Each lets a policy's amount through once, however often it starts: what a life let through counts against
/// the next one until the ledger knows of it. Only where its journal is lost with it the count begins anew.
fn living_nodes(ledger: &Ledger) -> i64 {
    let living = ledger.nodes.values().filter(|node| !node.is_retired());
    i64::try_from(living.count()).unwrap_or(i64::MAX)
}

/// `Z`: outstanding of lanes whose node lives another life now, or was retired.
pub(crate) fn suspense(ledger: &Ledger, period: &Period) -> i64 {
    period
        .lanes
        .iter()
        .filter(|((node, incarnation), _)| !ledger.is_present(*node, *incarnation))
        .map(|(_, lane)| Lane::outstanding(lane))
        .fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Window;
    use crate::command::{Command, RefillLine};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, budget, line, put_budget};
    use crate::view::due;

    #[test]
    fn the_books_sum_to_the_limit() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 300));
        log.refill(NODES[0], line(100, 50, 0));
        log.refill(NODES[1], line(0, 0, 70));
        log.enrol(NODES[0], 2);
        let books = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((books.reported, books.outstanding, books.suspense), (100, 70, 150));
        let sum = books.closed_spend + books.reported + books.outstanding;
        assert_eq!(sum + books.suspense + books.pool, LIMIT);
        assert_eq!(books.overspend_bound, 0);
    }

    #[test]
    fn the_bound_is_nothing_until_there_is_a_reason_and_each_is_named() {
        let mut log = Log::sample();
        let bound = |log: &Log| overspend(&log.ledger, ACCOUNT).unwrap();
        assert_eq!(bound(&log), Overspend { at_most: Some(0), because: Vec::new() });
        log.refill(NODES[0], line(0, 0, LIMIT));
        log.refill(NODES[0], line(LIMIT + 30, 0, 0));
        let mut team = budget("team", LIMIT - 200);
        team.without_quorum = WithoutQuorum::Degraded(7);
        log.done(put_budget(team.clone()));
        let because = vec![
            (Reason::Debt, Some(30)),
            (Reason::LimitLowered, Some(200)),
            (Reason::Degraded, Some(14)),
        ];
        assert_eq!(bound(&log), Overspend { at_most: Some(244), because });
        (team.mode, team.without_quorum) = (Mode::Soft, WithoutQuorum::Open);
        log.done(put_budget(team));
        assert_eq!(bound(&log).at_most, None);
        assert_eq!(bound(&log).because[2..], [(Reason::Soft, None), (Reason::Open, None)]);
    }

    #[test]
    fn books_of_a_rolling_window_are_those_of_all_its_parts() {
        let mut log = Log::sample();
        let mut rolling = budget("rolling", LIMIT);
        rolling.windows[0].window = Window::Rolling(24_000);
        log.done(put_budget(rolling));
        let account = AccountId { budget: log.ledger.budgets["rolling"].handle, window: 0 };
        for period in 1..=3 {
            let ask =
                |settled_cum, must| RefillLine { account, period, ..line(settled_cum, 0, must) };
            log.refill(NODES[0], ask(0, 100));
            log.refill(NODES[0], ask(60, 0));
            let due = due(&log.ledger, UnixMillis(period * 1_000), 1_000_000);
            let open = due.into_iter().find(
                |command| matches!(command, Command::OpenPeriod(open) if open.account == account),
            );
            log.done(open.unwrap());
        }
        let books = books(&log.ledger, account).unwrap();
        assert_eq!((books.reported, books.outstanding, books.pool), (180, 120, LIMIT - 300));
        assert_eq!(
            (books.period, books.starts_at, books.ends_at),
            (4, UnixMillis(0), Some(UnixMillis(4_000)))
        );
    }
}
