//! Every window of every budget has its account, with its unit and limit, and no other account grants.

use super::ensure;
use crate::Ledger;

/// Compares budgets and accounts, both ways.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let mut granting = 0;
    for (name, budget) in &ledger.budgets {
        for (id, window) in budget.accounts() {
            granting += 1;
            let account = ledger.accounts.get(&id);
            let matches = account.is_some_and(|account| {
                let present = account.present();
                account.unit == budget.unit
                    && account.deleted_at.is_none()
                    && present.is_some_and(|present| present.limit == window.limit)
            });
            ensure(matches, || format!("budget {name} and its account {id} differ: {account:?}"))?;
        }
    }
    let accounts = ledger.accounts.values();
    let living = accounts.filter(|account| account.deleted_at.is_none()).count();
    ensure(living == granting, || format!("{living} accounts grant, budgets have {granting}"))
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
                let account = ledger.accounts.get_mut(&ACCOUNT).unwrap();
                account.periods.get_mut(&1).unwrap().limit += 1;
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
