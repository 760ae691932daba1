//! What must hold after every entry, one file per property.
//!
//! [`check`] looks at one ledger, [`check_step`] at a ledger before and after an entry. Both scan
//! everything: they are for tests and for samples, not for every request. [`check_touched`] looks at what
//! an entry touched, and can be afforded after each.

mod accounts_match_budgets;
mod audit_is_kept;
mod budgets_exist;
mod conservation;
mod counters_in_order;
mod events_once;
mod grants_are_present;
mod indexes_agree;
mod instances_have_accounts;
mod limits_add_up;
mod names_valid;
mod never_overspent;
mod numbers_never_fall;
mod one_spender;
mod periods_ascend;
mod profiles_hold;
mod revoked_stays_revoked;
mod scopes_form_a_tree;
mod selectors_filed;
mod sums_agree;
mod sums_are_filed;
mod targets_exist;
mod usage_is_counted_once;

use crate::{Account, AccountId, Ledger, NodeId, Period};

/// A property of one ledger: what is wrong, if anything.
pub type Check = fn(&Ledger) -> Result<(), String>;
/// A property of a ledger before and after an entry.
pub type CheckStep = fn(&Ledger, &Ledger) -> Result<(), String>;

/// Every property of one ledger, by name.
pub const ALL: &[(&str, Check)] = &[
    ("accounts_match_budgets", accounts_match_budgets::check),
    ("audit_is_kept", audit_is_kept::check),
    ("budgets_exist", budgets_exist::check),
    ("conservation", conservation::check),
    ("counters_in_order", counters_in_order::check),
    ("events_once", events_once::check),
    ("indexes_agree", indexes_agree::check),
    ("instances_have_accounts", instances_have_accounts::check),
    ("limits_add_up", limits_add_up::check),
    ("names_valid", names_valid::check),
    ("never_overspent", never_overspent::check),
    ("one_spender", one_spender::check),
    ("periods_ascend", periods_ascend::check),
    ("profiles_hold", profiles_hold::check),
    ("revoked_stays_revoked", revoked_stays_revoked::check),
    ("scopes_form_a_tree", scopes_form_a_tree::check),
    ("selectors_filed", selectors_filed::check),
    ("sums_agree", sums_agree::check),
    ("sums_are_filed", sums_are_filed::check),
    ("targets_exist", targets_exist::check),
];

/// Every property of a step, by name.
pub const STEPS: &[(&str, CheckStep)] = &[
    ("audit_is_kept", audit_is_kept::check_step),
    ("conservation", conservation::check_step),
    ("events_once", events_once::check_step),
    ("grants_are_present", grants_are_present::check_step),
    ("limits_add_up", limits_add_up::check_step),
    ("numbers_never_fall", numbers_never_fall::check_step),
    ("one_spender", one_spender::check_step),
    ("revoked_stays_revoked", revoked_stays_revoked::check_step),
    ("usage_is_counted_once", usage_is_counted_once::check_step),
];

/// Checks every property of a ledger; the first that does not hold is named.
pub fn check(ledger: &Ledger) -> Result<(), String> {
    for (name, property) in ALL {
        property(ledger).map_err(|broken| format!("{name}: {broken}"))?;
    }
    Ok(())
}

/// Checks every property of the step from `before` to `after`; the first that does not hold is named.
pub fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (name, property) in STEPS {
        property(before, after).map_err(|broken| format!("{name}: {broken}"))?;
    }
    Ok(())
}

/// Properties that can be told of each account without the others.
const OF_ACCOUNTS: &[&str] = &[
    "conservation",
    "counters_in_order",
    "grants_are_present",
    "limits_add_up",
    "never_overspent",
    "numbers_never_fall",
    "one_spender",
    "periods_ascend",
    "sums_agree",
];

/// Checks what the entry between `before` and `after` can have broken, where `before` broke nothing: of the
/// accounts it touched all that concerns accounts, and everything else where it changed what a request can
/// feel. The first that does not hold is named.
///
/// Costs as much as the entry touched. `after` must be made from `before`: an account that both share is
/// taken for untouched.
pub fn check_touched(before: &Ledger, after: &Ledger) -> Result<(), String> {
    let is_config = before.config_index != after.config_index;
    let (few_before, few_after) = touched(before, after);
    for (name, property) in ALL {
        let of = if OF_ACCOUNTS.contains(name) { &few_after } else { after };
        if is_config || OF_ACCOUNTS.contains(name) {
            property(of).map_err(|broken| format!("{name}: {broken}"))?;
        }
    }
    for (name, property) in STEPS {
        let pair =
            if OF_ACCOUNTS.contains(name) { (&few_before, &few_after) } else { (before, after) };
        property(pair.0, pair.1).map_err(|broken| format!("{name}: {broken}"))?;
    }
    Ok(())
}

