//! Snapshots between peers: pieces of a file, in order, then the word to install it.

use super::client::Lane;
use super::network::Connection;
use super::refusal::{Reason, Refusal};
use super::route::Route;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{RPCError, StreamingError, Unreachable};
use openraft::raft::SnapshotResponse;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use storage::format::v1::{
    Bytes, WireSnapshotChunk, WireSnapshotInstall, WireSnapshotResponse, WireStoredMembership,
    WireVote,
};
use storage::{
    Incoming, LogId, Raft, RaftSnapshot, SnapshotFile, SnapshotMeta, Snapshots, StoredMembership,
    TypeConfig, Vote,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Bytes of a piece; few in tests, so that there are many pieces.
const PIECE_BYTES: usize = if cfg!(test) { 256 } else { 1 << 20 };
/// A transfer that was not continued for so long is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// Numbers this process' transfers; a restarted sender must not continue what another life began.
fn next_transfer() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    (super::proposals::unix_ms() << 20) | (NEXT.fetch_add(1, Ordering::Relaxed) & 0xf_ffff)
}

/// Sends a snapshot whole.
pub(super) async fn send(
    connection: &Connection,
    vote: Vote,
    snapshot: RaftSnapshot,
    within: Duration,
) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
    let transfer = next_transfer();
    let file_bytes = snapshot.snapshot.bytes();
    let mut offset = 0;
    while offset < file_bytes {
        let piece = piece(&snapshot.snapshot, offset).await.map_err(|error| unreadable(&error))?;
        let sent = piece.len() as u64;
        let chunk = WireSnapshotChunk { transfer, offset, bytes: Bytes(piece) };
        let taken = connection.ask(Lane::Snapshot, Route::SnapshotChunk, &chunk, within).await;
        let _: WireSnapshotResponse = taken?;
        offset += sent;
    }
    let install = WireSnapshotInstall {
        transfer,
        vote: WireVote::from(&vote),
        last_log_id: snapshot.meta.last_log_id.as_ref().map(Into::into),
        membership: WireStoredMembership::from(&snapshot.meta.last_membership),
        file_bytes,
    };
    let installed = connection.ask(Lane::Snapshot, Route::SnapshotInstall, &install, within).await;
    let answer: WireSnapshotResponse = installed?;
    Ok(answer.into())
}

async fn piece(file: &SnapshotFile, offset: u64) -> io::Result<Vec<u8>> {
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || file.read_at(offset, PIECE_BYTES));
    let piece = read.await.map_err(io::Error::other)??;
    if piece.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "snapshot file ends early"));
    }
    Ok(piece)
}

fn unreadable(error: &io::Error) -> StreamingError<TypeConfig> {
    RPCError::Unreachable(Unreachable::new(error)).into()
}

/// Snapshots on their way in, by sender.
pub(crate) struct Receiving {
    snapshots: Snapshots,
    from: Mutex<HashMap<u64, Transfer>>,
}

struct Transfer {
    number: u64,
    incoming: Incoming,
    touched: Instant,
}

impl Receiving {
    pub(crate) fn new(snapshots: Snapshots) -> Receiving {
        Receiving { snapshots, from: Mutex::new(HashMap::new()) }
    }

    /// Keeps a piece; the first piece of another transfer ends the one before.
    pub(super) async fn chunk(
        &self,
        raft: &Raft,
        from: u64,
        chunk: WireSnapshotChunk,
    ) -> Result<WireSnapshotResponse, Refusal> {
        let mut transfers = self.from.lock().await;
        transfers.retain(|_, transfer| transfer.touched.elapsed() < GIVEN_UP_AFTER);
        let known = transfers.remove(&from).filter(|known| known.number == chunk.transfer);
        let incoming = match known {
            Some(known) => known.incoming,
            None => self.snapshots.receive().map_err(|error| failed(&error))?,
        };
        let written = tokio::task::spawn_blocking(move || {
            let mut incoming = incoming;
            incoming.write(chunk.offset, &chunk.bytes.0).map(|()| incoming)
        });
        let incoming =
            written.await.map_err(io::Error::other).flatten().map_err(|error| failed(&error))?;
        let transfer = Transfer { number: chunk.transfer, incoming, touched: Instant::now() };
        transfers.insert(from, transfer);
        Ok(vote_of(raft))
    }

    /// Hands the whole to consensus.
    pub(super) async fn install(
        &self,
        raft: &Raft,
        from: u64,
        install: WireSnapshotInstall,
    ) -> Result<WireSnapshotResponse, Refusal> {
        let whole = |transfer: &Transfer| {
            transfer.number == install.transfer && transfer.incoming.bytes() == install.file_bytes
        };
        let transfer = self.from.lock().await.remove(&from).filter(whole).ok_or_else(|| {
            Refusal::new(Reason::Refused, "pieces of this snapshot are missing: begin anew")
        })?;
        let finished = tokio::task::spawn_blocking(move || transfer.incoming.finish());
        let file =
            finished.await.map_err(io::Error::other).flatten().map_err(|error| failed(&error))?;
        let meta = SnapshotMeta {
            last_log_id: install.last_log_id.map(LogId::from),
            last_membership: StoredMembership::try_from(install.membership)?,
        };
        let snapshot = RaftSnapshot { meta, snapshot: file };
        let installed = raft.install_full_snapshot(install.vote.into(), snapshot).await;
        let response =
            installed.map_err(|fatal| Refusal::new(Reason::NotReady, fatal.to_string()))?;
        Ok(WireSnapshotResponse::from(&response))
    }
}

fn vote_of(raft: &Raft) -> WireSnapshotResponse {
    let metrics = raft.server_metrics();
    let vote = WireVote::from(&metrics.borrow_watched().vote);
    WireSnapshotResponse { vote }
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::new(Reason::Refused, format!("snapshot not taken: {error}"))
}
