//! Faults put into the product on purpose: whoever checks must object to each of them.

/// One of the mistakes that the checks exist to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The disk says that it has synced before it has.
    FlushOff,
    /// A leader that was killed takes up its term again without an election.
    LeaderRestore,
    /// A node that starts again lives its old life: the same incarnation, with empty hands.
    FenceOff,
    /// A node believes to be granted twice what it is.
    GrantDoubled,
    /// Every so often a settlement is counted twice.
    SettledTwice,
    /// Every so often a settlement is lost, and the money is free again.
    SettlementLost,
    /// An answer that did not come whole is settled as told so far, though more was counted.
    SettledAsTold,
    /// What a silent node was granted is taken back after a while.
    ReclaimByTtl,
    /// The leader opens periods by its own clock alone.
    OneClock,
    /// Money is opened for spending before the journal has synced that it was.
    JournalUnsynced,
}

impl Break {
    /// All of them.
    pub const ALL: [Break; 10] = [
        Break::FlushOff,
        Break::LeaderRestore,
        Break::FenceOff,
        Break::GrantDoubled,
        Break::SettledTwice,
        Break::SettlementLost,
        Break::SettledAsTold,
        Break::ReclaimByTtl,
        Break::OneClock,
        Break::JournalUnsynced,
    ];
}
