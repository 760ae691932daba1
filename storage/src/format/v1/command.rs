//! Bodies of the commands.

use super::{
    AccountIdV1, AliasV1, BudgetV1, ProfileV1, ProviderV1, ScopeIdV1, ScopeV1, SealedV1,
    SelectorV1, UsageLineV1, VirtualKeyV1, WebhookV1, WordV1, body, mirror,
};
use ledger::command::{
    AckEvents, Adopt, AdoptLine, AllocateNode, CloseInstance, ClosePeriod, DeleteAlias,
    DeleteBudget, DeleteProfile, DeleteProvider, DeleteScope, DeleteSelector, DeleteWebhook,
    EnrolNode, ExpireIncrease, IncreaseBudget, InitCluster, OpenInstance, OpenPeriod, PruneUsage,
    PutAlias, PutBudget, PutKey, PutProfile, PutProvider, PutScope, PutSelector, PutWebhook,
    Refill, RefillLine, ResetBudget, RetireNode, RevokeKey, RotateKey, TransferBudget, WriteOff,
};

macro_rules! bodies {
    ($(
        $(#[$doc:meta])*
        $wire:ident for $command:ident, $kind:ident { $($field:ident: $type:ty),* $(,)? }
    )*) => {
        mirror! { $($(#[$doc])* $wire for $command { $($field: $type),* })* }
        $(body!($wire, $kind);)*
    };
}

// What operators set.
bodies! {
    /// [`ledger::command::InitCluster`].
    InitClusterV1 for InitCluster, INIT_CLUSTER { cluster_id: String, key_pepper: SealedV1 }
    /// [`ledger::command::PutKey`].
    PutKeyV1 for PutKey, PUT_KEY { key: VirtualKeyV1, if_index: Option<u64> }
    /// [`ledger::command::RotateKey`].
    RotateKeyV1 for RotateKey, ROTATE_KEY {
        name: String,
        id: String,
        hash: [u8; 32],
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::RevokeKey`].
    RevokeKeyV1 for RevokeKey, REVOKE_KEY { name: String, if_index: Option<u64> }
    /// [`ledger::command::PutBudget`].
    PutBudgetV1 for PutBudget, PUT_BUDGET {
        budget: BudgetV1,
        if_index: Option<u64>,
        periods: Vec<(u64, Option<u64>)>,
    }
    /// [`ledger::command::DeleteBudget`].
    DeleteBudgetV1 for DeleteBudget, DELETE_BUDGET {
        name: String,
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::PutProvider`].
    PutProviderV1 for PutProvider, PUT_PROVIDER { provider: ProviderV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteProvider`].
    DeleteProviderV1 for DeleteProvider, DELETE_PROVIDER {
        name: String,
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::PutAlias`].
    PutAliasV1 for PutAlias, PUT_ALIAS { alias: AliasV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteAlias`].
    DeleteAliasV1 for DeleteAlias, DELETE_ALIAS {
        name: String,
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::PutScope`].
    PutScopeV1 for PutScope, PUT_SCOPE { scope: ScopeV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteScope`].
    DeleteScopeV1 for DeleteScope, DELETE_SCOPE {
        id: ScopeIdV1,
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::PutSelector`].
    PutSelectorV1 for PutSelector, PUT_SELECTOR { selector: SelectorV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteSelector`].
    DeleteSelectorV1 for DeleteSelector, DELETE_SELECTOR {
        name: String,
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::PutProfile`].
    PutProfileV1 for PutProfile, PUT_PROFILE { profile: ProfileV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteProfile`].
    DeleteProfileV1 for DeleteProfile, DELETE_PROFILE {
        name: String,
        managed_by: String,
        if_index: Option<u64>,
    }
    /// [`ledger::command::PutWebhook`].
    PutWebhookV1 for PutWebhook, PUT_WEBHOOK { webhook: WebhookV1, if_index: Option<u64> }
    /// [`ledger::command::DeleteWebhook`].
    DeleteWebhookV1 for DeleteWebhook, DELETE_WEBHOOK {
        name: String,
        managed_by: String,
        if_index: Option<u64>,
    }
}

// Money moved by hand.
bodies! {
    /// [`ledger::command::IncreaseBudget`].
    IncreaseBudgetV1 for IncreaseBudget, INCREASE_BUDGET {
        account: AccountIdV1,
        amount: i64,
        until: u64,
        word: WordV1,
    }
    /// [`ledger::command::ResetBudget`].
    ResetBudgetV1 for ResetBudget, RESET_BUDGET { account: AccountIdV1, period: u64, word: WordV1 }
    /// [`ledger::command::TransferBudget`].
    TransferBudgetV1 for TransferBudget, TRANSFER_BUDGET {
        from: AccountIdV1,
        to: AccountIdV1,
        amount: i64,
        word: WordV1,
    }
    /// [`ledger::command::WriteOff`].
    WriteOffV1 for WriteOff, WRITE_OFF {
        account: AccountIdV1,
        period: u64,
        node: u64,
        incarnation: u64,
        amount: i64,
        word: WordV1,
    }
}

// What the nodes do by themselves.
bodies! {
    /// [`ledger::command::AllocateNode`].
    AllocateNodeV1 for AllocateNode, ALLOCATE_NODE {
        uuid: String,
        label: String,
        id: Option<u64>,
    }
    /// [`ledger::command::EnrolNode`].
    EnrolNodeV1 for EnrolNode, ENROL_NODE { id: u64, incarnation: u64 }
    /// [`ledger::command::RetireNode`].
    RetireNodeV1 for RetireNode, RETIRE_NODE { node: u64 }
    /// [`ledger::command::Refill`].
    RefillV1 for Refill, REFILL {
        node: u64,
        incarnation: u64,
        seq: u64,
        active_nodes: u32,
        lines: Vec<RefillLineV1>,
        usage_batch: u64,
        usage: Vec<UsageLineV1>,
    }
    /// [`ledger::command::Adopt`].
    AdoptV1 for Adopt, ADOPT {
        node: u64,
        incarnation: u64,
        past: u64,
        part: u32,
        last: bool,
        lines: Vec<AdoptLineV1>,
        usage: Vec<UsageLineV1>,
    }
    /// [`ledger::command::OpenPeriod`].
    OpenPeriodV1 for OpenPeriod, OPEN_PERIOD {
        account: AccountIdV1,
        period: u64,
        starts_at: u64,
        ends_at: Option<u64>,
    }
    /// [`ledger::command::ClosePeriod`].
    ClosePeriodV1 for ClosePeriod, CLOSE_PERIOD { account: AccountIdV1, period: u64 }
    /// [`ledger::command::OpenInstance`].
    OpenInstanceV1 for OpenInstance, OPEN_INSTANCE {
        budget: String,
        subject: String,
        periods: Vec<(u64, Option<u64>)>,
    }
    /// [`ledger::command::CloseInstance`].
    CloseInstanceV1 for CloseInstance, CLOSE_INSTANCE { budget: u64, subject: String, handle: u64 }
    /// [`ledger::command::ExpireIncrease`].
    ExpireIncreaseV1 for ExpireIncrease, EXPIRE_INCREASE { account: AccountIdV1, increase: u64 }
    /// [`ledger::command::AckEvents`].
    AckEventsV1 for AckEvents, ACK_EVENTS { acks: Vec<(u64, String)> }
    /// [`ledger::command::PruneUsage`].
    PruneUsageV1 for PruneUsage, PRUNE_USAGE { before_day: u32 }
}

mirror! {
    /// [`ledger::command::RefillLine`].
    #[derive(Copy)]
    RefillLineV1 for RefillLine {
        account: AccountIdV1,
        period: u64,
        settled_cum: i64,
        returned_cum: i64,
        debt_cum: i64,
        want: i64,
        must: i64,
        path: u32,
    }
    /// [`ledger::command::AdoptLine`].
    #[derive(Copy)]
    AdoptLineV1 for AdoptLine { account: AccountIdV1, period: u64, settled_cum: i64 }
}
