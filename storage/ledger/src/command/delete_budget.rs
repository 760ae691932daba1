//! Deletes a budget that no key names.

use super::At;
use crate::{Change, Denial, Ledger, guard};

/// Deletes a budget that no living key names.
///
/// Accounts with something outstanding stay on the books, without granting, until their periods are
/// closed: nodes may still report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteBudget {
    /// Name of the budget.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteBudget {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(budget) = ledger.budgets.get(&self.name).cloned() else {
            return Err(Denial::NotFound("budget", self.name.clone()));
        };
        guard::index(self.if_index, Some(budget.changed_index))?;
        guard::owner(&budget.managed_by, &self.managed_by)?;
        let user = ledger
            .keys
            .values()
            .find(|key| key.revoked_at.is_none() && key.budgets.contains(&self.name));
        if let Some(user) = user {
            return Err(Denial::InUse(format!("key {}", user.name)));
        }
        for (id, _window) in budget.accounts() {
            let Some(account) = ledger.accounts.get_mut(&id) else {
                continue;
            };
            if account.has_outstanding() {
                account.deleted_at = Some(at.at);
            } else {
                ledger.accounts.remove_mut(&id);
            }
        }
        ledger.budgets.remove_mut(&self.name);
        Ok(at.config_changed(ledger))
    }
}
