//! The figures of one period, in whatever the budget counts.

use super::Amount;
use crate::admin::Usd;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// What a budget counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Unit {
    /// Money, in billionths of a dollar.
    #[default]
    #[serde(rename = "usd")]
    NanoUsd,
    /// Input and output tokens.
    #[serde(rename = "tokens")]
    Tokens,
    /// Requests that reached a provider.
    #[serde(rename = "requests")]
    Requests,
}

/// The figures of one period. `limit = base_limit + increased + moved = spent + held + suspense +
/// remaining`.
///
/// As JSON each figure names its unit: `limit_usd` and `limit_nano_usd`, or `limit_tokens`, or
/// `limit_requests`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// What the figures count.
    pub unit: Unit,
    /// Most that may be spent.
    pub limit: i64,
    /// The budget's own limit.
    pub base_limit: i64,
    /// Increases that have not expired.
    pub increased: i64,
    /// Moved here from other budgets, less what was moved away.
    pub moved: i64,
    /// Reported by the nodes as spent.
    pub spent: i64,
    /// Granted to live nodes and not reported as spent yet.
    pub held: i64,
    /// Granted to nodes that went silent: spent perhaps, and counted as if.
    pub suspense: i64,
    /// Billed beyond the holds.
    pub debt: i64,
    /// Granted to nobody; below zero only where the limit was lowered.
    pub remaining: i64,
    /// Most by which the limit can be exceeded now; `None`: no bound, the budget lets any excess through.
    pub overspend_bound: Option<i64>,
}

/// One figure of the books: its name, what it means, where it is.
pub struct Figure {
    /// First part of its JSON name.
    pub name: &'static str,
    /// What it means.
    pub means: &'static str,
    /// Where it is.
    pub of: fn(&Books) -> Option<i64>,
}

const fn figure(name: &'static str, means: &'static str, of: fn(&Books) -> Option<i64>) -> Figure {
    Figure { name, means, of }
}

impl Books {
    /// All figures, in the order they are shown.
    pub const FIGURES: [Figure; 10] = [
        figure("limit", "Most that may be spent.", |books| Some(books.limit)),
        figure("base_limit", "The budget's own limit.", |books| Some(books.base_limit)),
        figure("increased", "Increases that have not expired.", |books| Some(books.increased)),
        figure("moved", "Moved here from other budgets, less what was moved away.", |books| {
            Some(books.moved)
        }),
        figure("spent", "Reported by the nodes as spent.", |books| Some(books.spent)),
        figure("held", "Granted to live nodes and not reported as spent yet.", |books| {
            Some(books.held)
        }),
        figure(
            "suspense",
            "Granted to nodes that went silent: spent perhaps, and counted as if.",
            |books| Some(books.suspense),
        ),
        figure("debt", "Billed beyond the holds.", |books| Some(books.debt)),
        figure(
            "remaining",
            "Granted to nobody; below zero only where the limit was lowered.",
            |books| Some(books.remaining),
        ),
        figure(
            "overspend_bound",
            "Most by which the limit can be exceeded now; null: the budget lets any excess through.",
            |books| books.overspend_bound,
        ),
    ];
}

impl Serialize for Books {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for figure in &Self::FIGURES {
            let (name, value) = (figure.name, (figure.of)(self));
            match self.unit {
                Unit::NanoUsd => {
                    map.serialize_entry(&format!("{name}_usd"), &value.map(Usd))?;
                    map.serialize_entry(&format!("{name}_nano_usd"), &value)?;
                }
                Unit::Tokens => map.serialize_entry(&format!("{name}_tokens"), &value)?,
                Unit::Requests => map.serialize_entry(&format!("{name}_requests"), &value)?,
            }
        }
        map.end()
    }
}

impl utoipa::PartialSchema for Books {
    fn schema() -> RefOr<Schema> {
        let mut object = ObjectBuilder::new().description(Some(
            "The figures of one period; each names its unit, and only those of the budget's unit are there.",
        ));
        for figure in &Self::FIGURES {
            let whole =
                || ObjectBuilder::new().schema_type(Type::Integer).description(Some(figure.means));
            object = object
                .property(format!("{}_usd", figure.name), Usd::schema())
                .property(format!("{}_nano_usd", figure.name), whole())
                .property(format!("{}_tokens", figure.name), whole())
                .property(format!("{}_requests", figure.name), whole());
        }
        object.into()
    }
}

impl utoipa::ToSchema for Books {
    fn name() -> std::borrow::Cow<'static, str> {
        "Books".into()
    }
}

/// Why a limit can be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Providers billed beyond the holds.
    Debt,
    /// An operator gave up what silent nodes were granted: they may have spent it.
    WrittenOff,
    /// The limit was lowered below what was spent and out.
    LimitLowered,
    /// The budget is soft: requests go on.
    Soft,
    /// Nodes that cannot ask the cluster may go on for so much each.
    Degraded,
    /// Nodes that cannot ask the cluster go on.
    Open,
}

/// One part of the overspend bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Because {
    /// Why.
    pub why: Why,
    /// How much of the bound; absent: without bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_name_their_unit() {
        let mut books = Books { limit: 1_000_000_000, spent: 1, ..Books::default() };
        let json = serde_json::to_value(books).unwrap();
        assert_eq!(json["limit_usd"], "1.00");
        assert_eq!(json["limit_nano_usd"], 1_000_000_000);
        assert_eq!(json["spent_usd"], "0.000000001");
        assert!(json["overspend_bound_usd"].is_null());
        books.unit = Unit::Tokens;
        let json = serde_json::to_value(books).unwrap();
        assert_eq!(json["limit_tokens"], 1_000_000_000);
        assert!(json.get("limit_usd").is_none());
    }
}
