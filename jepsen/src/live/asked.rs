//! What callers write down of their calls.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

/// How a call ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Answered to its end.
    Answered,
    /// Refused: the budget is spent.
    Spent,
    /// Refused: what is left is held by others.
    InFlight,
    /// Refused: the cluster cannot say.
    Unavailable,
    /// The provider failed, as it was asked to.
    ProviderFailed,
    /// The caller hung up.
    HungUp,
    /// Nobody took it.
    Unsent,
    /// No answer, or half of one.
    Lost,
    /// Refused for something that has nothing to do with money.
    Odd(Odd),
}

/// A refusal that has nothing to do with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Odd {
    /// HTTP status.
    pub status: u16,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number; what the provider bills carries it.
    pub id: u64,
    /// Number of the virtual key.
    pub key: usize,
    /// Which node was asked.
    pub node: usize,
    /// When the caller began, in nanoseconds since the run began.
    pub sent_ns: u64,
    /// When the caller knew how it ended.
    pub ended_ns: u64,
    /// Most it may cost, in nano-USD.
    pub worst_nano_usd: i64,
    /// Whether the provider was asked to answer well and say what that cost.
    pub well: bool,
    /// How it ended.
    pub ended: Ended,
}

impl Ended {
    /// Whether the caller was told no for want of money, or of somebody who knows.
    pub fn is_refusal(self) -> bool {
        match self {
            Ended::Spent | Ended::InFlight | Ended::Unavailable => true,
            Ended::Answered
            | Ended::ProviderFailed
            | Ended::HungUp
            | Ended::Unsent
            | Ended::Lost
            | Ended::Odd(_) => false,
        }
    }
}

/// The calls of a run.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Vec<Asked>>);

impl Calls {
    /// Keeps one.
    pub fn push(&self, asked: Asked) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }

    /// All so far, by the time they were sent.
    pub fn all(&self) -> Vec<Asked> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_by_key(|asked| asked.sent_ns);
        all
    }
}

/// Writes calls as lines: number, key, node, begun and ended in microseconds, and how.
///
/// # Errors
///
/// What the file system says.
pub fn save(calls: &[Asked], path: &Path) -> Result<()> {
    let mut text = String::from("id key node sent_us ended_us ended\n");
    for Asked { id, key, node, sent_ns, ended_ns, ended, .. } in calls {
        let (sent_us, ended_us) = (sent_ns / 1_000, ended_ns / 1_000);
        // Writing to memory cannot fail.
        let _ = writeln!(text, "{id} {key} {node} {sent_us} {ended_us} {ended:?}");
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
