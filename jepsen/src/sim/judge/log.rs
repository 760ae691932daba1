//! What was ever written under each log id: one payload, for ever.

use crate::sim::life::lock;
use crate::sim::types::RaftEntry;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Every entry that any node ever wrote.
#[derive(Default)]
pub(crate) struct LogBook(Mutex<BTreeMap<u64, Vec<Arc<RaftEntry>>>>);

impl LogBook {
    /// Hears of an entry that a node writes to its log.
    pub(crate) fn appended(&self, entry: &Arc<RaftEntry>) -> Result<(), String> {
        let mut book = lock(&self.0);
        let known = book.entry(entry.log_id.index).or_default();
        match known.iter().find(|other| other.log_id == entry.log_id) {
            Some(other) if other.payload == entry.payload => Ok(()),
            Some(other) => {
                let (one, two) = (&other.payload, &entry.payload);
                Err(format!("{} was {one}, and now {two}", entry.log_id))
            }
            None => {
                known.push(Arc::clone(entry));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::command::EnrolNode;
    use ledger::{Command, NodeId, UnixMillis};
    use storage::Proposal;
    use storage::openraft::EntryPayload;
    use storage::openraft::alias::CommittedLeaderIdOf;

    type Leader = CommittedLeaderIdOf<crate::sim::types::SimConfig>;

    fn entry(term: u64, incarnation: u64) -> Arc<RaftEntry> {
        let log_id = crate::sim::types::LogId::new(Leader { term, node_id: 1 }, 7);
        let command = Command::EnrolNode(EnrolNode { id: NodeId(1), incarnation });
        let payload = EntryPayload::Normal(Proposal { at: UnixMillis(0), command });
        Arc::new(RaftEntry { log_id, payload })
    }

    #[test]
    fn two_payloads_under_one_log_id_are_objected_to() {
        let book = LogBook::default();
        assert_eq!(book.appended(&entry(1, 1)), Ok(()));
        assert_eq!(book.appended(&entry(1, 1)), Ok(()));
        assert_eq!(book.appended(&entry(2, 2)), Ok(()));
        assert!(book.appended(&entry(1, 2)).is_err());
    }
}
