//! Mirrors of what was used. Inside bodies only: none is a frame of its own.

use super::mirror;
use ledger::{UsageKey, UsageLine, UsageSums};

mirror! {
    /// [`ledger::UsageKey`].
    UsageKeyV1 for UsageKey {
        day: u32,
        key: String,
        customer: String,
        team: String,
        user: String,
        provider: String,
        model: String,
        tags: Vec<String>,
        budgets: Vec<u64>,
    }

    /// [`ledger::UsageSums`].
    UsageSumsV1 for UsageSums {
        requests: u64,
        input_tokens: u64,
        cache_read_tokens: u64,
        cache_write_tokens: u64,
        output_tokens: u64,
        reasoning_tokens: u64,
        cost_nano_usd: i64,
    }

    /// [`ledger::UsageLine`].
    UsageLineV1 for UsageLine { key: UsageKeyV1, sums: UsageSumsV1 }
}
