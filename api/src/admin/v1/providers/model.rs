//! The models of a provider and their prices.

use super::Price;
use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    use crate::admin::Usd;

    #[test]
    fn a_model_is_a_name_or_more() {
        let models: Vec<Model> = serde_json::from_str(
            r#"["a", {"name":"b","price":{"input_usd_per_mtok":0.1,"output_nano_usd_per_mtok":2}}]"#,
        )
        .unwrap();
        assert_eq!(models[0].name, "a");
        let price = models[1].price.clone().unwrap();
        assert_eq!(price.input, Usd(100_000_000));
        assert_eq!(price.output, Usd(2));
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
