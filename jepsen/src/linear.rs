//! Is there one order of all operations that explains every answer, and in which nothing that had
//! ended comes after what began later? Registers are checked one by one.

mod bits;
mod register;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::history::{Record, State};
use search::Search;

/// Why a history was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// No order explains it.
    NotLinearizable {
        /// The register.
        key: String,
        /// Operations that the longest explanation covers.
        explained: usize,
        /// Operations there are.
        of: usize,
        /// The first to end among those it leaves over, with what was there.
        stuck: Box<(Record, State)>,
    },
    /// The search was given up.
    Undecided {
        /// The register.
        key: String,
    },
}

/// Checks every register of a history. All of them begin without a value.
///
/// # Errors
///
/// The first objection.
pub fn check(records: &[Record]) -> Result<(), Objection> {
    let mut keys: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        keys.entry(&record.key).or_default().push(record);
    }
    keys.into_iter().try_for_each(|(key, records)| Search::of(records).run(key))
}
