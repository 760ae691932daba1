//! Opens the accounts of one subject of a budget that is not shared by all.

use super::At;
use super::put_budget::first_periods;
use crate::calendar::Span;
use crate::guard;
use crate::instance::{self, INSTANCES_MAX, INSTANCES_OF_BUDGET_MAX};
use crate::{Budget, Change, Denial, Instance, Ledger, Per, ScopeId, ScopeKind, UnixMillis};

/// Longest subject.
const SUBJECT_BYTES_MAX: usize = 512;

/// Opens the accounts of one subject of a budget that is not shared by all.
///
/// Proposed by a node that has a request for the subject. A session begins with it and ends by itself. It
/// is no change of the configuration: nothing that is prepared for other requests is any different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInstance {
    /// Name of the budget.
    pub budget: String,
    /// Whom it is for. One that is open is a repetition. A key's or a session's is opened while the key
    /// lives, a user's while there is that user, and no more after.
    pub subject: String,
    /// First period of each window, by the proposer's calendar, as in [`super::PutBudget::periods`].
    pub periods: Vec<Span>,
}

impl OpenInstance {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(budget) = ledger.budgets.get(&self.budget).cloned() else {
            return Err(Denial::NotFound("budget", self.budget.clone()));
        };
        let key = (budget.handle, self.subject.clone());
        if ledger.instances.contains_key(&key) {
            return Ok(Vec::new());
        }
        self.check(ledger, &budget)?;
        let periods = first_periods(&budget, at.at, &self.periods)?;
        let whose = (at.index, self.subject.as_str(), at.at);
        instance::open_accounts(ledger, &budget, whose, &periods);
        let closes_at = match budget.per {
            Per::Session { ttl_ms } => Some(UnixMillis(at.at.0.saturating_add(ttl_ms))),
            Per::All | Per::Key | Per::User | Per::Tag => None,
        };
        let opened = Instance { handle: at.index, opened_at: at.at, closes_at };
        ledger.instances.insert_mut(key, opened);
        Ok(Vec::new())
    }

    fn check(&self, ledger: &Ledger, budget: &Budget) -> Result<(), Denial> {
        let subject = &self.subject;
        let invalid = |reason: String| Err(Denial::Invalid("subject", reason));
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
            return invalid(format!("has {} bytes, 1 to 512 are allowed", subject.len()));
        }
        if subject.chars().any(char::is_control) {
            return invalid(format!("{subject:?} is not printable"));
        }
        match instance::key_of(budget.per, subject) {
            Err(reason) => return invalid(format!("{subject:?}: {reason}")),
            Ok(None) => user_exists(ledger, budget.per, subject)?,
            Ok(Some(id)) => {
                let key = ledger.keys.get(id).filter(|key| key.revoked_at.is_none());
                if key.is_none() {
                    return Err(Denial::NotFound("key", id.to_owned()));
                }
            }
        }
        room(ledger, budget)
    }
}

fn user_exists(ledger: &Ledger, per: Per, subject: &str) -> Result<(), Denial> {
    let Some(name) = instance::user_of(per, subject) else {
        return Ok(());
    };
    let id = ScopeId { kind: ScopeKind::User, name: name.to_owned() };
    guard::scope_exists(ledger, Some(&id))
}

