//! What a model costs.

use super::Rate;
use crate::admin::Usd;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Prices for a million tokens, in nano-USD.
///
/// As JSON each is written in dollars (`input_usd_per_mtok`) or in billionths of one
/// (`input_nano_usd_per_mtok`), and shown as both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenPrice", into = "WrittenPrice")]
pub struct Price {
    /// Uncached input tokens.
    pub input: Usd,
    /// Output tokens, reasoning included.
    pub output: Usd,
    /// Input tokens read from the provider's cache; `None`: as input.
    pub cache_read: Option<Usd>,
    /// Input tokens written to the provider's cache; `None`: as input.
    pub cache_write: Option<Usd>,
    /// For each request, on top.
    pub request: Usd,
    /// What is charged for other classes, at other classes of service, and for long prompts.
    pub rates: Vec<Rate>,
}

/// Prices for a million tokens: each in dollars, or in billionths of a dollar.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Price)]
struct WrittenPrice {
    /// Uncached input tokens, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_usd_per_mtok: Option<Usd>,
    /// Uncached input tokens, in billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_nano_usd_per_mtok: Option<i64>,
    /// Output tokens, reasoning included, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_usd_per_mtok: Option<Usd>,
    /// Output tokens, reasoning included, in billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_nano_usd_per_mtok: Option<i64>,
    /// Input tokens read from the provider's cache, in dollars. Absent: as input.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_usd_per_mtok: Option<Usd>,
    /// The same in billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_nano_usd_per_mtok: Option<i64>,
    /// Input tokens written to the provider's cache, in dollars. Absent: as input.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_usd_per_mtok: Option<Usd>,
    /// The same in billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_nano_usd_per_mtok: Option<i64>,
    /// For each request, on top, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_usd: Option<Usd>,
    /// The same in billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_nano_usd: Option<i64>,
    /// What is charged for other classes, at other classes of service, and for long prompts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rates: Vec<Rate>,
}

impl TryFrom<WrittenPrice> for Price {
    type Error = String;

    fn try_from(written: WrittenPrice) -> Result<Self, String> {
        let one = super::rate::one;
        let input = one("input", written.input_usd_per_mtok, written.input_nano_usd_per_mtok)?;
        let output = one("output", written.output_usd_per_mtok, written.output_nano_usd_per_mtok)?;
        let missing = |name| format!("has no {name}_usd_per_mtok");
        Ok(Self {
            input: input.ok_or_else(|| missing("input"))?,
            output: output.ok_or_else(|| missing("output"))?,
            cache_read: one(
                "cache_read",
                written.cache_read_usd_per_mtok,
                written.cache_read_nano_usd_per_mtok,
            )?,
            cache_write: one(
                "cache_write",
                written.cache_write_usd_per_mtok,
                written.cache_write_nano_usd_per_mtok,
            )?,
            request: one("request", written.request_usd, written.request_nano_usd)?
                .unwrap_or_default(),
            rates: written.rates,
        })
    }
}

impl From<Price> for WrittenPrice {
    fn from(price: Price) -> Self {
        let nano = |usd: Option<Usd>| usd.map(|usd| usd.0);
        Self {
            input_usd_per_mtok: Some(price.input),
            input_nano_usd_per_mtok: Some(price.input.0),
            output_usd_per_mtok: Some(price.output),
            output_nano_usd_per_mtok: Some(price.output.0),
            cache_read_usd_per_mtok: price.cache_read,
            cache_read_nano_usd_per_mtok: nano(price.cache_read),
            cache_write_usd_per_mtok: price.cache_write,
            cache_write_nano_usd_per_mtok: nano(price.cache_write),
            request_usd: Some(price.request),
            request_nano_usd: Some(price.request.0),
            rates: price.rates,
        }
    }
}

impl PartialSchema for Price {
    fn schema() -> RefOr<Schema> {
        WrittenPrice::schema()
    }
}

impl ToSchema for Price {
    fn name() -> Cow<'static, str> {
        "Price".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        WrittenPrice::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_shown_in_both_units_and_read_again() {
        let price = Price { input: Usd(1), cache_read: Some(Usd(7)), ..Price::default() };
        let text = serde_json::to_string(&price).unwrap();
        assert!(text.contains(r#""input_usd_per_mtok":"0.000000001","input_nano_usd_per_mtok":1"#));
        assert_eq!(serde_json::from_str::<Price>(&text).unwrap(), price);
        let said = |text| serde_json::from_str::<Price>(text).unwrap_err().to_string();
        let twice =
            r#"{"input_usd_per_mtok":1,"input_nano_usd_per_mtok":1,"output_usd_per_mtok":1}"#;
        assert!(said(twice).contains("input is given twice and differs"));
        assert!(said(r#"{"output_usd_per_mtok":1}"#).contains("has no input_usd_per_mtok"));
    }
}
