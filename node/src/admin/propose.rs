//! From a write to the log and back: conditions, denials and doubts in the operator's words.

use super::Node;
use ::cluster::Unavailable;
use api::admin::{Answer, Condition, Problem, Write};
use ledger::{Command, Denial, Outcome};
use std::time::Duration;

/// How long the answer to an ordinary write waits for the other nodes.
const CONFIRM_WITHIN: Duration = Duration::from_secs(3);
/// How long the answer to a write that stops a secret waits for them.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How urgently the other nodes must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// So that a client finds its write on the node it asks next.
    Ordinary,
    /// Something must have stopped everywhere.
    Stop,
}

impl Node {
    /// Puts a command into the log; answers its index. `kind` is what a missing object is called where
    /// it is the one the command is about.
    pub(super) async fn propose(&self, kind: &'static str, command: Command) -> Answer<u64> {
        let proposed = self.parts.cluster.propose(command).await;
        let committed = proposed.map_err(unavailable)?;
        match committed.outcome {
            Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Refilled(_) => Ok(committed.index),
            Outcome::Denied(denial) => Err(denied(kind, denial)),
        }
    }

    /// Waits for the live nodes to apply `index`; answers the labels of those that did not say so.
    pub(super) async fn confirm(&self, index: u64, reach: Reach) -> Vec<String> {
        let within = match reach {
            Reach::Ordinary => CONFIRM_WITHIN,
            Reach::Stop => STOP_WITHIN,
        };
        self.parts.cluster.applied_everywhere(index, within).await
    }
}

/// The owner of what an operator writes.
pub(super) fn managed_by(write: &Write) -> String {
    format!("api:{}", write.actor.0)
}

/// The condition as the ledger takes it. `present`: log index of the object's last change, as far as
/// this node has applied.
pub(super) fn if_index(write: &Write, present: Option<u64>) -> Answer<Option<u64>> {
    match (write.condition, present) {
        (Condition::Any, _) => Ok(None),
        (Condition::At(index), _) => Ok(Some(index)),
        (Condition::Absent, _) => Ok(Some(0)),
        (Condition::Exists, Some(present)) => Ok(Some(present)),
        (Condition::Exists, None) => Err(Problem::precondition(0)),
    }
}

/// What the cluster could not do.
pub(super) fn unavailable(error: Unavailable) -> Problem {
    let said = error.to_string();
    match error {
        Unavailable::Unknown(_) => Problem::unknown_outcome(said),
        Unavailable::Refused(_) => Problem::invalid("request", said),
        Unavailable::NotApplied { .. }
        | Unavailable::NotCaughtUp { .. }
        | Unavailable::NotJoined(_)
        | Unavailable::NoRoom(_)
        | Unavailable::Stopping(_) => Problem::unavailable(said),
    }
}

/// Why the ledger changed nothing.
pub(super) fn denied(kind: &'static str, denial: Denial) -> Problem {
    match denial {
        Denial::NotFound(what, name) if what == kind => Problem::not_found(what, &name),
        Denial::NotFound(what, name) => {
            Problem::invalid(field_of(kind, what), format!("there is no {what} {name:?}"))
                .fix(format!("create the {what} first"))
        }
        Denial::IndexMismatch { present } => Problem::precondition(present),
        Denial::ManagedBy(owner) => {
            Problem::conflict(format!("the object is managed by {owner}")).fix("change it there")
        }
        Denial::InUse(by) => Problem::conflict(format!("still in use by {by}"))
            .fix(format!("change or delete {by} first")),
        Denial::Invalid(field, reason) => Problem::invalid(field, reason),
        Denial::Taken(what, name) => {
            Problem::conflict(format!("{what} {name:?} is taken")).fix("choose another name")
        }
        Denial::Revoked => Problem::conflict("the key was revoked, for ever")
            .fix("create a new key; its name is free"),
        Denial::StaleIncarnation { present } => {
            Problem::conflict(format!("the node lives its life {present} by now"))
        }
        Denial::AlreadyInitialised(id) => {
            Problem::conflict(format!("the cluster was founded before, as {id}"))
        }
        Denial::Full(what, whose) => {
            Problem::conflict(format!("there is no room for more {what}: {whose}"))
                .fix("wait until some are closed, or close some")
        }
    }
}

/// The field in which an object of one kind names another.
fn field_of(kind: &str, what: &str) -> String {
    match (kind, what) {
        (_, "budget") => "budgets".to_owned(),
        ("alias", "provider") => "targets".to_owned(),
        (_, what) => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::admin::Actor;

    #[test]
    fn each_denial_has_a_status_and_says_what_to_do() {
        let cases = [
            (Denial::NotFound("key", "k".into()), 404),
            (Denial::NotFound("budget", "b".into()), 422),
            (Denial::IndexMismatch { present: 7 }, 412),
            (Denial::ManagedBy("file:a.yaml".into()), 409),
            (Denial::InUse("key k".into()), 409),
            (Denial::Invalid("limit", "is negative".into()), 422),
            (Denial::Taken("key id", "k".into()), 409),
            (Denial::Revoked, 409),
            (Denial::Full("instances", "budget b has 50000".into()), 409),
        ];
        for (denial, status) in cases {
            assert_eq!(denied("key", denial.clone()).status(), status, "{denial:?}");
        }
        let missing = denied("key", Denial::NotFound("budget", "b".into()));
        assert_eq!(missing.errors()[0].field, "budgets");
        let sent = serde_json::to_value(&missing).unwrap();
        assert_eq!(sent["fix"], "create the budget first");
    }

    #[test]
    fn a_lost_answer_is_told_from_a_refusal() {
        assert_eq!(unavailable(Unavailable::Unknown("x".into())).status(), 504);
        assert_eq!(unavailable(Unavailable::NotJoined("x".into())).status(), 503);
    }

    #[test]
    fn conditions_become_log_indexes() {
        let write =
            |condition| Write { actor: Actor("admin".into()), condition, operation: String::new() };
        assert_eq!(if_index(&write(Condition::Any), Some(3)), Ok(None));
        assert_eq!(if_index(&write(Condition::At(2)), Some(3)), Ok(Some(2)));
        assert_eq!(if_index(&write(Condition::Absent), None), Ok(Some(0)));
        assert_eq!(if_index(&write(Condition::Exists), Some(3)), Ok(Some(3)));
        assert_eq!(if_index(&write(Condition::Exists), None).unwrap_err().status(), 412);
    }
}
