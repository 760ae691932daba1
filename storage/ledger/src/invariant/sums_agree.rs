//! The sums that a period keeps, so that its pool needs no scan, are those of its lanes.

use super::{ensure, periods};
use crate::{Lane, Ledger};

/// Adds the lanes up. Debt and write-offs also hold those of lanes that are gone.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, _account, number, period) in periods(ledger) {
        let sum = |counter: fn(&Lane) -> i64| -> i128 {
            let lanes = period.lanes.values();
            lanes.map(|lane| i128::from(counter(lane))).sum()
        };
        let agree = sum(|lane| lane.granted) == i128::from(period.granted)
            && sum(|lane| lane.reported) == i128::from(period.reported)
            && sum(|lane| lane.returned) == i128::from(period.returned)
            // The sum of debts is the one that saturates: debt has no limit.
            && (sum(|lane| lane.debt) <= i128::from(period.debt) || period.debt == i64::MAX)
            && sum(|lane| lane.written_off) <= i128::from(period.written_off);
        ensure(agree, || {
            format!("account {id} period {number}: sums differ from lanes: {period:?}")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log, NODES, line};

    #[test]
    fn a_sum_that_drifted_is_caught() {
        let drifts: [fn(&mut crate::Period); 5] = [
            |period| period.granted += 1,
            |period| period.reported -= 1,
            |period| period.returned += 1,
            |period| period.debt -= 1,
            |period| period.written_off -= 1,
        ];
        for drift in drifts {
            let mut log = Log::sample();
            log.refill(NODES[0], line(0, 0, 10));
            log.refill(NODES[0], line(5, 2, 0));
            assert_eq!(check(&log.ledger), Ok(()));
            let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
            drift(account.periods.get_mut(&1).unwrap());
            assert!(check(&log.ledger).is_err());
        }
    }
}
