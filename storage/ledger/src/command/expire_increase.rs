//! Takes an increase back that is over.

use super::At;
use crate::{AccountId, Change, Denial, Ledger, threshold};

/// Takes an increase back that is over; before, and a second time, it changes nothing.
///
/// What was spent or is out on its account stays so: the pool may be negative for the rest of the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpireIncrease {
    /// The account.
    pub account: AccountId,
    /// [`crate::Increase::id`].
    pub increase: u64,
}

impl ExpireIncrease {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(account) = ledger.accounts.get_mut(&self.account) else {
            return Ok(Vec::new());
        };
        let increases = account.increases.len();
        account.increases.retain(|increase| increase.id != self.increase || at.at < increase.until);
        if account.increases.len() == increases {
            return Ok(Vec::new());
        }
        account.set_limit();
        let period = account.period;
        threshold::tell(ledger, at.at, self.account, period);
        Ok(at.config_changed(ledger))
    }
}
