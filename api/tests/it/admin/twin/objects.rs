//! The stand-in's named objects: one map for each kind.

use super::{State, Twin};
use api::admin::v1::aliases::{Alias, AliasSettings, Aliases};
use api::admin::v1::budgets::{Books, Budget, BudgetSettings, BudgetWindow, Budgets};
use api::admin::v1::keys::{Key, KeySettings, Keys};
use api::admin::v1::profiles::{Profile, ProfileSettings, Profiles};
use api::admin::v1::providers::{
    Credential, CredentialSettings, Provider, ProviderSettings, Providers,
};
use api::admin::v1::scopes::{Customers, Scope, ScopeSettings, Teams, Users};
use api::admin::v1::selectors::{Selector, SelectorSettings, Selectors};
use api::admin::v1::webhooks::{Webhook, WebhookSettings, Webhooks};
use api::admin::{
    Answer, Hidden, Listed, Objects, Page, Problem, Resource, Timestamp, Versioned, Write, Written,
};
use std::collections::BTreeMap;

type Map<R> = BTreeMap<String, <R as Resource>::Object>;

/// Where a kind is kept, and how an object comes from its settings.
pub(super) trait Kept: Resource<Object: Clone + Sync, Settings: Sync> {
    fn map(state: &mut State) -> &mut Map<Self>;
    fn make(name: &str, settings: Self::Settings, made: Made) -> Answer<Self::Object>;
    fn name_of(object: &Self::Object) -> &str;
    /// What only the answer to the write that created the object shows.
    fn reveal(object: &mut Self::Object) {
        let _ = object;
    }
}

/// Who wrote, and where it stands in the log.
pub(super) struct Made {
    managed_by: String,
    changed_index: u64,
}

impl<R: Kept> Objects<R> for Twin {
    fn list(&self, page: &Page) -> Listed<R::Object> {
        self.with(|state| page.cut(R::map(state).values().cloned(), |object| R::name_of(object)))
    }

    fn find(&self, name: &str) -> Option<R::Object> {
        self.with(|state| R::map(state).get(name).cloned())
    }

    async fn put(
        &self,
        name: String,
        settings: R::Settings,
        write: Write,
    ) -> Answer<Written<R::Object>> {
        self.with(|state| {
            let present = R::map(state).get(&name).map(Versioned::changed_index);
            write.condition.check(present)?;
            let managed_by = format!("api:{}", write.actor.0);
            let changed_index = state.index + 1;
            let mut object = R::make(&name, settings, Made { managed_by, changed_index })?;
            state.index = changed_index;
            R::map(state).insert(name, object.clone());
            if present.is_none() {
                R::reveal(&mut object);
            }
            Ok(Written {
                object,
                index: changed_index,
                created: present.is_none(),
                not_confirmed_by: Vec::new(),
            })
        })
    }

    async fn delete(&self, name: String, write: Write) -> Answer<Written<R::Object>> {
        self.with(|state| {
            let none = || Problem::not_found(R::KIND, &name);
            let present = R::map(state).get(&name).ok_or_else(none)?;
            write.condition.check(Some(present.changed_index()))?;
            state.index += 1;
            let index = state.index;
            let object = R::map(state).remove(&name).ok_or_else(none)?;
            Ok(Written { object, index, created: false, not_confirmed_by: Vec::new() })
        })
    }
}

impl Kept for Keys {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.keys
    }

    fn make(name: &str, settings: KeySettings, made: Made) -> Answer<Key> {
        Ok(Key {
            name: name.to_owned(),
            id: format!("id-{name}"),
            key: None,
            enabled: settings.enabled,
            expires_at: settings.expires_at,
            providers: settings.providers,
            models: settings.models,
            budgets: settings.budgets,
            limits: settings.limits,
            customer: settings.customer,
            team: settings.team,
            user: settings.user,
            labels: settings.labels,
            narrowed: settings.narrowed,
            profile: settings.profile,
            profile_owns: Vec::new(),
            may_open_sessions: settings.may_open_sessions,
            tags: settings.tags,
            drain_on_disconnect: settings.drain_on_disconnect,
            may_use_files: settings.may_use_files,
            managed_by: made.managed_by,
            created_at: Timestamp(0),
            changed_index: made.changed_index,
            revoked_at: None,
        })
    }

    fn name_of(key: &Key) -> &str {
        &key.name
    }

    fn reveal(key: &mut Key) {
        key.key = Some(Hidden("bsr-secret".to_owned()));
    }
}

