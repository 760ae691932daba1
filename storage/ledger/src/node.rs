//! The nodes the cluster knows, and which of their lives may spend.

/// A node's Raft id. Founders draw a random 62-bit number with the top bit set; a joiner's id is the log
/// index of its `AllocateNode` entry. Never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What the ledger knows of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeRecord {
    /// The id.
    pub id: NodeId,
    /// Identity of the data directory (a ULID); a wiped node comes back with another.
    pub uuid: String,
    /// A label for people: host name or pod name. Not an identity.
    pub label: String,
    /// The life of the node that may spend: rises by one at each start. Zero: never enrolled.
    ///
    /// A refill of an older incarnation is denied, and what that one was granted and did not report
    /// is in suspense. [`RETIRED`](NodeRecord::RETIRED): the node was removed for good.
    pub incarnation: u64,
    /// Refill sequence last applied for this incarnation; a repeated or older one is a no-op.
    pub refill_seq: u64,
    /// Batch of usage last applied for this incarnation; zero: none.
    pub usage_batch: u64,
    /// Lives before this one whose journals may still tell what they spent, oldest first, at most
    /// [`PAST_LIVES_MAX`]. Those that were never enrolled are among them: without a quorum a budget's policy may
    /// have let them spend.
    pub past: Vec<PastLife>,
}

/// Most lives of a node that are over and may still be told of. Of the others nothing is taken any more: what
/// they were granted and did not report stays in suspense.
///
/// There are more only where a node begins life after life and none is enrolled. Those were granted nothing,
/// so the lives that were are kept first.
pub const PAST_LIVES_MAX: usize = 64;

/// A life that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PastLife {
    /// Its incarnation.
    pub incarnation: u64,
    /// Batch of usage last applied of it; zero where it was never enrolled.
    pub usage_batch: u64,
    /// Parts of its `Adopt` applied so far.
    pub adopted_parts: u32,
}

impl NodeRecord {
    /// The incarnation of a node that was removed for good: no node ever lives it, so whatever the node
    /// was granted is in suspense and nothing it sends is taken.
    pub const RETIRED: u64 = u64::MAX;

    /// Whether the node was removed for good.
    pub fn is_retired(&self) -> bool {
        self.incarnation == Self::RETIRED
    }

    /// A life that is over and may still be told of.
    pub fn past_life(&self, incarnation: u64) -> Option<&PastLife> {
        self.past.iter().find(|past| past.incarnation == incarnation)
    }

    /// Begins a life: the present one is over, and so are those in between, which were never enrolled.
    pub(crate) fn begin(&mut self, incarnation: u64) {
        let over =
            |incarnation, usage_batch| PastLife { incarnation, usage_batch, adopted_parts: 0 };
        if self.incarnation > 0 {
            self.past.push(over(self.incarnation, self.usage_batch));
        }
        let beyond = self.past.len().saturating_sub(PAST_LIVES_MAX);
        self.past.drain(..beyond);
        let room = PAST_LIVES_MAX - self.past.len();
        let oldest = incarnation.saturating_sub(room as u64);
        let skipped = self.incarnation.saturating_add(1).max(oldest)..incarnation;
        self.past.extend(skipped.map(|skipped| over(skipped, 0)));
        (self.incarnation, self.refill_seq, self.usage_batch) = (incarnation, 0, 0);
    }
}
