//! Giving up what nodes were granted that never came back.

use super::{Budget, Unit};
use crate::admin::call::Versioned;
use crate::admin::v1::cluster::Id;
use crate::admin::{Answer, Problem, Usd, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest reason taken, in characters.
const REASON_CHARS_MAX: usize = 500;

/// What an operator gives up. At most one amount; with none, all that is in suspense.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WriteOffSettings {
    /// Which window of the budget; may be absent where it has only one.
    pub window: Option<Window>,
    /// Only what this node was granted: its number or label. Absent: whatever went silent.
    pub node: Option<String>,
    /// Most to release, in dollars.
    pub amount_usd: Option<Usd>,
    /// Most to release, in billionths of a dollar.
    pub amount_nano_usd: Option<i64>,
    /// Most to release, in tokens.
    pub amount_tokens: Option<i64>,
    /// Most to release, in requests.
    pub amount_requests: Option<i64>,
    /// Why; kept in the log of the node that was asked.
    pub reason: String,
    /// Says what would be released, and releases nothing.
    pub dry_run: bool,
}

impl WriteOffSettings {
    /// Most to release of a budget that counts `unit`.
    ///
    /// # Errors
    ///
    /// No reason; several amounts, one of another unit, or none above zero.
    pub fn most(&self, unit: Unit) -> Answer<i64> {
        if self.reason.trim().is_empty() {
            return Err(Problem::invalid("reason", "is missing: say why it is given up"));
        }
        if self.reason.chars().count() > REASON_CHARS_MAX {
            let say = format!("is longer than {REASON_CHARS_MAX} characters");
            return Err(Problem::invalid("reason", say));
        }
        let given = [
            ("amount_usd", Unit::NanoUsd, self.amount_usd.map(|usd| usd.0)),
            ("amount_nano_usd", Unit::NanoUsd, self.amount_nano_usd),
            ("amount_tokens", Unit::Tokens, self.amount_tokens),
            ("amount_requests", Unit::Requests, self.amount_requests),
        ];
        let mut given = given
            .into_iter()
            .filter_map(|(name, counts, amount)| amount.map(|amount| (name, counts, amount)));
        let Some((name, counts, amount)) = given.next() else { return Ok(i64::MAX) };
        if let Some((other, _, _)) = given.next() {
            return Err(Problem::invalid(other, format!("cannot stand beside {name}")));
        }
        if counts != unit {
            return Err(Problem::invalid(name, "is not what this budget counts"));
        }
        if amount <= 0 {
            return Err(Problem::invalid(name, "must be more than zero"));
        }
        Ok(amount)
    }
}

/// An amount of what a budget counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
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
}

/// What one life of a node was granted and is released again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Released {
    /// Number of the node.
    pub node: Id,
    /// Its name for people; empty where it is forgotten.
    pub label: String,
    /// Which of its starts.
    pub incarnation: u64,
    /// How much.
    pub amount: Amount,
}

/// What was given up, or with `dry_run` what would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WriteOff {
    /// The budget as it stands now.
    pub budget: Budget,
    /// What is released, by node. Empty: nothing is in suspense.
    pub released: Vec<Released>,
    /// By how much the limit may be exceeded with that: whatever is released may have been spent.
    pub overspend_bound: Amount,
    /// Nothing was changed.
    pub dry_run: bool,
}

impl Versioned for WriteOff {
    fn changed_index(&self) -> u64 {
        self.budget.changed_index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(json: &str, unit: Unit) -> Result<i64, String> {
        let settings: WriteOffSettings = serde_json::from_str(json).unwrap();
        settings.most(unit).map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn one_amount_of_the_budgets_unit_or_none_is_taken() {
        let all = r#"{"reason":"disk lost"}"#;
        assert_eq!(most(all, Unit::Tokens), Ok(i64::MAX));
        let some = r#"{"reason":"disk lost","amount_usd":"0.5"}"#;
        assert_eq!(most(some, Unit::NanoUsd), Ok(500_000_000));
        assert!(most(some, Unit::Requests).unwrap_err().starts_with("amount_usd: is not what"));
        let both = r#"{"reason":"x","amount_usd":1,"amount_tokens":1}"#;
        assert!(most(both, Unit::NanoUsd).unwrap_err().contains("cannot stand beside amount_usd"));
        let none = r#"{"reason":"x","amount_tokens":0}"#;
        assert!(most(none, Unit::Tokens).unwrap_err().contains("more than zero"));
        assert!(most(r#"{"reason":" "}"#, Unit::Tokens).unwrap_err().starts_with("reason: "));
    }
}
