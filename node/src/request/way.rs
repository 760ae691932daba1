//! What a request to one place is charged to and limited by, made ready: accounts with their purses, rates
//! with their meters, and what its receipt will say of all that.

use super::terms::{Candidate, Terms};
use crate::plane::Shared;
use api::inference::Hints;
use cluster::allowance::Path;
use cluster::rates::RateTerms;
use ledger::view::{self, AccountTerms, Asked, Lineage, Missing, PATH_ACCOUNTS_MAX};
use ledger::{Ledger, Unit, UsageKey};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Most sets of tags and sessions that are kept for one place and key.
const HINTED_MAX: usize = 1_024;

/// What a request to one place is charged to and limited by.
pub(crate) struct Way {
    pub(crate) path: Arc<Path>,
    /// Rates, the key's own first; each id once.
    pub(crate) limits: Vec<Rc<Limit>>,
    pub(crate) facts: Arc<Facts>,
    /// Some account counts money.
    pub(crate) money: bool,
    /// Some account of money or tokens admits nothing that could pass its limit.
    pub(crate) hard: bool,
    /// Some account has steps on the way to its limit.
    pub(crate) steps: bool,
}

/// One limit that requests share, with its meter.
pub(crate) struct Limit {
    /// `key:<id>`, `team:<name>`, `selector:<name>`, ...; with a provider or model behind a slash.
    pub(crate) id: String,
    pub(crate) terms: RateTerms,
}

/// What a receipt says of where a request went and who paid.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Accounts charged, in the order of the path's purses.
    pub(crate) accounts: Vec<AccountTerms>,
    pub(crate) key_id: Arc<str>,
    pub(crate) key_name: Arc<str>,
    pub(crate) lineage: Lineage,
    pub(crate) provider: Arc<str>,
    pub(crate) model: Arc<str>,
    pub(crate) prices: Arc<cost::Prices>,
    pub(crate) tags: Vec<String>,
    pub(crate) session: Option<String>,
}

/// Why there is no way yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoWay {
    /// These instances must be opened first.
    Missing(Vec<Missing>),
    /// So many accounts would be charged.
    TooMany(usize),
}

/// The ways to one place that one key has, by tags and session.
#[derive(Default)]
pub(crate) struct Ways {
    /// Without tags beside the key's own, and without a session.
    plain: RefCell<Option<Rc<Way>>>,
    hinted: RefCell<HashMap<Hints, Rc<Way>>>,
}

impl Ways {
    /// The way for these hints, prepared where it is not yet.
    ///
    /// # Errors
    ///
    /// Instances that are not open, or too many accounts.
    pub(crate) fn get(
        &self,
        hints: &Hints,
        prepare: impl FnOnce() -> Result<Way, NoWay>,
    ) -> Result<Rc<Way>, NoWay> {
        if is_plain(hints) {
            if let Some(way) = &*self.plain.borrow() {
                return Ok(Rc::clone(way));
            }
            let way = Rc::new(prepare()?);
            *self.plain.borrow_mut() = Some(Rc::clone(&way));
            return Ok(way);
        }
        if let Some(way) = self.hinted.borrow().get(hints) {
            return Ok(Rc::clone(way));
        }
        let way = Rc::new(prepare()?);
        let mut hinted = self.hinted.borrow_mut();
        if hinted.len() >= HINTED_MAX {
            hinted.clear();
        }
        hinted.insert(hints.clone(), Rc::clone(&way));
        Ok(way)
    }

    /// Forgets the way for these hints: a period on it is over.
    pub(crate) fn forget(&self, hints: &Hints) {
        if is_plain(hints) {
            *self.plain.borrow_mut() = None;
        } else {
            self.hinted.borrow_mut().remove(hints);
        }
    }
}

fn is_plain(hints: &Hints) -> bool {
    hints.tags.is_empty() && hints.session.is_none()
}

impl Way {
    /// Makes the way ready.
    ///
    /// # Errors
    ///
    /// Instances that are not open, or too many accounts.
    pub(crate) fn prepare(
        ledger: &Ledger,
        terms: &Terms,
        candidate: &Candidate,
        hints: &Hints,
        shared: &Shared,
    ) -> Result<Self, NoWay> {
        let asked = Asked {
            provider: &candidate.upstream.name,
            model: &candidate.label,
            session: hints.session.as_deref(),
            tags: &hints.tags,
        };
        let found = view::path_of(ledger, &terms.key, &asked);
        let count = found.accounts.len() + found.missing.len();
        if count > PATH_ACCOUNTS_MAX {
            return Err(NoWay::TooMany(count));
        }
        if !found.missing.is_empty() {
            return Err(NoWay::Missing(found.missing));
        }
        let facts = Facts {
            key_id: Arc::clone(&terms.key_id),
            key_name: Arc::clone(&terms.key_name),
            lineage: view::lineage(ledger, &terms.key),
            provider: Arc::clone(&candidate.upstream.name),
            model: Arc::clone(&candidate.label),
            prices: Arc::clone(&candidate.prices),
            tags: tags(terms, hints),
            session: hints.session.clone(),
            accounts: found.accounts,
        };
        let purses = facts.accounts.iter().map(|account| shared.purse(account)).collect();
        let path = shared.cluster.allowances().path(purses, usage_row(&facts));
        let limit = |limit: view::LimitTerms| {
            let terms = shared.cluster.rates().terms(&limit.id, limit.limits);
            Rc::new(Limit { id: limit.id, terms })
        };
        Ok(Self {
            path,
            limits: found.limits.into_iter().map(limit).collect(),
            money: facts.accounts.iter().any(|account| account.unit == Unit::NanoUsd),
            hard: facts.accounts.iter().any(cost::is_hard),
            steps: facts.accounts.iter().any(|account| !account.steps.is_empty()),
            facts: Arc::new(facts),
        })
    }
}

/// The tags of the key and of the request, sorted, each once.
fn tags(terms: &Terms, hints: &Hints) -> Vec<String> {
    let mut tags: Vec<String> = terms.key.tags.iter().chain(&hints.tags).cloned().collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The row of usage the requests of this way count in; the day is that of the report.
fn usage_row(facts: &Facts) -> UsageKey {
    let mut budgets: Vec<u64> = facts.accounts.iter().map(|terms| terms.account.budget).collect();
    // One budget may have several windows.
    budgets.sort_unstable();
    budgets.dedup();
    UsageKey {
        day: 0,
        key: facts.key_id.to_string(),
        customer: facts.lineage.customer.clone(),
        team: facts.lineage.team.clone(),
        user: facts.lineage.user.clone(),
        provider: facts.provider.to_string(),
        model: facts.model.to_string(),
        tags: facts.tags.clone(),
        budgets,
    }
}
