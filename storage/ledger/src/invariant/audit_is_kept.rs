//! Money moved by hand leaves an entry in the audit, which is kept, and is bounded.

use super::ensure;
use crate::event::AUDIT_MAX;
use crate::{Account, Ledger, Period};

/// Looks at the size and the indices of the audit.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let entries = ledger.audit.size();
    ensure(entries <= AUDIT_MAX, || format!("the audit has {entries} entries"))?;
    let last = ledger.audit.last().map_or(0, |(&index, _)| index);
    ensure(last <= ledger.applied_index, || format!("the audit has an entry of index {last}"))
}

/// Looks for limits raised or moved, periods begun anew and grants written off without an entry, and for
/// entries that changed or went though there was room.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (index, entry) in &before.audit {
        let gone = !after.audit.contains_key(index);
        let made_room = after.audit.size() == AUDIT_MAX
            && after.audit.first().is_some_and(|(first, _)| first > index);
        ensure(after.audit.get(index) == Some(entry) || (gone && made_room), || {
            format!("the audit lost its entry {index}")
        })?;
    }
    let by_hand = after.accounts.iter().find(|(id, new)| {
        let old = before.accounts.get(*id);
        old.is_some_and(|old| is_by_hand(old, new))
    });
    let said = after.audit.contains_key(&after.applied_index);
    ensure(by_hand.is_none() || said, || {
        format!("the audit has no word on account {:?}", by_hand.map(|(id, _)| id))
    })
}

fn is_by_hand(old: &Account, new: &Account) -> bool {
    let touched = |number: &u64, period: &Period| {
        let newer = new.periods.get(number);
        newer.is_some_and(|newer| {
            newer.written_off > period.written_off || newer.moved != period.moved
        })
    };
    let last_increase = |account: &Account| account.increases.last().map(|increase| increase.id);
    new.ring_from > old.ring_from
        || last_increase(new) > last_increase(old)
        || old.periods.iter().any(|(number, period)| touched(number, period))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log};
    use crate::{Audit, Increase, UnixMillis};

    fn entry() -> Audit {
        Audit {
            at: UnixMillis(1),
            actor: "api:ann".to_owned(),
            reason: String::new(),
            operation: String::new(),
            what: String::new(),
        }
    }

    #[test]
    fn money_moved_by_hand_without_a_word_is_caught() {
        let breaks: [fn(&mut Account); 4] = [
            |account| account.ring_from += 1,
            |account| account.increases.push(Increase { id: 7, amount: 1, until: UnixMillis(1) }),
            |account| account.periods.get_mut(&1).unwrap().moved = 1,
            |account| account.periods.get_mut(&1).unwrap().written_off = 1,
        ];
        for broken in breaks {
            let before = Log::sample().ledger;
            let mut after = before.clone();
            after.applied_index += 1;
            assert_eq!(check_step(&before, &after), Ok(()));
            broken(after.accounts.get_mut(&ACCOUNT).unwrap());
            assert!(check_step(&before, &after).is_err());
            after.audit.insert_mut(after.applied_index, entry());
            assert_eq!(check_step(&before, &after), Ok(()));
        }
    }

    #[test]
    fn an_audit_that_forgets_or_overflows_is_caught() {
        let mut before = Log::sample().ledger;
        before.audit.insert_mut(1, entry());
        let mut after = before.clone();
        after.audit.remove_mut(&1);
        assert!(check_step(&before, &after).is_err());
        after.audit.insert_mut(after.applied_index + 1, entry());
        assert!(check(&after).is_err());
        let mut full = Log::sample().ledger;
        full.applied_index = 20_000;
        (0..10_001).for_each(|index| full.audit.insert_mut(index, entry()));
        assert!(check(&full).is_err());
    }
}
