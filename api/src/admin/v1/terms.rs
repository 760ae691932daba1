//! What keys, scopes, selectors and profiles have in common: limits, narrowed terms, and to whom they belong.

use crate::admin::{Answer, Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Labels: what selectors look at.
pub type Labels = BTreeMap<String, String>;

/// Limits that apply at once and are not budgets. Absent: no limit. Zero lets nothing through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests begun in any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Input and output tokens in any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests in flight at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u64>,
}

/// What counts besides, where a request goes to this provider or model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Narrowed {
    /// Only requests to this provider. Absent: to any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only requests to this model, as `provider/model` or a bare name. Absent: to any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Names of the budgets that such requests are charged to.
    pub budgets: Vec<String>,
    /// Rates and concurrency of such requests.
    pub limits: Limits,
}

/// Checks that narrowed terms are narrower than none at all.
pub(super) fn check_narrowed(narrowed: &[Narrowed]) -> Answer<()> {
    for (nth, terms) in narrowed.iter().enumerate() {
        if terms.provider.is_none() && terms.model.is_none() {
            let say = "names neither a provider nor a model: put it beside, not into narrowed";
            return Err(Problem::invalid(format!("narrowed[{nth}]"), say));
        }
    }
    Ok(())
}

/// To whom something belongs: at most one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A customer, by name.
    Customer(&'a str),
    /// A team, by name.
    Team(&'a str),
    /// A user, by name.
    User(&'a str),
}

impl<'a> Owner<'a> {
    /// The one that is given, if one is.
    ///
    /// # Errors
    ///
    /// Several are.
    pub fn one_of(
        customer: Option<&'a str>,
        team: Option<&'a str>,
        user: Option<&'a str>,
    ) -> Answer<Option<Self>> {
        let given = [
            ("customer", customer.map(Self::Customer)),
            ("team", team.map(Self::Team)),
            ("user", user.map(Self::User)),
        ];
        let mut given = given.into_iter().filter_map(|(field, owner)| Some((field, owner?)));
        match (given.next(), given.next()) {
            (Some((first, _)), Some((second, _))) => {
                let say =
                    format!("cannot stand beside {first}: name the nearest, it knows the rest");
                Err(Problem::invalid(second, say))
            }
            (first, _) => Ok(first.map(|(_, owner)| owner)),
        }
    }
}

/// A list of what is allowed: `"all"`, or names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "\"all\", or a list of names")]
pub enum Allowed {
    /// Anything.
    All(All),
    /// Only these names. Empty allows nothing.
    Only(Vec<String>),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum All {
    /// That word.
    All,
}

impl PartialSchema for Allowed {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        OneOfBuilder::new()
            .item(text().enum_values(Some(["all"])))
            .item(ArrayBuilder::new().items(text()))
            .description(Some("What is allowed: all, or only these names."))
            .into()
    }
}

impl ToSchema for Allowed {
    fn name() -> std::borrow::Cow<'static, str> {
        "Allowed".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_belongs_to_one_at_most() {
        assert_eq!(Owner::one_of(None, None, None), Ok(None));
        assert_eq!(Owner::one_of(None, Some("red"), None), Ok(Some(Owner::Team("red"))));
        let both = Owner::one_of(Some("acme"), Some("red"), None).unwrap_err();
        assert_eq!((both.status(), both.errors()[0].field.as_str()), (422, "team"));
    }

    #[test]
    fn what_is_allowed_is_a_word_or_a_list() {
        let read = |text| serde_json::from_str::<Allowed>(text);
        assert_eq!(read(r#""all""#).unwrap(), Allowed::All(All::All));
        assert_eq!(read(r#"["a"]"#).unwrap(), Allowed::Only(vec!["a".to_owned()]));
        let said = read(r#""none""#).unwrap_err().to_string();
        assert!(said.contains("\"all\", or a list of names"), "{said}");
        assert_eq!(serde_json::to_string(&Allowed::All(All::All)).unwrap(), r#""all""#);
    }
}
