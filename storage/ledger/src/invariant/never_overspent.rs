//! Spent, outstanding and in suspense together are within the limit.

use super::{ensure, periods};
use crate::Ledger;

/// Counts what may have been spent, lane by lane, against the period's ceiling: the limit, or what was
/// out when an operator lowered the limit below that.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, account, number, period) in periods(ledger) {
        let lanes = period.lanes.values();
        let out: i128 =
            lanes.map(|lane| i128::from(lane.granted) - i128::from(lane.returned)).sum();
        let committed = i128::from(period.closed_spend) + out;
        let ceiling = period.ceiling;
        ensure(committed <= i128::from(ceiling), || {
            format!("account {id} period {number}: {committed} may be spent of {ceiling}")
        })?;
        ensure(ceiling >= period.limit, || {
            let limit = period.limit;
            format!(
                "account {id} period {number}: the ceiling {ceiling} is below the limit {limit}"
            )
        })?;
        ensure(account.closed_spend >= 0, || {
            format!("account {id}: closed spend is {}", account.closed_spend)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lane;
    use crate::sample::{ACCOUNT, Log, NODES};

    #[test]
    fn a_grant_beyond_the_limit_is_caught() {
        let mut log = Log::sample();
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        let lane = Lane { granted: 1_001, ..Lane::default() };
        let period = account.periods.get_mut(&1).unwrap();
        period.put_lane(NODES[0], 1, lane);
        assert!(check(&log.ledger).is_err());
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().ceiling = 1_001;
        assert_eq!(check(&log.ledger), Ok(()));
    }
}
