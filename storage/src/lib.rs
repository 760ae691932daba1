//! What we keep: the Raft log over sled, the state machine around the ledger, snapshots, the bytes all
//! of it is written in, and the receipts of one node.
//!
//! [`Storage::open`] checks everything on disk before it returns and refuses a log that is not whole:
//! it never repairs by cutting. What was acknowledged is on the disk, not in its cache: see
//! [`LogStore`] for the order of things.
//!
//! It will never open a socket, decide who leads, or read a clock other than to pace its own flushes.

mod engine;
mod files;
mod flusher;
pub mod format;
mod identity;
mod log;
mod machine;
pub mod receipts;
mod scan;
mod snapshot;
mod space;
mod storage;
mod types;
mod view;
mod watermark;

pub use flusher::Disk;
pub use identity::{BootPromise, Identity, IdentityError};
pub use log::{Closed, LogStore};
pub use machine::Machine;
pub use openraft;
pub use snapshot::{Incoming, SnapshotFile, Snapshots};
pub use space::{Space, SpaceWatch};
pub use storage::{OpenError, Storage, Tuning};
pub use types::{
    Applied, LeaderId, LogId, Membership, Peer, Proposal, Raft, RaftEntry, RaftSnapshot,
    SnapshotMeta, StoredMembership, TooLarge, TypeConfig, Vote, raft_config,
};
pub use view::{Observer, Silent, View};