/// Denied where the budget, or all of them together, have as many instances as there may be.
fn room(ledger: &Ledger, budget: &Budget) -> Result<(), Denial> {
    let name = &budget.name;
    let own = ledger.instances_of.get(name).copied().unwrap_or(0);
    if own >= INSTANCES_OF_BUDGET_MAX {
        return Err(Denial::Full("instances", format!("budget {name} has {own}")));
    }
    let all = ledger.instances_of.values().copied().fold(0, u64::saturating_add);
    if all >= INSTANCES_MAX {
        return Err(Denial::Full("instances", format!("all budgets together have {all}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{CloseInstance, Command, DeleteBudget, RefillLine, RotateKey};
    use crate::sample::{LIMIT, Log, NODES, SPAN_MS, budget, line, put_budget, put_scope, user};
    use crate::{AccountId, KeyHash, Outcome, Window};

    fn per(log: &mut Log, name: &str, per: Per) -> u64 {
        let mut own = budget(name, LIMIT);
        own.per = per;
        log.done(put_budget(own));
        log.ledger.budgets[name].handle
    }

    fn open(budget: &str, subject: &str) -> Command {
        let (budget, subject) = (budget.to_owned(), subject.to_owned());
        Command::OpenInstance(OpenInstance { budget, subject, periods: Vec::new() })
    }

    fn account_of(log: &Log, budget: u64, subject: &str) -> AccountId {
        let handle = log.ledger.instances[&(budget, subject.to_owned())].handle;
        AccountId { budget: handle, window: 0 }
    }

    #[test]
    fn each_subject_has_accounts_of_its_own_from_its_opening_on() {
        let mut log = Log::sample();
        let own = per(&mut log, "own", Per::Key);
        assert!(!log.ledger.accounts.contains_key(&AccountId { budget: own, window: 0 }));
        log.now_ms = 700;
        let config_index = log.ledger.config_index;
        assert_eq!(log.done(open("own", "id1")), []);
        assert_eq!(log.done(open("own", "id1")), []);
        assert_eq!(log.ledger.config_index, config_index);
        let id = account_of(&log, own, "id1");
        let account = &log.ledger.accounts[&id];
        assert_eq!((account.subject.as_str(), account.pool()), ("id1", LIMIT));
        let present = account.present().unwrap();
        assert_eq!(present.starts_at, UnixMillis(700));
        assert_eq!(present.ends_at, Some(UnixMillis(700 + SPAN_MS)));
    }

    #[test]
    fn a_session_ends_by_itself_and_only_a_living_keys_is_opened() {
        let mut log = Log::sample();
        let runs = per(&mut log, "runs", Per::Session { ttl_ms: 5_000 });
        log.now_ms = 100;
        log.done(open("runs", "id1/run-7"));
        let session = &log.ledger.instances[&(runs, "id1/run-7".to_owned())];
        assert_eq!(session.closes_at, Some(UnixMillis(5_100)));
        for odd in ["id1", "id1/", "/x", "id9/x", ""] {
            assert!(matches!(log.propose(open("runs", odd)).0, Outcome::Denied(_)), "{odd}");
        }
        let id = account_of(&log, runs, "id1/run-7");
        log.revoke("ann");
        assert!(log.ledger.instances.is_empty() && !log.ledger.accounts.contains_key(&id));
        let gone = Denial::NotFound("key", "id1".to_owned());
        assert_eq!(log.propose(open("runs", "id1/x")).0, Outcome::Denied(gone));
    }

    #[test]
    fn a_closed_instance_books_late_reports_and_a_new_one_starts_afresh() {
        let mut log = Log::sample();
        let tags = per(&mut log, "tags", Per::Tag);
        log.done(open("tags", "red"));
        let id = account_of(&log, tags, "red");
        let mut ask = line(0, 0, 30);
        ask.account = id;
        assert_eq!(log.refill(NODES[0], ask), 30);
        let close = Command::CloseInstance(CloseInstance {
            budget: tags,
            subject: "red".to_owned(),
            handle: id.budget,
        });
        assert_eq!(log.done(close.clone()), [Change::Config]);
        let mut late = line(20, 0, 5);
        late.account = id;
        assert_eq!(log.refill(NODES[0], late), 30);
        assert_eq!(log.ledger.accounts[&id].spent(), 20);
        log.done(open("tags", "red"));
        assert_eq!(log.done(close), []);
        let fresh = account_of(&log, tags, "red");
        assert!(fresh != id && log.ledger.accounts[&fresh].pool() == LIMIT);
    }

    #[test]
    fn another_secret_is_no_new_money() {
        let mut log = Log::sample();
        let kinds =
            [("own", Per::Key), ("user", Per::User), ("run", Per::Session { ttl_ms: 9_000 })];
        let budgets = kinds.map(|(name, kind)| per(&mut log, name, kind));
        let before = ["id1", "key:id1", "id1/a"];
        for (name, subject) in ["own", "user", "run"].into_iter().zip(before) {
            log.done(open(name, subject));
        }
        let places = budgets.into_iter().zip(before);
        let ids: Vec<_> =
            places.map(|(budget, subject)| account_of(&log, budget, subject)).collect();
        log.done(Command::RotateKey(RotateKey {
            name: "ann".to_owned(),
            id: "id1".to_owned(),
            hash: KeyHash([2; 32]),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        }));
        for ((budget, subject), id) in budgets.into_iter().zip(before).zip(ids) {
            assert_eq!(account_of(&log, budget, subject), id);
            assert_eq!(log.ledger.accounts[&id].subject, subject);
        }
        assert_eq!(log.ledger.instances.size(), 3);
    }

    #[test]
    fn a_user_who_does_not_exist_has_no_instance() {
        let mut log = Log::sample();
        per(&mut log, "each", Per::User);
        let gone = Denial::NotFound("user", "eve".to_owned());
        assert_eq!(log.propose(open("each", "user:eve")).0, Outcome::Denied(gone));
        log.done(put_scope(user("eve")));
        log.done(open("each", "user:eve"));
    }

    #[test]
    fn one_budget_does_not_take_the_room_of_all_others() {
        let mut log = Log::sample();
        per(&mut log, "tags", Per::Tag);
        per(&mut log, "other", Per::Tag);
        log.done(open("tags", "red"));
        let full = |log: &mut Log, name, say: &str| {
            let denied = Outcome::Denied(Denial::Full("instances", say.to_owned()));
            assert_eq!(log.propose(open(name, "blue")).0, denied);
        };
        let count = |log: &mut Log, name: &str, count| {
            log.ledger.instances_of.insert_mut(name.to_owned(), count);
        };
        count(&mut log, "tags", INSTANCES_OF_BUDGET_MAX);
        full(&mut log, "tags", "budget tags has 50000");
        // One that is open already is no other.
        log.done(open("tags", "red"));
        log.done(open("other", "red"));
        count(&mut log, "third", INSTANCES_MAX - INSTANCES_OF_BUDGET_MAX - 1);
        full(&mut log, "other", "all budgets together have 500000");
    }

    #[test]
    fn a_closed_instance_counts_until_nobody_has_any_more_to_report() {
        let mut log = Log::sample();
        let tags = per(&mut log, "tags", Per::Tag);
        log.done(open("tags", "red"));
        let id = account_of(&log, tags, "red");
        let at =
            |settled, returned, want| RefillLine { account: id, ..line(settled, returned, want) };
        log.refill(NODES[0], at(0, 0, 30));
        let (budget, subject, handle) = (tags, "red".to_owned(), id.budget);
        log.done(Command::CloseInstance(CloseInstance { budget, subject, handle }));
        assert_eq!(log.ledger.instances_of["tags"], 1);
        log.refill(NODES[0], at(20, 0, 0));
        assert_eq!(log.ledger.instances_of["tags"], 1);
        log.refill(NODES[0], at(20, 10, 0));
        assert!(log.ledger.instances_of.is_empty() && !log.ledger.accounts.contains_key(&id));
    }

    #[test]
    fn a_deleted_budget_takes_its_instances_along() {
        let mut log = Log::sample();
        let own = per(&mut log, "own", Per::Key);
        log.done(open("own", "id1"));
        let id = account_of(&log, own, "id1");
        log.done(Command::DeleteBudget(DeleteBudget {
            name: "own".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        }));
        assert!(log.ledger.instances.is_empty() && !log.ledger.accounts.contains_key(&id));
    }

    #[test]
    fn in_a_time_zone_the_proposer_brings_the_periods() {
        let mut log = Log::sample();
        let mut daily = budget("daily", LIMIT);
        (daily.per, daily.time_zone) = (Per::Tag, "Europe/Berlin".to_owned());
        daily.windows[0].window = Window::Day;
        log.done(put_budget(daily));
        let denied = log.propose(open("daily", "red")).0;
        assert!(matches!(denied, Outcome::Denied(Denial::Invalid("periods", _))));
        let periods = vec![(UnixMillis(5), Some(UnixMillis(9)))];
        let (budget, subject) = ("daily".to_owned(), "red".to_owned());
        log.done(Command::OpenInstance(OpenInstance { budget, subject, periods }));
        let id = account_of(&log, log.ledger.budgets["daily"].handle, "red");
        assert_eq!(log.ledger.accounts[&id].present().unwrap().ends_at, Some(UnixMillis(9)));
    }
}
