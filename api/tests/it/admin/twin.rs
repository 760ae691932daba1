//! A stand-in for a node: maps, and a counter for the log index.

use api::admin::v1::aliases::{Alias, AliasSettings, Aliases};
use api::admin::v1::budgets::{
    Amount, Books, Budget, BudgetSettings, BudgetWindow, Budgets, Released, WriteOff,
    WriteOffSettings,
};
use api::admin::v1::cluster::{
    ClusterAdmin, ClusterStatus, Id, Leader, Member, Removed, TransferLeader,
};
use api::admin::v1::keys::{Key, KeySettings, Keys};
use api::admin::v1::models::{ListedModel, Models};
use api::admin::v1::nodes::{Counts, Node, Nodes};
use api::admin::v1::providers::{Credential, Provider, ProviderSettings, Providers};
use api::admin::{
    Access, Actor, Answer, Check, Consistency, Hidden, Listed, Page, Probes, Problem, Read,
    Timestamp, Versioned, Write, Written,
};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The token the stand-in takes.
pub(super) const TOKEN: &str = "token-of-the-stand-in";

#[derive(Default)]
pub(super) struct Twin {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    index: u64,
    linearizable_reads: u64,
    draining: bool,
    keys: BTreeMap<String, Key>,
    budgets: BTreeMap<String, Budget>,
    providers: BTreeMap<String, Provider>,
    aliases: BTreeMap<String, Alias>,
}

/// Replaces one object of a map under the write's condition.
fn put<T: Clone + Versioned>(
    map: &mut BTreeMap<String, T>,
    index: &mut u64,
    (name, write): (&str, &Write),
    make: impl FnOnce(u64) -> T,
) -> Answer<Written<T>> {
    let present = map.get(name).map(Versioned::changed_index);
    write.condition.check(present)?;
    *index += 1;
    let object = make(*index);
    map.insert(name.to_owned(), object.clone());
    Ok(Written { object, index: *index, created: present.is_none(), not_confirmed_by: Vec::new() })
}

fn delete<T: Versioned>(
    map: &mut BTreeMap<String, T>,
    index: &mut u64,
    (kind, name, write): (&str, &str, &Write),
) -> Answer<Written<T>> {
    let present = map.get(name).map(Versioned::changed_index);
    if present.is_none() {
        return Err(Problem::not_found(kind, name));
    }
    write.condition.check(present)?;
    *index += 1;
    let object = map.remove(name).ok_or_else(|| Problem::not_found(kind, name))?;
    Ok(Written { object, index: *index, created: false, not_confirmed_by: Vec::new() })
}

impl Twin {
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap())
    }

    pub(super) fn linearizable_reads(&self) -> u64 {
        self.with(|state| state.linearizable_reads)
    }
}

impl Access for Twin {
    fn actor(&self, token: &str) -> Option<Actor> {
        (token == TOKEN).then(|| Actor("tester".to_owned()))
    }

    async fn fresh(&self, read: Read) -> Answer<u64> {
        self.with(|state| {
            match read.consistency {
                Consistency::Local => {}
                Consistency::Linearizable => state.linearizable_reads += 1,
            }
            match read.min_index {
                Some(index) if index > state.index => {
                    Err(Problem::unavailable(format!("log index {index} was not applied here")))
                }
                Some(_) | None => Ok(state.index),
            }
        })
    }

    fn applied_index(&self) -> u64 {
        self.with(|state| state.index)
    }
}

impl Probes for Twin {
    fn live(&self) -> Vec<Check> {
        Vec::new()
    }

    fn ready(&self) -> Vec<Check> {
        let ok = !self.with(|state| state.draining);
        vec![Check { name: "not_draining".to_owned(), ok, detail: "so it is".to_owned() }]
    }

    fn started(&self) -> Vec<Check> {
        Vec::new()
    }

    fn metrics(&self) -> String {
        "# HELP bursar_up Always 1.\n".to_owned()
    }
}

impl Keys for Twin {
    fn list_keys(&self, page: &Page) -> Listed<Key> {
        self.with(|state| page.cut(state.keys.values().cloned(), |key| &key.name))
    }

