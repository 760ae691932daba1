//! Whose budgets and limits does a key's request meet? The key's own, those of whom it belongs to, and
//! those of the selectors that look at it.

use crate::{Ledger, Narrowed, RateLimits, Scope, ScopeKind, Selector, VirtualKey};
use std::collections::BTreeMap;

/// Whom a key belongs to, by name. Empty: to none of that kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// Customer.
    pub customer: String,
    /// Team.
    pub team: String,
    /// User.
    pub user: String,
}

/// Whom a key belongs to.
pub fn lineage(ledger: &Ledger, key: &VirtualKey) -> Lineage {
    let mut lineage = Lineage::default();
    for scope in scopes_of(ledger, key) {
        let name = match scope.id.kind {
            ScopeKind::Customer => &mut lineage.customer,
            ScopeKind::Team => &mut lineage.team,
            ScopeKind::User => &mut lineage.user,
        };
        name.clone_from(&scope.id.name);
    }
    lineage
}

/// Something that puts budgets and limits on a key.
pub(super) struct Source<'a> {
    /// As [`super::LimitTerms::id`] says.
    pub(super) id: String,
    /// Names of budgets.
    pub(super) budgets: &'a [String],
    /// Rates and concurrency.
    pub(super) limits: RateLimits,
    /// Terms of single providers and models.
    pub(super) narrowed: &'a [Narrowed],
}

/// All that puts budgets and limits on a key: itself, its scopes, selectors.
pub(super) fn sources_of<'a>(ledger: &'a Ledger, key: &'a VirtualKey) -> Vec<Source<'a>> {
    let scopes = scopes_of(ledger, key);
    let selectors = selectors_of(ledger, key, &scopes);
    let own = Source {
        id: format!("key:{}", key.id),
        budgets: &key.budgets,
        limits: key.limits,
        narrowed: &key.narrowed,
    };
    let of_scope = |scope: &'a Scope| Source {
        id: format!("{}:{}", scope.id.kind, scope.id.name),
        budgets: &scope.budgets,
        limits: scope.limits,
        narrowed: &scope.narrowed,
    };
    let of_selector = |selector: &'a Selector| Source {
        id: format!("selector:{}", selector.name),
        budgets: &selector.budgets,
        limits: selector.limits,
        narrowed: &selector.narrowed,
    };
    let above = scopes.into_iter().map(of_scope);
    [own].into_iter().chain(above).chain(selectors.into_iter().map(of_selector)).collect()
}

/// The scopes above a key, from the lowest up. Kinds only rise on the way, so there are at most three.
pub(crate) fn scopes_of<'a>(ledger: &'a Ledger, key: &VirtualKey) -> Vec<&'a Scope> {
    let mut scopes: Vec<&Scope> = Vec::new();
    let mut next = key.scope.as_ref();
    while let Some(scope) = next.and_then(|id| ledger.scopes.get(id)) {
        if scopes.last().is_some_and(|below| below.id.kind <= scope.id.kind) {
            break;
        }
        scopes.push(scope);
        next = scope.parent.as_ref();
    }
    scopes
}

/// Selectors that look at this key, by name.
fn selectors_of<'a>(ledger: &'a Ledger, key: &VirtualKey, scopes: &[&Scope]) -> Vec<&'a Selector> {
    let labels = labels_of(key, scopes);
    let no_label = (String::new(), String::new());
    let filed_under = labels.iter().map(|(name, value)| ((*name).clone(), (*value).clone()));
    let mut found: Vec<&Selector> = filed_under
        .chain([no_label])
        .filter_map(|label| ledger.selectors_by_label.get(&label))
        .flatten()
        .filter_map(|name| ledger.selectors.get(name))
        .filter(|selector| bears(&labels, selector))
        .collect();
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Whether a selector looks at a key below these scopes.
pub(crate) fn selects(selector: &Selector, key: &VirtualKey, scopes: &[&Scope]) -> bool {
    bears(&labels_of(key, scopes), selector)
}

/// The labels a key bears. Its own stand before its scopes', a lower scope's before a higher one's.
fn labels_of<'a>(key: &'a VirtualKey, scopes: &[&'a Scope]) -> BTreeMap<&'a String, &'a String> {
    let mut labels: BTreeMap<&String, &String> = key.labels.iter().collect();
    for scope in scopes {
        for (name, value) in &scope.labels {
            labels.entry(name).or_insert(value);
        }
    }
    labels
}

/// Whether all labels a selector wants are among these.
fn bears(labels: &BTreeMap<&String, &String>, selector: &Selector) -> bool {
    selector.labels.iter().all(|(name, value)| labels.get(name) == Some(&value))
}
