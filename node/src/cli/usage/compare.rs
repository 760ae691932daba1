//! What a provider billed against what was charged here.

use super::super::client::Target;
use super::super::out::{self, Column, cell};
use super::costs::{self, Billed};
use super::report;
use anyhow::{Context, bail};
use api::admin::{Day, Usd};
use clap::Args;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// Name of the provider here.
    #[arg(long)]
    provider: String,
    /// The provider's export: JSON of OpenAI's costs API (grouped by line_item) or of Anthropic's cost report
    /// (grouped by description), or CSV: either's, or one with day, model and cost_usd.
    #[arg(long)]
    file: PathBuf,
    /// Differences of a day and model up to so many dollars are no differences.
    #[arg(long, default_value = "0", value_name = "USD")]
    tolerance: String,
    /// Lists what agrees, too.
    #[arg(long)]
    all: bool,
}

const COLUMNS: [Column; 5] = [
    Column { name: "DAY", of: |row| cell(&row["day"]) },
    Column { name: "MODEL", of: |row| cell(&row["model"]) },
    Column { name: "BILLED USD", of: |row| cell(&row["billed_usd"]) },
    Column { name: "CHARGED USD", of: |row| cell(&row["charged_usd"]) },
    Column { name: "DIFFERENCE USD", of: |row| cell(&row["difference_usd"]) },
];

/// One day and model, both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    day: Day,
    model: String,
    billed: Usd,
    charged: Usd,
}

impl Pair {
    /// What was billed beyond what was charged; below zero: the other way round.
    fn difference(&self) -> i64 {
        self.billed.0.saturating_sub(self.charged.0)
    }

    fn row(&self) -> Value {
        json!({
            "day": self.day, "model": self.model, "billed_usd": self.billed, "charged_usd": self.charged,
            "difference_usd": Usd(self.difference()), "difference_nano_usd": self.difference(),
        })
    }
}

impl Reconcile {
    pub(super) fn run(self, target: &Target) -> anyhow::Result<()> {
        let tolerance: Usd =
            self.tolerance.parse().map_err(|say: String| anyhow::anyhow!("--tolerance: {say}"))?;
        let text = std::fs::read_to_string(&self.file);
        let text = text.with_context(|| format!("cannot read {}", self.file.display()))?;
        let billed = costs::read(&text);
        let billed = billed.with_context(|| format!("cannot read {}", self.file.display()))?;
        let Some((first, last)) = days(&billed) else { bail!("the export holds no cost") };
        let (from, to) = (first.to_string(), last.to_string());
        let path = report::path("day,provider,model", Some(&from), Some(&to));
        let usage = target.with(async |admin| Ok(admin.get(&path).await?.body))?;
        let charged = charged(&usage, &self.provider)?;
        let pairs = pairs(&billed, &charged)?;
        let differs = |pair: &&Pair| pair.difference().abs() > tolerance.0;
        let shown: Vec<Value> =
            pairs.iter().filter(|pair| self.all || differs(pair)).map(Pair::row).collect();
        let sum = |of: fn(&Pair) -> Usd| {
            Usd(pairs.iter().map(|pair| of(pair).0).fold(0, i64::saturating_add))
        };
        let (billed, charged) = (sum(|pair| pair.billed), sum(|pair| pair.charged));
        let difference = Usd(billed.0.saturating_sub(charged.0));
        let whole = json!({
            "provider": self.provider, "from": first, "to": last, "rows": shown,
            "billed_usd": billed, "charged_usd": charged, "difference_usd": difference,
        });
        out::answer(target.output, &whole, &shown, &COLUMNS)?;
        out::complain(&format!(
            "{first} to {last}: billed {billed} USD, charged {charged} USD, difference {difference} USD"
        ));
        match pairs.iter().filter(differs).count() {
            0 => Ok(()),
            some => bail!("{some} of {} days and models differ", pairs.len()),
        }
    }
}

fn days(billed: &Billed) -> Option<(Day, Day)> {
    let (first, _) = billed.first_key_value()?;
    let (last, _) = billed.last_key_value()?;
    Some((first.0, last.0))
}

type Charged = BTreeMap<(Day, String), Usd>;

/// What the node's report says of one provider.
fn charged(usage: &Value, provider: &str) -> anyhow::Result<Charged> {
    let mut charged = Charged::new();
    for row in usage["rows"].as_array().into_iter().flatten() {
        if row["provider"] != provider {
            continue;
        }
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let day = text("day").parse().map_err(|say: String| anyhow::anyhow!(say))?;
        let cost = row["cost_nano_usd"].as_i64().context("a row of the report has no cost")?;
        let sum = charged.entry((day, text("model").to_owned())).or_default();
        sum.0 = sum.0.saturating_add(cost);
    }
    Ok(charged)
}

