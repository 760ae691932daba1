//! Every window of every budget has its accounts, with its unit, limit and name, and no other account
//! grants: one that all share, or one for each instance.

use super::ensure;
use crate::{Account, Budget, BudgetWindow, Ledger, Per, instance};

/// Compares budgets and accounts, both ways.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let mut granting = 0;
    for (name, budget) in &ledger.budgets {
        for handle in instance::handles(ledger, budget) {
            for (id, window) in budget.accounts_under(handle) {
                granting += 1;
                let account = ledger.accounts.get(&id);
                let matches = account.is_some_and(|account| is_of(account, budget, &window));
                ensure(matches, || {
                    format!("budget {name} and its account {id} differ: {account:?}")
                })?;
            }
        }
    }
    let accounts = ledger.accounts.values();
    let living = accounts.filter(|account| account.deleted_at.is_none()).count();
    ensure(living == granting, || format!("{living} accounts grant, budgets have {granting}"))
}

fn is_of(account: &Account, budget: &Budget, window: &BudgetWindow) -> bool {
    account.budget == budget.name
        && account.subject.is_empty() == (budget.per == Per::All)
        && account.window == window.window
        && account.base_limit == window.limit
        && account.unit == budget.unit
        && account.deleted_at.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log};
    use crate::{AccountId, Unit, UnixMillis};

    #[test]
    fn an_account_that_is_not_its_budgets_is_caught() {
        let breaks: [fn(&mut Ledger); 5] = [
            |ledger| assert!(ledger.accounts.remove_mut(&ACCOUNT)),
            |ledger| ledger.accounts.get_mut(&ACCOUNT).unwrap().unit = Unit::Tokens,
            |ledger| {
                let account = ledger.accounts.get_mut(&ACCOUNT).unwrap();
                account.deleted_at = Some(UnixMillis(0));
            },
            |ledger| {
                ledger.accounts.get_mut(&ACCOUNT).unwrap().base_limit += 1;
            },
            |ledger| {
                let stray = AccountId { budget: 99, window: 0 };
                let account = ledger.accounts[&ACCOUNT].clone();
                ledger.accounts.insert_mut(stray, account);
            },
        ];
        for broken in breaks {
            let mut log = Log::sample();
            assert_eq!(check(&log.ledger), Ok(()));
            broken(&mut log.ledger);
            assert!(check(&log.ledger).is_err());
        }
    }
}
