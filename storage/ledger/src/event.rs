//! What operators are told: events that wait for their webhooks, and the audit of money moved by hand.

use crate::command::At;
use crate::{Denial, Ledger, Sealed, UnixMillis};
use std::collections::BTreeSet;

/// Most events that wait for their webhooks; beyond it the oldest is given up, and counted.
pub const OUTBOX_MAX: usize = 10_000;
/// Entries of the audit that are kept.
pub const AUDIT_MAX: usize = 10_000;
/// Longest name of an actor.
pub const ACTOR_BYTES_MAX: usize = 256;
/// Longest reason.
pub const REASON_BYTES_MAX: usize = 512;
/// Longest name of an operation.
pub const OPERATION_BYTES_MAX: usize = 128;

/// Where events are posted to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Webhook {
    /// Unique name.
    pub name: String,
    /// `http://` or `https://`.
    pub url: String,
    /// Key of the signature.
    pub secret: Sealed,
    /// May resolve to loopback and private addresses.
    pub allow_private_network: bool,
    /// A disabled webhook is sent nothing, and what happens meanwhile does not wait for it.
    pub enabled: bool,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

/// Something that happened once, on its way to the webhooks there were then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Rises by one with each event; a receiver tells repetitions by it.
    pub id: u64,
    /// Time of the entry that made it.
    pub at: UnixMillis,
    /// Webhooks, by name, that have not acknowledged it.
    pub waiting: BTreeSet<String>,
    /// What happened.
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Happened {
    /// A budget's threshold was reached for the first time in a period.
    ThresholdReached {
        /// Name of the budget.
        budget: String,
        /// Whom the account is for; empty: all.
        subject: String,
        /// Index into the budget's windows.
        window: u8,
        /// Number of the period.
        period: u64,
        /// The threshold, in percent of the limit.
        percent: u8,
        /// Limit of the period, in the budget's unit.
        limit: i64,
        /// Spent, as the ledger knew it then.
        spent: i64,
        /// The budget starts anew; `None`: never.
        ends_at: Option<UnixMillis>,
    },
}

/// An entry of the audit: money moved by hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audit {
    /// When, by the proposer's clock.
    pub at: UnixMillis,
    /// Whose word: `api:<name>`.
    pub actor: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// The caller's own name of the operation: a second one of that name changes nothing.
    pub operation: String,
    /// What was done, in words: `moved 500 requests from team window 0 to ops window 0`.
    pub what: String,
}

/// Who moves money by hand, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Word {
    /// Whose word: `api:<name>`.
    pub actor: String,
    /// Why, in the operator's words; at most 512 bytes.
    pub reason: String,
    /// The caller's own name of the operation, at most 128 bytes; empty: none.
    pub operation: String,
}

/// Keeps what happened for the webhooks that are enabled. Where there is none, nobody waits for it.
pub(crate) fn happened(ledger: &mut Ledger, at: UnixMillis, what: Happened) {
    let enabled = ledger.webhooks.values().filter(|webhook| webhook.enabled);
    let waiting: BTreeSet<String> = enabled.map(|webhook| webhook.name.clone()).collect();
    if waiting.is_empty() {
        return;
    }
    ledger.events_ever = ledger.events_ever.saturating_add(1);
    let id = ledger.events_ever;
    ledger.outbox.insert_mut(id, Event { id, at, waiting, what });
    if ledger.outbox.size() > OUTBOX_MAX
        && let Some(oldest) = ledger.outbox.first().map(|(&id, _)| id)
    {
        ledger.outbox.remove_mut(&oldest);
        ledger.events_dropped = ledger.events_dropped.saturating_add(1);
    }
}

/// Notes that a webhook has taken an event; one that all have taken goes.
pub(crate) fn taken(ledger: &mut Ledger, id: u64, webhook: &str) {
    let waits = |event: &Event| event.waiting.contains(webhook);
    if !ledger.outbox.get(&id).is_some_and(waits) {
        return;
    }
    let Some(event) = ledger.outbox.get_mut(&id) else {
        return;
    };
    event.waiting.remove(webhook);
    if event.waiting.is_empty() {
        ledger.outbox.remove_mut(&id);
    }
}