/// Each day and model of either. Names that differ only in a date at their end are one model: a provider
/// bills `gpt-4o-2024-08-06` where `gpt-4o` was asked for. Where the export names no model, days are compared.
fn pairs(billed: &Billed, charged: &Charged) -> anyhow::Result<Vec<Pair>> {
    let by_model = billed.keys().any(|(_, model)| !model.is_empty());
    let place =
        |day: Day, model: &str| (day, if by_model { undated(model) } else { String::new() });
    let mut theirs: BTreeMap<(Day, String), costs::Atto> = BTreeMap::new();
    for ((day, model), amount) in billed {
        let sum = theirs.entry(place(*day, model)).or_default();
        *sum = sum.plus(*amount)?;
    }
    let mut ours: Charged = Charged::new();
    for ((day, model), cost) in charged {
        let sum = ours.entry(place(*day, model)).or_default();
        sum.0 = sum.0.saturating_add(cost.0);
    }
    let places: BTreeSet<&(Day, String)> = theirs.keys().chain(ours.keys()).collect();
    let pairs = places.into_iter().map(|place| {
        Ok(Pair {
            day: place.0,
            model: place.1.clone(),
            billed: theirs.get(place).map_or(Ok(Usd(0)), |amount| amount.rounded())?,
            charged: ours.get(place).copied().unwrap_or_default(),
        })
    });
    pairs.collect()
}

/// A model's name without `-2024-08-06` or `-20240806` at its end.
fn undated(model: &str) -> String {
    let is_date = |tail: &str| {
        let digits = tail.bytes().filter(u8::is_ascii_digit).count();
        let shape = tail.len() == 8 || (tail.len() == 10 && tail.matches('-').count() == 2);
        digits == 8 && shape && tail.starts_with("20")
    };
    let cut = model.match_indices('-').find(|(at, _)| is_date(&model[at + 1..]));
    cut.map_or(model, |(at, _)| &model[..at]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> Value {
        json!({"rows": [
            {"day": "2026-01-01", "provider": "openai", "model": "gpt-4o", "cost_nano_usd": 500_000_000},
            {"day": "2026-01-01", "provider": "openai", "model": "o3-2025-04-16", "cost_nano_usd": 7},
            {"day": "2026-01-01", "provider": "azure", "model": "gpt-4o", "cost_nano_usd": 9},
            {"day": "2026-01-02", "provider": "openai", "model": "gpt-4o", "cost_nano_usd": 11},
        ]})
    }

    fn differences(export: &str) -> Vec<(String, i64)> {
        let billed = costs::read(export).unwrap();
        let pairs = pairs(&billed, &charged(&usage(), "openai").unwrap()).unwrap();
        let shown = pairs.into_iter().filter(|pair| pair.difference() != 0);
        shown.map(|pair| (format!("{} {}", pair.day, pair.model), pair.difference())).collect()
    }

    #[test]
    fn days_and_models_are_compared_whatever_date_a_model_bears() {
        let export = "day,model,cost_usd\n2026-01-01,gpt-4o-2024-08-06,0.3\n\
            2026-01-01,gpt-4o-2024-05-13,0.2\n2026-01-01,o3,0.000000007\n\
            2026-01-02,gpt-4o,0.000000012\n2026-01-02,whisper-1,0.1\n";
        let expected =
            [("2026-01-02 gpt-4o".to_owned(), 1), ("2026-01-02 whisper-1".to_owned(), 100_000_000)];
        assert_eq!(differences(export), expected);
    }

    #[test]
    fn an_export_without_models_is_compared_by_day() {
        let export = "date,cost\n2026-01-01,0.500000007\n2026-01-02,0\n";
        assert_eq!(differences(export), [("2026-01-02 ".to_owned(), -11)]);
    }

    #[test]
    fn dates_at_the_end_of_a_name_are_left_out() {
        for (model, bare) in [
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("claude-opus-4-20250514", "claude-opus-4"),
            ("gpt-4o-mini", "gpt-4o-mini"),
            ("gpt-4-0613", "gpt-4-0613"),
            ("deepseek/chat-v3", "deepseek/chat-v3"),
        ] {
            assert_eq!(undated(model), bare);
        }
    }
}
