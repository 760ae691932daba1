//! Giving up what nodes were granted that never came back.

use super::{Amount, Budget, Unit, moves};
use crate::admin::call::Versioned;
use crate::admin::v1::cluster::Id;
use crate::admin::{Answer, Usd, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an operator gives up. At most one amount; with none, all that is in suspense.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WriteOffSettings {
    /// Which window of the budget; may be absent where it has only one.
    pub window: Option<Window>,
    /// Whose accounts, of a budget that is not shared by all.
    pub subject: Option<String>,
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
    /// Why; kept in the audit.
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
        moves::check_reason(&self.reason)?;
        let amount = Amount {
            usd: self.amount_usd,
            nano_usd: self.amount_nano_usd,
            tokens: self.amount_tokens,
            requests: self.amount_requests,
        };
        Ok(amount.value(unit, "amount_")?.unwrap_or(i64::MAX))
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
    /// By how much the limit may be exceeded with that: whatever is released may have been spent. Absent:
    /// the budget lets any excess through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overspend_bound: Option<Amount>,
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

    #[test]
    fn a_write_off_needs_a_reason_and_takes_all_where_no_amount_is_given() {
        let most = |json: &str| {
            let settings: WriteOffSettings = serde_json::from_str(json).unwrap();
            settings.most(Unit::Tokens).map_err(|problem| problem.detail().to_owned())
        };
        assert_eq!(most(r#"{"reason":"disk lost"}"#), Ok(i64::MAX));
        assert_eq!(most(r#"{"reason":"disk lost","amount_tokens":5}"#), Ok(5));
        assert!(most(r#"{"reason":" "}"#).unwrap_err().starts_with("reason: "));
    }
}
