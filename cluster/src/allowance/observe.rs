//! What purses learn from the log: grants, pools, periods. Called on the apply path, so it is quick.

use super::Purse;
use ledger::{Ledger, NodeId, Period};
use std::sync::Arc;

/// Takes over what the ledger says of the purse's period, or ends the purse where that is past.
pub(super) fn look(purse: &Arc<Purse>, ledger: &Ledger, me: (NodeId, u64)) {
    let account = ledger.accounts.get(&purse.account());
    let living = account.filter(|account| account.deleted_at.is_none());
    let is_present = |period| period == purse.period();
    match living.filter(|account| is_present(account.period)) {
        Some(account) => {
            if let Some(period) = account.present() {
                purse.look(period, elsewhere(ledger, period, me));
            }
        }
        // A purse made from terms this node has not applied yet is ahead of this ledger, not over.
        None if living.is_some_and(|account| account.period < purse.period()) => {}
        None if account.is_none() && ledger.applied_index < purse.account().budget => {}
        None => purse.end(),
    }
}

/// Outstanding at other nodes that live, so that it may yet come back.
fn elsewhere(ledger: &Ledger, period: &Period, me: (NodeId, u64)) -> i64 {
    let lives = |node: &NodeId, incarnation: u64| {
        let record = ledger.nodes.get(node);
        record.is_some_and(|record| record.incarnation == incarnation)
    };
    period
        .lanes
        .iter()
        .filter(|((node, incarnation), _)| (*node, *incarnation) != me && lives(node, *incarnation))
        .map(|(_, lane)| lane.outstanding().max(0))
        .fold(0, i64::saturating_add)
}

/// Adds what was granted to this life of this node and is not in the purse yet.
pub(super) fn resync(purse: &Arc<Purse>, ledger: &Ledger, me: (NodeId, u64)) {
    let account = ledger.accounts.get(&purse.account());
    let period = account.and_then(|account| account.periods.get(&purse.period()));
    if let Some(period) = period {
        purse.grant(period.lane(me.0, me.1).granted);
    }
    look(purse, ledger, me);
}
