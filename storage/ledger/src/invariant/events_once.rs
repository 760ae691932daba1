//! A threshold is told once in a period: with the entry that reached it, and to all webhooks there are then.

use super::{ensure, periods};
use crate::event::OUTBOX_MAX;
use crate::{Account, AccountId, Happened, Ledger, Window};
use std::collections::BTreeSet;

/// What tells one event from another: account, period, percentage.
type Told = (AccountId, u64, u8);

/// Looks at the outbox: bounded, and everything in it waits for somebody.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let size = ledger.outbox.size();
    ensure(size <= OUTBOX_MAX, || format!("{size} events wait"))?;
    for (id, event) in &ledger.outbox {
        let in_order = *id == event.id && *id <= ledger.events_ever && !event.waiting.is_empty();
        ensure(in_order, || format!("event {id} waits for nobody or is not numbered: {event:?}"))?;
    }
    Ok(())
}

/// Compares the thresholds that were newly noted as reached with the events that were made: one for one
/// where a webhook is enabled, none where none is.
pub(super) fn check_step(before: &Ledger, after: &Ledger) -> Result<(), String> {
    ensure(before.events_ever <= after.events_ever, || "events were taken back".to_owned())?;
    let made = after.events_ever - before.events_ever;
    let mut events = BTreeSet::new();
    for (_, event) in after.outbox.range(before.events_ever.saturating_add(1)..) {
        let Some(told) = told_by(after, &event.what) else {
            return Err(format!("an event is of no account: {event:?}"));
        };
        ensure(events.insert(told), || format!("told twice at once: {event:?}"))?;
    }
    let news = newly_noted(before, after);
    let enabled = before.webhooks.values().any(|webhook| webhook.enabled);
    let expected = if enabled { news.len() } else { 0 };
    ensure(u64::try_from(expected) == Ok(made), || {
        format!("{expected} thresholds were reached, {made} events made")
    })?;
    ensure(events.is_subset(&news), || format!("told {events:?}, reached {news:?}"))
}

fn told_by(ledger: &Ledger, what: &Happened) -> Option<Told> {
    match what {
        Happened::ThresholdReached { budget, subject, window, period, percent, .. } => {
            let of = |id: &AccountId, account: &Account| {
                id.window == *window && account.budget == *budget && account.subject == *subject
            };
            let living = ledger.accounts.iter().filter(|(_, it)| it.deleted_at.is_none());
            let mut living = living.filter(|(id, account)| of(id, account));
            living.next().map(|(&id, _)| (id, *period, *percent))
        }
    }
}

/// Thresholds noted as reached that were not before, of accounts that grant.
fn newly_noted(before: &Ledger, after: &Ledger) -> BTreeSet<Told> {
    let mut news = BTreeSet::new();
    for (id, account, number, _period) in periods(after) {
        if account.deleted_at.is_some() {
            continue;
        }
        let known = before.accounts.get(&id).map_or(BTreeSet::new(), |old| {
            match old.periods.contains_key(&number) {
                true => noted(before, old, number),
                // What rolls takes its notes along into the next period.
                false if matches!(old.window, Window::Rolling(_)) => noted(before, old, old.period),
                false => BTreeSet::new(),
            }
        });
        let noted = noted(after, account, number);
        news.extend(noted.difference(&known).map(|&percent| (id, number, percent)));
    }
    news
}

/// Percentages noted as reached in a period.
fn noted(ledger: &Ledger, account: &Account, number: u64) -> BTreeSet<u8> {
    let budget = ledger.budgets.get(&account.budget);
    let thresholds = budget.map_or(&[][..], |budget| &budget.thresholds);
    let fired = account.periods.get(&number).map_or(0, |period| period.fired);
    let set =
        (0_u32..).zip(thresholds).filter(|(bit, _)| fired.checked_shr(*bit).unwrap_or(0) & 1 == 1);
    set.map(|(_, &percent)| percent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, PutWebhook};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, budget, line, put_budget, webhook};

    fn watched() -> Log {
        let mut log = Log::sample();
        let webhook = webhook("ops");
        log.done(Command::PutWebhook(PutWebhook { webhook, if_index: None }));
        let mut team = budget("team", LIMIT);
        team.thresholds = vec![50, 80];
        log.done(put_budget(team));
        log
    }

    #[test]
    fn a_threshold_told_twice_never_or_for_nothing_is_caught() {
        let mut log = watched();
        log.refill(NODES[0], line(0, 0, 900));
        let before = log.ledger.clone();
        log.refill(NODES[0], line(850, 0, 0));
        assert_eq!((check(&log.ledger), check_step(&before, &log.ledger)), (Ok(()), Ok(())));
        let breaks: [fn(&mut Ledger); 5] = [
            |ledger| ledger.events_ever += 1,
            |ledger| ledger.events_ever -= 2,
            |ledger| {
                let account = ledger.accounts.get_mut(&ACCOUNT).unwrap();
                account.periods.get_mut(&1).unwrap().fired = 1;
            },
            |ledger| {
                let Happened::ThresholdReached { percent, .. } =
                    &mut ledger.outbox.get_mut(&2).unwrap().what;
                *percent = 50;
            },
            |ledger| {
                let Happened::ThresholdReached { budget, .. } =
                    &mut ledger.outbox.get_mut(&2).unwrap().what;
                "other".clone_into(budget);
            },
        ];
        for broken in breaks {
            let mut after = log.ledger.clone();
            broken(&mut after);
            assert!(check_step(&before, &after).is_err());
        }
    }

    #[test]
    fn an_event_that_waits_for_nobody_is_caught() {
        let mut log = watched();
        log.refill(NODES[0], line(0, 0, 900));
        log.refill(NODES[0], line(850, 0, 0));
        log.ledger.outbox.get_mut(&1).unwrap().waiting.clear();
        assert!(check(&log.ledger).is_err());
    }
}
