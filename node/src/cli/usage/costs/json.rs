//! Cost reports in JSON: buckets of a day, each with its lines.

use super::{Atto, Line, day, model_of};
use anyhow::{Context, bail};
use api::admin::Day;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Option<Vec<Bucket<'a>>>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    /// OpenAI: seconds since 1970.
    start_time: Option<u64>,
    /// Anthropic: RFC 3339.
    starting_at: Option<String>,
    #[serde(alias = "result", default, borrow)]
    results: Vec<Cost<'a>>,
}

#[derive(Deserialize)]
struct Cost<'a> {
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    currency: Option<String>,
    line_item: Option<String>,
    model: Option<String>,
    description: Option<String>,
}

/// OpenAI's amount: dollars with their currency.
#[derive(Deserialize)]
struct Dollars<'a> {
    /// A number, whose digits must not pass through a float, or text.
    #[serde(borrow)]
    value: &'a RawValue,
    currency: Option<String>,
}

pub(super) fn read(text: &str) -> anyhow::Result<Vec<Line>> {
    // One page, or the pages one after the other.
    let pages: Vec<Page<'_>> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text)?,
        false => vec![serde_json::from_str(text)?],
    };
    let last_has_more = pages.last().is_some_and(|page| page.has_more);
    let mut lines = Vec::new();
    for page in pages {
        for bucket in page.data.context("there is no data in it")? {
            let moment = match (bucket.start_time, bucket.starting_at) {
                (Some(seconds), _) => seconds.to_string(),
                (None, Some(moment)) => moment,
                (None, None) => bail!("a bucket has neither start_time nor starting_at"),
            };
            let day = day(&moment)?;
            for cost in bucket.results {
                lines.extend(line(day, cost)?);
            }
        }
    }
    if last_has_more {
        bail!("there are more pages: put all of them into one file, as a list");
    }
    Ok(lines)
}

fn line(day: Day, cost: Cost<'_>) -> anyhow::Result<Option<Line>> {
    let Some(amount) = cost.amount.map(RawValue::get) else { return Ok(None) };
    let (amount, currency) = match amount.starts_with('{') {
        true => {
            let dollars: Dollars<'_> = serde_json::from_str(amount)?;
            (Atto::read(unquoted(dollars.value.get()), 0)?, dollars.currency)
        }
        // Anthropic's: cents, as text.
        false => (Atto::read(unquoted(amount), -2)?, cost.currency),
    };
    check_currency(currency.as_deref())?;
    let of_item = cost.line_item.as_deref().map(model_of);
    let model = cost.model.or(of_item).or(cost.description).unwrap_or_default();
    Ok(Some(Line { day, model, amount }))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Only dollars can be compared with what is charged here.
pub(super) fn check_currency(currency: Option<&str>) -> anyhow::Result<()> {
    match currency {
        Some(other) if !other.is_empty() && !other.eq_ignore_ascii_case("usd") => {
            bail!("it is in {other}, and budgets count dollars")
        }
        Some(_) | None => Ok(()),
    }
}
