//! Deletes a webhook; events do not wait for it any more.

use super::At;
use crate::{Change, Denial, Ledger, event, guard};

/// Deletes a webhook; events do not wait for it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteWebhook {
    /// Its name.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteWebhook {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.webhooks.get(&self.name) else {
            return Err(Denial::NotFound("webhook", self.name.clone()));
        };
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        ledger.webhooks.remove_mut(&self.name);
        let outbox = ledger.outbox.iter();
        let waiting: Vec<u64> = outbox
            .filter(|(_, event)| event.waiting.contains(&self.name))
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            event::taken(ledger, id, &self.name);
        }
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, PutWebhook};
    use crate::sample::{Log, webhook};
    use crate::{Event, Happened, UnixMillis};

    fn event(id: u64, waiting: &[&str]) -> Event {
        let waiting = waiting.iter().map(|name| (*name).to_owned()).collect();
        let what = Happened::ThresholdReached {
            budget: "team".to_owned(),
            subject: String::new(),
            window: 0,
            period: id,
            percent: 50,
            limit: 10,
            spent: 5,
            ends_at: None,
        };
        Event { id, at: UnixMillis(0), waiting, what }
    }

    #[test]
    fn no_event_waits_for_a_deleted_webhook() {
        let mut log = Log::sample();
        for name in ["ops", "fin"] {
            let webhook = webhook(name);
            log.done(Command::PutWebhook(PutWebhook { webhook, if_index: None }));
        }
        log.ledger.outbox.insert_mut(1, event(1, &["ops"]));
        log.ledger.outbox.insert_mut(2, event(2, &["ops", "fin"]));
        let delete = Command::DeleteWebhook(DeleteWebhook {
            name: "ops".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        });
        assert_eq!(log.done(delete.clone()), [Change::Config]);
        let left: Vec<&Event> = log.ledger.outbox.values().collect();
        assert_eq!(left, [&event(2, &["fin"])]);
        let missing = Denial::NotFound("webhook", "ops".to_owned());
        assert_eq!(log.denied(delete), missing);
    }
}
