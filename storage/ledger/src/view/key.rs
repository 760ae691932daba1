//! Who asks, may they, and what is it charged to?

use crate::{AccountId, Allow, KeyHash, Ledger, Mode, Unit, UnixMillis, VirtualKey, Window};

/// The key with this hash, revoked ones included: [`admissible`] tells.
pub fn key_by_hash<'a>(ledger: &'a Ledger, hash: &KeyHash) -> Option<&'a VirtualKey> {
    ledger.keys.get(ledger.keys_by_hash.get(hash)?)
}

/// Why a known key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyBlock {
    /// Switched off; it may be switched on again.
    Disabled,
    /// Past its `expires_at`.
    Expired,
    /// Revoked, for ever.
    Revoked,
}

/// Whether a key may be used at `now`. What cannot be undone is named first.
pub fn admissible(key: &VirtualKey, now: UnixMillis) -> Result<(), KeyBlock> {
    if key.revoked_at.is_some() {
        return Err(KeyBlock::Revoked);
    }
    if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(KeyBlock::Expired);
    }
    if !key.enabled {
        return Err(KeyBlock::Disabled);
    }
    Ok(())
}

/// Whether a key may use a provider.
pub fn provider_allowed(key: &VirtualKey, provider: &str) -> bool {
    match &key.providers {
        Allow::All => true,
        Allow::Only(names) => names.iter().any(|name| name == provider),
    }
}

/// Whether a key may use a provider's model, asked for as `asked_name`.
///
/// An entry of the list allows the model as `provider/model`, under its bare name with any provider, or
/// whatever an alias of that name stands for.
pub fn model_allowed(key: &VirtualKey, provider: &str, model: &str, asked_name: &str) -> bool {
    let qualified = |entry: &str| {
        let rest = entry.strip_prefix(provider);
        rest.and_then(|rest| rest.strip_prefix('/')) == Some(model)
    };
    match &key.models {
        Allow::All => true,
        Allow::Only(entries) => {
            entries.iter().any(|entry| entry == asked_name || entry == model || qualified(entry))
        }
    }
}

/// One account a key's requests are charged to, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountTerms {
    /// The account.
    pub account: AccountId,
    /// The period that admits.
    pub period: u64,
    /// What it counts.
    pub unit: Unit,
    /// What happens at the limit.
    pub mode: Mode,
    /// Limit of the period, in `unit`.
    pub limit: i64,
    /// End of the period: the budget starts anew. `None`: never.
    pub ends_at: Option<UnixMillis>,
    /// Name of the budget.
    pub budget: String,
    /// Window of the budget.
    pub window: Window,
}

/// Every account above a request of this key, ordered by account, each once.
pub fn accounts_of(ledger: &Ledger, key: &VirtualKey) -> Vec<AccountTerms> {
    let mut all = Vec::new();
    for budget in key.budgets.iter().filter_map(|name| ledger.budgets.get(name)) {
        for (id, window) in budget.accounts() {
            let Some(account) = ledger.accounts.get(&id) else {
                continue;
            };
            let Some(present) = account.present() else {
                continue;
            };
            all.push(AccountTerms {
                account: id,
                period: account.period,
                unit: account.unit,
                mode: budget.mode,
                limit: present.limit,
                ends_at: present.ends_at,
                budget: budget.name.clone(),
                window: window.window,
            });
        }
    }
    all.sort_by_key(|terms| terms.account);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, LIMIT, Log, SPAN_MS, budget, key, put_budget, put_key};

    #[test]
    fn a_key_is_blocked_for_the_reason_that_cannot_be_undone() {
        let mut ann = key("ann", 1);
        let now = UnixMillis(10);
        assert_eq!(admissible(&ann, now), Ok(()));
        ann.enabled = false;
        assert_eq!(admissible(&ann, now), Err(KeyBlock::Disabled));
        ann.expires_at = Some(now);
        assert_eq!(admissible(&ann, now), Err(KeyBlock::Expired));
        assert_eq!(admissible(&ann, UnixMillis(9)), Err(KeyBlock::Disabled));
        ann.revoked_at = Some(now);
        assert_eq!(admissible(&ann, now), Err(KeyBlock::Revoked));
    }

    #[test]
    fn a_model_is_allowed_qualified_bare_or_by_its_alias() {
        let mut ann = key("ann", 1);
        let allowed = |ann: &VirtualKey| model_allowed(ann, "openai", "gpt-4o", "fast");
        assert!(allowed(&ann) && provider_allowed(&ann, "openai"));
        for entry in ["openai/gpt-4o", "gpt-4o", "fast"] {
            ann.models = Allow::Only(vec!["x".to_owned(), entry.to_owned()]);
            assert!(allowed(&ann), "{entry}");
        }
        for entry in ["", "openai", "openai/", "openaigpt-4o", "azure/gpt-4o", "gpt-4"] {
            ann.models = Allow::Only(vec![entry.to_owned()]);
            assert!(!allowed(&ann), "{entry}");
        }
        ann.providers = Allow::Only(Vec::new());
        assert!(!provider_allowed(&ann, "openai"));
    }

    #[test]
    fn a_keys_accounts_are_the_windows_of_its_budgets_in_order() {
        let mut log = Log::sample();
        log.done(put_budget(budget("later", 5)));
        let mut ann = key("ann", 1);
        ann.budgets = vec!["later".to_owned(), "team".to_owned()];
        log.done(put_key(ann));
        let terms = accounts_of(&log.ledger, log.ledger.living_key("ann").unwrap());
        let first = AccountTerms {
            account: ACCOUNT,
            period: 1,
            unit: Unit::Requests,
            mode: Mode::Hard,
            limit: LIMIT,
            ends_at: Some(UnixMillis(SPAN_MS)),
            budget: "team".to_owned(),
            window: Window::Fixed(SPAN_MS),
        };
        assert_eq!(terms[0], first);
        assert_eq!((terms.len(), terms[1].budget.as_str()), (2, "later"));
    }
}
