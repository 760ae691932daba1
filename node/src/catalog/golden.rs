//! Costs of recorded answers by the catalog's second source: see `scripts/golden_costs.py`.

use super::Catalog;
use cost::Tariff;
use serde::Deserialize;
use wire::Usage;

const COSTS: &str = include_str!("../../tests/costs.jsonl");

/// Where the catalog's two sources do not say the same, and why ours is as it is.
const DIFFERENT: &[(&str, &str)] =
    &[("zai/glm-4.5", "the first source has no price of its own for tokens from the cache")];

#[derive(Deserialize)]
struct Row {
    id: String,
    provider: String,
    model: String,
    usage: Counts,
    /// Exact, with the fractions that the other package keeps.
    nano_usd: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Counts {
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    cache_write_1h_tokens: u64,
    audio_input_tokens: u64,
    audio_cache_read_tokens: u64,
    image_input_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    audio_output_tokens: u64,
    image_output_tokens: u64,
    web_searches: u64,
}

impl Counts {
    fn usage(self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            cache_read_tokens: self.cache_read_tokens,
            cache_write_tokens: self.cache_write_tokens,
            cache_write_1h_tokens: self.cache_write_1h_tokens,
            audio_input_tokens: self.audio_input_tokens,
            audio_cache_read_tokens: self.audio_cache_read_tokens,
            image_input_tokens: self.image_input_tokens,
            output_tokens: self.output_tokens,
            reasoning_tokens: self.reasoning_tokens,
            audio_output_tokens: self.audio_output_tokens,
            image_output_tokens: self.image_output_tokens,
            web_searches: self.web_searches,
            ..Usage::default()
        }
    }
}

/// Whether an integer is an exact amount whose parts were each rounded up: at most one less than there
/// are parts above the amount rounded up.
fn is_rounded_up(cost: i64, exact: &str) -> bool {
    const PARTS: i64 = 4;
    let (whole, fraction) = exact.split_once('.').unwrap_or((exact, ""));
    let whole: i64 = whole.parse().unwrap();
    let least = whole + i64::from(fraction.bytes().any(|digit| digit != b'0'));
    (least..least + PARTS).contains(&cost)
}

#[test]
fn recorded_answers_cost_what_the_catalogs_second_source_says() {
    let catalog = Catalog::built_in();
    let (mut compared, mut unpriced, mut odd) = (0, 0, Vec::new());
    for line in COSTS.lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        let entry = catalog.find(&row.provider, &row.model);
        let Some(price) = entry.and_then(|entry| entry.price.as_ref()) else {
            unpriced += 1;
            continue;
        };
        compared += 1;
        let cost = Tariff::from(price).price(&row.usage.usage());
        let named = format!("{}/{}", row.provider, row.model);
        let known = DIFFERENT.iter().any(|(model, _)| named.starts_with(model));
        if !is_rounded_up(cost, &row.nano_usd) && !known {
            odd.push(format!("{named} {cost}, not {} {}", row.nano_usd, row.id));
        }
    }
    assert!(compared > 300, "{compared}, {unpriced} without a price");
    assert!(odd.is_empty(), "{} of {compared} ({unpriced}): {odd:#?}", odd.len());
}

#[test]
fn rounding_each_part_up_is_all_that_may_be_added() {
    for (cost, exact, same) in [
        (7, "7", true),
        (6, "7", false),
        (8, "7.2", true),
        (7, "7.2", false),
        (11, "7.2", true),
        (12, "7.2", false),
    ] {
        assert_eq!(is_rounded_up(cost, exact), same, "{cost} {exact}");
    }
}
