//! Rows of usage grow only by a batch or a part that had not been applied, and go only by whole days, the
//! oldest first.
//!
//! That the rows of a budget sum to what is spent on it cannot be asked of every ledger: a node may report
//! the amount and the row in two refills, and what is closed unreported has no row. It holds once every
//! batch is applied and nothing is outstanding, in suspense or in debt, and that is what tests of whole
//! nodes ask.

use super::{ensure, was_told};
use crate::{Ledger, UsageSums};

/// Compares the rows, and what nodes said of them, with those before.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    let first_day = after.usage.first().map(|(key, _)| key.day);
    let mut grew = after.usage.size() > before.usage.size();
    for (key, old) in &before.usage {
        match after.usage.get(key) {
            Some(new) => {
                ensure(rose(old, new), || format!("usage fell: {key:?} {old:?} to {new:?}"))?;
                grew |= old != new;
            }
            None => ensure(first_day.is_none_or(|first| key.day < first), || {
                format!("usage of day {} is gone, that of {first_day:?} is not", key.day)
            })?,
        }
    }
    let said = after.nodes.iter().any(|(&id, new)| {
        let old = before.nodes.get(&id);
        old.is_some_and(|old| {
            let mut past = old.past.iter();
            new.usage_batch > old.usage_batch
                || past.any(|past| was_told(before, after, id, past.incarnation))
        })
    });
    ensure(said || !grew, || "usage grew and no node said so".to_owned())
}

fn rose(old: &UsageSums, new: &UsageSums) -> bool {
    old.requests <= new.requests
        && old.input_tokens <= new.input_tokens
        && old.cache_read_tokens <= new.cache_read_tokens
        && old.cache_write_tokens <= new.cache_write_tokens
        && old.output_tokens <= new.output_tokens
        && old.reasoning_tokens <= new.reasoning_tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageKey;
    use crate::sample::{Log, NODES};

    fn key(day: u32) -> UsageKey {
        UsageKey { day, ..UsageKey::default() }
    }

    fn used() -> Ledger {
        let mut ledger = Log::sample().ledger;
        for day in [1, 2] {
            let sums = UsageSums { requests: 5, ..UsageSums::default() };
            ledger.usage.insert_mut(key(day), sums);
        }
        ledger
    }

    #[test]
    fn usage_that_falls_goes_or_grows_by_itself_is_caught() {
        let breaks: [fn(&mut Ledger); 4] = [
            |ledger| ledger.usage.get_mut(&key(1)).unwrap().requests = 4,
            |ledger| assert!(ledger.usage.remove_mut(&key(2))),
            |ledger| ledger.usage.get_mut(&key(1)).unwrap().requests = 6,
            |ledger| ledger.usage.insert_mut(key(3), UsageSums::default()),
        ];
        for broken in breaks {
            let before = used();
            let mut after = before.clone();
            assert_eq!(check_step(&before, &after), Ok(()));
            broken(&mut after);
            assert!(check_step(&before, &after).is_err());
        }
    }

    #[test]
    fn a_batch_may_grow_rows_and_old_days_may_go() {
        let before = used();
        let mut after = before.clone();
        after.usage.insert_mut(key(3), UsageSums::default());
        after.usage.remove_mut(&key(1));
        after.nodes.get_mut(&NODES[0]).unwrap().usage_batch = 1;
        assert_eq!(check_step(&before, &after), Ok(()));
    }
}
