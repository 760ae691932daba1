//! Opening a storage small and fast, and writing to it as consensus does.

use futures_util::stream;
use ledger::command::RevokeKey;
use ledger::{Command, UnixMillis};
use std::io;
use std::path::Path;
use std::sync::Arc;
use storage::openraft::EntryPayload;
use storage::openraft::storage::{IOFlushed, RaftLogStorage, RaftStateMachine};
use storage::openraft::type_config::TypeConfigExt;
use storage::{
    LeaderId, LogId, LogStore, Machine, OpenError, Proposal, RaftEntry, Silent, Storage, Tuning,
    TypeConfig, Vote,
};
use tokio::sync::oneshot;

pub(crate) fn tuning() -> Tuning {
    Tuning { cache_bytes: 4 << 20, segment_bytes: 1 << 20, ballast_bytes: 1 << 16 }
}

pub(crate) fn open(dir: &Path) -> Result<Storage, OpenError> {
    Storage::open_on(dir, Arc::new(Silent), &tuning(), |disk| disk)
}

/// The sentence an open is refused with.
pub(crate) fn refusal(dir: &Path) -> String {
    match open(dir) {
        Ok(_) => panic!("{} was opened", dir.display()),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn log_id(term: u64, index: u64) -> LogId {
    let leader_id = LeaderId { term, node_id: 1 };
    LogId { leader_id, index }
}

pub(crate) fn vote(term: u64) -> Vote {
    Vote::new(term, 1)
}

pub(crate) fn revoke(name: &str) -> Command {
    Command::RevokeKey(RevokeKey { name: name.to_owned(), if_index: None })
}

pub(crate) fn normal(term: u64, index: u64, command: Command) -> RaftEntry {
    let at = UnixMillis(1_700_000_000_000 + index);
    RaftEntry {
        log_id: log_id(term, index),
        payload: EntryPayload::Normal(Proposal { at, command }),
    }
}

pub(crate) fn entry(term: u64, index: u64) -> RaftEntry {
    normal(term, index, revoke(&format!("key-{index}")))
}

/// Appends and waits for the callback.
pub(crate) async fn append(log: &mut LogStore, entries: Vec<RaftEntry>) -> io::Result<()> {
    append_later(log, entries).await?.await.map_err(io::Error::other)?
}

/// Appends; what is returned ends with the callback.
pub(crate) async fn append_later(
    log: &mut LogStore,
    entries: Vec<RaftEntry>,
) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    let (sender, done) = TypeConfig::oneshot();
    log.append(entries, IOFlushed::signal(sender)).await?;
    Ok(done)
}

pub(crate) async fn apply(machine: &mut Machine, entries: Vec<RaftEntry>) -> io::Result<()> {
    machine.apply(stream::iter(entries.into_iter().map(|entry| Ok((entry, None))))).await
}

/// Numbers that look random and come again with their seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn from_clock() -> Dice {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Dice(u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap() | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
