//! Nothing is made and nothing is lost: `L = S + sum(R) + sum(O) + Z + F`.

use super::{ensure, periods};
use crate::Ledger;
use crate::view::suspense;

/// Counts every account lane by lane, over the periods that count, and compares with its limit and pool.
///
/// No term is negative, but for the pool of a period whose limit was lowered below what was out.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, account) in &ledger.accounts {
        let pool = i128::from(account.pool());
        let mut sum = pool;
        for (_, period) in account.counting() {
            let lanes = period.lanes.values();
            let told = lanes.map(|lane| i128::from(lane.reported) + i128::from(lane.outstanding()));
            sum += i128::from(period.closed_spend) + told.sum::<i128>();
        }
        let limit = account.limit();
        let has_books = account.present().is_some();
        ensure(sum == i128::from(limit) || !has_books, || {
            format!("account {id}: the terms sum to {sum}, the limit is {limit}")
        })?;
        let ceiling = account.present().map_or(limit, |present| present.ceiling);
        ensure(pool >= 0 || ceiling > limit || !has_books, || {
            format!("account {id}: the pool is {pool} and nobody lowered the limit")
        })?;
    }
    for (id, _account, number, period) in periods(ledger) {
        let out = period.lanes.values().map(|lane| i128::from(lane.outstanding())).sum::<i128>();
        let suspended = i128::from(suspense(ledger, period));
        let reported = i128::from(period.reported);
        let terms = [i128::from(period.closed_spend), reported, out - suspended, suspended];
        ensure(terms.iter().all(|term| *term >= 0) && period.limit >= 0, || {
            format!("account {id} period {number}: a term is negative: {period:?}")
        })?;
    }
    Ok(())
}

/// What leaves the books is charged: a closed period becomes closed spend with all that was out, and an
/// account goes only when nothing is out, or when its budget was deleted and its last period closed.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (id, old) in &before.accounts {
        let Some(new) = after.accounts.get(id) else {
            ensure(old.deleted_at.is_some() || !old.has_outstanding(), || {
                format!("account {id} is gone with something outstanding")
            })?;
            continue;
        };
        let closed = old
            .periods
            .iter()
            .filter(|(number, _)| !new.periods.contains_key(number))
            .map(|(_, period)| period.committed())
            .fold(old.closed_spend, i64::saturating_add);
        ensure(new.closed_spend == closed, || {
            let kept = new.closed_spend;
            format!("account {id}: closed spend is {kept}, its closed periods sum to {closed}")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log, NODES, line};

    #[test]
    fn a_pool_below_zero_that_nobody_made_is_caught() {
        let mut log = Log::sample();
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().closed_spend = 1_001;
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn a_return_out_of_nowhere_is_caught() {
        let mut log = Log::sample();
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().returned = 1;
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn what_leaves_the_books_uncharged_is_caught() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 5));
        log.roll();
        let before = log.ledger.clone();
        assert_eq!(check_step(&before, &log.ledger), Ok(()));
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.remove_mut(&1);
        assert!(check_step(&before, &log.ledger).is_err());
        log.ledger.accounts.get_mut(&ACCOUNT).unwrap().closed_spend = 5;
        assert_eq!(check_step(&before, &log.ledger), Ok(()));
        log.ledger.accounts.remove_mut(&ACCOUNT);
        assert!(check_step(&before, &log.ledger).is_err());
    }
}
