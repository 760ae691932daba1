//! The cluster's own messages between peers: frozen bodies, each with its number.

use crate::rates::{RateReport, RateShares};
use serde::{Deserialize, Serialize};
use storage::format::v1::Bytes;
use storage::format::{Body, Kind};

macro_rules! body {
    ($name:ident = $offset:literal) => {
        impl Body for $name {
            const KIND: Kind = Kind(Kind::CLUSTER_FIRST.0 + $offset);
            const SCHEMA: u16 = 1;
        }
    };
}

/// What every request is wrapped in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnvelopeV1 {
    /// Name of the sender's cluster.
    pub(crate) cluster_name: String,
    /// The sender's cluster; empty where it has none yet.
    pub(crate) cluster_id: String,
    /// The sender.
    pub(crate) from_uuid: String,
    /// The sender's Raft id; zero where it has none yet.
    pub(crate) from_raft: u64,
    /// Whom the sender means, by uuid; empty where it knows the Raft id only.
    pub(crate) to_uuid: String,
    /// Whom the sender means, by Raft id; zero where it knows the uuid only.
    pub(crate) to_raft: u64,
    /// Frame of the message.
    pub(crate) message: Bytes,
}
body!(EnvelopeV1 = 0);

/// What every answer is wrapped in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnswerV1 {
    /// Zero, or a code of [`crate::consensus::refusal::Reason`].
    pub(crate) code: u16,
    /// The leader, where the receiver should have been one and is not; zero where unknown.
    pub(crate) leader: u64,
    /// Why not, for people.
    pub(crate) say: String,
    /// Frame of the answer.
    pub(crate) message: Bytes,
}
body!(AnswerV1 = 1);

/// Nothing but the asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EmptyV1 {}
body!(EmptyV1 = 2);

/// Asks for an id and a place in the membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JoinV1 {
    pub(crate) uuid: String,
    pub(crate) label: String,
    pub(crate) peer_addr: String,
    /// Oldest and newest cluster version its program can work under.
    pub(crate) version_min: u32,
    pub(crate) version_max: u32,
}
body!(JoinV1 = 3);

/// The id and the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JoinedV1 {
    pub(crate) raft_id: u64,
    pub(crate) cluster_id: String,
}
body!(JoinedV1 = 4);

/// Asks for a promise to found a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BootPrepareV1 {
    pub(crate) cluster_id: String,
    pub(crate) expect: u32,
    /// Uuids of the founders, sorted; the first one asks.
    pub(crate) members: Vec<String>,
}
body!(BootPrepareV1 = 5);

/// Asks the founder whether it still means to found this cluster, or has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BootAskV1 {
    pub(crate) cluster_id: String,
}
body!(BootAskV1 = 6);

/// Whether it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BootKnownV1 {
    pub(crate) alive: bool,
}
body!(BootKnownV1 = 7);

/// A log index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexV1 {
    pub(crate) index: u64,
}
body!(IndexV1 = 8);

/// Asks to wait for a log index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AwaitV1 {
    pub(crate) index: u64,
    pub(crate) within_ms: u64,
}
body!(AwaitV1 = 9);

/// A wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClockV1 {
    /// Milliseconds since 1970.
    pub(crate) unix_ms: u64,
}
body!(ClockV1 = 10);

/// What an operator asks of the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperateV1 {
    /// [`OperateV1::REMOVE`] or [`OperateV1::TRANSFER`].
    pub(crate) what: u16,
    pub(crate) raft_id: u64,
}
body!(OperateV1 = 11);

/// A question that the cluster only carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskV1 {
    pub(crate) topic: String,
    pub(crate) body: Bytes,
}
body!(AskV1 = 14);

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldV1 {
    pub(crate) body: Bytes,
}
body!(ToldV1 = 15);

// Bodies of their own, defined beside those who make them.
body!(RateReport = 12);
body!(RateShares = 13);

impl OperateV1 {
    /// Remove a node for good.
    pub(crate) const REMOVE: u16 = 1;
    /// Hand leadership to a node.
    pub(crate) const TRANSFER: u16 = 2;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use storage::format;

    fn envelope() -> EnvelopeV1 {
        EnvelopeV1 {
            cluster_name: "bursar".to_owned(),
            cluster_id: "c".to_owned(),
            from_uuid: "u".to_owned(),
            from_raft: 1 << 63,
            to_uuid: String::new(),
            to_raft: 7,
            message: Bytes(vec![1, 2, 3]),
        }
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let bytes = format::encode(&envelope()).unwrap();
        assert_eq!(format::decode::<EnvelopeV1>(&bytes).unwrap(), envelope());
        let operate = OperateV1 { what: OperateV1::REMOVE, raft_id: 9 };
        let bytes = format::encode(&operate).unwrap();
        assert_eq!(format::decode::<OperateV1>(&bytes).unwrap(), operate);
        assert!(format::decode::<JoinV1>(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = format::decode::<EnvelopeV1>(&bytes);
            let _ = format::decode::<JoinV1>(&bytes);
            if let Ok(frame) = format::seal(EnvelopeV1::KIND, 1, &bytes) {
                let _ = format::decode::<EnvelopeV1>(&frame);
            }
        }
    }
}
