//! How does a budget stand?

use crate::{AccountId, Lane, Ledger, Period, Unit, UnixMillis};

/// The books of an account's present period, in the budget's unit.
///
/// `limit = closed_spend + reported + outstanding + suspense + pool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// What the amounts count.
    pub unit: Unit,
    /// Number of the period.
    pub period: u64,
    /// Its start.
    pub starts_at: UnixMillis,
    /// Its end, the next reset; `None`: never.
    pub ends_at: Option<UnixMillis>,
    /// The limit.
    pub limit: i64,
    /// Spent by lives of nodes that are settled and gone.
    pub closed_spend: i64,
    /// Reported as spent by the lanes there are.
    pub reported: i64,
    /// Granted to living nodes and not reported yet: counts as spent until they do.
    pub outstanding: i64,
    /// Granted to lives that are over, not reported: counts as spent until the period ends or an
    /// operator writes it off.
    pub suspense: i64,
    /// What may still be granted. Negative only after the limit was lowered.
    pub pool: i64,
    /// Billed beyond holds, or spent beyond grants.
    pub debt: i64,
    /// Written off by operators.
    pub written_off: i64,
    /// The limit can be exceeded by at most this much, as far as is recorded: debt, what was written
    /// off, and what was out when the limit was lowered. Zero where nothing of that happened.
    pub overspend_bound: i64,
    /// Spend of all closed periods.
    pub past_spend: i64,
}

/// The books of an account's present period.
pub fn books(ledger: &Ledger, account: AccountId) -> Option<Books> {
    let books = ledger.accounts.get(&account)?;
    let present = books.present()?;
    let suspense = suspense(ledger, present);
    let all_out = present.granted.saturating_sub(present.reported).saturating_sub(present.returned);
    let pool = present.pool();
    Some(Books {
        unit: books.unit,
        period: books.period,
        starts_at: present.starts_at,
        ends_at: present.ends_at,
        limit: present.limit,
        closed_spend: present.closed_spend,
        reported: present.reported,
        outstanding: all_out.saturating_sub(suspense),
        suspense,
        pool,
        debt: present.debt,
        written_off: present.written_off,
        overspend_bound: present
            .debt
            .saturating_add(present.written_off)
            .saturating_add(pool.saturating_neg().max(0)),
        past_spend: books.closed_spend,
    })
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
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, line};

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
}
