//! Opens the next period of an account.

use super::At;
use crate::{AccountId, Change, Denial, Ledger, Period, UnixMillis};

/// Opens the next period of an account, under the limit the budget has now.
///
/// Only the period after the present one opens, and only from the end of the present one on; anything
/// else is a repetition or a proposer's wrong clock, and a no-op. The period before no longer admits
/// and stays on the books for late reports until it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPeriod {
    /// The account.
    pub account: AccountId,
    /// Number of the period to open: the present one plus one.
    pub period: u64,
    /// Its start: the present one's end, or later if nobody was there to open periods in between.
    pub starts_at: UnixMillis,
    /// Its end.
    pub ends_at: Option<UnixMillis>,
}

impl OpenPeriod {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let id = self.account;
        let living = ledger.accounts.get_mut(&id);
        let Some(account) = living.filter(|account| account.deleted_at.is_none()) else {
            return Err(Denial::NotFound("account", id.to_string()));
        };
        if self.ends_at.is_none_or(|ends_at| ends_at <= self.starts_at) {
            let reason = "is not after the start".to_owned();
            return Err(Denial::Invalid("ends_at", reason));
        }
        let Some(present) = account.present() else {
            return Ok(Vec::new());
        };
        let is_over = present.ends_at.is_some_and(|end| end <= self.starts_at);
        if Some(self.period) != account.period.checked_add(1) || !is_over {
            return Ok(Vec::new());
        }
        // A limit is set in budget and present period alike, so this is the budget's.
        let next = Period::open(self.starts_at, self.ends_at, present.limit);
        account.periods.insert_mut(self.period, next);
        account.period = self.period;
        let mut changes = at.config_changed(ledger);
        let period = self.period;
        changes.push(Change::PeriodOpened { account: id, period });
        changes.push(Change::PoolGrew(id));
        Ok(changes)
    }
}