/// Both ledgers without the accounts that they share.
fn touched(before: &Ledger, after: &Ledger) -> (Ledger, Ledger) {
    let without = |one: &Ledger, other: &Ledger| {
        let mut few = Ledger { accounts: Default::default(), ..one.clone() };
        for (id, account) in &one.accounts {
            let is_shared = other.accounts.get(id).is_some_and(|twin| std::ptr::eq(twin, account));
            if !is_shared {
                few.accounts.insert_mut(*id, account.clone());
            }
        }
        few
    };
    (without(before, after), without(after, before))
}

/// Every period on the books, with where it stands.
fn periods(ledger: &Ledger) -> impl Iterator<Item = (AccountId, &Account, u64, &Period)> {
    ledger.accounts.iter().flat_map(|(&id, account)| {
        let periods = account.periods.iter();
        periods.map(move |(&number, period)| (id, account, number, period))
    })
}

/// Whether this step booked what that life of that node spent: a part of it, or the last one.
fn was_told(before: &Ledger, after: &Ledger, node: NodeId, life: u64) -> bool {
    let parts = |ledger: &Ledger| {
        let past = ledger.nodes.get(&node).and_then(|node| node.past_life(life));
        past.map(|past| past.adopted_parts)
    };
    match (parts(before), parts(after)) {
        (Some(before), Some(after)) => after > before,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// `Err(say())` unless `holds`.
fn ensure(holds: bool, say: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(say()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, budget, line, put_budget};
    use std::collections::BTreeSet;

    #[test]
    fn every_invariant_file_is_in_a_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/invariant");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|file| file != "mod.rs")
            .map(|file| file.trim_end_matches(".rs").to_owned())
            .collect();
        let all = ALL.iter().map(|(name, _)| *name);
        let steps = STEPS.iter().map(|(name, _)| *name);
        let listed: BTreeSet<String> = all.chain(steps).map(str::to_owned).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn a_ledger_in_use_breaks_nothing() {
        let mut log = Log::sample();
        assert_eq!(check(&Ledger::default()), Ok(()));
        assert_eq!(log.refill(NODES[0], line(0, 0, 300)), 300);
        assert_eq!(log.refill(NODES[0], line(200, 50, 0)), 300);
        log.enrol(NODES[0], 2);
        log.roll();
        log.revoke("ann");
        assert_eq!(check(&log.ledger), Ok(()));
    }

    #[test]
    fn what_an_entry_breaks_is_found_among_what_it_touched() {
        let mut log = Log::sample();
        log.done(put_budget(budget("another", LIMIT)));
        let before = log.ledger.clone();
        assert_eq!(log.refill(NODES[0], line(0, 0, 300)), 300);
        assert_eq!(check_touched(&before, &log.ledger), Ok(()));
        let (few, _) = touched(&before, &log.ledger);
        assert!(few.accounts.size() < before.accounts.size(), "all were touched");
        let mut broken = before.clone();
        let account = broken.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().debt -= 1;
        let found = check_touched(&before, &broken).unwrap_err();
        assert!(found.starts_with("sums_agree: "), "{found}");
        let granted = log.ledger.clone();
        log.roll();
        assert_eq!(check_touched(&granted, &log.ledger), Ok(()));
    }

    #[test]
    fn properties_of_accounts_are_on_a_list() {
        let named = |name: &&str| {
            ALL.iter().any(|(other, _)| other == name)
                || STEPS.iter().any(|(other, _)| other == name)
        };
        assert!(OF_ACCOUNTS.iter().all(named));
    }

    #[test]
    fn a_broken_property_is_named() {
        let mut log = Log::sample();
        let account = log.ledger.accounts.get_mut(&ACCOUNT).unwrap();
        account.periods.get_mut(&1).unwrap().debt -= 1;
        let broken = check(&log.ledger).unwrap_err();
        assert!(broken.starts_with("sums_agree: "), "{broken}");
    }
}
