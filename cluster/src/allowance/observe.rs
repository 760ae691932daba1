//! What purses learn from the log: grants, pools, periods. Called on the apply path, so it is quick.

use super::Purse;
use super::desk::Desk;
use ledger::{Lane, Ledger, NodeId, Period};
use std::sync::Arc;

/// Takes over what the ledger says of the purse's period, or ends the purse where that is past.
pub(super) fn look(purse: &Arc<Purse>, ledger: &Ledger, desk: &Desk) {
    let account = ledger.accounts.get(&purse.account());
    let living = account.filter(|account| account.deleted_at.is_none());
    let is_present = |period| period == purse.period();
    match living.filter(|account| is_present(account.period)) {
        Some(account) => {
            if let Some(period) = account.present() {
                purse.look(account, elsewhere(ledger, period, desk));
            }
        }
        // A purse made from terms this node has not applied yet is ahead of this ledger, not over.
        None if living.is_some_and(|account| account.period < purse.period()) => {}
        None if account.is_none() && ledger.applied_index < purse.account().budget => {}
        None => purse.end(),
    }
}

/// What other nodes may yet give back of the purse's period, as ledger and gossip stand now. `None`
/// where the ledger does not know the period.
pub(super) fn elsewhere_now(purse: &Purse, desk: &Desk) -> Option<i64> {
    let ledger = desk.ledger.load();
    let ledger = ledger.as_ref()?;
    let period = ledger.accounts.get(&purse.account())?.periods.get(&purse.period())?;
    Some(elsewhere(ledger, period, desk))
}

/// What the ledger has of this life of this node on the purse's period. `None` where the ledger does not
/// know the period, or nobody knows who this node is.
pub(super) fn own_lane(purse: &Purse, ledger: &Ledger, desk: &Desk) -> Option<Lane> {
    let (node, life) = desk.identity.get()?;
    let period = ledger.accounts.get(&purse.account())?.periods.get(&purse.period())?;
    Some(period.lane(*node, *life))
}

/// Outstanding at other nodes that are heard, in the life the ledger knows, so that it may soon come
/// back. What is in suspense, or at a silent node, may never.
fn elsewhere(ledger: &Ledger, period: &Period, desk: &Desk) -> i64 {
    let me = desk.identity.get();
    period
        .lanes
        .iter()
        .filter(|((node, life), _)| {
            Some(&(*node, *life)) != me
                && ledger.is_present(*node, *life)
                && desk.hears(*node, *life)
        })
        .map(|(_, lane)| lane.outstanding().max(0))
        .fold(0, i64::saturating_add)
}

/// Adds what was granted to this life of this node and is not in the purse yet.
pub(super) fn resync(purse: &Arc<Purse>, ledger: &Ledger, me: (NodeId, u64), desk: &Desk) {
    let account = ledger.accounts.get(&purse.account());
    let period = account.and_then(|account| account.periods.get(&purse.period()));
    if let Some(period) = period {
        purse.grant(period.lane(me.0, me.1).granted);
    }
    look(purse, ledger, desk);
}
