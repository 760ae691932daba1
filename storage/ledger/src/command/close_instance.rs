//! Closes an instance: it admits no more, late reports are still booked.

use super::At;
use crate::{Change, Denial, Ledger, instance};

/// Closes an instance: it admits no more, late reports are still booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseInstance {
    /// Handle of its budget.
    pub budget: u64,
    /// Whom it is for.
    pub subject: String,
    /// Its handle: another one is a repetition.
    pub handle: u64,
}

impl CloseInstance {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let open = ledger.instances.get(&(self.budget, self.subject.clone()));
        if open.is_none_or(|instance| instance.handle != self.handle) {
            return Ok(Vec::new());
        }
        instance::close(ledger, at.at, self.budget, &self.subject);
        Ok(at.config_changed(ledger))
    }
}
