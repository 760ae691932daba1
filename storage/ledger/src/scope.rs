//! Scopes: customers, teams and users, whose budgets and limits count for the keys below them.

use crate::{Narrowed, RateLimits, UnixMillis};
use std::collections::BTreeMap;
use std::fmt;

/// What a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// A customer; belongs to nobody.
    Customer,
    /// A team; may belong to a customer.
    Team,
    /// A user; may belong to a team or a customer.
    User,
}

impl ScopeKind {
    /// All of them, from the top down.
    pub const ALL: [ScopeKind; 3] = [ScopeKind::Customer, ScopeKind::Team, ScopeKind::User];

    /// In lower case, as an operator writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ScopeKind::Customer => "customer",
            ScopeKind::Team => "team",
            ScopeKind::User => "user",
        }
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A scope by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId {
    /// What it is.
    pub kind: ScopeKind,
    /// Its name, unique among its kind.
    pub name: String,
}

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A customer, a team or a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Kind and name.
    pub id: ScopeId,
    /// Whom it belongs to: a scope of a kind above.
    pub parent: Option<ScopeId>,
    /// Names of the budgets that requests of all keys below are charged to.
    pub budgets: Vec<String>,
    /// Rates and concurrency of all keys below together.
    pub limits: RateLimits,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// Selectors look at them where the key has no label of that name.
    pub labels: BTreeMap<String, String>,
    /// Who owns it.
    pub managed_by: String,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

/// Terms of every key that bears some labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    /// Unique name.
    pub name: String,
    /// All of these must be on the key. Empty: every key.
    pub labels: BTreeMap<String, String>,
    /// Names of budgets. One [`crate::Per::Key`] is each key's own, any other is shared.
    pub budgets: Vec<String>,
    /// Rates and concurrency of all these keys together.
    pub limits: RateLimits,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Selector {
    /// Whether requests are charged to anything because of it.
    pub fn charges(&self) -> bool {
        !self.budgets.is_empty() || self.narrowed.iter().any(|it| !it.budgets.is_empty())
    }

    /// The label it is looked up by: the one with the longest value, which is likely the rarest; of
    /// several the last. Two empty names where it has none.
    pub fn index_label(&self) -> (String, String) {
        let rarest = self.labels.iter().max_by_key(|(_, value)| value.len());
        rarest.map(|(name, value)| (name.clone(), value.clone())).unwrap_or_default()
    }
}
