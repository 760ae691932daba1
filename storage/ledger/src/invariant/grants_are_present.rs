//! Money is granted only where it may be spent: in the present period of a budget that was not deleted.

use super::{ensure, periods};
use crate::{AccountId, Lane, Ledger, NodeId};

/// Looks for lanes whose grants grew elsewhere.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (id, account, number, period) in periods(after) {
        if account.deleted_at.is_none() && account.period == number {
            continue;
        }
        for (&(node, incarnation), lane) in &period.lanes {
            let old = lane_of(before, id, number, (node, incarnation));
            ensure(lane.granted <= old.granted, || {
                let node = node.0;
                format!("account {id} period {number} does not admit and granted to node {node}")
            })?;
        }
    }
    Ok(())
}

/// A lane as it is in a ledger; all zero where there is none.
pub(super) fn lane_of(ledger: &Ledger, id: AccountId, number: u64, whose: (NodeId, u64)) -> Lane {
    let account = ledger.accounts.get(&id);
    let period = account.and_then(|account| account.periods.get(&number));
    period.map_or(Lane::default(), |period| period.lane(whose.0, whose.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixMillis;
    use crate::sample::{ACCOUNT, Log, NODES, line};

    #[test]
    fn a_grant_in_a_past_period_or_of_a_deleted_budget_is_caught() {
        let mut log = Log::sample();
        let before = log.ledger.clone();
        log.refill(NODES[0], line(0, 0, 5));
        assert_eq!(check_step(&before, &log.ledger), Ok(()));
        let mut deleted = log.ledger.clone();
        let account = deleted.accounts.get_mut(&ACCOUNT).unwrap();
        account.deleted_at = Some(UnixMillis(0));
        assert!(check_step(&before, &deleted).is_err());
        log.roll();
        assert!(check_step(&before, &log.ledger).is_err());
    }
}
