//! One spender per allowance: of each node at most one life may spend, and none that has not begun.

use super::grants_are_present::lane_of;
use super::{ensure, periods, was_told};
use crate::{Ledger, NodeId};

/// Looks for nodes with two lanes out of suspense in one period, for lanes of unknown nodes, and for
/// lanes of lives yet to come.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, record) in &ledger.nodes {
        ensure(*id == record.id, || format!("node {} is filed as {}", record.id.0, id.0))?;
    }
    for (id, _account, number, period) in periods(ledger) {
        let mut last: Option<NodeId> = None;
        for (node, incarnation) in period.lanes.keys() {
            let record = ledger.nodes.get(node);
            let begun = record.is_some_and(|record| (1..=record.incarnation).contains(incarnation));
            ensure(begun, || {
                let node = node.0;
                format!("account {id} period {number}: node {node} never lived life {incarnation}")
            })?;
            if !ledger.is_present(*node, *incarnation) {
                continue;
            }
            ensure(last != Some(*node), || {
                format!("account {id} period {number}: node {} spends twice", node.0)
            })?;
            last = Some(*node);
        }
    }
    Ok(())
}

/// Suspense keeps still: of a life that is over nothing moves but what an operator writes off and what its
/// journal tells, until its lane goes altogether; and of one that is not over, nothing is written off.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (id, _account, number, period) in periods(after) {
        for (&(node, incarnation), lane) in &period.lanes {
            let old = lane_of(before, id, number, (node, incarnation));
            let written_off = lane.written_off.saturating_sub(old.written_off);
            let still = if before.is_present(node, incarnation) {
                written_off == 0
            } else if was_told(before, after, node, incarnation) {
                continue;
            } else {
                let returned = lane.returned.saturating_sub(old.returned);
                (lane.granted, lane.reported, lane.debt) == (old.granted, old.reported, old.debt)
                    && returned == written_off
            };
            ensure(still, || {
                let node = node.0;
                format!(
                    "account {id} period {number} node {node} life {incarnation}: {old:?} to {lane:?}"
                )
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lane;
    use crate::sample::{ACCOUNT, Log, NODES, line};

    fn with_lane(node: NodeId, incarnation: u64) -> Ledger {
        let mut log = Log::sample();
        log.enrol(NODES[0], 5);
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        let lane = Lane { granted: 1, ..Lane::default() };
        let period = account.periods.get_mut(&1).unwrap();
        period.put_lane(node, incarnation, lane);
        log.ledger
    }

    #[test]
    fn a_lane_of_a_life_that_never_was_is_caught() {
        assert_eq!(check(&with_lane(NODES[0], 5)), Ok(()));
        assert_eq!(check(&with_lane(NODES[0], 4)), Ok(()));
        assert!(check(&with_lane(NODES[0], 6)).is_err());
        assert!(check(&with_lane(NODES[0], 0)).is_err());
        assert!(check(&with_lane(NodeId(77), 1)).is_err());
    }

    #[test]
    fn a_node_filed_under_another_id_is_caught() {
        let mut log = Log::sample();
        log.ledger.nodes.get_mut(&NODES[0]).unwrap().id = NODES[1];
        assert!(check(&log.ledger).is_err());
    }

    #[test]
    fn a_life_that_is_over_and_still_reports_is_caught() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 5));
        let before = log.ledger.clone();
        log.refill(NODES[0], line(3, 0, 0));
        assert_eq!(check_step(&before, &log.ledger), Ok(()));
        let mut over = before.clone();
        over.nodes.get_mut(&NODES[0]).unwrap().incarnation = 2;
        assert!(check_step(&over, &log.ledger).is_err());
    }

    #[test]
    fn a_write_off_of_a_living_node_is_caught() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 5));
        let before = log.ledger.clone();
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        let period = account.periods.get_mut(&1).unwrap();
        let mut lane = period.lane(NODES[0], 1);
        (lane.returned, lane.written_off) = (2, 2);
        period.put_lane(NODES[0], 1, lane);
        assert!(check_step(&before, &log.ledger).is_err());
    }
}
