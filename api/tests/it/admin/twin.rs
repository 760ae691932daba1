//! A stand-in for a node: maps, and a counter for the log index.

mod cluster;
mod objects;

use api::admin::v1::aliases::Alias;
use api::admin::v1::audit::{AuditEntry, Audits};
use api::admin::v1::budgets::{
    Amount, Because, Budget, BudgetActions, IncreaseSettings, Instance, Moved, Released,
    ResetSettings, TransferSettings, Why, WriteOff, WriteOffSettings,
};
use api::admin::v1::cluster::Id;
use api::admin::v1::keys::{Key, KeyActions, KeySettings, Keys};
use api::admin::v1::profiles::Profile;
use api::admin::v1::providers::Provider;
use api::admin::v1::scopes::Scope;
use api::admin::v1::selectors::Selector;
use api::admin::v1::usage::{Question, Sums, Usage, UsageReport};
use api::admin::v1::webhooks::{Webhook, WebhookActions, WebhookTest, Webhooks};
use api::admin::{
    Access, Actor, Answer, Check, Consistency, Day, Hidden, Listed, Objects, Page, Probes, Problem,
    Read, Timestamp, Versioned, Write, Written,
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
    customers: BTreeMap<String, Scope>,
    teams: BTreeMap<String, Scope>,
    users: BTreeMap<String, Scope>,
    selectors: BTreeMap<String, Selector>,
    profiles: BTreeMap<String, Profile>,
    providers: BTreeMap<String, Provider>,
    aliases: BTreeMap<String, Alias>,
    webhooks: BTreeMap<String, Webhook>,
    audit: Vec<AuditEntry>,
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

    async fn metrics(&self) -> Answer<String> {
        Ok("# HELP bursar_up Always 1.\n".to_owned())
    }
}

impl KeyActions for Twin {
    async fn create_key(
        &self,
        name: Option<String>,
        settings: KeySettings,
        write: Write,
    ) -> Answer<Written<Key>> {
        let name = name.unwrap_or_else(|| "made-up".to_owned());
        Objects::<Keys>::put(self, name, settings, write).await
    }

    async fn rotate_key(&self, name: String, write: Write) -> Answer<Written<Key>> {
        let key = Objects::<Keys>::find(self, &name);
        let mut key = key.ok_or_else(|| Problem::not_found("key", &name))?;
        write.condition.check(Some(key.changed_index))?;
        key.key = Some(Hidden("bsr-rotated".to_owned()));
        let index = key.changed_index;
        Ok(Written { object: key, index, created: false, not_confirmed_by: vec!["n3".to_owned()] })
    }
}

impl Twin {
    fn budget(&self, name: &str, write: &Write) -> Answer<Budget> {
        let budget = self.with(|state| state.budgets.get(name).cloned());
        let budget = budget.ok_or_else(|| Problem::not_found("budget", name))?;
        write.condition.check(Some(budget.changed_index()))?;
        Ok(budget)
    }

    /// Notes an action once for each operation; answers its log index.
    fn note(&self, write: &Write, what: &str, reason: String) -> u64 {
        self.with(|state| {
            let operation = Some(write.operation.clone()).filter(|operation| !operation.is_empty());
            let before = state.audit.iter().find(|entry| entry.operation == operation);
            if let Some(before) = before.filter(|_| operation.is_some()) {
                return before.log_index;
            }
            state.index += 1;
            state.audit.push(AuditEntry {
                log_index: state.index,
                at: Timestamp(0),
                actor: write.actor.0.clone(),
                reason,
                operation,
                what: what.to_owned(),
            });
            state.index
        })
    }
}

fn moved(budget: Budget, to: Option<Budget>, index: u64) -> Written<Moved> {
    let object = Moved { budget, instance: None, to, to_instance: None };
    Written { object, index, created: false, not_confirmed_by: Vec::new() }
}

impl BudgetActions for Twin {
    fn list_instances(&self, name: &str, page: &Page) -> Option<Listed<Instance>> {
        let budget = self.with(|state| state.budgets.get(name).cloned())?;
        let instance = |subject: &str| Instance {
            subject: subject.to_owned(),
            opened_at: Timestamp(0),
            closes_at: None,
            windows: budget.windows.clone(),
        };
        Some(page.cut(["a", "b", "c"].map(instance), |instance| &instance.subject))
    }

    async fn increase(
        &self,
        name: String,
        settings: IncreaseSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        let mut budget = self.budget(&name, &write)?;
        let amount = settings.amount(budget.unit)?;
        budget.windows[0].books.increased = amount;
        budget.windows[0].books.limit += amount;
        Ok(moved(budget, None, self.note(&write, "increased", settings.reason)))
    }

    async fn reset(
        &self,
        name: String,
        settings: ResetSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        let budget = self.budget(&name, &write)?;
        Ok(moved(budget, None, self.note(&write, "reset", settings.reason)))
    }

    async fn transfer(
        &self,
        name: String,
        settings: TransferSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        let (mut from, mut to) = (self.budget(&name, &write)?, self.budget(&settings.to, &write)?);
        let amount = settings.amount(from.unit)?;
        from.windows[0].books.moved -= amount;
        to.windows[0].books.moved += amount;
        Ok(moved(from, Some(to), self.note(&write, "moved", settings.reason)))
    }

    async fn write_off(
        &self,
        name: String,
        settings: WriteOffSettings,
        write: Write,
    ) -> Answer<Written<WriteOff>> {
        let mut budget = self.budget(&name, &write)?;
        let most = settings.most(budget.unit)?;
        let released = vec![Released {
            node: Id(7),
            label: "n7".to_owned(),
            incarnation: 1,
            amount: Amount::of(budget.unit, most.min(30)),
        }];
        let overspend_bound = Some(released[0].amount);
        budget.windows[0].overspend_because =
            vec![Because { why: Why::WrittenOff, amount: overspend_bound }];
        let index = budget.changed_index;
        let object = WriteOff { budget, released, overspend_bound, dry_run: settings.dry_run };
        Ok(Written { object, index, created: false, not_confirmed_by: Vec::new() })
    }
}

impl WebhookActions for Twin {
    async fn rotate_webhook(&self, name: String, write: Write) -> Answer<Written<Webhook>> {
        let webhook = Objects::<Webhooks>::find(self, &name);
        let mut object = webhook.ok_or_else(|| Problem::not_found("webhook", &name))?;
        write.condition.check(Some(object.changed_index))?;
        object.secret = Some(Hidden("whsec_rotated".to_owned()));
        let index = object.changed_index;
        Ok(Written { object, index, created: false, not_confirmed_by: Vec::new() })
    }

    async fn test_webhook(&self, name: String) -> Answer<WebhookTest> {
        let webhook = Objects::<Webhooks>::find(self, &name);
        webhook.ok_or_else(|| Problem::not_found("webhook", &name))?;
        Ok(WebhookTest { delivered: true, status: Some(204), detail: None, took_ms: 3 })
    }
}

impl Audits for Twin {
    fn list_audit(&self, page: &Page) -> Answer<Listed<AuditEntry>> {
        let newest =
            self.with(|state| state.audit.iter().rev().take(page.limit).cloned().collect());
        Ok(Listed { items: newest, next_cursor: None })
    }
}

impl Usage for Twin {
    async fn usage(&self, question: Question) -> Answer<UsageReport> {
        Ok(UsageReport {
            from: question.from,
            to: question.to.unwrap_or(Day(20_000)),
            by: question.by,
            rows: Vec::new(),
            total: Sums::default(),
            reconciliation: Vec::new(),
        })
    }
}
