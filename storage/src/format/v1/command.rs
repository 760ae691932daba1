//! Bodies of the commands.

use super::{AccountIdV1, AliasV1, BudgetV1, ProviderV1, SealedV1, VirtualKeyV1, body};
use serde::{Deserialize, Serialize};

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident, $kind:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[expect(missing_docs, reason = "fields are those of the command it mirrors")]
            pub struct $name { $(pub $field: $type),* }
            body!($name, $kind);
        )*
    };
}

bodies! {
    /// [`ledger::command::InitCluster`].
    InitClusterV1, INIT_CLUSTER { cluster_id: String, key_pepper: SealedV1 }
    /// [`ledger::command::AllocateNode`].
    AllocateNodeV1, ALLOCATE_NODE { uuid: String, label: String, id: Option<u64> }
    /// [`ledger::command::EnrolNode`].
    EnrolNodeV1, ENROL_NODE { id: u64, incarnation: u64 }
    /// [`ledger::command::PutKey`].
    PutKeyV1, PUT_KEY { key: VirtualKeyV1, if_index: Option<u64> }
    /// [`ledger::command::RotateKey`].
    RotateKeyV1, ROTATE_KEY {
        name: String,
        id: String,
        hash: [u8; 32],
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::RevokeKey`].
    RevokeKeyV1, REVOKE_KEY { name: String, if_index: Option<u64> }
    /// [`ledger::command::PutBudget`].
    PutBudgetV1, PUT_BUDGET { budget: BudgetV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteBudget`].
    DeleteBudgetV1, DELETE_BUDGET { name: String, managed_by: String, if_index: Option<u64> }
    /// [`ledger::command::PutProvider`].
    PutProviderV1, PUT_PROVIDER { provider: ProviderV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteProvider`].
    DeleteProviderV1, DELETE_PROVIDER { name: String, managed_by: String, if_index: Option<u64> }
    /// [`ledger::command::PutAlias`].
    PutAliasV1, PUT_ALIAS { alias: AliasV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteAlias`].
    DeleteAliasV1, DELETE_ALIAS { name: String, managed_by: String, if_index: Option<u64> }
    /// [`ledger::command::Refill`].
    RefillV1, REFILL {
        node: u64,
        incarnation: u64,
        seq: u64,
        active_nodes: u32,
        lines: Vec<RefillLineV1>,
    }
    /// [`ledger::command::OpenPeriod`].
    OpenPeriodV1, OPEN_PERIOD {
        account: AccountIdV1,
        period: u64,
        starts_at_ms: u64,
        ends_at_ms: Option<u64>,
    }
    /// [`ledger::command::ClosePeriod`].
    ClosePeriodV1, CLOSE_PERIOD { account: AccountIdV1, period: u64 }
    /// [`ledger::command::RetireNode`].
    RetireNodeV1, RETIRE_NODE { node: u64 }
    /// [`ledger::command::WriteOff`].
    WriteOffV1, WRITE_OFF {
        account: AccountIdV1,
        period: u64,
        node: u64,
        incarnation: u64,
        amount: i64,
    }
}

/// [`ledger::command::RefillLine`].
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the line it mirrors")]
pub struct RefillLineV1 {
    pub account: AccountIdV1,
    pub period: u64,
    pub settled_cum: i64,
    pub returned_cum: i64,
    pub debt_cum: i64,
    pub want: i64,
    pub must: i64,
    pub path: u32,
}