    fn key(&self, name: &str) -> Option<Key> {
        self.with(|state| state.keys.get(name).cloned())
    }

    async fn put_key(
        &self,
        name: Option<String>,
        settings: KeySettings,
        write: Write,
    ) -> Answer<Written<Key>> {
        let name = name.unwrap_or_else(|| "made-up".to_owned());
        self.with(|state| {
            let fresh = !state.keys.contains_key(&name);
            let mut written =
                put(&mut state.keys, &mut state.index, (&name, &write), |index| Key {
                    name: name.clone(),
                    id: format!("id-{name}"),
                    key: None,
                    enabled: settings.enabled,
                    expires_at: settings.expires_at,
                    providers: settings.providers,
                    models: settings.models,
                    budgets: settings.budgets,
                    limits: settings.limits,
                    managed_by: format!("api:{}", write.actor.0),
                    created_at: Timestamp(0),
                    changed_index: index,
                    revoked_at: None,
                })?;
            written.object.key = fresh.then(|| Hidden("bsr-secret".to_owned()));
            Ok(written)
        })
    }

    async fn rotate_key(&self, name: String, write: Write) -> Answer<Written<Key>> {
        let mut key = self.key(&name).ok_or_else(|| Problem::not_found("key", &name))?;
        write.condition.check(Some(key.changed_index))?;
        key.key = Some(Hidden("bsr-rotated".to_owned()));
        let index = key.changed_index;
        Ok(Written { object: key, index, created: false, not_confirmed_by: vec!["n3".to_owned()] })
    }

    async fn revoke_key(&self, name: String, write: Write) -> Answer<Written<Key>> {
        self.with(|state| delete(&mut state.keys, &mut state.index, ("key", &name, &write)))
    }
}

impl Budgets for Twin {
    fn list_budgets(&self, page: &Page) -> Listed<Budget> {
        self.with(|state| page.cut(state.budgets.values().cloned(), |budget| &budget.name))
    }

    fn budget(&self, name: &str) -> Option<Budget> {
        self.with(|state| state.budgets.get(name).cloned())
    }

    async fn put_budget(
        &self,
        name: String,
        settings: BudgetSettings,
        write: Write,
    ) -> Answer<Written<Budget>> {
        let (unit, windows) = settings.resolve()?;
        let window = |(window, limit)| BudgetWindow {
            window,
            period: 1,
            starts_at: Timestamp(0),
            resets_at: None,
            books: Books { unit, limit, remaining: limit, ..Books::default() },
        };
        self.with(|state| {
            put(&mut state.budgets, &mut state.index, (&name, &write), |index| Budget {
                name: name.clone(),
                unit,
                mode: settings.mode,
                windows: windows.into_iter().map(window).collect(),
                managed_by: "api:tester".to_owned(),
                created_at: Timestamp(0),
                changed_index: index,
            })
        })
    }

    async fn delete_budget(&self, name: String, write: Write) -> Answer<Written<Budget>> {
        self.with(|state| delete(&mut state.budgets, &mut state.index, ("budget", &name, &write)))
    }

    async fn write_off(
        &self,
        name: String,
        settings: WriteOffSettings,
        write: Write,
    ) -> Answer<Written<WriteOff>> {
        let budget = self.budget(&name).ok_or_else(|| Problem::not_found("budget", &name))?;
        write.condition.check(Some(budget.changed_index))?;
        let most = settings.most(budget.unit)?;
        let released = vec![Released {
            node: Id(7),
            label: "n7".to_owned(),
            incarnation: 1,
            amount: Amount::of(budget.unit, most.min(30)),
        }];
        let overspend_bound = released[0].amount;
        let index = budget.changed_index;
        let object = WriteOff { budget, released, overspend_bound, dry_run: settings.dry_run };
        Ok(Written { object, index, created: false, not_confirmed_by: Vec::new() })
    }
}

impl Providers for Twin {
    fn list_providers(&self, page: &Page) -> Listed<Provider> {
        self.with(|state| page.cut(state.providers.values().cloned(), |provider| &provider.name))
    }

    fn provider(&self, name: &str) -> Option<Provider> {
        self.with(|state| state.providers.get(name).cloned())
    }

