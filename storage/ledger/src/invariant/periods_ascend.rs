//! Periods follow one another: numbers rise, times never overlap, and the last one is present.

use super::ensure;
use crate::Ledger;

/// Walks each account's periods in order.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    for (id, account) in &ledger.accounts {
        let mut last_end = None;
        for (number, period) in &account.periods {
            ensure((1..=account.period).contains(number), || {
                format!("account {id} keeps period {number}, the present is {}", account.period)
            })?;
            let ends_after = period.ends_at.is_none_or(|end| end > period.starts_at);
            ensure(ends_after, || format!("account {id} period {number} ends before it starts"))?;
            ensure(last_end <= Some(period.starts_at), || {
                format!("account {id} period {number} starts before the one before it ends")
            })?;
            last_end = period.ends_at;
            ensure(last_end.is_some() || *number == account.period, || {
                format!("account {id} period {number} is past and has no end")
            })?;
        }
        let admits = account.present().is_some() || account.deleted_at.is_some();
        ensure(admits, || format!("account {id} has no books for its period {}", account.period))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixMillis;
    use crate::sample::{ACCOUNT, Log};

    #[test]
    fn periods_out_of_order_are_caught() {
        let breaks: [fn(&mut crate::Account); 5] = [
            |account| account.period = 1,
            |account| account.period = 3,
            |account| account.periods.get_mut(&1).unwrap().ends_at = None,
            |account| account.periods.get_mut(&2).unwrap().starts_at = UnixMillis(0),
            |account| account.periods.get_mut(&2).unwrap().ends_at = Some(UnixMillis(1_000)),
        ];
        for broken in breaks {
            let mut log = Log::sample();
            log.roll();
            assert_eq!(check(&log.ledger), Ok(()));
            broken(log.ledger.accounts.get_mut(&ACCOUNT).unwrap());
            assert!(check(&log.ledger).is_err());
        }
    }
}
