//! Creates or replaces a webhook, by name.

use super::At;
use crate::{Change, Denial, Ledger, Webhook, guard, valid};

/// Creates or replaces a webhook, by name. Events from before do not wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutWebhook {
    /// The webhook as it shall be. `changed_index` is set by the ledger.
    pub webhook: Webhook,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutWebhook {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.webhooks.get(&self.webhook.name);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut webhook = self.webhook.clone();
        if let Some(present) = present {
            guard::owner(&present.managed_by, &webhook.managed_by)?;
            webhook.changed_index = present.changed_index;
            if webhook == *present {
                return Ok(Vec::new());
            }
        }
        valid::webhook(&webhook)?;
        webhook.changed_index = at.index;
        ledger.webhooks.insert_mut(webhook.name.clone(), webhook);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::sample::{Log, webhook};

    fn put(webhook: Webhook, if_index: Option<u64>) -> Command {
        Command::PutWebhook(PutWebhook { webhook, if_index })
    }

    #[test]
    fn a_webhook_is_put_once_and_guarded_by_index_and_owner() {
        let mut log = Log::sample();
        let owned = Webhook { managed_by: "file:a".to_owned(), ..webhook("ops") };
        assert_eq!(log.done(put(owned.clone(), Some(0))), [Change::Config]);
        assert_eq!(log.done(put(owned.clone(), None)), []);
        let present = log.ledger.webhooks["ops"].changed_index;
        assert_eq!(log.denied(put(owned, Some(0))), Denial::IndexMismatch { present });
        assert_eq!(log.denied(put(webhook("ops"), None)), Denial::ManagedBy("file:a".to_owned()));
        let nowhere = Webhook { url: "hooks.example".to_owned(), ..webhook("lost") };
        assert!(matches!(log.denied(put(nowhere, None)), Denial::Invalid("url", _)));
    }
}
