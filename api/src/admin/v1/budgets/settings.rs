//! What an operator says of a budget.

use super::{Amount, Per, Unit};
use crate::admin::{Answer, Problem, Usd, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happens at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing is admitted that could pass the limit.
    #[default]
    Hard,
    /// Requests go on; the excess is recorded as debt.
    Soft,
}

/// What a node may let through that cannot ask the cluster and has spent its allowance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WithoutQuorum {
    /// Nothing.
    #[default]
    Strict,
    /// So much more for each node and period; what passes the limit becomes debt.
    Degraded(Amount),
    /// Everything; what passes the limit becomes debt.
    Open,
}

/// What happens on the way to the limit: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// From so many percent of the limit spent on: 1 to 100.
    pub at_percent: u8,
    /// Requests are served by this model, or alias, instead of the one asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downgrade_to: Option<String>,
    /// At most so many requests a minute go on, of all that are charged to the budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
}

impl Step {
    fn check(&self, field: &str) -> Answer<()> {
        match (&self.downgrade_to, self.requests_per_minute) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            (Some(_), Some(_)) | (None, None) => {
                let say = "does one thing: give either downgrade_to or requests_per_minute";
                Err(Problem::invalid(field, say))
            }
        }
    }
}

/// One window of a budget, with exactly one limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowSettings {
    /// When it starts anew.
    pub window: Window,
    /// Limit in dollars.
    pub limit_usd: Option<Usd>,
    /// Limit in billionths of a dollar.
    pub limit_nano_usd: Option<i64>,
    /// Limit in input and output tokens.
    pub limit_tokens: Option<i64>,
    /// Limit in requests that reach a provider.
    pub limit_requests: Option<i64>,
}

impl WindowSettings {
    /// What is counted, and how much of it there may be.
    ///
    /// # Errors
    ///
    /// None or several limits.
    pub fn limit(&self, field: &str) -> Answer<(Unit, i64)> {
        let given = [
            (Unit::NanoUsd, self.limit_usd.map(|usd| usd.0)),
            (Unit::NanoUsd, self.limit_nano_usd),
            (Unit::Tokens, self.limit_tokens),
            (Unit::Requests, self.limit_requests),
        ];
        let mut given =
            given.into_iter().filter_map(|(unit, limit)| limit.map(|limit| (unit, limit)));
        match (given.next(), given.next()) {
            (Some(limit), None) => Ok(limit),
            (None, _) => Err(Problem::invalid(
                field,
                "has no limit: give one of limit_usd, limit_nano_usd, limit_tokens, limit_requests",
            )),
            (Some(_), Some(_)) => Err(Problem::invalid(
                field,
                "has several limits: a budget counts one thing, make one budget for each",
            )),
        }
    }
}

/// What an operator says of a budget. Either `windows`, or `window` and one limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// One to three windows, all of one unit.
    pub windows: Vec<WindowSettings>,
    /// Short for one window: when it starts anew.
    pub window: Window,
    /// Short for one window: limit in dollars.
    pub limit_usd: Option<Usd>,
    /// Short for one window: limit in billionths of a dollar.
    pub limit_nano_usd: Option<i64>,
    /// Short for one window: limit in tokens.
    pub limit_tokens: Option<i64>,
    /// Short for one window: limit in requests.
    pub limit_requests: Option<i64>,
    /// What happens at the limit.
    pub mode: Mode,
    /// IANA name of the time zone of calendar windows, as `Europe/Berlin`. Absent: UTC.
    pub time_zone: Option<String>,
    /// Who shares the limit.
    pub per: Per,
    /// What a node may let through that cannot ask the cluster.
    pub without_quorum: WithoutQuorum,
    /// Percentages of the limit, rising; reaching one is told to the webhooks, once in each period.
    pub thresholds: Vec<u8>,
    /// What happens before the limit, rising by `at_percent`.
    pub steps: Vec<Step>,
}

