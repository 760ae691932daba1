//! Spent, outstanding and in suspense together are within the limit.

use super::{ensure, periods};
use crate::{Ledger, Period, Window};

/// Counts what may have been spent, lane by lane, against the ceiling: the limit, or what was out when it
/// was lowered below that. Where the window rolls, that is the sum over all periods that count; elsewhere
/// it holds for past periods too.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, account) in &ledger.accounts {
        ensure(account.closed_spend >= 0, || {
            format!("account {id}: closed spend is {}", account.closed_spend)
        })?;
        let committed: i128 = account.counting().map(|(_, period)| committed(period)).sum();
        let ceiling = account.present().map_or(i64::MAX, |present| present.ceiling);
        ensure(committed <= i128::from(ceiling), || {
            format!("account {id}: {committed} may be spent of {ceiling}")
        })?;
    }
    for (id, account, number, period) in periods(ledger) {
        let (ceiling, limit) = (period.ceiling, period.limit);
        ensure(ceiling >= limit, || {
            format!(
                "account {id} period {number}: the ceiling {ceiling} is below the limit {limit}"
            )
        })?;
        let alone = !matches!(account.window, Window::Rolling(_));
        ensure(!alone || committed(period) <= i128::from(ceiling), || {
            format!("account {id} period {number}: more may be spent than {ceiling}")
        })?;
    }
    Ok(())
}

/// Spent, or out where it may be spent, by the lanes.
fn committed(period: &Period) -> i128 {
    let lanes = period.lanes.values();
    let out = lanes.map(|lane| i128::from(lane.granted) - i128::from(lane.returned));
    i128::from(period.closed_spend) + out.sum::<i128>()
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
