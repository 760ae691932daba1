//! What is made of other maps is what they say: usage by key and day, and how many instances budgets have.

use super::ensure;
use crate::Ledger;

/// Makes both anew and compares.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let mut made = Ledger::default();
    for (key, sums) in &ledger.usage {
        made.add_usage(key.clone(), sums);
    }
    for (id, account) in &ledger.accounts {
        made.put_account(*id, account.clone());
    }
    ensure(made.usage_of_keys == ledger.usage_of_keys, || {
        "usage by key and day is not the sum of its rows".to_owned()
    })?;
    ensure(made.instances_of == ledger.instances_of, || {
        let (is, says) = (&made.instances_of, &ledger.instances_of);
        format!("budgets have {is:?} instances, not {says:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, OpenInstance};
    use crate::sample::{Log, budget, put_budget};
    use crate::{Per, UsageKey, UsageSums};

    #[test]
    fn what_is_filed_otherwise_than_it_is_is_caught() {
        let mut log = Log::sample();
        let mut tags = budget("tags", 5);
        tags.per = Per::Tag;
        log.done(put_budget(tags));
        let (budget, subject) = ("tags".to_owned(), "red".to_owned());
        log.done(Command::OpenInstance(OpenInstance { budget, subject, periods: Vec::new() }));
        let sums = UsageSums { requests: 2, ..UsageSums::default() };
        log.ledger.add_usage(UsageKey { day: 3, ..UsageKey::default() }, &sums);
        assert_eq!(check(&log.ledger), Ok(()));
        let breaks: [fn(&mut Ledger); 4] = [
            |ledger| ledger.instances_of.insert_mut("tags".to_owned(), 2),
            |ledger| assert!(ledger.instances_of.remove_mut("tags")),
            |ledger| assert!(ledger.usage_of_keys.remove_mut(&(String::new(), 3))),
            |ledger| ledger.forget_usage(4),
        ];
        for (place, broken) in breaks.into_iter().enumerate() {
            let mut ledger = log.ledger.clone();
            broken(&mut ledger);
            // Forgetting is no fault.
            assert_eq!(check(&ledger).is_err(), place < 3);
        }
    }
}
