//! Closes a past period: what is still outstanding counts as spent.

use crate::{AccountId, Denial, Ledger};

/// Closes a past period: its books become the account's closed spend, and what is still outstanding
/// counts as spent.
///
/// Of a deleted budget's account the last period may be closed too, and with it the account goes. A
/// period that was closed before is a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosePeriod {
    /// The account.
    pub account: AccountId,
    /// Number of the period.
    pub period: u64,
}

impl ClosePeriod {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Denial> {
        let Some(account) = ledger.accounts.get_mut(&self.account) else {
            return Ok(());
        };
        if self.period >= account.period && account.deleted_at.is_none() {
            let reason = format!("{} is not past", self.period);
            return Err(Denial::Invalid("period", reason));
        }
        let Some(period) = account.periods.get(&self.period) else {
            return Ok(());
        };
        account.closed_spend = account.closed_spend.saturating_add(period.committed());
        account.periods.remove_mut(&self.period);
        if account.periods.is_empty() {
            ledger.accounts.remove_mut(&self.account);
        }
        Ok(())
    }
}