    async fn put_provider(
        &self,
        name: String,
        settings: ProviderSettings,
        write: Write,
    ) -> Answer<Written<Provider>> {
        let credential = |setting: api::admin::v1::providers::CredentialSettings| Credential {
            name: setting.name,
            weight: setting.weight,
            set: setting.secret.is_some(),
        };
        self.with(|state| {
            put(&mut state.providers, &mut state.index, (&name, &write), |index| Provider {
                name: name.clone(),
                kind: settings.kind,
                base_url: settings.base_url,
                credentials: settings.credentials.into_iter().map(credential).collect(),
                models: settings.models,
                unpriced: settings.unpriced,
                stream_usage: settings.stream_usage,
                timeout_ms: settings.timeout_ms,
                attempts_max: settings.attempts_max,
                allow_private_network: settings.allow_private_network,
                enabled: settings.enabled,
                managed_by: "api:tester".to_owned(),
                changed_index: index,
            })
        })
    }

    async fn delete_provider(&self, name: String, write: Write) -> Answer<Written<Provider>> {
        let asked = ("provider", name.as_str(), &write);
        self.with(|state| delete(&mut state.providers, &mut state.index, asked))
    }
}

impl Aliases for Twin {
    fn list_aliases(&self, page: &Page) -> Listed<Alias> {
        self.with(|state| page.cut(state.aliases.values().cloned(), |alias| &alias.name))
    }

    fn alias(&self, name: &str) -> Option<Alias> {
        self.with(|state| state.aliases.get(name).cloned())
    }

    async fn put_alias(
        &self,
        name: String,
        settings: AliasSettings,
        write: Write,
    ) -> Answer<Written<Alias>> {
        self.with(|state| {
            put(&mut state.aliases, &mut state.index, (&name, &write), |index| Alias {
                name: name.clone(),
                targets: settings.targets,
                managed_by: "api:tester".to_owned(),
                changed_index: index,
            })
        })
    }

    async fn delete_alias(&self, name: String, write: Write) -> Answer<Written<Alias>> {
        self.with(|state| delete(&mut state.aliases, &mut state.index, ("alias", &name, &write)))
    }
}

impl Models for Twin {
    fn list_models(&self, page: &Page) -> Listed<ListedModel> {
        page.cut(Vec::new(), |model: &ListedModel| &model.name)
    }
}

impl ClusterAdmin for Twin {
    fn cluster_status(&self) -> ClusterStatus {
        ClusterStatus {
            cluster_id: "01J".to_owned(),
            cluster_name: "test".to_owned(),
            node_id: Some(Id(u64::MAX)),
            phase: "member".to_owned(),
            term: 1,
            leader: Some(Id(u64::MAX)),
            quorum_ok: true,
            voters: vec![Id(u64::MAX)],
            learners: Vec::new(),
            committed_index: 1,
            applied_index: 1,
            last_log_index: 1,
            write_copies: 1,
            checks: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn members(&self) -> Vec<Member> {
        Vec::new()
    }

    async fn transfer_leader(&self, _: TransferLeader) -> Answer<Leader> {
        Ok(Leader { leader: Id(u64::MAX) })
    }

    async fn remove_member(&self, member: String) -> Answer<Removed> {
        Err(Problem::not_found("member", &member))
    }
}

impl Nodes for Twin {
    fn node(&self) -> Node {
        Node {
            id: Some(Id(u64::MAX)),
            label: "n1".to_owned(),
            version: "0".to_owned(),
            pid: 1,
            uptime_seconds: 0,
            incarnation: 1,
            base_url: String::new(),
            admin_url: String::new(),
            ready: true,
            draining: self.with(|state| state.draining),
            checks: Vec::new(),
            requests_in_flight: 0,
            streams_in_flight: 0,
            applied_index: 1,
        }
    }

    fn counts(&self) -> Counts {
        self.with(|state| Counts {
            keys: state.keys.len(),
            budgets: state.budgets.len(),
            providers: state.providers.len(),
            aliases: state.aliases.len(),
        })
    }

    fn begin_drain(&self) {
        self.with(|state| state.draining = true);
    }
}