/// Whether this operation is in the audit: it was done, and is not done again.
pub(crate) fn was_done(ledger: &Ledger, word: &Word) -> bool {
    let named = !word.operation.is_empty();
    named && ledger.audit.values().any(|audit| audit.operation == word.operation)
}

/// Puts money moved by hand into the audit, and lets the oldest entry go where there are too many.
pub(crate) fn audit(ledger: &mut Ledger, at: At, word: &Word, what: String) {
    let entry = Audit {
        at: at.at,
        actor: word.actor.clone(),
        reason: word.reason.clone(),
        operation: word.operation.clone(),
        what,
    };
    ledger.audit.insert_mut(at.index, entry);
    if ledger.audit.size() > AUDIT_MAX
        && let Some(oldest) = ledger.audit.first().map(|(&index, _)| index)
    {
        ledger.audit.remove_mut(&oldest);
    }
}

impl Word {
    /// Checks the lengths.
    pub(crate) fn check(&self) -> Result<(), Denial> {
        let parts = [
            ("actor", &self.actor, ACTOR_BYTES_MAX),
            ("reason", &self.reason, REASON_BYTES_MAX),
            ("operation", &self.operation, OPERATION_BYTES_MAX),
        ];
        for (field, part, most) in parts {
            if part.len() > most {
                let reason = format!("has {} bytes, at most {most} are allowed", part.len());
                return Err(Denial::Invalid(field, reason));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, sealed};

    fn webhook(name: &str, enabled: bool) -> Webhook {
        Webhook {
            name: name.to_owned(),
            url: "https://ops.example".to_owned(),
            secret: sealed(),
            allow_private_network: false,
            enabled,
            managed_by: "api:ann".to_owned(),
            changed_index: 0,
        }
    }

    fn reached(period: u64) -> Happened {
        Happened::ThresholdReached {
            budget: "team".to_owned(),
            subject: String::new(),
            window: 0,
            period,
            percent: 50,
            limit: 10,
            spent: 5,
            ends_at: None,
        }
    }

    fn with_webhooks() -> Ledger {
        let mut ledger = Log::sample().ledger;
        for (name, enabled) in [("a", true), ("b", true), ("off", false)] {
            ledger.webhooks.insert_mut(name.to_owned(), webhook(name, enabled));
        }
        ledger
    }

    #[test]
    fn an_event_waits_for_the_webhooks_that_were_enabled_then() {
        let mut ledger = Log::sample().ledger;
        happened(&mut ledger, UnixMillis(1), reached(1));
        assert_eq!((ledger.outbox.size(), ledger.events_ever), (0, 0));
        let mut ledger = with_webhooks();
        happened(&mut ledger, UnixMillis(1), reached(1));
        let waiting =
            |ledger: &Ledger| ledger.outbox[&1].waiting.iter().cloned().collect::<Vec<_>>();
        assert_eq!(waiting(&ledger), ["a", "b"]);
        taken(&mut ledger, 1, "a");
        taken(&mut ledger, 1, "a");
        taken(&mut ledger, 7, "a");
        assert_eq!(waiting(&ledger), ["b"]);
        taken(&mut ledger, 1, "b");
        assert_eq!((ledger.outbox.size(), ledger.events_ever), (0, 1));
    }

    #[test]
    fn a_full_outbox_gives_the_oldest_up_and_counts_it() {
        let mut ledger = with_webhooks();
        for period in 0..=10_000 {
            happened(&mut ledger, UnixMillis(1), reached(period));
        }
        assert_eq!((ledger.outbox.size(), ledger.events_dropped), (OUTBOX_MAX, 1));
        assert_eq!(ledger.outbox.first().unwrap().0, &2);
    }

    #[test]
    fn the_audit_keeps_the_last_entries_and_knows_their_operations() {
        let mut ledger = Ledger::default();
        for index in 1..=10_001 {
            let word = Word { operation: format!("op{index}"), ..Word::default() };
            audit(&mut ledger, At { index, at: UnixMillis(index) }, &word, String::new());
        }
        assert_eq!(ledger.audit.size(), AUDIT_MAX);
        let done = |operation: &str| {
            was_done(&ledger, &Word { operation: operation.to_owned(), ..Word::default() })
        };
        assert!(done("op10001") && !done("op1") && !done(""));
    }
}
