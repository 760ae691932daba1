//! What a key may do and how much is left, for whoever holds it: in our own shape, and in the shapes in
//! which other products answer the same question.

mod faces;

pub use faces::Face;

use crate::admin::{Timestamp, Usd};
use bytes::Bytes;
use serde::{Serialize, Serializer};

/// What an amount counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Dollars; amounts are billionths of one.
    #[default]
    Usd,
    /// Input and output tokens.
    Tokens,
    /// Requests that reached a provider.
    Requests,
}

/// An amount: dollars as a decimal text, anything else as a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// What it counts.
    pub unit: Unit,
    /// How much; of dollars, billionths.
    pub value: i64,
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.unit {
            Unit::Usd => Usd(self.value).serialize(serializer),
            Unit::Tokens | Unit::Requests => serializer.serialize_i64(self.value),
        }
    }
}

/// How one account on the key's path stands, as far as the node that answers knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountStanding {
    /// The budget.
    pub budget: String,
    /// Whose part of the budget it is; `None`: all share it.
    pub subject: Option<String>,
    /// `provider`, `provider/model` or a model, where only requests to it are charged.
    pub only: Option<String>,
    /// When it starts anew: `month`, `30d`, `rolling:1d`, `never`.
    pub window: String,
    /// Time zone of the window.
    pub time_zone: String,
    /// What it counts.
    pub unit: Unit,
    /// `hard` or `soft`.
    pub mode: &'static str,
    /// The limit.
    pub limit: Amount,
    /// Known to be spent.
    pub spent: Amount,
    /// Neither spent nor free: held by requests in flight, or set aside for other nodes.
    pub out: Amount,
    /// What a request of this key could use now.
    pub remaining: Amount,
    /// Begin of the period.
    pub starts_at: Timestamp,
    /// When the budget starts anew; `None`: never.
    pub resets_at: Option<Timestamp>,
}

/// How one rate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RateStanding {
    /// The limit.
    pub limit: u64,
    /// What the node that answers could admit now.
    pub remaining: u64,
    /// When all that counts now is free again, in milliseconds from now.
    pub reset_ms: u64,
}

/// How the rates of one limit on the key's path stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LimitStanding {
    /// Whose limit: `key:<id>`, `team:<name>`, `selector:<name>`, ...
    pub scope: String,
    /// As of an account.
    pub only: Option<String>,
    /// Requests begun in any minute.
    pub requests_per_minute: Option<RateStanding>,
    /// Tokens in any minute.
    pub tokens_per_minute: Option<RateStanding>,
    /// Requests in flight.
    pub concurrent_requests: Option<RateStanding>,
}

/// What a key used lately, in billionths of a dollar, by days of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Today.
    pub day_nano_usd: i64,
    /// Since Monday.
    pub week_nano_usd: i64,
    /// Since the first of the month.
    pub month_nano_usd: i64,
    /// Since the oldest day that is kept.
    pub all_nano_usd: i64,
}

/// All a key can know of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KeyStanding {
    /// Public id.
    pub id: String,
    /// The operators' name of it.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Customer it belongs to.
    pub customer: Option<String>,
    /// Team it belongs to.
    pub team: Option<String>,
    /// User it belongs to.
    pub user: Option<String>,
    /// Tags each of its requests carries.
    pub tags: Vec<String>,
    /// Whether a session named in `x-bursar-session` has budgets of its own.
    pub may_open_sessions: bool,
    /// Providers it may use; `None`: any.
    pub providers: Option<Vec<String>>,
    /// Models it may use; `None`: any.
    pub models: Option<Vec<String>>,
    /// The accounts its requests are charged to.
    pub budgets: Vec<AccountStanding>,
    /// The limits its requests are held to.
    pub limits: Vec<LimitStanding>,
    /// What it used; asked for by some shapes only.
    #[serde(skip)]
    pub spending: Spending,
}

impl KeyStanding {
    /// The budget in dollars that binds first: the one with least left.
    fn tightest(&self) -> Option<&AccountStanding> {
        let money = self.budgets.iter().filter(|account| account.unit == Unit::Usd);
        money.filter(|account| account.only.is_none()).min_by_key(|account| account.remaining.value)
    }

    /// The answer in one of the shapes.
    #[must_use]
    pub fn render(&self, face: Face) -> Bytes {
        faces::render(self, face)
    }
}
