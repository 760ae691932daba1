//! The registry of kinds. Numbers are never reused, not even of kinds that are gone.

use std::fmt;

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u16);

macro_rules! registry {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $label:literal;)*) => {
        impl Kind {
            $($(#[$doc])* pub const $name: Kind = Kind($number);)*

            /// Every kind, in the order of the registry.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// Name, where this binary knows it.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($label),)*
                    _ => None,
                }
            }
        }
    };
}

registry! {
    // 0x00xx: commands, inside log entries and forwarded proposals.
    /// `InitCluster`.
    INIT_CLUSTER = 0x0001, "init-cluster";
    /// `AllocateNode`.
    ALLOCATE_NODE = 0x0002, "allocate-node";
    /// `EnrolNode`.
    ENROL_NODE = 0x0003, "enrol-node";
    /// `PutKey`.
    PUT_KEY = 0x0004, "put-key";
    /// `RotateKey`.
    ROTATE_KEY = 0x0005, "rotate-key";
    /// `RevokeKey`.
    REVOKE_KEY = 0x0006, "revoke-key";
    /// `PutBudget`.
    PUT_BUDGET = 0x0007, "put-budget";
    /// `DeleteBudget`.
    DELETE_BUDGET = 0x0008, "delete-budget";
    /// `PutProvider`.
    PUT_PROVIDER = 0x0009, "put-provider";
    /// `DeleteProvider`.
    DELETE_PROVIDER = 0x000a, "delete-provider";
    /// `PutAlias`.
    PUT_ALIAS = 0x000b, "put-alias";
    /// `DeleteAlias`.
    DELETE_ALIAS = 0x000c, "delete-alias";
    /// `Refill`.
    REFILL = 0x000d, "refill";
    /// `OpenPeriod`.
    OPEN_PERIOD = 0x000e, "open-period";
    /// `ClosePeriod`.
    CLOSE_PERIOD = 0x000f, "close-period";
    /// `RetireNode`.
    RETIRE_NODE = 0x0010, "retire-node";
    /// `WriteOff`.
    WRITE_OFF = 0x0011, "write-off";
    /// `PutScope`.
    PUT_SCOPE = 0x0012, "put-scope";
    /// `DeleteScope`.
    DELETE_SCOPE = 0x0013, "delete-scope";
    /// `PutSelector`.
    PUT_SELECTOR = 0x0014, "put-selector";
    /// `DeleteSelector`.
    DELETE_SELECTOR = 0x0015, "delete-selector";
    /// `PutProfile`.
    PUT_PROFILE = 0x0016, "put-profile";
    /// `DeleteProfile`.
    DELETE_PROFILE = 0x0017, "delete-profile";
    /// `PutWebhook`.
    PUT_WEBHOOK = 0x0018, "put-webhook";
    /// `DeleteWebhook`.
    DELETE_WEBHOOK = 0x0019, "delete-webhook";
    /// `AckEvents`.
    ACK_EVENTS = 0x001a, "ack-events";
    /// `OpenInstance`.
    OPEN_INSTANCE = 0x001b, "open-instance";
    /// `CloseInstance`.
    CLOSE_INSTANCE = 0x001c, "close-instance";
    /// `Adopt`.
    ADOPT = 0x001d, "adopt";
    /// `IncreaseBudget`.
    INCREASE_BUDGET = 0x001e, "increase-budget";
    /// `ExpireIncrease`.
    EXPIRE_INCREASE = 0x001f, "expire-increase";
    /// `ResetBudget`.
    RESET_BUDGET = 0x0020, "reset-budget";
    /// `TransferBudget`.
    TRANSFER_BUDGET = 0x0021, "transfer-budget";
    /// `PruneUsage`.
    PRUNE_USAGE = 0x0022, "prune-usage";

    // 0x01xx: the log store.
    /// An entry at its place in the log.
    ENTRY = 0x0100, "log-entry";
    /// The entry a new leader begins with.
    BLANK = 0x0101, "blank";
    /// A membership.
    MEMBERSHIP = 0x0102, "membership";
    /// A vote.
    VOTE = 0x0103, "vote";
    /// A log id: committed or purged up to.
    LOG_ID = 0x0104, "log-id";
    /// One slot of the watermark file.
    WATERMARK = 0x0105, "watermark";

    // 0x02xx: snapshot files, in this order.
    /// What the snapshot covers; first.
    SNAPSHOT_META = 0x0200, "snapshot-meta";
    /// The ledger's scalars.
    SNAPSHOT_LEDGER = 0x0201, "snapshot-ledger";
    /// Node records.
    SNAPSHOT_NODES = 0x0202, "snapshot-nodes";
    /// Virtual keys.
    SNAPSHOT_KEYS = 0x0203, "snapshot-keys";
    /// Key ids by hash.
    SNAPSHOT_KEY_HASHES = 0x0204, "snapshot-key-hashes";
    /// Key ids by name.
    SNAPSHOT_KEY_NAMES = 0x0205, "snapshot-key-names";
    /// Budgets.
    SNAPSHOT_BUDGETS = 0x0206, "snapshot-budgets";
    /// Accounts.
    SNAPSHOT_ACCOUNTS = 0x0207, "snapshot-accounts";
    /// Providers.
    SNAPSHOT_PROVIDERS = 0x0208, "snapshot-providers";
    /// Aliases.
    SNAPSHOT_ALIASES = 0x0209, "snapshot-aliases";
    /// Customers, teams and users.
    SNAPSHOT_SCOPES = 0x020a, "snapshot-scopes";
    /// Selectors.
    SNAPSHOT_SELECTORS = 0x020b, "snapshot-selectors";
    /// Profiles.
    SNAPSHOT_PROFILES = 0x020c, "snapshot-profiles";
    /// Instances.
    SNAPSHOT_INSTANCES = 0x020d, "snapshot-instances";
    /// Webhooks.
    SNAPSHOT_WEBHOOKS = 0x020e, "snapshot-webhooks";
    /// Events that wait for a webhook.
    SNAPSHOT_OUTBOX = 0x020f, "snapshot-outbox";
    /// Money moved by hand.
    SNAPSHOT_AUDIT = 0x0210, "snapshot-audit";
    /// What was used.
    SNAPSHOT_USAGE = 0x0211, "snapshot-usage";
    /// Counts; last. A file without it is not whole.
    SNAPSHOT_END = 0x02ff, "snapshot-end";

    // 0x03xx: messages between peers.
    /// Cluster, sender, receiver, and a message.
    RPC = 0x0300, "rpc";
    /// Append entries.
    APPEND_REQUEST = 0x0301, "append-request";
    /// Its answer.
    APPEND_RESPONSE = 0x0302, "append-response";
    /// Vote, or pre-vote.
    VOTE_REQUEST = 0x0303, "vote-request";
    /// Its answer.
    VOTE_RESPONSE = 0x0304, "vote-response";
    /// A piece of a snapshot.
    SNAPSHOT_CHUNK = 0x0305, "snapshot-chunk";
    /// The last piece is there: install it.
    SNAPSHOT_INSTALL = 0x0306, "snapshot-install";
    /// Its answer.
    SNAPSHOT_RESPONSE = 0x0307, "snapshot-response";
    /// Leadership is yours.
    TRANSFER_REQUEST = 0x0308, "transfer-request";
    /// Its answer.
    TRANSFER_RESPONSE = 0x0309, "transfer-response";
    /// A command for the leader.
    PROPOSE = 0x030a, "propose";
    /// What it came to.
    PROPOSED = 0x030b, "proposed";
    // 0x0380 to 0x03ff: the cluster crate's own messages, registered there.
}

impl Kind {
    /// First of the numbers the cluster crate gives its own messages.
    pub const CLUSTER_FIRST: Kind = Kind(0x0380);
    /// Last of them.
    pub const CLUSTER_LAST: Kind = Kind(0x03ff);
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "kind {:#06x}", self.0),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_so_none_is_used_twice() {
        assert!(Kind::ALL.is_sorted_by(|a, b| a < b));
    }
}
