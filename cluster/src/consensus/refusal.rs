//! Why a peer did not do what it was asked, as it travels back.

use super::message::AnswerV1;
use storage::format::v1::Bytes;

/// Why a peer did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The sender means another cluster.
    WrongCluster,
    /// The sender means another node.
    WrongReceiver,
    /// The receiver takes no part in consensus yet, or no longer.
    NotReady,
    /// The receiver does not lead; nothing was appended.
    NotLeader,
    /// The receiver cannot tell whether it was done.
    Unknown,
    /// It will not be done.
    Refused,
    /// The message cannot be read.
    Malformed,
    /// The receiver's disk is nearly full; nothing was appended.
    NoRoom,
    /// A code of a later program.
    Other(u16),
}

impl Reason {
    fn code(self) -> u16 {
        match self {
            Reason::WrongCluster => 1,
            Reason::WrongReceiver => 2,
            Reason::NotReady => 3,
            Reason::NotLeader => 4,
            Reason::Unknown => 5,
            Reason::Refused => 6,
            Reason::Malformed => 7,
            Reason::NoRoom => 8,
            Reason::Other(code) => code,
        }
    }

    fn of(code: u16) -> Reason {
        match code {
            1 => Reason::WrongCluster,
            2 => Reason::WrongReceiver,
            3 => Reason::NotReady,
            4 => Reason::NotLeader,
            5 => Reason::Unknown,
            6 => Reason::Refused,
            7 => Reason::Malformed,
            8 => Reason::NoRoom,
            other => Reason::Other(other),
        }
    }
}

/// A peer's refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{say}")]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// The leader, where known.
    pub(crate) leader: Option<u64>,
    pub(crate) say: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, say: impl Into<String>) -> Refusal {
        Refusal { reason, leader: None, say: say.into() }
    }

    pub(crate) fn not_leader(leader: Option<u64>) -> Refusal {
        Refusal { reason: Reason::NotLeader, leader, say: "this node does not lead".to_owned() }
    }
}

impl From<storage::format::FormatError> for Refusal {
    fn from(error: storage::format::FormatError) -> Self {
        Refusal::new(Reason::Malformed, error.to_string())
    }
}

/// Wraps what came of a request.
pub(crate) fn answer(result: Result<Vec<u8>, Refusal>) -> AnswerV1 {
    match result {
        Ok(message) => AnswerV1 { message: Bytes(message), ..AnswerV1::default() },
        Err(refusal) => AnswerV1 {
            code: refusal.reason.code(),
            leader: refusal.leader.unwrap_or(0),
            say: refusal.say,
            message: Bytes(Vec::new()),
        },
    }
}

/// Takes it apart again.
pub(crate) fn result(answer: AnswerV1) -> Result<Vec<u8>, Refusal> {
    if answer.code == 0 {
        return Ok(answer.message.0);
    }
    Err(Refusal {
        reason: Reason::of(answer.code),
        leader: (answer.leader != 0).then_some(answer.leader),
        say: answer.say,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_travel_whole() {
        let refusal = Refusal::not_leader(Some(7));
        assert_eq!(result(answer(Err(refusal.clone()))), Err(refusal));
        assert_eq!(result(answer(Ok(vec![1]))), Ok(vec![1]));
        for code in 1..=9 {
            assert_eq!(Reason::of(code).code(), code);
        }
    }
}
