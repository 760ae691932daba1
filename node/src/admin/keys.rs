//! Virtual keys.

use super::Node;
use super::propose::{Reach, if_index, managed_by};
use crate::vault::{hex, random};
use crate::virtual_key::{self, NewKey};
use api::admin::v1::keys::{Key, KeySettings, Keys, Limits};
use api::admin::{Answer, Hidden, Listed, Page, Problem, Timestamp, Usd, Window, Write, Written};
use ledger::command::{Command, DeleteBudget, PutBudget, PutKey, RevokeKey, RotateKey};
use ledger::{Allow, KeyHash, Ledger, RateLimits, UnixMillis, VirtualKey};

impl Keys for Node {
    fn list_keys(&self, page: &Page) -> Listed<Key> {
        let ledger = self.ledger();
        let living = ledger.keys_by_name.values();
        let keys = living.filter_map(|id| ledger.keys.get(id)).map(shown);
        page.cut(keys, |key| &key.name)
    }

    fn key(&self, name: &str) -> Option<Key> {
        find(&self.ledger(), name).map(shown)
    }

    async fn put_key(
        &self,
        name: Option<String>,
        settings: KeySettings,
        write: Write,
    ) -> Answer<Written<Key>> {
        let name = name.unwrap_or_else(|| format!("key-{}", hex(&random::<5>())));
        let present = self.ledger().living_key(&name).cloned();
        let changed_index = present.as_ref().map(|key| key.changed_index);
        write.condition.check(changed_index)?;
        let new = virtual_key::generate();
        let mut key = from_settings(&name, &settings, &write);
        key.id.clone_from(&new.id);
        key.hash = self.hash(&new)?;
        let own_budget = match settings.budget_usd {
            Some(limit) => Some(self.put_own_budget(&mut key, limit, &settings, &write).await?),
            None => None,
        };
        let if_index = if_index(&write, changed_index)?;
        let put = Command::PutKey(PutKey { key, if_index });
        let index = match self.propose("key", put).await {
            Ok(index) => index,
            Err(problem) => {
                self.take_back(own_budget, &write).await;
                return Err(problem);
            }
        };
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        let mut object = self.key(&name).ok_or_else(|| gone(&name))?;
        // The ledger keeps the id of a key that was there, whatever this node had applied before.
        let created = object.id == new.id;
        if created {
            object.key = Some(Hidden(new.key.expose().to_owned()));
        }
        Ok(Written { object, index, created, not_confirmed_by })
    }

    async fn rotate_key(&self, name: String, write: Write) -> Answer<Written<Key>> {
        let changed_index = self.ledger().living_key(&name).map(|key| key.changed_index);
        let new = virtual_key::generate();
        let rotate = RotateKey {
            name: name.clone(),
            id: new.id.clone(),
            hash: self.hash(&new)?,
            managed_by: managed_by(&write),
            if_index: if_index(&write, changed_index)?,
        };
        let index = self.propose("key", Command::RotateKey(rotate)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Stop).await;
        let mut object = self.key(&new.id).ok_or_else(|| gone(&name))?;
        object.key = Some(Hidden(new.key.expose().to_owned()));
        Ok(Written { object, index, created: false, not_confirmed_by })
    }

    async fn revoke_key(&self, name: String, write: Write) -> Answer<Written<Key>> {
        let present = find(&self.ledger(), &name).cloned();
        let changed_index = present.as_ref().map(|key| key.changed_index);
        let if_index = if_index(&write, changed_index)?;
        let revoke = RevokeKey { name: name.clone(), if_index };
        let index = self.propose("key", Command::RevokeKey(revoke)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Stop).await;
        // By id: the name is free from here on, and somebody may have taken it.
        let id = present.map_or(name, |key| key.id);
        let object = self.key(&id).ok_or_else(|| gone(&id))?;
        Ok(Written { object, index, created: false, not_confirmed_by })
    }
}

/// A budget of a key's own that was made just now, on the way to the key.
struct OwnBudget {
    name: String,
    created: bool,
}

impl Node {
    fn hash(&self, new: &NewKey) -> Answer<KeyHash> {
        let ledger = self.ledger();
        let pepper = self.parts.vault.pepper(ledger.key_pepper.as_ref());
        let pepper = pepper.map_err(|e| Problem::unavailable(e.to_string()))?;
        Ok(virtual_key::hash(pepper.expose(), new.key.expose()))
    }

