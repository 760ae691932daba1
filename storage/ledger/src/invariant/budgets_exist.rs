//! Every budget a living key names exists: a request is never charged to nothing.

use super::ensure;
use crate::Ledger;

/// Looks up the budgets of every living key.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, key) in &ledger.keys {
        if key.revoked_at.is_some() {
            continue;
        }
        for name in &key.budgets {
            ensure(ledger.budgets.contains_key(name), || {
                format!("key {id} names budget {name}, which does not exist")
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Log;

    #[test]
    fn a_key_on_a_missing_budget_is_caught_unless_it_is_revoked() {
        let mut log = Log::sample();
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.budgets.remove_mut("team");
        assert!(check(&log.ledger).is_err());
        log.revoke("ann");
        assert_eq!(check(&log.ledger), Ok(()));
    }
}