impl Kept for Budgets {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.budgets
    }

    fn make(name: &str, settings: BudgetSettings, made: Made) -> Answer<Budget> {
        let (unit, windows) = settings.resolve()?;
        let window = |(window, limit)| BudgetWindow {
            window,
            period: Some(1),
            starts_at: Some(Timestamp(0)),
            resets_at: None,
            books: Books {
                unit,
                limit,
                base_limit: limit,
                remaining: limit,
                overspend_bound: Some(0),
                ..Books::default()
            },
            increases: Vec::new(),
            each: None,
            overspend_because: Vec::new(),
        };
        Ok(Budget {
            name: name.to_owned(),
            unit,
            mode: settings.mode,
            time_zone: settings.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            per: settings.per,
            instances: None,
            without_quorum: settings.without_quorum,
            thresholds: settings.thresholds,
            steps: settings.steps,
            windows: windows.into_iter().map(window).collect(),
            managed_by: made.managed_by,
            created_at: Timestamp(0),
            changed_index: made.changed_index,
        })
    }

    fn name_of(budget: &Budget) -> &str {
        &budget.name
    }
}

fn scope(name: &str, settings: ScopeSettings, made: Made) -> Scope {
    Scope {
        name: name.to_owned(),
        customer: settings.customer,
        team: settings.team,
        budgets: settings.budgets,
        limits: settings.limits,
        narrowed: settings.narrowed,
        labels: settings.labels,
        managed_by: made.managed_by,
        created_at: Timestamp(0),
        changed_index: made.changed_index,
    }
}

macro_rules! kept_scopes {
    ($($kind:ty: $map:ident,)*) => {$(
        impl Kept for $kind {
            fn map(state: &mut State) -> &mut Map<Self> {
                &mut state.$map
            }

            fn make(name: &str, settings: ScopeSettings, made: Made) -> Answer<Scope> {
                Ok(scope(name, settings, made))
            }

            fn name_of(scope: &Scope) -> &str {
                &scope.name
            }
        }
    )*};
}

kept_scopes! {
    Customers: customers,
    Teams: teams,
    Users: users,
}

impl Kept for Selectors {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.selectors
    }

    fn make(name: &str, settings: SelectorSettings, made: Made) -> Answer<Selector> {
        Ok(Selector {
            name: name.to_owned(),
            labels: settings.labels,
            budgets: settings.budgets,
            limits: settings.limits,
            narrowed: settings.narrowed,
            managed_by: made.managed_by,
            changed_index: made.changed_index,
        })
    }

    fn name_of(selector: &Selector) -> &str {
        &selector.name
    }
}

impl Kept for Profiles {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.profiles
    }

    fn make(name: &str, settings: ProfileSettings, made: Made) -> Answer<Profile> {
        Ok(Profile {
            name: name.to_owned(),
            owned: settings.owned,
            keys: 0,
            managed_by: made.managed_by,
            changed_index: made.changed_index,
        })
    }

    fn name_of(profile: &Profile) -> &str {
        &profile.name
    }
}

impl Kept for Providers {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.providers
    }

    fn make(name: &str, settings: ProviderSettings, made: Made) -> Answer<Provider> {
        let credential = |setting: CredentialSettings| Credential {
            name: setting.name,
            weight: setting.weight,
            set: setting.secret.is_some(),
        };
        Ok(Provider {
            name: name.to_owned(),
            kind: settings.kind,
            base_url: settings.base_url,
            dialect: settings.dialect,
            headers: settings.headers,
            paths: settings.paths,
            credentials: settings.credentials.into_iter().map(credential).collect(),
            models: settings.models,
            unpriced: settings.unpriced,
            stream_usage: settings.stream_usage,
            timeout_ms: settings.timeout_ms,
            attempts_max: settings.attempts_max,
            allow_private_network: settings.allow_private_network,
            enabled: settings.enabled,
            managed_by: made.managed_by,
            changed_index: made.changed_index,
        })
    }

    fn name_of(provider: &Provider) -> &str {
        &provider.name
    }
}

impl Kept for Aliases {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.aliases
    }

    fn make(name: &str, settings: AliasSettings, made: Made) -> Answer<Alias> {
        Ok(Alias {
            name: name.to_owned(),
            targets: settings.targets,
            managed_by: made.managed_by,
            changed_index: made.changed_index,
        })
    }

    fn name_of(alias: &Alias) -> &str {
        &alias.name
    }
}

impl Kept for Webhooks {
    fn map(state: &mut State) -> &mut Map<Self> {
        &mut state.webhooks
    }

    fn make(name: &str, settings: WebhookSettings, made: Made) -> Answer<Webhook> {
        Ok(Webhook {
            name: name.to_owned(),
            url: settings.url,
            secret: None,
            allow_private_network: settings.allow_private_network,
            enabled: settings.enabled,
            waiting: 0,
            managed_by: made.managed_by,
            changed_index: made.changed_index,
        })
    }

    fn name_of(webhook: &Webhook) -> &str {
        &webhook.name
    }

    fn reveal(webhook: &mut Webhook) {
        webhook.secret = Some(Hidden("whsec_drawn".to_owned()));
    }
}
