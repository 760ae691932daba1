//! What was used: one row for each day, key, provider, model and set of tags, summed over the nodes.

use crate::{Budget, Ledger, Per};
use rpds::RedBlackTreeMapSync;
use std::collections::BTreeSet;

/// Most tags of one request.
pub const TAGS_MAX: usize = 16;
/// Rows from which on new ones have no tags, and name no instances of budgets.
pub const ROWS_MAX: usize = 1_000_000;
/// Days that rows are kept for.
pub const USAGE_DAYS: u32 = 400;

/// What a row counts together. Who a key belonged to is as it was at the time of the requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// Days since 1970-01-01, UTC, by the serving node's clock at settlement.
    pub day: u32,
    /// Public id of the virtual key.
    pub key: String,
    /// Customer, by name; empty: none.
    pub customer: String,
    /// Team, by name; empty: none.
    pub team: String,
    /// User, by name; empty: none.
    pub user: String,
    /// Provider, by name.
    pub provider: String,
    /// Model, as the provider lists it.
    pub model: String,
    /// Tags, sorted, each once.
    pub tags: Vec<String>,
    /// Handles of the budgets and instances charged, sorted, each once: the sum of all rows that name a
    /// budget in money is what nodes reported spent on it. Of instances as long as there are fewer than
    /// [`ROWS_MAX`] rows.
    pub budgets: Vec<u64>,
}

/// Sums of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UsageSums {
    /// Attempts that were charged, or answered at no cost.
    pub requests: u64,
    /// Uncached input tokens.
    pub input_tokens: u64,
    /// Input tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Reasoning tokens, a part of the output.
    pub reasoning_tokens: u64,
    /// Cost, in nano-USD, as charged to budgets in money.
    pub cost_nano_usd: i64,
}

impl UsageSums {
    /// Adds, term by term.
    pub fn add(&mut self, other: &UsageSums) {
        self.requests = self.requests.saturating_add(other.requests);
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(other.cache_read_tokens);
        self.cache_write_tokens = self.cache_write_tokens.saturating_add(other.cache_write_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(other.reasoning_tokens);
        self.cost_nano_usd = self.cost_nano_usd.saturating_add(other.cost_nano_usd);
    }
}

/// A row, or what is to be added to one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UsageLine {
    /// What it counts together.
    pub key: UsageKey,
    /// Its sums.
    pub sums: UsageSums,
}

/// Adds lines to the rows they belong to. Lines without any count leave no row.
///
/// Beyond [`ROWS_MAX`] no tags are told apart any more, nor the instances of budgets: callers make them up,
/// and sums stay right.
pub(crate) fn add(ledger: &mut Ledger, lines: &[UsageLine]) {
    add_within(ledger, lines, ROWS_MAX);
}

fn add_within(ledger: &mut Ledger, lines: &[UsageLine], rows_max: usize) {
    let mut shared: Option<BTreeSet<u64>> = None;
    for line in lines.iter().filter(|line| line.sums != UsageSums::default()) {
        let mut key = line.key.clone();
        if ledger.usage.size() >= rows_max && !ledger.usage.contains_key(&key) {
            let shared = shared.get_or_insert_with(|| shared_by_all(&ledger.budgets));
            key.tags.clear();
            key.budgets.retain(|handle| shared.contains(handle));
        }
        ledger.add_usage(key, &line.sums);
    }
}

/// Handles of budgets that have no instances.
fn shared_by_all(budgets: &RedBlackTreeMapSync<String, Budget>) -> BTreeSet<u64> {
    let shared = budgets.values().filter(|budget| budget.per == Per::All);
    shared.map(|budget| budget.handle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, Log};

    fn used(tag: &str, requests: u64) -> UsageLine {
        let key = UsageKey { tags: vec![tag.to_owned()], ..UsageKey::default() };
        UsageLine { key, sums: UsageSums { requests, ..UsageSums::default() } }
    }

    #[test]
    fn rows_are_summed_and_beyond_the_limit_tags_are_told_apart_no_more() {
        let mut ledger = Ledger::default();
        let lines = [used("a", 1), used("a", 2), used("b", 4), used("empty", 0)];
        add_within(&mut ledger, &lines, 2);
        add_within(&mut ledger, &[used("c", 8), used("d", 16), used("b", 32)], 2);
        let rows = ledger.usage.iter();
        let rows: Vec<_> = rows.map(|(key, it)| (key.tags.join(","), it.requests)).collect();
        let row = |tags: &str, requests| (tags.to_owned(), requests);
        assert_eq!(rows, [row("", 24), row("a", 3), row("b", 36)]);
    }

    #[test]
    fn beyond_the_limit_sessions_make_no_rows_of_their_own() {
        let mut ledger = Log::sample().ledger;
        let session = |handle| {
            let mut line = used("run", 1);
            line.key.budgets = vec![ACCOUNT.budget, handle];
            line
        };
        for handle in 100..110 {
            add_within(&mut ledger, &[session(handle)], 3);
        }
        assert_eq!(ledger.usage.size(), 4);
        let shared = ledger.usage.iter().find(|(key, _)| key.tags.is_empty()).unwrap();
        assert_eq!((shared.0.budgets.as_slice(), shared.1.requests), (&[ACCOUNT.budget][..], 7));
    }
}
