//! What was used, by whom, and that it adds up to the budgets' books.

use super::budgets::Per;
use crate::admin::call::{Consistency, Read, told};
use crate::admin::day::Day;
use crate::admin::read_body::Query;
use crate::admin::{Admin, Answer, Problem, Usd, Window};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Most rows of one report.
pub const ROWS_MAX: usize = 10_000;

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Customer, as it was at the time of the requests.
    Customer,
    /// Team, likewise.
    Team,
    /// User, likewise.
    User,
    /// Virtual key, by public id.
    Key,
    /// Provider.
    Provider,
    /// Model, as the provider lists it.
    Model,
    /// Tag: a request with several tags is in several rows.
    Tag,
    /// Day, in UTC.
    Day,
}

impl By {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 8] = [
        ("customer", Self::Customer),
        ("team", Self::Team),
        ("user", Self::User),
        ("key", Self::Key),
        ("provider", Self::Provider),
        ("model", Self::Model),
        ("tag", Self::Tag),
        ("day", Self::Day),
    ];
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, by)| *by).ok_or_else(|| {
            let names = Self::ALL.map(|(name, _)| name);
            match crate::admin::suggest(text, &names) {
                Some(near) => format!("{text:?} groups nothing, did you mean {near}?"),
                None => format!("{text:?} groups nothing, expected some of {}", names.join(", ")),
            }
        })
    }
}

/// What is asked of usage, as it stands in the query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AskUsage {
    /// `local` (default): what this node has applied. `linearizable`: every acknowledged write.
    #[param(inline)]
    pub consistency: Consistency,
    /// Waits until this node has applied this log index.
    pub min_index: Option<u64>,
    /// First day, in UTC. Absent: the first one kept.
    #[param(value_type = Option<String>, example = "2026-01-01")]
    pub from: Option<Day>,
    /// Last day, in UTC. Absent: today.
    #[param(value_type = Option<String>, example = "2026-01-31")]
    pub to: Option<Day>,
    /// What rows are grouped by: some of customer, team, user, key, provider, model, tag, day, separated by
    /// commas. Absent: one row.
    pub by: String,
}

/// The same, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Option<Day>,
    /// What rows are grouped by, in this order, each once.
    pub by: Vec<By>,
}

impl AskUsage {
    fn question(&self) -> Answer<Question> {
        let mut by = Vec::new();
        for word in self.by.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let one = word.parse().map_err(|say: String| Problem::invalid("by", say))?;
            if !by.contains(&one) {
                by.push(one);
            }
        }
        let from = self.from.unwrap_or_default();
        match self.to {
            Some(to) if to < from => Err(Problem::invalid("to", format!("{to} is before {from}"))),
            to => Ok(Question { from, to, by }),
        }
    }
}

/// What a row is about: only what is grouped by is there. Empty text: none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct About {
    /// Day, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// Customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// User.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Public id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Name of the key now; absent where it is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// Provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sums {
    /// Attempts that were charged, or answered at no cost.
    pub requests: u64,
    /// Uncached input tokens.
    pub input_tokens: u64,
    /// Input tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Reasoning tokens, a part of the output.
    pub reasoning_tokens: u64,
    /// Cost in dollars, as charged to budgets in money.
    pub cost_usd: Usd,
    /// The same in billionths of a dollar.
    pub cost_nano_usd: i64,
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageRow {
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Whether the lines of usage add up to what a budget in money says was spent, all its periods together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reconciled {
    /// Name of the budget.
    pub budget: String,
    /// Which of its windows.
    pub window: Window,
    /// Who shares it; where not all do, the figures are sums.
    pub per: Per,
    /// Spent by its books.
    pub spent_nano_usd: i64,
    /// Sum of the lines charged to it.
    pub listed_nano_usd: i64,
    /// Granted to nodes that went silent: spent perhaps, and on no line until they report.
    pub suspense_nano_usd: i64,
    /// Billed beyond the holds, or spent beyond what was granted.
    pub debt_nano_usd: i64,
    /// Listed less spent. Zero where everything is accounted for.
    pub difference_nano_usd: i64,
    /// Where a difference comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageReport {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// What rows are grouped by.
    pub by: Vec<By>,
    /// The rows, sorted by what they are about.
    pub rows: Vec<UsageRow>,
    /// Sums of all lines; not of the rows where they are grouped by tag.
    pub total: Sums,
    /// Whether all lines there are, of any day, add up to the budgets' books.
    pub reconciliation: Vec<Reconciled>,
}

/// What a node says of usage.
pub trait Usage {
    /// Adds up.
    ///
    /// # Errors
    ///
    /// More than [`ROWS_MAX`] rows.
    fn usage(&self, question: Question) -> impl Future<Output = Answer<UsageReport>> + Send;
}

pub(in crate::admin) fn router<A: Admin>() -> Router<Arc<A>> {
    Router::new().route("/usage", get(report::<A>))
}

/// Reports what was used, grouped, and whether it adds up to the budgets' books.
#[utoipa::path(get, path = "/admin/v1/usage", tag = "usage", operation_id = "report_usage", params(AskUsage),
    responses((status = 200, body = UsageReport), (status = "default", body = Problem)))]
pub(in crate::admin) async fn report<A: Admin>(
    State(admin): State<Arc<A>>,
    Query(ask): Query<AskUsage>,
) -> Answer<Response> {
    let question = ask.question()?;
    let read = Read { consistency: ask.consistency, min_index: ask.min_index };
    let index = admin.fresh(read).await?;
    Ok(told(admin.usage(question).await?, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_in_their_order_and_each_once() {
        let ask = AskUsage { by: "team, day,team".to_owned(), ..AskUsage::default() };
        assert_eq!(ask.question().unwrap().by, [By::Team, By::Day]);
        let odd = AskUsage { by: "teams".to_owned(), ..AskUsage::default() };
        assert!(odd.question().unwrap_err().detail().contains("did you mean team?"));
        let (from, to) = (Some(Day(9)), Some(Day(8)));
        let backwards = AskUsage { from, to, ..AskUsage::default() };
        assert_eq!(backwards.question().unwrap_err().status(), 422);
    }
}