impl BudgetSettings {
    /// Unit, and window and limit for each window.
    ///
    /// # Errors
    ///
    /// No limit, or limits of several units.
    pub fn resolve(&self) -> Answer<(Unit, Vec<(Window, i64)>)> {
        let short = WindowSettings {
            window: self.window,
            limit_usd: self.limit_usd,
            limit_nano_usd: self.limit_nano_usd,
            limit_tokens: self.limit_tokens,
            limit_requests: self.limit_requests,
        };
        if self.windows.is_empty() {
            let (unit, limit) = short.limit("budget")?;
            return Ok((unit, vec![(self.window, limit)]));
        }
        if short != WindowSettings::default() {
            let say = "cannot stand beside window or limit_...: put them all into windows";
            return Err(Problem::invalid("windows", say));
        }
        let mut resolved = Vec::new();
        let mut first = None;
        for (nth, window) in self.windows.iter().enumerate() {
            let field = format!("windows[{nth}]");
            let (unit, limit) = window.limit(&field)?;
            if *first.get_or_insert(unit) != unit {
                let say = "counts something else than the first window: make two budgets";
                return Err(Problem::invalid(field, say));
            }
            resolved.push((window.window, limit));
        }
        Ok((first.unwrap_or_default(), resolved))
    }

    /// What a node may let through that cannot ask, in the budget's unit; `None`: anything.
    ///
    /// # Errors
    ///
    /// `degraded` without an amount, or one of another unit.
    pub fn without_quorum(&self, unit: Unit) -> Answer<Option<i64>> {
        match self.without_quorum {
            WithoutQuorum::Strict => Ok(Some(0)),
            WithoutQuorum::Open => Ok(None),
            WithoutQuorum::Degraded(amount) => {
                let amount = amount.value(unit, "without_quorum.degraded.")?;
                let say = "has no amount: give one of usd, nano_usd, tokens, requests";
                let amount = amount.ok_or_else(|| Problem::invalid("without_quorum.degraded", say));
                amount.map(Some)
            }
        }
    }

    pub(super) fn check(&self) -> Answer<()> {
        let (unit, _) = self.resolve()?;
        self.without_quorum(unit)?;
        for (nth, step) in self.steps.iter().enumerate() {
            step.check(&format!("steps[{nth}]"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(json: &str) -> Result<(Unit, Vec<(Window, i64)>), String> {
        let settings: BudgetSettings = serde_json::from_str(json).unwrap();
        settings.resolve().map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn one_window_may_be_written_short() {
        assert_eq!(
            resolve(r#"{"limit_usd":"1.00"}"#),
            Ok((Unit::NanoUsd, vec![(Window::Never, 1_000_000_000)]))
        );
        assert_eq!(
            resolve(r#"{"window":"day","limit_tokens":5}"#),
            Ok((Unit::Tokens, vec![(Window::Day, 5)]))
        );
    }

    #[test]
    fn windows_share_one_unit() {
        let two =
            r#"{"windows":[{"window":"day","limit_usd":1},{"window":"month","limit_nano_usd":7}]}"#;
        let windows = vec![(Window::Day, 1_000_000_000), (Window::Month, 7)];
        assert_eq!(resolve(two), Ok((Unit::NanoUsd, windows)));
        let mixed = r#"{"windows":[{"limit_usd":1},{"limit_tokens":7}]}"#;
        assert!(resolve(mixed).unwrap_err().starts_with("windows[1]: counts something else"));
    }

    #[test]
    fn no_limit_and_two_limits_are_refused() {
        assert!(resolve("{}").unwrap_err().starts_with("budget: has no limit"));
        assert!(
            resolve(r#"{"limit_usd":1,"limit_tokens":1}"#).unwrap_err().contains("several limits")
        );
        let both = r#"{"limit_usd":1,"windows":[{"limit_usd":1}]}"#;
        assert!(resolve(both).unwrap_err().contains("put them all into windows"));
    }

    #[test]
    fn policies_and_steps_say_one_thing_each() {
        let check = |json: &str| {
            let settings: BudgetSettings = serde_json::from_str(json).unwrap();
            settings.check().map_err(|problem| problem.detail().to_owned())
        };
        let degraded = |amount: &str| {
            let policy = format!(r#"{{"limit_usd":1,"without_quorum":{{"degraded":{amount}}}}}"#);
            check(&policy)
        };
        assert_eq!(check(r#"{"limit_usd":1,"without_quorum":"open"}"#), Ok(()));
        assert_eq!(degraded(r#"{"usd":"0.5"}"#), Ok(()));
        assert!(degraded("{}").unwrap_err().contains("has no amount"));
        assert!(degraded(r#"{"tokens":5}"#).unwrap_err().contains("is not what"));
        let step = |step: &str| check(&format!(r#"{{"limit_usd":1,"steps":[{step}]}}"#));
        assert_eq!(step(r#"{"at_percent":80,"downgrade_to":"openai/small"}"#), Ok(()));
        assert!(step(r#"{"at_percent":80}"#).unwrap_err().starts_with("steps[0]: does one thing"));
    }
}
