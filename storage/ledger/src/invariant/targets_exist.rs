//! Every provider an alias names exists.

use super::ensure;
use crate::Ledger;

/// Looks up the providers of every alias.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (name, alias) in &ledger.aliases {
        for target in &alias.targets {
            ensure(ledger.providers.contains_key(&target.provider), || {
                let provider = &target.provider;
                format!("alias {name} names provider {provider}, which does not exist")
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
    fn an_alias_to_nowhere_is_caught() {
        let mut log = Log::sample();
        assert_eq!(check(&log.ledger), Ok(()));
        log.ledger.providers.remove_mut("openai");
        assert!(check(&log.ledger).is_err());
    }
}
