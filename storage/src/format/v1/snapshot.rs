//! Bodies of a snapshot file: a head, the ledger in sections of rows, an end.

use super::{
    AccountIdV1, AccountV1, AliasV1, AuditV1, BudgetV1, EventV1, InstanceV1, ProfileV1, ProviderV1,
    ScopeV1, SealedV1, SelectorV1, UsageKeyV1, UsageSumsV1, VirtualKeyV1, WebhookV1, WireLogId,
    WireStoredMembership, body, mirror,
};
use crate::format::Body;
use ledger::{NodeRecord, PastLife};
use serde::{Deserialize, Serialize};

/// What the snapshot covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMetaV1 {
    /// Last entry in it.
    pub last_log_id: Option<WireLogId>,
    /// Membership as of then.
    pub membership: WireStoredMembership,
    /// Format version the cluster had activated.
    pub cluster_version: u32,
}
body!(SnapshotMetaV1, SNAPSHOT_META);

/// The ledger's scalars.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the ledger")]
pub struct SnapshotLedgerV1 {
    pub applied_index: u64,
    pub config_index: u64,
    pub cluster_id: String,
    pub key_pepper: Option<SealedV1>,
    pub cluster_version: u32,
    pub events_ever: u64,
    pub events_dropped: u64,
}
body!(SnapshotLedgerV1, SNAPSHOT_LEDGER);

/// The end: a file without it, or with other counts, is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotEndV1 {
    /// Frames before this one.
    pub frames: u64,
    /// Rows in them.
    pub rows: u64,
}
body!(SnapshotEndV1, SNAPSHOT_END);

/// A frame of rows.
pub(crate) trait Section: Body {
    /// One of them.
    type Row;

    /// The frame of these rows.
    fn of(rows: Vec<Self::Row>) -> Self;

    /// The rows of this frame.
    fn rows(self) -> Vec<Self::Row>;
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident, $kind:ident, $row:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name {
                /// Some of the rows, in order; the next frame goes on.
                pub rows: Vec<$row>,
            }
            body!($name, $kind);
            impl Section for $name {
                type Row = $row;
                fn of(rows: Vec<$row>) -> Self {
                    $name { rows }
                }
                fn rows(self) -> Vec<$row> {
                    self.rows
                }
            }
        )*
    };
}

sections! {
    /// Node records.
    SnapshotNodesV1, SNAPSHOT_NODES, NodeRecordV1;
    /// Virtual keys.
    SnapshotKeysV1, SNAPSHOT_KEYS, VirtualKeyV1;
    /// Key ids by hash.
    SnapshotKeyHashesV1, SNAPSHOT_KEY_HASHES, ([u8; 32], String);
    /// Key ids by name.
    SnapshotKeyNamesV1, SNAPSHOT_KEY_NAMES, (String, String);
    /// Budgets.
    SnapshotBudgetsV1, SNAPSHOT_BUDGETS, BudgetV1;
    /// Accounts.
    SnapshotAccountsV1, SNAPSHOT_ACCOUNTS, (AccountIdV1, AccountV1);
    /// Providers.
    SnapshotProvidersV1, SNAPSHOT_PROVIDERS, ProviderV1;
    /// Aliases.
    SnapshotAliasesV1, SNAPSHOT_ALIASES, AliasV1;
    /// Customers, teams and users.
    SnapshotScopesV1, SNAPSHOT_SCOPES, ScopeV1;
    /// Selectors.
    SnapshotSelectorsV1, SNAPSHOT_SELECTORS, SelectorV1;
    /// Profiles.
    SnapshotProfilesV1, SNAPSHOT_PROFILES, ProfileV1;
    /// Instances by their budget's handle and subject.
    SnapshotInstancesV1, SNAPSHOT_INSTANCES, ((u64, String), InstanceV1);
    /// Webhooks.
    SnapshotWebhooksV1, SNAPSHOT_WEBHOOKS, WebhookV1;
    /// Events that wait for a webhook.
    SnapshotOutboxV1, SNAPSHOT_OUTBOX, EventV1;
    /// Money moved by hand, by log index.
    SnapshotAuditV1, SNAPSHOT_AUDIT, (u64, AuditV1);
    /// What was used.
    SnapshotUsageV1, SNAPSHOT_USAGE, (UsageKeyV1, UsageSumsV1);
}

mirror! {
    /// [`ledger::PastLife`].
    #[derive(Copy)]
    PastLifeV1 for PastLife { incarnation: u64, usage_batch: u64, adopted_parts: u32 }

    /// [`ledger::NodeRecord`].
    NodeRecordV1 for NodeRecord {
        id: u64,
        uuid: String,
        label: String,
        incarnation: u64,
        refill_seq: u64,
        usage_batch: u64,
        past: Vec<PastLifeV1>,
    }
}
