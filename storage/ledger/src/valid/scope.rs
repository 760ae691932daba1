//! Scopes, selectors and profiles.

use super::key::{allow, budgets, labels, narrowed, tags};
use super::{invalid, managed_by, name};
use crate::{Denial, Profile, Scope, Selector};

/// A scope. What it refers to is checked where it is put.
pub(crate) fn scope(scope: &Scope) -> Result<(), Denial> {
    name("name", &scope.id.name)?;
    managed_by(&scope.managed_by)?;
    if let Some(parent) = &scope.parent
        && parent.kind >= scope.id.kind
    {
        return invalid("parent", format!("a {} belongs to no {}", scope.id.kind, parent.kind));
    }
    budgets("budgets", &scope.budgets)?;
    narrowed(&scope.narrowed)?;
    labels(&scope.labels)
}

/// A selector. What it refers to is checked where it is put.
pub(crate) fn selector(selector: &Selector) -> Result<(), Denial> {
    name("name", &selector.name)?;
    managed_by(&selector.managed_by)?;
    budgets("budgets", &selector.budgets)?;
    narrowed(&selector.narrowed)?;
    labels(&selector.labels)
}

/// A profile. What it refers to is checked where it is put.
pub(crate) fn profile(profile: &Profile) -> Result<(), Denial> {
    name("name", &profile.name)?;
    managed_by(&profile.managed_by)?;
    profile.providers.iter().try_for_each(|own| allow("providers", own))?;
    profile.models.iter().try_for_each(|own| allow("models", own))?;
    profile.budgets.iter().try_for_each(|own| budgets("budgets", own))?;
    profile.narrowed.iter().try_for_each(|own| narrowed(own))?;
    profile.labels.iter().try_for_each(labels)?;
    profile.tags.iter().try_for_each(|own| tags(own))
}
