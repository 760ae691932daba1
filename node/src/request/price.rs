//! What does it cost? Pure, in integers; every part is rounded up to the next nano-USD.

use ledger::Price;
use wire::Usage;

const TOKENS_PER_PRICE: i128 = 1_000_000;

/// The prices of one model: one, and others for calls with much input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tariff {
    /// The ordinary price.
    pub(crate) base: Price,
    /// Prices for calls with more input tokens than the number given, rising.
    pub(crate) tiers: Vec<(u64, Price)>,
}

/// The prices a place is charged at, and which ones they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prices {
    /// `None`: nothing is charged in money.
    pub(crate) tariff: Option<Tariff>,
    /// `log:<index>` of the provider's last change, or `catalog:<day>`; `None` without prices.
    pub(crate) version: Option<String>,
}

impl Prices {
    /// The version of prices an operator set, by the log index of the provider's last change.
    pub(crate) fn of_log(index: u64) -> String {
        format!("log:{index}")
    }

    /// The version of prices of the catalog, by the day it was made.
    pub(crate) fn of_catalog(made_on: &str) -> String {
        format!("catalog:{made_on}")
    }
}

impl Tariff {
    /// What a call cost, in nano-USD.
    pub(crate) fn price(&self, usage: &Usage) -> i64 {
        price(usage, self.applied(usage))
    }

    /// The price a call of this usage is billed at.
    pub(crate) fn applied(&self, usage: &Usage) -> &Price {
        let tier = self.tiers.iter().rev().find(|(above, _)| usage.input_tokens > *above);
        tier.map_or(&self.base, |(_, price)| price)
    }

    /// The most a call of so many tokens can cost, in nano-USD, whichever tier it falls into.
    pub(crate) fn bound(&self, input_tokens: u64, output_tokens: u64) -> i64 {
        self.possible(input_tokens)
            .map(|price| bound(input_tokens, output_tokens, price))
            .max()
            .unwrap_or(i64::MAX)
    }

    /// The most output tokens that `nano_usd` buy on top of the input, whichever tier it falls into.
    pub(crate) fn output_tokens_for(&self, nano_usd: i64, input_tokens: u64) -> u64 {
        self.possible(input_tokens)
            .map(|price| output_tokens_for(nano_usd, input_tokens, price))
            .min()
            .unwrap_or(0)
    }

    /// Prices a call with at most so many input tokens may be billed at.
    fn possible(&self, input_tokens: u64) -> impl Iterator<Item = &Price> {
        let reached = self.tiers.iter().filter(move |(above, _)| input_tokens > *above);
        std::iter::once(&self.base).chain(reached.map(|(_, price)| price))
    }
}

impl From<Price> for Tariff {
    fn from(base: Price) -> Self {
        Self { base, tiers: Vec::new() }
    }
}

