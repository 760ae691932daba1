//! Gives a node its id; idempotent per uuid.

use super::At;
use crate::{Denial, Ledger, NodeId, NodeRecord, valid};

/// Gives a node its id; idempotent per uuid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocateNode {
    /// Identity of the node's data directory.
    pub uuid: String,
    /// A label for people; may be empty.
    pub label: String,
    /// The id a founder drew. `None` for joiners: the entry's log index becomes the id.
    pub id: Option<NodeId>,
}

impl AllocateNode {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<NodeId, Denial> {
        valid::name("uuid", &self.uuid)?;
        if self.label.len() > valid::LABEL_BYTES_MAX {
            let bytes = self.label.len();
            let reason = format!("has {bytes} bytes, at most 253 are allowed");
            return Err(Denial::Invalid("label", reason));
        }
        if let Some(known) = ledger.nodes.values().find(|node| node.uuid == self.uuid) {
            return Ok(known.id);
        }
        let id = self.id.unwrap_or(NodeId(at.index));
        if ledger.nodes.contains_key(&id) {
            return Err(Denial::Taken("node", id.0.to_string()));
        }
        let record = NodeRecord {
            id,
            uuid: self.uuid.clone(),
            label: self.label.clone(),
            incarnation: 0,
            ..NodeRecord::default()
        };
        ledger.nodes.insert_mut(id, record);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Log;
    use crate::{Outcome, command::Command};

    fn allocate(log: &mut Log, uuid: &str, id: Option<u64>) -> Outcome {
        let allocate =
            AllocateNode { uuid: uuid.to_owned(), label: "host".to_owned(), id: id.map(NodeId) };
        log.propose(Command::AllocateNode(allocate)).0
    }

    #[test]
    fn a_node_gets_one_id_however_often_it_asks() {
        let mut log = Log::default();
        let founder = Outcome::NodeAllocated(NodeId(1 << 63));
        assert_eq!(allocate(&mut log, "a", Some(1 << 63)), founder);
        let joiner = Outcome::NodeAllocated(NodeId(2));
        assert_eq!(allocate(&mut log, "b", None), joiner);
        assert_eq!(allocate(&mut log, "b", None), joiner);
        assert_eq!(allocate(&mut log, "a", None), founder);
        assert_eq!(log.ledger.nodes.size(), 2);
    }

    #[test]
    fn an_id_is_never_given_to_two_nodes() {
        let mut log = Log::default();
        allocate(&mut log, "a", Some(7));
        let taken = Denial::Taken("node", "7".to_owned());
        assert_eq!(allocate(&mut log, "b", Some(7)), Outcome::Denied(taken));
    }
}
