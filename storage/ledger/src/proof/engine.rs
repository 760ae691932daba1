//! Walks every sequence of commands of an alphabet up to a length, and checks each step.

use crate::command::{Command, Entry, apply};
use crate::invariant::{check, check_step};
use crate::{AccountId, Change, Ledger, Outcome, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A letter of an alphabet: the command it is in a ledger, and its time. `None`: it is none there.
pub(super) type Letter = Box<dyn Fn(&Ledger) -> Option<(UnixMillis, Command)>>;

/// A command that is the same everywhere, at time 0.
pub(super) fn always(command: Command) -> Letter {
    Box::new(move |_ledger| Some((UnixMillis(0), command.clone())))
}

/// What tells two ledgers apart for any command of an alphabet: all but the indices of last changes, for
/// no letter carries an `if_index`, and but for which log index a number was made of.
pub(super) fn fingerprint(ledger: &Ledger) -> u64 {
    let mut bare = ledger.clone();
    (bare.applied_index, bare.config_index) = (0, 0);
    for (id, key) in &ledger.keys {
        let mut key = key.clone();
        key.changed_index = 0;
        bare.keys.insert_mut(id.clone(), key);
    }
    for (name, budget) in &ledger.budgets {
        let mut budget = budget.clone();
        budget.changed_index = 0;
        bare.budgets.insert_mut(name.clone(), budget);
    }
    bare.audit = ledger.audit.values().cloned().enumerate().map(|(i, it)| (i as u64, it)).collect();
    renumber_instances(ledger, &mut bare);
    let mut hasher = DefaultHasher::new();
    bare.hash(&mut hasher);
    hasher.finish()
}

/// Gives instances, their accounts and increases numbers by their order, not by their place in the log.
fn renumber_instances(ledger: &Ledger, bare: &mut Ledger) {
    let budgets: BTreeSet<u64> = ledger.budgets.values().map(|budget| budget.handle).collect();
    let handles = ledger.accounts.keys().map(|id| id.budget).filter(|id| !budgets.contains(id));
    let numbers: BTreeMap<u64, u64> =
        handles.collect::<BTreeSet<_>>().into_iter().zip(1_000..).collect();
    let number = |handle: u64| numbers.get(&handle).copied().unwrap_or(handle);
    bare.accounts = ledger
        .accounts
        .iter()
        .map(|(id, account)| {
            let mut account = account.clone();
            for (order, increase) in (0..).zip(&mut account.increases) {
                increase.id = order;
            }
            (AccountId { budget: number(id.budget), ..*id }, account)
        })
        .collect();
    for (key, instance) in &ledger.instances {
        let mut instance = instance.clone();
        instance.handle = number(instance.handle);
        bare.instances.insert_mut(key.clone(), instance);
    }
}

/// Applies one command and checks the step, whatever state it leads to.
fn step(before: &Ledger, at: UnixMillis, command: &Command) -> Result<Ledger, String> {
    let mut after = before.clone();
    let entry = Entry { index: before.applied_index + 1, at, command: command.clone() };
    let (outcome, changes) = apply(&mut after, &entry);
    check_step(before, &after)?;
    if matches!(outcome, Outcome::Denied(_)) {
        let mut untouched = before.clone();
        untouched.applied_index = entry.index;
        if after != untouched || !changes.is_empty() {
            return Err(format!("a denial changed something: {outcome:?}"));
        }
    }
    let felt = changes.contains(&Change::Config);
    if felt != (after.config_index == entry.index) {
        return Err(format!("the config index and {changes:?} differ"));
    }
    Ok(after)
}

/// Checks a state met for the first time, and that the command that led to it may come twice.
fn arrive(after: &Ledger, at: UnixMillis, command: &Command) -> Result<(), String> {
    check(after)?;
    let twice = step(after, at, command)?;
    if fingerprint(&twice) != fingerprint(after) {
        return Err("the command applied twice is not as applied once".to_owned());
    }
    Ok(())
}

/// Walks every sequence up to `length`; sequences that meet in one state go on as one. States met, or
/// what broke and after which commands.
pub(super) fn walk(start: &Ledger, alphabet: &[Letter], length: usize) -> Result<usize, String> {
    let mut seen = BTreeSet::from([fingerprint(start)]);
    let mut frontier: Vec<(Ledger, Vec<Command>)> = vec![(start.clone(), Vec::new())];
    for _ in 0..length {
        let mut next = Vec::new();
        for (ledger, path) in &frontier {
            for letter in alphabet {
                let Some((at, command)) = letter(ledger) else {
                    continue;
                };
                let stepped = step(ledger, at, &command).and_then(|after| {
                    if !seen.insert(fingerprint(&after)) {
                        return Ok(None);
                    }
                    arrive(&after, at, &command).map(|()| Some(after))
                });
                let mut path = path.clone();
                path.push(command);
                match stepped {
                    Ok(Some(after)) => next.push((after, path)),
                    Ok(None) => {}
                    Err(broken) => return Err(format!("{broken}, after {path:#?}")),
                }
            }
        }
        frontier = next;
    }
    Ok(seen.len())
}
