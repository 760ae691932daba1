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
    for (id, scope) in &ledger.scopes {
        let (filed, own) = (id.to_string(), scope.id.to_string());
        taken("scope", &filed, &own, valid::scope(scope))?;
    }
    for (name, selector) in &ledger.selectors {
        taken("selector", name, &selector.name, valid::selector(selector))?;
    }
    for (name, profile) in &ledger.profiles {
        taken("profile", name, &profile.name, valid::profile(profile))?;
    }
    for (name, webhook) in &ledger.webhooks {
        taken("webhook", name, &webhook.name, valid::webhook(webhook))?;
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
    use crate::command::{Command, PutWebhook};
    use crate::sample::{
        Log, alias, profile, put_profile, put_scope, put_selector, selector, team, webhook,
    };

    #[test]
    fn what_the_ledger_would_not_take_is_caught() {
        let breaks: [fn(&mut Ledger); 9] = [
            |ledger| ledger.scopes.get_mut(&team("ops").id).unwrap().id.name.push('/'),
            |ledger| ledger.selectors.get_mut("all").unwrap().managed_by.clear(),
            |ledger| ledger.profiles.get_mut("dev").unwrap().tags = Some(vec![String::new()]),
            |ledger| ledger.webhooks.get_mut("ops").unwrap().url.clear(),
            |ledger| ledger.keys.get_mut("id1").unwrap().name = "a/b".to_owned(),
            |ledger| ledger.budgets.get_mut("team").unwrap().windows.clear(),
            |ledger| ledger.providers.get_mut("openai").unwrap().base_url.push('/'),
            |ledger| ledger.aliases.get_mut("fast").unwrap().targets.clear(),
            |ledger| ledger.aliases.insert_mut("slow".to_owned(), alias("fast", "openai")),
        ];
        for broken in breaks {
            let mut log = Log::sample();
            log.done(put_scope(team("ops")));
            log.done(put_selector(selector("all", &[])));
            log.done(put_profile(profile("dev")));
            let webhook = webhook("ops");
            log.done(Command::PutWebhook(PutWebhook { webhook, if_index: None }));
            assert_eq!(check(&log.ledger), Ok(()));
            broken(&mut log.ledger);
            assert!(check(&log.ledger).is_err());
        }
    }
}
