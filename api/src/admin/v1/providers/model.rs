//! The models of a provider and their prices.

use crate::admin::Usd;
use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Prices for a million tokens, in nano-USD.
///
/// As JSON each is written in dollars (`input_usd_per_mtok`) or in billionths of one
/// (`input_nano_usd_per_mtok`), and shown as both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// Prices for a million tokens: each in dollars, or in billionths of a dollar.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
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
}

impl TryFrom<WrittenPrice> for Price {
    type Error = String;

    fn try_from(written: WrittenPrice) -> Result<Self, String> {
        let one = |name: &str, usd: Option<Usd>, nano: Option<i64>| match (usd, nano.map(Usd)) {
            // What was shown as both may come back as both.
            (Some(usd), Some(nano)) if usd != nano => {
                Err(format!("{name} is given twice and differs: keep one of its two fields"))
            }
            (usd, nano) => Ok(usd.or(nano)),
        };
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

/// A model a provider serves. What is absent comes from the catalog. May be written as its name alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Model {
    /// Name callers use.
    pub name: String,
    /// Name the provider knows it by, where different.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_name: Option<String>,
    /// Price, overriding the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Most input tokens, overriding the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens_max: Option<u64>,
    /// Most output tokens, overriding the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_max: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    name: String,
    upstream_name: Option<String>,
    price: Option<Price>,
    input_tokens_max: Option<u64>,
    output_tokens_max: Option<u64>,
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrWhole;
        impl<'de> Visitor<'de> for NameOrWhole {
            type Value = Model;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a model, or an object with a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Model, E> {
                Ok(Model { name: name.to_owned(), ..Model::default() })
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Model, M::Error> {
                let whole = Whole::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Model {
                    name: whole.name,
                    upstream_name: whole.upstream_name,
                    price: whole.price,
                    input_tokens_max: whole.input_tokens_max,
                    output_tokens_max: whole.output_tokens_max,
                })
            }
        }
        deserializer.deserialize_any(NameOrWhole)
    }
}

/// What to do with a model that has no price, when a budget in money is on the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unpriced {
    /// Refuse it.
    #[default]
    Deny,
    /// Charge nothing; count tokens and requests.
    Track,
    /// Charge this price.
    Flat(Price),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_a_name_or_more() {
        let models: Vec<Model> = serde_json::from_str(
            r#"["a", {"name":"b","price":{"input_usd_per_mtok":0.1,"output_nano_usd_per_mtok":2}}]"#,
        )
        .unwrap();
        assert_eq!(models[0].name, "a");
        let price = models[1].price.unwrap();
        assert_eq!(price.input, Usd(100_000_000));
        assert_eq!(price.output, Usd(2));
    }

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

    #[test]
    fn unpriced_is_a_word_or_a_price() {
        let read = |text| serde_json::from_str::<Unpriced>(text).unwrap();
        assert_eq!(read(r#""deny""#), Unpriced::Deny);
        assert_eq!(read(r#""track""#), Unpriced::Track);
        let flat = read(r#"{"flat":{"input_usd_per_mtok":"1","output_usd_per_mtok":"2"}}"#);
        assert!(matches!(flat, Unpriced::Flat(price) if price.request == Usd(0)));
    }
}
