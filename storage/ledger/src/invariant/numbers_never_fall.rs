//! Indices, lives, period numbers and cumulative counters only grow: a duplicate or an old message can
//! take nothing back. Period numbers grow one by one.

use super::{ensure, was_told};
use crate::{Account, Ledger, NodeId, NodeRecord, PAST_LIVES_MAX, Period};

/// Compares a ledger with the one before.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    let indices = before.applied_index <= after.applied_index
        && before.config_index <= after.config_index
        && before.cluster_version <= after.cluster_version
        && (before.cluster_id.is_empty() || before.cluster_id == after.cluster_id);
    ensure(indices, || "an index, the version or the cluster fell".to_owned())?;
    for (id, old) in &before.nodes {
        let rose = after.nodes.get(id).is_some_and(|new| {
            (old.incarnation, old.refill_seq) <= (new.incarnation, new.refill_seq)
                && (old.incarnation, old.usage_batch) <= (new.incarnation, new.usage_batch)
                && past_rose(old, new)
                && old.uuid == new.uuid
        });
        ensure(rose, || format!("node {} fell or is gone", id.0))?;
    }
    for (id, new) in &after.accounts {
        match before.accounts.get(id) {
            Some(old) => account(old, new, &|node, life| was_told(before, after, node, life))
                .map_err(|broken| format!("account {id}: {broken}"))?,
            None => ensure(id.budget > before.applied_index, || format!("account {id} came back"))?,
        }
    }
    Ok(())
}

/// Lives to be told of stand in order, are over, are few, and none comes back that was told of.
fn past_rose(old: &NodeRecord, new: &NodeRecord) -> bool {
    let rose = |past: &crate::PastLife| match old.past_life(past.incarnation) {
        Some(older) => {
            older.adopted_parts <= past.adopted_parts && older.usage_batch == past.usage_batch
        }
        // Over since this step, or skipped by it.
        None => past.incarnation >= old.incarnation.max(1) && past.adopted_parts == 0,
    };
    new.past.len() <= PAST_LIVES_MAX
        && new.past.is_sorted_by(|a, b| a.incarnation < b.incarnation)
        && new.past.iter().all(|past| past.incarnation < new.incarnation && rose(past))
}

/// Tells whether a life of a node was adopted.
type Adopted<'a> = &'a dyn Fn(NodeId, u64) -> bool;

fn account(old: &Account, new: &Account, adopted: Adopted<'_>) -> Result<(), String> {
    let numbers = (old.period..=old.period.saturating_add(1)).contains(&new.period)
        && old.closed_spend <= new.closed_spend
        && old.ring_from <= new.ring_from
        && (old.unit, old.window, old.created_at) == (new.unit, new.window, new.created_at)
        && old.budget == new.budget
        && (old.deleted_at.is_none() || old.deleted_at == new.deleted_at);
    ensure(numbers, || {
        "its period or closed spend fell or leapt, or it changed its kind".to_owned()
    })?;
    for (number, newer) in &new.periods {
        let Some(older) = old.periods.get(number) else {
            ensure(*number > old.period, || format!("period {number} came back"))?;
            continue;
        };
        // A reset cuts the period it ends.
        let is_over = *number < new.period && *number == old.period;
        let cut =
            is_over && newer.ends_at.is_some_and(|end| older.ends_at.is_none_or(|e| end <= e));
        ensure(
            newer.starts_at == older.starts_at && (cut || newer.ends_at == older.ends_at),
            || format!("period {number}: its time changed"),
        )?;
        period(older, newer, adopted).map_err(|broken| format!("period {number}: {broken}"))?;
    }
    Ok(())
}

fn period(old: &Period, new: &Period, adopted: Adopted<'_>) -> Result<(), String> {
    let sums = old.spent() <= new.spent()
        && old.closed_spend <= new.closed_spend
        && old.debt <= new.debt
        && old.written_off <= new.written_off;
    ensure(sums, || "spend, debt or a write-off fell".to_owned())?;
    for (key, lane) in &old.lanes {
        let Some(newer) = new.lanes.get(key) else {
            let (node, life) = (key.0.0, key.1);
            let settled = lane.outstanding() == 0
                || new.written_off > old.written_off
                || adopted(key.0, life);
            ensure(settled, || {
                format!("node {node} life {life} is gone with something outstanding")
            })?;
            continue;
        };
        let rose = lane.granted <= newer.granted
            && lane.reported <= newer.reported
            && lane.returned <= newer.returned
            && lane.debt <= newer.debt
            && lane.written_off <= newer.written_off;
        ensure(rose, || format!("a counter fell: {lane:?} to {newer:?}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log, NODES, line};

    fn used() -> Log {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 10));
        log.refill(NODES[0], line(5, 2, 0));
        log.enrol(NODES[1], 4);
        let node = log.ledger.nodes.get_mut(&NODES[1]).unwrap();
        node.past.remove(1);
        node.past[0].adopted_parts = 1;
        log.ledger.nodes.get_mut(&NODES[0]).unwrap().usage_batch = 3;
        log.roll();
        log
    }

    #[test]
    fn whatever_falls_is_caught() {
        let breaks: [fn(&mut Ledger); 16] = [
            |ledger| ledger.nodes.get_mut(&NODES[0]).unwrap().usage_batch = 0,
            |ledger| ledger.nodes.get_mut(&NODES[1]).unwrap().past[0].adopted_parts = 0,
            |ledger| ledger.nodes.get_mut(&NODES[1]).unwrap().past[0].incarnation = 2,
            |ledger| ledger.nodes.get_mut(&NODES[1]).unwrap().past.reverse(),
            |ledger| ledger.accounts.get_mut(&ACCOUNT).unwrap().ring_from = 0,
            |ledger| {
                let account = ledger.accounts.get_mut(&ACCOUNT).unwrap();
                account.periods.get_mut(&1).unwrap().ends_at = None;
            },
            |ledger| ledger.accounts.get_mut(&ACCOUNT).unwrap().period = 4,
            |ledger| ledger.applied_index -= 1,
            |ledger| ledger.config_index -= 1,
            |ledger| ledger.cluster_id = "other".to_owned(),
            |ledger| ledger.nodes.get_mut(&NODES[0]).unwrap().incarnation = 0,
            |ledger| ledger.nodes.get_mut(&NODES[0]).unwrap().refill_seq = 0,
            |ledger| assert!(ledger.nodes.remove_mut(&NODES[1])),
            |ledger| ledger.accounts.get_mut(&ACCOUNT).unwrap().period = 1,
            |ledger| {
                let account = ledger.accounts.get_mut(&ACCOUNT).unwrap();
                let period = account.periods.get_mut(&1).unwrap();
                let mut lane = period.lane(NODES[0], 1);
                lane.returned = 1;
                period.put_lane(NODES[0], 1, lane);
            },
            |ledger| {
                let account = ledger.accounts.get_mut(&ACCOUNT).unwrap();
                let period = account.periods.get_mut(&1).unwrap();
                period.lanes.remove_mut(&(NODES[0], 1));
            },
        ];
        for broken in breaks {
            let before = used().ledger;
            let mut after = before.clone();
            assert_eq!(check_step(&before, &after), Ok(()));
            broken(&mut after);
            assert!(check_step(&before, &after).is_err());
        }
    }

    #[test]
    fn a_closed_period_that_comes_back_is_caught() {
        let after = used().ledger;
        let mut before = after.clone();
        let account = before.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.remove_mut(&1);
        assert!(check_step(&before, &after).is_err());
    }
}
