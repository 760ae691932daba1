//! Virtual keys.

use super::Node;
use super::budgets::{put_command, window_in};
use super::profiles::owns;
use super::propose::{Reach, if_index, managed_by};
use super::resource::gone;
use super::terms::{limits_in, limits_out, narrowed_in, narrowed_out, owner_in, owner_out};
use crate::vault::{hex, random};
use crate::virtual_key::{self, NewKey};
use api::admin::v1::keys::{Key, KeyActions, KeySettings, Keys};
use api::admin::{
    Answer, Hidden, Listed, Objects, Page, Problem, Timestamp, Usd, Window, Write, Written,
};
use ledger::command::{Command, DeleteBudget, PutKey, RevokeKey, RotateKey};
use ledger::{Allow, Budget, KeyHash, Ledger, ScopeKind, UnixMillis, VirtualKey};

impl Objects<Keys> for Node {
    fn list(&self, page: &Page) -> Listed<Key> {
        let ledger = self.ledger();
        let living = ledger.keys_by_name.values();
        let keys = living.filter_map(|id| ledger.keys.get(id));
        let found = page.cut(keys, |key| &key.name);
        Listed {
            items: found.items.into_iter().map(|key| shown(&ledger, key)).collect(),
            next_cursor: found.next_cursor,
        }
    }

    fn find(&self, name: &str) -> Option<Key> {
        let ledger = self.ledger();
        find(&ledger, name).map(|key| shown(&ledger, key))
    }

    async fn put(&self, name: String, settings: KeySettings, write: Write) -> Answer<Written<Key>> {
        self.put_key(name, settings, write).await
    }

    async fn delete(&self, name: String, write: Write) -> Answer<Written<Key>> {
        let present = find(&self.ledger(), &name).cloned();
        let changed_index = present.as_ref().map(|key| key.changed_index);
        let if_index = if_index(&write, changed_index)?;
        let revoke = RevokeKey { name: name.clone(), if_index };
        let index = self.propose("key", Command::RevokeKey(revoke)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Stop).await;
        // By id: the name is free from here on, and somebody may have taken it.
        let id = present.map_or(name, |key| key.id);
        let object = Objects::<Keys>::find(self, &id).ok_or_else(|| gone("key", &id))?;
        Ok(Written { object, index, created: false, not_confirmed_by })
    }
}

impl KeyActions for Node {
    async fn create_key(
        &self,
        name: Option<String>,
        settings: KeySettings,
        write: Write,
    ) -> Answer<Written<Key>> {
        let name = name.unwrap_or_else(|| format!("key-{}", hex(&random::<5>())));
        self.put_key(name, settings, write).await
    }

    async fn rotate_key(&self, name: String, write: Write) -> Answer<Written<Key>> {
        let ledger = self.ledger();
        let present = ledger.living_key(&name).ok_or_else(|| Problem::not_found("key", &name))?;
        let changed_index = Some(present.changed_index);
        let new = virtual_key::generate_for(present.id.clone());
        let rotate = RotateKey {
            name: name.clone(),
            id: new.id.clone(),
            hash: self.hash(&new)?,
            managed_by: managed_by(&write),
            if_index: if_index(&write, changed_index)?,
        };
        let index = self.propose("key", Command::RotateKey(rotate)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Stop).await;
        let object = Objects::<Keys>::find(self, &new.id);
        let mut object = object.ok_or_else(|| gone("key", &name))?;
        object.key = Some(Hidden(new.key.expose().to_owned()));
        Ok(Written { object, index, created: false, not_confirmed_by })
    }
}

/// A budget of a key's own that was made just now, on the way to the key.
struct OwnBudget {
    name: String,
    created: bool,
}

impl Node {
    async fn put_key(
        &self,
        name: String,
        settings: KeySettings,
        write: Write,
    ) -> Answer<Written<Key>> {
        let present = self.ledger().living_key(&name).cloned();
        let changed_index = present.as_ref().map(|key| key.changed_index);
        write.condition.check(changed_index)?;
        let new = virtual_key::generate();
        let mut key = from_settings(&name, &settings, &write)?;
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
        let object = Objects::<Keys>::find(self, &name);
        let mut object = object.ok_or_else(|| gone("key", &name))?;
        // The ledger keeps the id of a key that was there, whatever this node had applied before.
        let created = object.id == new.id;
        if created {
            object.key = Some(Hidden(new.key.expose().to_owned()));
        }
        Ok(Written { object, index, created, not_confirmed_by })
    }

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
        let window = window_in(settings.budget_window.unwrap_or(Window::Never));
        let budget = Budget {
            name: name.clone(),
            windows: vec![ledger::BudgetWindow { window, limit: limit.0 }],
            managed_by: managed_by(write),
            ..Budget::default()
        };
        let index = self.propose("budget", put_command(budget, None)?).await?;
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

fn from_settings(name: &str, settings: &KeySettings, write: &Write) -> Answer<VirtualKey> {
    Ok(VirtualKey {
        name: name.to_owned(),
        enabled: settings.enabled,
        expires_at: settings.expires_at.map(|at| UnixMillis(at.0)),
        providers: allow_in(settings.providers.as_ref()),
        models: allow_in(settings.models.as_ref()),
        budgets: settings.budgets.clone(),
        limits: limits_in(settings.limits),
        managed_by: managed_by(write),
        scope: owner_in(settings.owner()?),
        labels: settings.labels.clone(),
        narrowed: narrowed_in(settings.narrowed.clone()),
        profile: settings.profile.clone(),
        may_open_sessions: settings.may_open_sessions,
        tags: settings.tags.clone(),
        drain_on_disconnect: settings.drain_on_disconnect,
        may_use_files: settings.may_use_files,
        ..VirtualKey::default()
    })
}

fn shown(ledger: &Ledger, key: &VirtualKey) -> Key {
    let profile = key.profile.as_ref().and_then(|name| ledger.profiles.get(name));
    Key {
        name: key.name.clone(),
        id: key.id.clone(),
        key: None,
        enabled: key.enabled,
        expires_at: key.expires_at.map(|at| Timestamp(at.0)),
        providers: allow_out(&key.providers),
        models: allow_out(&key.models),
        budgets: key.budgets.clone(),
        limits: limits_out(key.limits),
        customer: owner_out(key.scope.as_ref(), ScopeKind::Customer),
        team: owner_out(key.scope.as_ref(), ScopeKind::Team),
        user: owner_out(key.scope.as_ref(), ScopeKind::User),
        labels: key.labels.clone(),
        narrowed: narrowed_out(&key.narrowed),
        profile: key.profile.clone(),
        profile_owns: profile.map(owns).unwrap_or_default(),
        may_open_sessions: key.may_open_sessions,
        tags: key.tags.clone(),
        drain_on_disconnect: key.drain_on_disconnect,
        may_use_files: key.may_use_files,
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
