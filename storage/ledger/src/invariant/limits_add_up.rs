//! A limit is its base, its increases and what was moved to it; and moving makes nothing and loses nothing.

use super::ensure;
use crate::account::INCREASES_MAX;
use crate::{AccountId, Ledger, NanoUsd};

/// Adds each present limit up.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, account) in &ledger.accounts {
        let parts = account.limit_of_parts();
        let limit = account.present().map_or(parts, |present| present.limit);
        ensure(limit == parts, || {
            format!("account {id} has a limit of {limit}, its parts are {parts}")
        })?;
        let increases = account.increases.iter();
        let in_order = (0..=NanoUsd::LIMIT_MAX.0).contains(&account.base_limit)
            && account.increases.len() <= INCREASES_MAX
            && increases.clone().all(|increase| increase.amount > 0)
            && increases.clone().map(|increase| increase.id).is_sorted_by(|a, b| a < b);
        ensure(in_order, || format!("account {id} has odd increases: {:?}", account.increases))?;
    }
    Ok(())
}

/// What is moved to one account is moved from others: the sum over all periods that stay on the books is
/// as it was.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    let stays = |id: &AccountId, number: &u64| {
        let account = after.accounts.get(id);
        account.is_some_and(|account| account.periods.contains_key(number))
    };
    let mut sum = 0_i128;
    for (id, account) in &before.accounts {
        let staying = account.periods.iter().filter(|(number, _)| stays(id, number));
        sum -= staying.map(|(_, period)| i128::from(period.moved)).sum::<i128>();
    }
    for account in after.accounts.values() {
        sum += account.periods.values().map(|period| i128::from(period.moved)).sum::<i128>();
    }
    ensure(sum == 0, || format!("{sum} were moved out of nowhere"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log};
    use crate::{Account, Increase, UnixMillis};

    #[test]
    fn a_limit_that_is_not_its_parts_is_caught() {
        let increase = |id, amount| Increase { id, amount, until: UnixMillis(5) };
        let breaks: [fn(&mut Account); 4] = [
            |account| account.base_limit += 1,
            |account| account.periods.get_mut(&1).unwrap().limit += 1,
            |account| account.periods.get_mut(&1).unwrap().moved += 1,
            |account| account.increases.push(Increase { id: 1, amount: 1, until: UnixMillis(5) }),
        ];
        for broken in breaks {
            let mut log = Log::sample();
            assert_eq!(check(&log.ledger), Ok(()));
            broken(log.ledger.accounts.get_mut(&ACCOUNT).unwrap());
            assert!(check(&log.ledger).is_err());
        }
        let odd = [vec![increase(1, 0)], vec![increase(2, 1), increase(1, 1)]];
        for increases in odd {
            let mut log = Log::sample();
            let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
            account.increases = increases;
            account.set_limit();
            assert!(check(&log.ledger).is_err());
        }
    }

    #[test]
    fn what_is_moved_out_of_nowhere_is_caught() {
        let before = Log::sample().ledger;
        let mut after = before.clone();
        assert_eq!(check_step(&before, &after), Ok(()));
        let account = after.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().moved = 1;
        assert!(check_step(&before, &after).is_err());
    }
}
