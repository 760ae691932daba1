//! Amounts of whatever a budget counts.

use super::Unit;
use crate::admin::{Answer, Problem, Usd};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount of what a budget counts: exactly one of these, as a setting; money both ways, as shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Amount {
    /// In dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<Usd>,
    /// In billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nano_usd: Option<i64>,
    /// In tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
    /// In requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<i64>,
}

impl Amount {
    /// `value` of `unit`.
    #[must_use]
    pub fn of(unit: Unit, value: i64) -> Self {
        let none = Self::default();
        match unit {
            Unit::NanoUsd => Self { usd: Some(Usd(value)), nano_usd: Some(value), ..none },
            Unit::Tokens => Self { tokens: Some(value), ..none },
            Unit::Requests => Self { requests: Some(value), ..none },
        }
    }

    /// How much of `unit` it is, more than zero; `None` where nothing is given. Fields are named as
    /// `prefix` and their own name.
    ///
    /// # Errors
    ///
    /// Several amounts that differ, one of another unit, or none above zero.
    pub fn value(&self, unit: Unit, prefix: &str) -> Answer<Option<i64>> {
        let given = [
            ("usd", Unit::NanoUsd, self.usd.map(|usd| usd.0)),
            ("nano_usd", Unit::NanoUsd, self.nano_usd),
            ("tokens", Unit::Tokens, self.tokens),
            ("requests", Unit::Requests, self.requests),
        ];
        let mut found: Option<(&str, i64)> = None;
        for (name, counts, amount) in given {
            let Some(amount) = amount else { continue };
            let field = || format!("{prefix}{name}");
            match found {
                // What was shown both ways may come back both ways.
                Some((_, first)) if counts == unit && first == amount => continue,
                Some((first, _)) => {
                    let say = format!("cannot stand beside {prefix}{first}");
                    return Err(Problem::invalid(field(), say));
                }
                None => {}
            }
            if counts != unit {
                return Err(Problem::invalid(field(), "is not what this budget counts"));
            }
            if amount <= 0 {
                return Err(Problem::invalid(field(), "must be more than zero"));
            }
            found = Some((name, amount));
        }
        Ok(found.map(|(_, amount)| amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str, unit: Unit) -> Result<Option<i64>, String> {
        let amount: Amount = serde_json::from_str(json).unwrap();
        amount.value(unit, "amount_").map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn one_amount_of_the_budgets_unit_or_none_is_taken() {
        assert_eq!(value("{}", Unit::Tokens), Ok(None));
        let some = r#"{"usd":"0.5"}"#;
        assert_eq!(value(some, Unit::NanoUsd), Ok(Some(500_000_000)));
        assert!(value(some, Unit::Requests).unwrap_err().starts_with("amount_usd: is not what"));
        let both = r#"{"usd":1,"tokens":1}"#;
        assert!(value(both, Unit::NanoUsd).unwrap_err().contains("cannot stand beside amount_usd"));
        let shown = serde_json::to_string(&Amount::of(Unit::NanoUsd, 7)).unwrap();
        assert_eq!(value(&shown, Unit::NanoUsd), Ok(Some(7)));
        assert!(value(r#"{"tokens":0}"#, Unit::Tokens).unwrap_err().contains("more than zero"));
    }
}