    /// Makes or changes the budget `key:<name>` and puts it on the key's list.
    async fn put_own_budget(
        &self,
        key: &mut VirtualKey,
        limit: Usd,
        settings: &KeySettings,
        write: &Write,
    ) -> Answer<OwnBudget> {
        let name = KeySettings::own_budget(&key.name);
        let ledger = self.ledger();
        if ledger.living_key(&key.name).is_none() && ledger.budgets.contains_key(&name) {
            // Left by a revoked key of this name: a new key starts with nothing spent. Where another
            // key still names it, it stays and is shared, as that key's owner wanted.
            self.delete_budget_quietly(&name, write).await;
        }
        let mut budget = super::budgets::blank(&name, &managed_by(write));
        budget.windows = vec![ledger::BudgetWindow {
            window: super::budgets::window_in(settings.budget_window.unwrap_or(Window::Never)),
            limit: limit.0,
        }];
        let put = PutBudget { budget, if_index: None };
        let index = self.propose("budget", Command::PutBudget(put)).await?;
        let created = self.ledger().budgets.get(&name).is_some_and(|budget| budget.handle == index);
        if !key.budgets.contains(&name) {
            key.budgets.push(name.clone());
        }
        Ok(OwnBudget { name, created })
    }

    /// Removes a budget that was made for a key which then could not be made.
    async fn take_back(&self, budget: Option<OwnBudget>, write: &Write) {
        if let Some(OwnBudget { name, created: true }) = budget {
            self.delete_budget_quietly(&name, write).await;
        }
    }

    /// A budget that stays behind does no harm: no key names it.
    async fn delete_budget_quietly(&self, name: &str, write: &Write) {
        let delete =
            DeleteBudget { name: name.to_owned(), managed_by: managed_by(write), if_index: None };
        if let Err(problem) = self.propose("budget", Command::DeleteBudget(delete)).await {
            tracing::info!(budget = name, why = problem.detail(), "budget stays");
        }
    }
}

/// By name, or by public id.
fn find<'a>(ledger: &'a Ledger, name: &str) -> Option<&'a VirtualKey> {
    ledger.living_key(name).or_else(|| ledger.keys.get(name))
}

fn gone(name: &str) -> Problem {
    Problem::conflict(format!("key {name:?} was changed by somebody else in the meantime"))
        .fix("read it and decide again")
}

fn from_settings(name: &str, settings: &KeySettings, write: &Write) -> VirtualKey {
    VirtualKey {
        id: String::new(),
        name: name.to_owned(),
        hash: KeyHash([0; 32]),
        enabled: settings.enabled,
        expires_at: settings.expires_at.map(|at| UnixMillis(at.0)),
        providers: allow_in(settings.providers.as_ref()),
        models: allow_in(settings.models.as_ref()),
        budgets: settings.budgets.clone(),
        limits: RateLimits {
            requests_per_minute: settings.limits.requests_per_minute,
            tokens_per_minute: settings.limits.tokens_per_minute,
            concurrent_requests: settings.limits.concurrent_requests,
        },
        managed_by: managed_by(write),
        created_at: UnixMillis::default(),
        changed_index: 0,
        revoked_at: None,
    }
}

fn shown(key: &VirtualKey) -> Key {
    Key {
        name: key.name.clone(),
        id: key.id.clone(),
        key: None,
        enabled: key.enabled,
        expires_at: key.expires_at.map(|at| Timestamp(at.0)),
        providers: allow_out(&key.providers),
        models: allow_out(&key.models),
        budgets: key.budgets.clone(),
        limits: Limits {
            requests_per_minute: key.limits.requests_per_minute,
            tokens_per_minute: key.limits.tokens_per_minute,
            concurrent_requests: key.limits.concurrent_requests,
        },
        managed_by: key.managed_by.clone(),
        created_at: Timestamp(key.created_at.0),
        changed_index: key.changed_index,
        revoked_at: key.revoked_at.map(|at| Timestamp(at.0)),
    }
}

fn allow_in(names: Option<&Vec<String>>) -> Allow {
    names.map_or(Allow::All, |names| Allow::Only(names.clone()))
}

fn allow_out(allow: &Allow) -> Option<Vec<String>> {
    match allow {
        Allow::All => None,
        Allow::Only(names) => Some(names.clone()),
    }
}
