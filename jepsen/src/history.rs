//! What clients saw, written down while it happened.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// What is in a register; `None`: there is no such object. Each value is written at most once.
pub type State = Option<u64>;

/// What a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The present value.
    Read,
    /// This value, whatever is there.
    Write(u64),
    /// `to`, provided that `from` is there.
    Swap {
        /// What must be there.
        from: u64,
        /// What shall be there.
        to: u64,
    },
}

/// What the client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To a read: this.
    Value(State),
    /// To a write or a swap: it is done.
    Done,
    /// To a swap: something else was there.
    Mismatch,
}

/// How it ended for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered.
    Ok(Answer),
    /// It certainly did not and will not happen.
    Failed,
    /// Nobody knows: it may happen at any time after it was asked for, or never.
    Indeterminate,
}

/// One operation of one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which client.
    pub client: usize,
    /// Which register.
    pub key: String,
    /// When it was asked for, in nanoseconds since the run began; before anything was sent.
    pub invoked_ns: u64,
    /// When the client knew how it ended.
    pub returned_ns: u64,
    /// What was asked for.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
}

/// The records of a run, under one monotonic clock.
#[derive(Debug)]
pub struct History {
    began: Instant,
    records: Mutex<Vec<Record>>,
}

impl Default for History {
    fn default() -> Self {
        History { began: Instant::now(), records: Mutex::default() }
    }
}

impl History {
    /// When the run began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Nanoseconds since the run began.
    pub fn now_ns(&self) -> u64 {
        // 584 years.
        self.began.elapsed().as_nanos() as u64
    }

    /// Keeps a record.
    pub fn push(&self, record: Record) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// What was recorded so far, by the time of the question.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
        records.sort_by_key(|record| record.invoked_ns);
        records
    }
}

/// Writes records as JSON lines.
///
/// # Errors
///
/// What the file system says.
pub fn save(records: &[Record], path: &Path) -> Result<()> {
    let mut text = String::new();
    for record in records {
        text.push_str(&serde_json::to_string(record)?);
        text.push('\n');
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what [`save`] wrote.
///
/// # Errors
///
/// What the file system says, or the first line that is no record.
pub fn load(path: &Path) -> Result<Vec<Record>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().map(|line| {
        serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display()))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_again() {
        let history = History::default();
        let ends = [
            (Action::Read, Outcome::Ok(Answer::Value(None))),
            (Action::Read, Outcome::Ok(Answer::Value(Some(7)))),
            (Action::Write(3), Outcome::Indeterminate),
            (Action::Swap { from: 3, to: 4 }, Outcome::Ok(Answer::Mismatch)),
            (Action::Swap { from: 3, to: 5 }, Outcome::Ok(Answer::Done)),
            (Action::Write(6), Outcome::Failed),
        ];
        for (client, (action, outcome)) in ends.into_iter().enumerate() {
            let (invoked_ns, key) = (history.now_ns(), "budget-1".to_owned());
            let returned_ns = history.now_ns();
            history.push(Record { client, key, invoked_ns, returned_ns, action, outcome });
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.jsonl");
        save(&history.records(), &path).unwrap();
        assert_eq!(load(&path).unwrap(), history.records());
    }
}
