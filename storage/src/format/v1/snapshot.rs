//! Bodies of a snapshot file: a head, the ledger in sections of rows, an end.

use super::{
    AccountIdV1, AliasV1, BudgetV1, ProviderV1, SealedV1, VirtualKeyV1, WireLogId,
    WireStoredMembership, body,
};
use crate::format::FormatError;
use ledger::{Account, AccountId, Lane, NodeId, NodeRecord, Period, Unit, UnixMillis};
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the ledger")]
pub struct SnapshotLedgerV1 {
    pub applied_index: u64,
    pub config_index: u64,
    pub cluster_id: String,
    pub key_pepper: Option<SealedV1>,
    pub cluster_version: u32,
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
            impl From<Vec<$row>> for $name {
                fn from(rows: Vec<$row>) -> Self {
                    $name { rows }
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
    SnapshotAccountsV1, SNAPSHOT_ACCOUNTS, AccountV1;
    /// Providers.
    SnapshotProvidersV1, SNAPSHOT_PROVIDERS, ProviderV1;
    /// Aliases.
    SnapshotAliasesV1, SNAPSHOT_ALIASES, AliasV1;
}

/// [`ledger::NodeRecord`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct NodeRecordV1 {
    pub id: u64,
    pub uuid: String,
    pub label: String,
    pub incarnation: u64,
    pub refill_seq: u64,
}

/// [`ledger::Account`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountV1 {
    /// Id.
    pub id: AccountIdV1,
    /// 0 nano-USD, 1 tokens, 2 requests.
    pub unit: u16,
    /// Period that admits.
    pub period: u64,
    /// Deletion of its budget.
    pub deleted_at_ms: Option<u64>,
    /// Spend of closed periods.
    pub closed_spend: i64,
    /// Books by period, rising.
    pub periods: Vec<PeriodV1>,
}

/// [`ledger::Period`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct PeriodV1 {
    pub number: u64,
    pub starts_at_ms: u64,
    pub ends_at_ms: Option<u64>,
    pub limit: i64,
    pub ceiling: i64,
    pub closed_spend: i64,
    pub lanes: Vec<LaneV1>,
    pub granted: i64,
    pub reported: i64,
    pub returned: i64,
    pub debt: i64,
    pub written_off: i64,
}

/// [`ledger::Lane`], with whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct LaneV1 {
    pub node: u64,
    pub incarnation: u64,
    pub granted: i64,
    pub reported: i64,
    pub returned: i64,
    pub debt: i64,
    pub written_off: i64,
}

impl From<&NodeRecord> for NodeRecordV1 {
    fn from(node: &NodeRecord) -> Self {
        NodeRecordV1 {
            id: node.id.0,
            uuid: node.uuid.clone(),
            label: node.label.clone(),
            incarnation: node.incarnation,
            refill_seq: node.refill_seq,
        }
    }
}

impl From<NodeRecordV1> for NodeRecord {
    fn from(wire: NodeRecordV1) -> Self {
        NodeRecord {
            id: NodeId(wire.id),
            uuid: wire.uuid,
            label: wire.label,
            incarnation: wire.incarnation,
            refill_seq: wire.refill_seq,
        }
    }
}

impl From<(&AccountId, &Account)> for AccountV1 {
    fn from((id, account): (&AccountId, &Account)) -> Self {
        AccountV1 {
            id: (*id).into(),
            unit: match account.unit {
                Unit::NanoUsd => 0,
                Unit::Tokens => 1,
                Unit::Requests => 2,
            },
            period: account.period,
            deleted_at_ms: account.deleted_at.map(|at| at.0),
            closed_spend: account.closed_spend,
            periods: account.periods.iter().map(PeriodV1::from).collect(),
        }
    }
}

impl TryFrom<AccountV1> for (AccountId, Account) {
    type Error = FormatError;

    fn try_from(wire: AccountV1) -> Result<Self, FormatError> {
        let periods = wire.periods.into_iter().map(|period| (period.number, period.into()));
        let account = Account {
            unit: match wire.unit {
                0 => Unit::NanoUsd,
                1 => Unit::Tokens,
                2 => Unit::Requests,
                code => {
                    return Err(FormatError::UnknownCode { what: "unit", code });
                }
            },
            period: wire.period,
            deleted_at: wire.deleted_at_ms.map(UnixMillis),
            closed_spend: wire.closed_spend,
            periods: periods.collect(),
        };
        Ok((wire.id.into(), account))
    }
}

impl From<(&u64, &Period)> for PeriodV1 {
    fn from((number, period): (&u64, &Period)) -> Self {
        PeriodV1 {
            number: *number,
            starts_at_ms: period.starts_at.0,
            ends_at_ms: period.ends_at.map(|at| at.0),
            limit: period.limit,
            ceiling: period.ceiling,
            closed_spend: period.closed_spend,
            lanes: period.lanes.iter().map(LaneV1::from).collect(),
            granted: period.granted,
            reported: period.reported,
            returned: period.returned,
            debt: period.debt,
            written_off: period.written_off,
        }
    }
}

impl From<PeriodV1> for Period {
    fn from(wire: PeriodV1) -> Self {
        Period {
            starts_at: UnixMillis(wire.starts_at_ms),
            ends_at: wire.ends_at_ms.map(UnixMillis),
            limit: wire.limit,
            ceiling: wire.ceiling,
            closed_spend: wire.closed_spend,
            lanes: wire.lanes.into_iter().map(<((NodeId, u64), Lane)>::from).collect(),
            granted: wire.granted,
            reported: wire.reported,
            returned: wire.returned,
            debt: wire.debt,
            written_off: wire.written_off,
        }
    }
}

impl From<(&(NodeId, u64), &Lane)> for LaneV1 {
    fn from(((node, incarnation), lane): (&(NodeId, u64), &Lane)) -> Self {
        LaneV1 {
            node: node.0,
            incarnation: *incarnation,
            granted: lane.granted,
            reported: lane.reported,
            returned: lane.returned,
            debt: lane.debt,
            written_off: lane.written_off,
        }
    }
}

impl From<LaneV1> for ((NodeId, u64), Lane) {
    fn from(wire: LaneV1) -> Self {
        let lane = Lane {
            granted: wire.granted,
            reported: wire.reported,
            returned: wire.returned,
            debt: wire.debt,
            written_off: wire.written_off,
        };
        ((NodeId(wire.node), wire.incarnation), lane)
    }
}
