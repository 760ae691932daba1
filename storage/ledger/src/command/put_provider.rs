//! Creates or replaces a provider, by name.

use super::At;
use crate::{Change, Denial, Ledger, Provider, guard, valid};

/// Creates or replaces a provider, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutProvider {
    /// The provider as it shall be. `changed_index` is set by the ledger.
    pub provider: Provider,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutProvider {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.providers.get(&self.provider.name);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut provider = self.provider.clone();
        if let Some(present) = present {
            guard::owner(&present.managed_by, &provider.managed_by)?;
            provider.changed_index = present.changed_index;
            if provider == *present {
                return Ok(Vec::new());
            }
        }
        valid::provider(&provider)?;
        provider.changed_index = at.index;
        ledger.providers.insert_mut(provider.name.clone(), provider);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, provider, put_provider};
    use crate::{Outcome, command::Command};

    #[test]
    fn a_provider_put_again_unchanged_keeps_its_index() {
        let mut log = Log::sample();
        let present = log.ledger.providers["openai"].changed_index;
        assert_eq!(log.done(put_provider(provider("openai"))), []);
        assert_eq!(log.ledger.providers["openai"].changed_index, present);
        let mut disabled = provider("openai");
        disabled.enabled = false;
        assert_eq!(log.done(put_provider(disabled)), [Change::Config]);
        assert!(!log.ledger.providers["openai"].enabled);
    }

    type Break = (&'static str, fn(&mut Provider));

    #[test]
    fn what_a_provider_may_not_be_is_named() {
        let breaks: [Break; 6] = [
            ("base_url", |p| p.base_url.push('/')),
            ("credentials", |p| p.credentials.clear()),
            ("credentials", |p| p.credentials[0].weight = 0),
            ("timeout_ms", |p| p.timeout_ms = 0),
            ("attempts_max", |p| p.attempts_max = 0),
            ("managed_by", |p| p.managed_by.clear()),
        ];
        for (field, broken) in breaks {
            let mut log = Log::sample();
            let mut provider = provider("other");
            broken(&mut provider);
            let put = Command::PutProvider(PutProvider { provider, if_index: Some(0) });
            let (outcome, _) = log.propose(put);
            assert!(
                matches!(&outcome, Outcome::Denied(Denial::Invalid(named, _)) if *named == field),
                "{outcome:?}"
            );
        }
    }
}
