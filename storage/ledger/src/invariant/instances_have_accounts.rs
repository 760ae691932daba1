//! Every instance is of a budget that has instances, under a number of its own, and for somebody who is
//! there.

use super::ensure;
use crate::{Ledger, Per, ScopeId, ScopeKind, instance};
use std::collections::BTreeSet;

/// Looks up the budget and the subject of every instance. That it has its accounts, and the accounts no
/// other budget, is checked with those of the budgets.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let mut handles = BTreeSet::new();
    for ((handle, subject), instance) in &ledger.instances {
        let budget = ledger.budgets.values().find(|budget| budget.handle == *handle);
        let Some(budget) = budget else {
            return Err(format!("instance {subject} is of budget {handle}, which does not exist"));
        };
        let name = &budget.name;
        ensure(handles.insert(instance.handle) && instance.handle <= ledger.applied_index, || {
            format!("instance {subject} of {name} has the number {} of another", instance.handle)
        })?;
        ensure(instance.closes_at.is_some() == matches!(budget.per, Per::Session { .. }), || {
            format!("instance {subject} of {name} ends when it should not, or never: {instance:?}")
        })?;
        let key = instance::key_of(budget.per, subject)
            .map_err(|reason| format!("instance {subject} of {name}: {reason}"))?;
        let living = |id| ledger.keys.get(id).is_some_and(|key| key.revoked_at.is_none());
        ensure(key.is_none_or(living), || {
            format!("instance {subject} of {name} is of a key that is gone or revoked")
        })?;
        let user = instance::user_of(budget.per, subject);
        let user = user.map(|name| ScopeId { kind: ScopeKind::User, name: name.to_owned() });
        ensure(user.is_none_or(|id| ledger.scopes.contains_key(&id)), || {
            format!("instance {subject} of {name} is of a user who is gone")
        })?;
        for (id, _window) in budget.accounts_under(instance.handle) {
            let account = ledger.accounts.get(&id);
            ensure(account.is_some_and(|account| account.subject == *subject), || {
                format!("account {id} of {name} is not for {subject}: {account:?}")
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, OpenInstance};
    use crate::sample::{Log, budget, put_budget};
    use crate::{Instance, UnixMillis};

    fn with_instance() -> (Log, (u64, String)) {
        let mut log = Log::sample();
        let mut own = budget("own", 5);
        own.per = Per::Key;
        log.done(put_budget(own));
        let (budget, subject) = ("own".to_owned(), "id1".to_owned());
        let open = OpenInstance { budget, subject: subject.clone(), periods: Vec::new() };
        log.done(Command::OpenInstance(open));
        let key = (log.ledger.budgets["own"].handle, subject);
        (log, key)
    }

    #[test]
    fn an_instance_of_nobody_or_nothing_is_caught() {
        type Break = fn(&mut Ledger, (u64, String));
        let breaks: [Break; 6] = [
            |ledger, _| assert!(ledger.budgets.remove_mut("own")),
            |ledger, key| {
                let twin = (key.0, "id1".to_owned());
                let handle = ledger.instances[&twin].handle;
                let instance = Instance { handle, opened_at: UnixMillis(0), closes_at: None };
                ledger.instances.insert_mut((key.0, "id2".to_owned()), instance);
            },
            |ledger, key| {
                ledger.instances.get_mut(&key).unwrap().closes_at = Some(UnixMillis(1));
            },
            |ledger, _| ledger.keys.get_mut("id1").unwrap().revoked_at = Some(UnixMillis(1)),
            |ledger, key| {
                let handle = ledger.instances[&key].handle;
                let id = crate::AccountId { budget: handle, window: 0 };
                ledger.accounts.get_mut(&id).unwrap().subject = "id2".to_owned();
            },
            |ledger, key| ledger.instances.get_mut(&key).unwrap().handle = 1,
        ];
        for broken in breaks {
            let (mut log, key) = with_instance();
            assert_eq!(check(&log.ledger), Ok(()));
            broken(&mut log.ledger, key);
            assert!(check(&log.ledger).is_err());
        }
    }
}
