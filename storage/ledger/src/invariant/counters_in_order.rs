//! A lane reports and returns no more than it was granted: `0 <= R`, `0 <= X`, `R + X <= G`.

use super::{ensure, periods};
use crate::Ledger;

/// Checks every lane's counters against one another.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, _account, number, period) in periods(ledger) {
        for ((node, incarnation), lane) in &period.lanes {
            let used = i128::from(lane.reported) + i128::from(lane.returned);
            let in_order = lane.reported >= 0
                && (0..=lane.returned).contains(&lane.written_off)
                && lane.debt >= 0
                && used <= i128::from(lane.granted);
            ensure(in_order, || {
                let node = node.0;
                format!("account {id} period {number} node {node} life {incarnation}: {lane:?}")
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lane;
    use crate::sample::{ACCOUNT, Log, NODES};

    #[test]
    fn a_lane_that_used_more_than_it_was_granted_is_caught() {
        let lane = |granted, reported, returned, written_off| Lane {
            granted,
            reported,
            returned,
            written_off,
            debt: 0,
        };
        let good = [lane(3, 1, 2, 2), lane(3, 0, 0, 0)];
        let bad = [lane(3, 2, 2, 0), lane(3, -1, 0, 0), lane(3, 0, 1, 2)];
        for (lane, holds) in good.map(|l| (l, true)).into_iter().chain(bad.map(|l| (l, false))) {
            let mut log = Log::sample();
            let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
            let period = account.periods.get_mut(&1).unwrap();
            period.put_lane(NODES[0], 1, lane);
            assert_eq!(check(&log.ledger).is_ok(), holds, "{lane:?}");
        }
    }
}
