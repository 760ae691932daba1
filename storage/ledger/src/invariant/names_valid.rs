//! Every object is filed under its own name, and is one the ledger would take today.

use super::ensure;
use crate::{Denial, Ledger, valid};

/// Validates every object anew.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for key in ledger.keys.values() {
        let mut living = key.clone();
        living.revoked_at = None;
        taken("key", &key.id, &key.id, valid::key(&living))?;
    }
    for (name, budget) in &ledger.budgets {
        taken("budget", name, &budget.name, valid::budget(budget))?;
    }
    for (name, provider) in &ledger.providers {
        taken("provider", name, &provider.name, valid::provider(provider))?;
    }
    for (name, alias) in &ledger.aliases {
        taken("alias", name, &alias.name, valid::alias(alias))?;
    }
    Ok(())
}

fn taken(kind: &str, filed: &str, name: &str, valid: Result<(), Denial>) -> Result<(), String> {
    ensure(filed == name, || format!("{kind} {name} is filed as {filed}"))?;
    valid.map_err(|denial| format!("{kind} {name}: {denial:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, alias};

    #[test]
    fn what_the_ledger_would_not_take_is_caught() {
        let breaks: [fn(&mut Ledger); 5] = [
            |ledger| ledger.keys.get_mut("id1").unwrap().name = "a/b".to_owned(),
            |ledger| ledger.budgets.get_mut("team").unwrap().windows.clear(),
            |ledger| ledger.providers.get_mut("openai").unwrap().base_url.push('/'),
            |ledger| ledger.aliases.get_mut("fast").unwrap().targets.clear(),
            |ledger| ledger.aliases.insert_mut("slow".to_owned(), alias("fast", "openai")),
        ];
        for broken in breaks {
            let mut log = Log::sample();
            assert_eq!(check(&log.ledger), Ok(()));
            broken(&mut log.ledger);
            assert!(check(&log.ledger).is_err());
        }
    }
}
