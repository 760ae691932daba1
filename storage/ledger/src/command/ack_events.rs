//! Notes that webhooks have taken events.

use crate::{Denial, Ledger, event};

/// Notes that webhooks have taken events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckEvents {
    /// Event ids, and the webhook by name. Unknown ones are repetitions.
    pub acks: Vec<(u64, String)>,
}

impl AckEvents {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Denial> {
        for (id, webhook) in &self.acks {
            event::taken(ledger, *id, webhook);
        }
        Ok(())
    }
}