/// What tokens of one class cost, rounded up, in nano-USD. Saturates far beyond any budget.
fn part(tokens: u64, nano_usd_per_mtok: i64) -> i64 {
    let exact = i128::from(tokens) * i128::from(nano_usd_per_mtok.max(0));
    let rounded = (exact + TOKENS_PER_PRICE - 1) / TOKENS_PER_PRICE;
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// What a call cost, in nano-USD.
fn price(usage: &Usage, price: &Price) -> i64 {
    let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
    let plain = usage.input_tokens.saturating_sub(cached);
    let input = price.input_nano_usd_per_mtok;
    [
        part(plain, input),
        part(usage.cache_read_tokens, price.cache_read_nano_usd_per_mtok.unwrap_or(input)),
        part(usage.cache_write_tokens, price.cache_write_nano_usd_per_mtok.unwrap_or(input)),
        part(usage.output_tokens, price.output_nano_usd_per_mtok),
        price.request_nano_usd.max(0),
    ]
    .into_iter()
    .fold(0, i64::saturating_add)
}

/// The most a call of so many tokens can cost, in nano-USD: all input at its dearest.
fn bound(input_tokens: u64, output_tokens: u64, price: &Price) -> i64 {
    // Input may be split into three classes, each rounded up on its own.
    const ROUNDING: i64 = 2;
    [
        part(input_tokens, dearest_input(price)),
        part(output_tokens, price.output_nano_usd_per_mtok),
        price.request_nano_usd.max(0),
        if input_tokens > 0 { ROUNDING } else { 0 },
    ]
    .into_iter()
    .fold(0, i64::saturating_add)
}

fn dearest_input(price: &Price) -> i64 {
    [
        Some(price.input_nano_usd_per_mtok),
        price.cache_read_nano_usd_per_mtok,
        price.cache_write_nano_usd_per_mtok,
    ]
    .into_iter()
    .flatten()
    .max()
    .unwrap_or(0)
}

/// The most output tokens that `nano_usd` buy, on top of the input; `u64::MAX` where output is free.
fn output_tokens_for(nano_usd: i64, input_tokens: u64, price: &Price) -> u64 {
    let left = nano_usd.saturating_sub(bound(input_tokens, 0, price));
    if left <= 0 {
        return 0;
    }
    if price.output_nano_usd_per_mtok <= 0 {
        return u64::MAX;
    }
    let tokens = i128::from(left) * TOKENS_PER_PRICE / i128::from(price.output_nano_usd_per_mtok);
    u64::try_from(tokens).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price {
        input_nano_usd_per_mtok: 3_000_000_000,
        output_nano_usd_per_mtok: 15_000_000_000,
        cache_read_nano_usd_per_mtok: Some(300_000_000),
        cache_write_nano_usd_per_mtok: Some(3_750_000_000),
        request_nano_usd: 5,
    };

    fn usage(input: u64, read: u64, write: u64, output: u64) -> Usage {
        Usage {
            input_tokens: input,
            cache_read_tokens: read,
            cache_write_tokens: write,
            output_tokens: output,
            reasoning_tokens: 0,
        }
    }

    #[test]
    fn every_class_has_its_price_and_rounds_up() {
        let thin =
            Price { input_nano_usd_per_mtok: 1, output_nano_usd_per_mtok: 1, ..Price::default() };
        let cases = [
            (usage(0, 0, 0, 0), PRICE, 5),
            (usage(1_000_000, 0, 0, 0), PRICE, 3_000_000_005),
            (usage(10, 4, 1, 2), PRICE, 5 * 3_000 + 4 * 300 + 3_750 + 2 * 15_000 + 5),
            (usage(1, 0, 0, 1), thin, 2),
            (usage(1_000_001, 0, 0, 0), thin, 2),
            // Cached tokens that exceed the input are still paid for.
            (usage(1, 4, 0, 0), PRICE, 4 * 300 + 5),
            (usage(u64::MAX, 0, 0, 0), PRICE, i64::MAX),
        ];
        for (usage, with, cost) in cases {
            assert_eq!(price(&usage, &with), cost, "{usage:?}");
        }
    }

    #[test]
    fn no_call_within_the_bound_costs_more() {
        let prices = [
            PRICE,
            Price { input_nano_usd_per_mtok: 7, output_nano_usd_per_mtok: 11, ..Price::default() },
            Price { cache_write_nano_usd_per_mtok: None, ..PRICE },
        ];
        for with in &prices {
            for input in [0, 1, 2, 3, 999_999, 1_000_001] {
                for (read, write) in
                    [(0, 0), (1, 1), (input, 0), (0, input), (input / 2, input / 3)]
                {
                    if read + write > input {
                        continue;
                    }
                    let most = bound(input, 17, with);
                    assert!(price(&usage(input, read, write, 17), with) <= most);
                }
            }
        }
    }

    #[test]
    fn what_fits_is_affordable_and_one_more_is_not() {
        for budget in [20_000, 1_000_000, 123_456_789] {
            let tokens = output_tokens_for(budget, 100, &PRICE);
            if tokens > 0 {
                assert!(bound(100, tokens, &PRICE) <= budget);
            }
            assert!(bound(100, tokens + 1, &PRICE) > budget);
        }
        assert_eq!(output_tokens_for(10, 0, &Price::default()), u64::MAX);
    }

    #[test]
    fn much_input_is_billed_at_its_tier_and_bounded_by_the_dearest() {
        let dear = Price { input_nano_usd_per_mtok: 6_000_000_000, ..PRICE };
        let tariff = Tariff { base: PRICE, tiers: vec![(200_000, dear)] };
        assert_eq!(tariff.price(&usage(200_000, 0, 0, 0)), 600_000_005);
        assert_eq!(tariff.price(&usage(200_001, 0, 0, 0)), 1_200_006_005);
        assert_eq!(tariff.bound(200_000, 9), bound(200_000, 9, &PRICE));
        assert_eq!(
            tariff.bound(200_001, 9),
            bound(200_001, 9, &dear).max(bound(200_001, 9, &PRICE))
        );
    }
}
