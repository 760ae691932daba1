//! Time as entries carry it.

/// Milliseconds since 1970 UTC, chosen by the proposer of an entry; never read from a clock here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);
