//! What a register does, and which values it can be asked about.

use crate::history::{Action, Answer, Outcome, Record, State};

/// What an operation does to a state; `None`: it cannot have been answered like that.
pub(super) fn after(record: &Record, state: State) -> Option<State> {
    match (record.action, record.outcome) {
        (Action::Read, Outcome::Ok(Answer::Value(value))) => (value == state).then_some(state),
        (Action::Swap { from, .. }, Outcome::Ok(Answer::Mismatch)) => {
            (state != Some(from)).then_some(state)
        }
        (Action::Write(value), Outcome::Ok(Answer::Done) | Outcome::Indeterminate) => {
            Some(Some(value))
        }
        (Action::Swap { from, to }, Outcome::Ok(Answer::Done) | Outcome::Indeterminate) => {
            (state == Some(from)).then_some(Some(to))
        }
        (_, Outcome::Ok(_) | Outcome::Failed | Outcome::Indeterminate) => None,
    }
}

/// The value that an operation leaves behind.
pub(super) fn written(record: &Record) -> Option<u64> {
    match record.action {
        Action::Write(value) | Action::Swap { to: value, .. } => Some(value),
        Action::Read => None,
    }
}

/// The value that an operation asks about.
pub(super) fn asks_about(record: &Record) -> Option<u64> {
    match (record.action, record.outcome) {
        (Action::Swap { from, .. }, _) => Some(from),
        (Action::Read, Outcome::Ok(Answer::Value(value))) => value,
        (Action::Read | Action::Write(_), _) => None,
    }
}

/// Which values would help what may come next.
#[derive(Default)]
pub(super) struct Uses {
    pub(super) values: Vec<u64>,
    /// A swap that was refused can come next once something else is there than now.
    pub(super) any_other: bool,
}

impl Uses {
    pub(super) fn note(&mut self, record: &Record) {
        match record.outcome {
            Outcome::Ok(Answer::Mismatch) => self.any_other = true,
            Outcome::Ok(_) | Outcome::Indeterminate => self.values.extend(asks_about(record)),
            Outcome::Failed => {}
        }
    }
}
