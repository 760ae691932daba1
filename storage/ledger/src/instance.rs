//! Instances: the accounts of one subject, of a budget that is not shared by all.

use crate::calendar::Span;
use crate::{Account, AccountId, Budget, Ledger, Per, UnixMillis};

/// Most instances there may be, of all budgets together, closed ones that nodes may still report on
/// included. Tags and sessions are named by callers: without a limit they could fill the memory of every node.
pub const INSTANCES_MAX: u64 = 500_000;
/// Most of them that one budget may have, so that one key's sessions cannot take the room of all others.
pub const INSTANCES_OF_BUDGET_MAX: u64 = 50_000;

/// The accounts of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    /// Log index of its opening: the number its accounts carry, never reused.
    pub handle: u64,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// Closed by an entry of the log after this moment; `None`: lives as long as the budget.
    pub closes_at: Option<UnixMillis>,
}

/// The numbers the accounts of a budget carry: its own where all share them, else those of its instances.
pub(crate) fn handles(ledger: &Ledger, budget: &Budget) -> Vec<u64> {
    match budget.per {
        Per::All => vec![budget.handle],
        Per::Key | Per::User | Per::Tag | Per::Session { .. } => {
            of(ledger, budget.handle, "").map(|(_, instance)| instance.handle).collect()
        }
    }
}

/// Instances of a budget whose subject begins so, by subject.
fn of<'a>(
    ledger: &'a Ledger,
    budget: u64,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Instance)> {
    let instances = ledger.instances.range((budget, prefix.to_owned())..);
    instances
        .take_while(move |((of, subject), _)| *of == budget && subject.starts_with(prefix))
        .map(|((_, subject), instance)| (subject.as_str(), instance))
}

/// Opens the accounts of a budget under a handle. One period is given for each window.
pub(crate) fn open_accounts(
    ledger: &mut Ledger,
    budget: &Budget,
    whose: (u64, &str, UnixMillis),
    periods: &[Span],
) {
    let (handle, subject, created_at) = whose;
    for ((id, window), &(starts_at, ends_at)) in budget.accounts_under(handle).zip(periods) {
        let mut account = Account::open(budget, subject, &window);
        account.created_at = created_at;
        account.open_next(starts_at, ends_at);
        ledger.put_account(id, account);
    }
}

/// Closes the accounts that carry a handle. Those with something outstanding stay on the books, without
/// granting, until their periods are closed: nodes may still report.
pub(crate) fn close_accounts(ledger: &mut Ledger, at: UnixMillis, handle: u64) {
    let first = AccountId { budget: handle, window: 0 };
    let last = AccountId { budget: handle, window: u8::MAX };
    let ids: Vec<AccountId> = ledger.accounts.range(first..=last).map(|(&id, _)| id).collect();
    for id in ids {
        let Some(account) = ledger.accounts.get_mut(&id) else {
            continue;
        };
        account.deleted_at = Some(account.deleted_at.unwrap_or(at));
        forget_settled(ledger, id);
    }
}

/// Takes a closed account off the books where nothing is outstanding on it: nobody has any more to report.
pub(crate) fn forget_settled(ledger: &mut Ledger, id: AccountId) {
    let account = ledger.accounts.get(&id);
    if account.is_some_and(|account| account.deleted_at.is_some() && !account.has_outstanding()) {
        ledger.drop_account(id);
    }
}

/// Closes an instance.
pub(crate) fn close(ledger: &mut Ledger, at: UnixMillis, budget: u64, subject: &str) {
    let key = (budget, subject.to_owned());
    let Some(handle) = ledger.instances.get(&key).map(|instance| instance.handle) else {
        return;
    };
    ledger.instances.remove_mut(&key);
    close_accounts(ledger, at, handle);
}

/// Closes all instances of a budget.
pub(crate) fn close_of_budget(ledger: &mut Ledger, at: UnixMillis, budget: u64) {
    let subjects: Vec<String> = of(ledger, budget, "").map(|(subject, _)| subject.into()).collect();
    for subject in subjects {
        close(ledger, at, budget, &subject);
    }
}

/// Closes the instances of a key that was revoked: its own, and those of its sessions.
pub(crate) fn close_of_key(ledger: &mut Ledger, at: UnixMillis, key: &str) {
    for (budget, subject) in subjects_of_key(ledger, key) {
        close(ledger, at, budget, &subject);
    }
}

/// Closes the instances of a user that is no more.
pub(crate) fn close_of_user(ledger: &mut Ledger, at: UnixMillis, user: &str) {
    let per_user = ledger.budgets.values().filter(|budget| budget.per == Per::User);
    let budgets: Vec<u64> = per_user.map(|budget| budget.handle).collect();
    for budget in budgets {
        close(ledger, at, budget, &format!("user:{user}"));
    }
}

/// Instances that are this key's alone: handle of the budget, and subject.
fn subjects_of_key(ledger: &Ledger, key: &str) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    for budget in ledger.budgets.values() {
        let handle = budget.handle;
        match budget.per {
            Per::All | Per::Tag => {}
            Per::Key => all.push((handle, key.to_owned())),
            Per::User => all.push((handle, format!("key:{key}"))),
            Per::Session { .. } => {
                let prefix = format!("{key}/");
                let sessions = of(ledger, handle, &prefix);
                all.extend(sessions.map(|(subject, _)| (handle, subject.to_owned())));
            }
        }
    }
    all.retain(|instance| ledger.instances.contains_key(instance));
    all
}

/// The user an instance is for, by name, if it is for one.
pub(crate) fn user_of(per: Per, subject: &str) -> Option<&str> {
    match per {
        Per::User => subject.strip_prefix("user:"),
        Per::All | Per::Key | Per::Tag | Per::Session { .. } => None,
    }
}

/// The living key an instance is for alone, if the budget has such instances; `Err`: it names none.
pub(crate) fn key_of(per: Per, subject: &str) -> Result<Option<&str>, &'static str> {
    match per {
        Per::All => Err("the budget is shared by all"),
        Per::Key => Ok(Some(subject)),
        Per::Tag => Ok(None),
        Per::User => match subject.split_once(':') {
            Some(("key", key)) => Ok(Some(key)),
            Some(("user", user)) if !user.is_empty() => Ok(None),
            Some(_) | None => Err("is neither user:<name> nor key:<id>"),
        },
        Per::Session { .. } => match subject.split_once('/') {
            Some((key, session)) if !session.is_empty() => Ok(Some(key)),
            Some(_) | None => Err("is not <key id>/<session>"),
        },
    }
}
