//! Customers, teams and users: what is set on them counts for all keys below.

use super::terms::{Labels, Limits, Narrowed, Owner, check_narrowed};
use crate::admin::call::Versioned;
use crate::admin::resource::Resource;
use crate::admin::{Answer, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Customers; they belong to nobody.
#[derive(Clone, Copy, Debug)]
pub enum Customers {}

/// Teams; one may belong to a customer.
#[derive(Clone, Copy, Debug)]
pub enum Teams {}

/// Users; one may belong to a team or a customer.
#[derive(Clone, Copy, Debug)]
pub enum Users {}

/// What an operator says of a customer, a team or a user. A PUT replaces all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeSettings {
    /// The name in the path, or absent.
    pub name: Option<String>,
    /// The customer that a team or a user belongs to.
    pub customer: Option<String>,
    /// The team that a user belongs to.
    pub team: Option<String>,
    /// Names of the budgets that requests of all keys below are charged to.
    pub budgets: Vec<String>,
    /// Rates and concurrency of all keys below together.
    pub limits: Limits,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// Selectors look at them where the key has no label of that name.
    pub labels: Labels,
}

/// A customer, a team or a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Scope {
    /// Unique among its kind.
    pub name: String,
    /// The customer it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The team it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Names of the budgets that requests of all keys below are charged to.
    pub budgets: Vec<String>,
    /// Rates and concurrency of all keys below together.
    pub limits: Limits,
    /// Terms of single providers and models.
    pub narrowed: Vec<Narrowed>,
    /// Selectors look at them where the key has no label of that name.
    pub labels: Labels,
    /// Who owns it.
    pub managed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Versioned for Scope {
    fn changed_index(&self) -> u64 {
        self.changed_index
    }
}

impl ScopeSettings {
    /// To whom it belongs.
    ///
    /// # Errors
    ///
    /// A customer and a team.
    pub fn owner(&self) -> Answer<Option<Owner<'_>>> {
        Owner::one_of(self.customer.as_deref(), self.team.as_deref(), None)
    }

    fn check(&self, kind: &str, has_customer: bool, has_team: bool) -> Answer<()> {
        for (field, given, may) in
            [("customer", &self.customer, has_customer), ("team", &self.team, has_team)]
        {
            if given.is_some() && !may {
                let say = format!("a {kind} belongs to no {field}");
                return Err(Problem::invalid(field, say));
            }
        }
        self.owner()?;
        check_narrowed(&self.narrowed)
    }
}

impl Resource for Customers {
    const KIND: &'static str = "customer";
    const PATH: &'static str = "customers";
    const LISTS: &'static str = "Lists customers.";
    const PUTS: &'static str = "Creates or replaces a customer.";
    const DELETES: &'static str = "Deletes a customer that no key, user or team belongs to.";
    type Object = Scope;
    type Settings = ScopeSettings;

    fn name(settings: &ScopeSettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &ScopeSettings) -> Answer<()> {
        settings.check(Self::KIND, false, false)
    }
}

impl Resource for Teams {
    const KIND: &'static str = "team";
    const PATH: &'static str = "teams";
    const LISTS: &'static str = "Lists teams.";
    const PUTS: &'static str = "Creates or replaces a team.";
    const DELETES: &'static str = "Deletes a team that no key and no user belongs to.";
    type Object = Scope;
    type Settings = ScopeSettings;

    fn name(settings: &ScopeSettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &ScopeSettings) -> Answer<()> {
        settings.check(Self::KIND, true, false)
    }
}

impl Resource for Users {
    const KIND: &'static str = "user";
    const PATH: &'static str = "users";
    const LISTS: &'static str = "Lists users.";
    const PUTS: &'static str = "Creates or replaces a user.";
    const DELETES: &'static str = "Deletes a user that no key belongs to.";
    type Object = Scope;
    type Settings = ScopeSettings;

    fn name(settings: &ScopeSettings) -> Option<&str> {
        settings.name.as_deref()
    }

    fn check(settings: &ScopeSettings) -> Answer<()> {
        settings.check(Self::KIND, true, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<R: Resource<Settings = ScopeSettings>>(json: &str) -> Result<(), String> {
        R::check(&serde_json::from_str(json).unwrap()).map_err(|said| said.detail().to_owned())
    }

    #[test]
    fn each_kind_belongs_to_a_kind_above() {
        let (of_customer, of_team) = (r#"{"customer":"acme"}"#, r#"{"team":"red"}"#);
        assert_eq!(check::<Teams>(of_customer), Ok(()));
        assert_eq!(check::<Users>(of_customer), Ok(()));
        assert_eq!(check::<Users>(of_team), Ok(()));
        let said = check::<Customers>(of_customer).unwrap_err();
        assert_eq!(said, "customer: a customer belongs to no customer");
        assert_eq!(check::<Teams>(of_team).unwrap_err(), "team: a team belongs to no team");
        assert!(check::<Users>(r#"{"customer":"acme","team":"red"}"#).is_err());
        assert!(check::<Teams>(r#"{"narrowed":[{}]}"#).unwrap_err().starts_with("narrowed[0]"));
    }
}
