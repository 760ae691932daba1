//! Histories spoilt on purpose: a checker that accepts one of these sees nothing.

use crate::history::{Action, Answer, Outcome, Record};

/// A way to spoil a history; `None` where it offers no occasion.
pub type Spoil = fn(&[Record]) -> Option<Vec<Record>>;

/// Every way, with its name.
pub const ALL: [(&str, Spoil); 3] =
    [("stale read", stale_read), ("lost write", lost_write), ("phantom", phantom)];

/// The last read that can be shows a value that was overwritten before it began.
pub fn stale_read(records: &[Record]) -> Option<Vec<Record>> {
    let reads = (0..records.len()).rev().filter(|nth| value_read(&records[*nth]).is_some());
    for nth in reads {
        let read = &records[nth];
        let later = acknowledged_write_before(records, &read.key, read.invoked_ns);
        let Some((_, overwriter)) = later else { continue };
        let earlier = acknowledged_write_before(records, &read.key, overwriter.invoked_ns);
        let Some((old, _)) = earlier else { continue };
        let mut spoilt = records.to_vec();
        spoilt[nth].outcome = Outcome::Ok(Answer::Value(Some(old)));
        return Some(spoilt);
    }
    None
}

/// An acknowledged write that was seen is gone from the history.
pub fn lost_write(records: &[Record]) -> Option<Vec<Record>> {
    let lost = records.iter().position(|write| {
        let seen = |read: &Record| read.key == write.key && value_read(read) == written(write);
        written(write).is_some() && records.iter().any(seen)
    })?;
    let mut spoilt = records.to_vec();
    spoilt.remove(lost);
    Some(spoilt)
}

/// A read shows a value that nobody wrote.
pub fn phantom(records: &[Record]) -> Option<Vec<Record>> {
    let nth = records.iter().position(|record| value_read(record).is_some())?;
    let mut spoilt = records.to_vec();
    spoilt[nth].outcome = Outcome::Ok(Answer::Value(Some(u64::MAX)));
    Some(spoilt)
}

fn value_read(record: &Record) -> Option<u64> {
    match record.outcome {
        Outcome::Ok(Answer::Value(value)) => value,
        Outcome::Ok(Answer::Done | Answer::Mismatch) | Outcome::Failed | Outcome::Indeterminate => {
            None
        }
    }
}

/// The value of an acknowledged write or swap.
fn written(record: &Record) -> Option<u64> {
    match (record.action, record.outcome) {
        (Action::Write(value) | Action::Swap { to: value, .. }, Outcome::Ok(Answer::Done)) => {
            Some(value)
        }
        (Action::Read | Action::Write(_) | Action::Swap { .. }, _) => None,
    }
}

/// The write of a register whose acknowledgement came last before `ns`, with its value.
fn acknowledged_write_before<'a>(
    records: &'a [Record],
    key: &str,
    ns: u64,
) -> Option<(u64, &'a Record)> {
    let writes = records.iter().filter(|record| record.key == key && record.returned_ns < ns);
    let writes = writes.filter_map(|record| written(record).map(|value| (value, record)));
    writes.max_by_key(|(_, record)| record.returned_ns)
}
