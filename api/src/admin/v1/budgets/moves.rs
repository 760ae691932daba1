//! Money moved by hand: increases that expire, resets, transfers. Each leaves an entry in the audit.

use super::{Amount, Budget, Instance, Unit};
use crate::admin::call::Versioned;
use crate::admin::{Answer, Problem, Timestamp, Usd, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest reason taken, in bytes.
const REASON_BYTES_MAX: usize = 512;

/// Whatever is done by hand has a reason.
pub(super) fn check_reason(reason: &str) -> Answer<()> {
    if reason.trim().is_empty() {
        return Err(Problem::invalid("reason", "is missing: say why it is done"));
    }
    if reason.len() > REASON_BYTES_MAX {
        return Err(Problem::invalid("reason", format!("is longer than {REASON_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// More for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncreaseSettings {
    /// Which window of the budget; may be absent where it has only one.
    pub window: Option<Window>,
    /// Whose accounts, of a budget that is not shared by all.
    pub subject: Option<String>,
    /// So much more, in dollars. Exactly one amount is given.
    pub amount_usd: Option<Usd>,
    /// So much more, in billionths of a dollar.
    pub amount_nano_usd: Option<i64>,
    /// So much more, in tokens.
    pub amount_tokens: Option<i64>,
    /// So much more, in requests.
    pub amount_requests: Option<i64>,
    /// Until then. What was spent of it by then stays spent.
    pub until: Timestamp,
    /// Why; kept in the audit.
    pub reason: String,
}

/// A period begun anew.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetSettings {
    /// Which window of the budget; may be absent where it has only one.
    pub window: Option<Window>,
    /// Whose accounts, of a budget that is not shared by all.
    pub subject: Option<String>,
    /// Why; kept in the audit.
    pub reason: String,
}

/// Limit moved to another budget, for the present periods.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferSettings {
    /// Which window of the budget; may be absent where it has only one.
    pub window: Option<Window>,
    /// Whose accounts, of a budget that is not shared by all.
    pub subject: Option<String>,
    /// Name of the budget that gets it; it counts the same.
    pub to: String,
    /// Which window of that budget; may be absent where it has only one.
    pub to_window: Option<Window>,
    /// Whose accounts of that budget, where it is not shared by all.
    pub to_subject: Option<String>,
    /// How much, in dollars. Exactly one amount is given; no more than remains.
    pub amount_usd: Option<Usd>,
    /// How much, in billionths of a dollar.
    pub amount_nano_usd: Option<i64>,
    /// How much, in tokens.
    pub amount_tokens: Option<i64>,
    /// How much, in requests.
    pub amount_requests: Option<i64>,
    /// Why; kept in the audit.
    pub reason: String,
}

impl IncreaseSettings {
    /// How much more of a budget that counts `unit`.
    ///
    /// # Errors
    ///
    /// No reason; no amount, several, one of another unit, or none above zero.
    pub fn amount(&self, unit: Unit) -> Answer<i64> {
        check_reason(&self.reason)?;
        let amount = Amount {
            usd: self.amount_usd,
            nano_usd: self.amount_nano_usd,
            tokens: self.amount_tokens,
            requests: self.amount_requests,
        };
        needed(amount.value(unit, "amount_")?)
    }
}

impl ResetSettings {
    /// Checks that there is a reason.
    ///
    /// # Errors
    ///
    /// There is none, or it is too long.
    pub fn check(&self) -> Answer<()> {
        check_reason(&self.reason)
    }
}

impl TransferSettings {
    /// How much of a budget that counts `unit`.
    ///
    /// # Errors
    ///
    /// No reason; no amount, several, one of another unit, or none above zero.
    pub fn amount(&self, unit: Unit) -> Answer<i64> {
        check_reason(&self.reason)?;
        let amount = Amount {
            usd: self.amount_usd,
            nano_usd: self.amount_nano_usd,
            tokens: self.amount_tokens,
            requests: self.amount_requests,
        };
        needed(amount.value(unit, "amount_")?)
    }
}

fn needed(amount: Option<i64>) -> Answer<i64> {
    let say =
        "has no amount: give one of amount_usd, amount_nano_usd, amount_tokens, amount_requests";
    amount.ok_or_else(|| Problem::invalid("amount", say))
}

/// What was moved by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Moved {
    /// The budget as it stands now.
    pub budget: Budget,
    /// The accounts of the subject, where the budget is not shared by all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,
    /// After a transfer: the other budget as it stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Budget>,
    /// After a transfer: the accounts of its subject, where it is not shared by all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_instance: Option<Instance>,
}

impl Versioned for Moved {
    fn changed_index(&self) -> u64 {
        self.budget.changed_index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_increase_needs_an_amount_a_reason_and_an_end() {
        let amount = |json: &str| {
            let settings: IncreaseSettings =
                serde_json::from_str(json).map_err(|e| e.to_string())?;
            settings.amount(Unit::NanoUsd).map_err(|problem| problem.detail().to_owned())
        };
        let until = r#""until":"2026-12-31T00:00:00Z""#;
        assert_eq!(
            amount(&format!(r#"{{{until},"amount_usd":2,"reason":"x"}}"#)),
            Ok(2_000_000_000)
        );
        let none = amount(&format!(r#"{{{until},"reason":"x"}}"#)).unwrap_err();
        assert!(none.starts_with("amount: has no amount"), "{none}");
        let silent = amount(&format!(r#"{{{until},"amount_usd":2,"reason":""}}"#)).unwrap_err();
        assert!(silent.starts_with("reason: is missing"), "{silent}");
        assert!(amount(r#"{"amount_usd":2,"reason":"x"}"#).unwrap_err().contains("until"));
    }
}
