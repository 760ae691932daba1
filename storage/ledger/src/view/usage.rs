//! What was used, by day?

use crate::{Ledger, UsageKey, UsageSums};

/// The rows of some days, both included, in order of [`UsageKey`]: by day first.
pub fn usage_rows(
    ledger: &Ledger,
    from_day: u32,
    to_day: u32,
) -> impl Iterator<Item = (&UsageKey, &UsageSums)> {
    let first = UsageKey { day: from_day, ..UsageKey::default() };
    ledger.usage.range(first..).take_while(move |(key, _)| key.day <= to_day)
}

/// What one key used, by day, of those days that rows are kept for.
pub fn usage_of_key<'a>(
    ledger: &'a Ledger,
    key: &str,
) -> impl Iterator<Item = (u32, &'a UsageSums)> {
    let (first, last) = ((key.to_owned(), 0), (key.to_owned(), u32::MAX));
    ledger.usage_of_keys.range(first..=last).map(|((_, day), sums)| (*day, sums))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{UsageLine, usage};

    #[test]
    fn rows_come_by_day_from_the_first_asked_for_to_the_last() {
        let mut ledger = Ledger::default();
        let sums = UsageSums { requests: 1, ..UsageSums::default() };
        for (day, key) in [(2, "b"), (1, "z"), (2, "a"), (3, "a"), (4, "a")] {
            let key = UsageKey { day, key: key.to_owned(), ..UsageKey::default() };
            usage::add(&mut ledger, &[UsageLine { key, sums }]);
        }
        let of_key = usage_of_key(&ledger, "a");
        assert_eq!(of_key.map(|(day, _)| day).collect::<Vec<_>>(), [2, 3, 4]);
        let rows = usage_rows(&ledger, 2, 3);
        let found: Vec<_> = rows.map(|(key, _)| (key.day, key.key.as_str())).collect();
        assert_eq!(found, [(2, "a"), (2, "b"), (3, "a")]);
        assert_eq!(usage_rows(&ledger, 5, u32::MAX).count(), 0);
        assert_eq!(usage_rows(&ledger, 3, 2).count(), 0);
    }
}
