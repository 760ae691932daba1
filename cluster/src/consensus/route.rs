//! The routes of the peer listener.

use storage::format::FRAME_BYTES_MAX;

/// One route: a path, and what its receiver insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Replicate entries, or beat.
    Append,
    /// Vote for the sender.
    Vote,
    /// Say whether it would get the vote.
    PreVote,
    /// Keep a piece of a snapshot.
    SnapshotChunk,
    /// Install the snapshot whose pieces were sent.
    SnapshotInstall,
    /// Take over leadership.
    TransferLeader,
    /// Put a command into the log.
    Propose,
    /// Say which log index a linearizable read must have applied.
    ReadIndex,
    /// Say what is applied, once it is far enough or the time is up.
    Applied,
    /// Say what time it is.
    Clock,
    /// Give the sender an id and make it a learner.
    Join,
    /// Promise to found a cluster with the nodes named.
    BootPrepare,
    /// Say whether a founding is still under way.
    BootAsk,
    /// Do what an operator asked of the leader.
    Operate,
    /// Share out rates.
    Rates,
    /// Answer what the cluster only carries.
    Service,
}

impl Route {
    /// Every route.
    pub(crate) const ALL: [Route; 16] = [
        Route::Append,
        Route::Vote,
        Route::PreVote,
        Route::SnapshotChunk,
        Route::SnapshotInstall,
        Route::TransferLeader,
        Route::Propose,
        Route::ReadIndex,
        Route::Applied,
        Route::Clock,
        Route::Join,
        Route::BootPrepare,
        Route::BootAsk,
        Route::Operate,
        Route::Rates,
        Route::Service,
    ];

    /// Its path; also what its messages are bound to by their seal.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Route::Append => "/peer/v1/append",
            Route::Vote => "/peer/v1/vote",
            Route::PreVote => "/peer/v1/pre-vote",
            Route::SnapshotChunk => "/peer/v1/snapshot-chunk",
            Route::SnapshotInstall => "/peer/v1/snapshot-install",
            Route::TransferLeader => "/peer/v1/transfer-leader",
            Route::Propose => "/peer/v1/propose",
            Route::ReadIndex => "/peer/v1/read-index",
            Route::Applied => "/peer/v1/applied",
            Route::Clock => "/peer/v1/clock",
            Route::Join => "/peer/v1/join",
            Route::BootPrepare => "/peer/v1/boot-prepare",
            Route::BootAsk => "/peer/v1/boot-ask",
            Route::Operate => "/peer/v1/operate",
            Route::Rates => "/peer/v1/rates",
            Route::Service => "/peer/v1/service",
        }
    }

    /// Largest request of a route that carries no entries or the like, in bytes: a record of the log,
    /// its envelope and its seal fit well.
    pub(crate) const SMALL_BYTES_MAX: usize = 256 * 1024;

    /// Largest request taken, in bytes.
    pub(crate) const fn request_bytes_max(self) -> usize {
        match self {
            // A frame, its envelope and its seal.
            Route::Append | Route::SnapshotChunk | Route::Rates => FRAME_BYTES_MAX + 4096,
            Route::Vote
            | Route::PreVote
            | Route::SnapshotInstall
            | Route::TransferLeader
            | Route::Propose
            | Route::ReadIndex
            | Route::Applied
            | Route::Clock
            | Route::Join
            | Route::BootPrepare
            | Route::BootAsk
            | Route::Operate
            | Route::Service => Self::SMALL_BYTES_MAX,
        }
    }

    /// Whether a message seen before is refused. Consensus' own messages may come twice, and come often.
    pub(crate) const fn once_only(self) -> bool {
        match self {
            Route::TransferLeader
            | Route::Propose
            | Route::Join
            | Route::BootPrepare
            | Route::Operate => true,
            Route::Append
            | Route::Vote
            | Route::PreVote
            | Route::SnapshotChunk
            | Route::SnapshotInstall
            | Route::ReadIndex
            | Route::Applied
            | Route::Clock
            | Route::BootAsk
            | Route::Rates
            | Route::Service => false,
        }
    }

    /// Whether a sender that belongs to no cluster yet may use it.
    pub(crate) const fn before_joining(self) -> bool {
        matches!(self, Route::Join | Route::BootPrepare | Route::BootAsk)
    }

    /// Whether its messages are proof that the founding this node promised to take part in came about.
    pub(crate) const fn of_consensus(self) -> bool {
        matches!(
            self,
            Route::Append
                | Route::Vote
                | Route::PreVote
                | Route::SnapshotChunk
                | Route::SnapshotInstall
                | Route::TransferLeader
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_has_a_path_of_its_own() {
        let paths: BTreeSet<_> = Route::ALL.iter().map(|route| route.path()).collect();
        assert_eq!(paths.len(), Route::ALL.len());
    }
}
