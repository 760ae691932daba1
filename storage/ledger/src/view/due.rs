//! What is there to do by the clock? The leader asks, and proposes the answers.

use crate::calendar::Calendar;
use crate::command::{CloseInstance, ClosePeriod, Command, ExpireIncrease, OpenPeriod, PruneUsage};
use crate::usage::USAGE_DAYS;
use crate::{Ledger, UnixMillis};

const DAY_MS: u64 = 86_400_000;

/// What is due at `now`, ready to be proposed: periods to open first, for what they open is waited for;
/// then increases and sessions that are over, then periods to close, then usage to forget.
///
/// The proposer must first be sure of `now`. Periods are closed `grace_ms` after they stopped to count: until
/// then late reports are booked; after, what is outstanding is charged.
pub fn due(ledger: &Ledger, now: UnixMillis, grace_ms: u64) -> Vec<Command> {
    let mut all: Vec<Command> =
        due_periods(ledger, now).into_iter().map(Command::OpenPeriod).collect();
    all.extend(over_increases(ledger, now).map(Command::ExpireIncrease));
    all.extend(over_instances(ledger, now).map(Command::CloseInstance));
    let closable = closable_periods(ledger, now, grace_ms);
    all.extend(closable.into_iter().map(Command::ClosePeriod));
    all.extend(old_usage(ledger, now).map(Command::PruneUsage));
    all
}

/// The periods to open at `now`: those after present ones that are over.
///
/// Each reaches from the boundary before `now` to the one after; boundaries nobody was there for are
/// skipped. It never begins before the present one ends, though a time zone may have changed meanwhile.
/// Where the time zone is none this program knows, UTC's boundaries are taken: a budget whose periods
/// stand still would refuse for ever.
pub(crate) fn due_periods(ledger: &Ledger, now: UnixMillis) -> Vec<OpenPeriod> {
    let mut calendar = Calendar::default();
    let mut due = Vec::new();
    for (&id, account) in &ledger.accounts {
        let over_at = account.present().and_then(|present| present.ends_at);
        let Some(over_at) = over_at.filter(|&end| end <= now && account.deleted_at.is_none())
        else {
            continue;
        };
        let budget = ledger.budgets.get(&account.budget);
        let zone = budget.map_or("", |budget| budget.time_zone.as_str());
        let (starts_at, ends_at) =
            calendar.period_or_utc(account.window, zone, account.created_at, now);
        let starts_at = starts_at.max(over_at);
        let period = account.period.saturating_add(1);
        due.push(OpenPeriod { account: id, period, starts_at, ends_at });
    }
    due
}

fn over_increases(ledger: &Ledger, now: UnixMillis) -> impl Iterator<Item = ExpireIncrease> {
    ledger.accounts.iter().flat_map(move |(&account, books)| {
        let over = books.increases.iter().filter(move |increase| increase.until <= now);
        over.map(move |increase| ExpireIncrease { account, increase: increase.id })
    })
}

fn over_instances(ledger: &Ledger, now: UnixMillis) -> impl Iterator<Item = CloseInstance> {
    let over = ledger
        .instances
        .iter()
        .filter(move |(_, instance)| instance.closes_at.is_some_and(|closes_at| closes_at <= now));
    over.map(|((budget, subject), instance)| CloseInstance {
        budget: *budget,
        subject: subject.clone(),
        handle: instance.handle,
    })
}

/// The periods that may be closed at `now`: those of closed accounts, and past ones that count no more.
fn closable_periods(ledger: &Ledger, now: UnixMillis, grace_ms: u64) -> Vec<ClosePeriod> {
    let mut closable = Vec::new();
    for (&id, account) in &ledger.accounts {
        if account.deleted_at.is_none() && account.periods.size() == 1 {
            continue;
        }
        for (&number, period) in &account.periods {
            let ended_at = match account.deleted_at {
                Some(deleted_at) => Some(deleted_at),
                None => period.ends_at.filter(|_| !account.counts(number)),
            };
            let is_past = |ended_at: UnixMillis| ended_at.0.saturating_add(grace_ms) <= now.0;
            if ended_at.is_some_and(is_past) {
                closable.push(ClosePeriod { account: id, period: number });
            }
        }
    }
    closable
}

fn old_usage(ledger: &Ledger, now: UnixMillis) -> Option<PruneUsage> {
    let today = u32::try_from(now.0 / DAY_MS).unwrap_or(u32::MAX);
    let before_day = today.saturating_sub(USAGE_DAYS);
    let (oldest, _) = ledger.usage.first()?;
    (oldest.day < before_day).then_some(PruneUsage { before_day })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{IncreaseBudget, OpenInstance, PutBudget};
    use crate::sample::{ACCOUNT, Log, NODES, SPAN_MS, budget, line, put_budget};
    use crate::{AccountId, Per, UsageKey, UsageLine, UsageSums, Window, Word, calendar, usage};

    #[test]
    fn a_period_is_due_at_its_end_and_opens_where_now_is() {
        let mut log = Log::sample();
        assert_eq!(due_periods(&log.ledger, UnixMillis(SPAN_MS - 1)), []);
        let due = due_periods(&log.ledger, UnixMillis(7 * SPAN_MS + 3));
        let expected = OpenPeriod {
            account: ACCOUNT,
            period: 2,
            starts_at: UnixMillis(7 * SPAN_MS),
            ends_at: Some(UnixMillis(8 * SPAN_MS)),
        };
        assert_eq!(due, [expected]);
        log.done(Command::OpenPeriod(due[0].clone()));
        assert_eq!(due_periods(&log.ledger, UnixMillis(7 * SPAN_MS + 3)), []);
    }

    #[test]
    fn a_past_period_is_closable_after_its_grace() {
        let mut log = Log::sample();
        let far = UnixMillis(u64::MAX);
        assert_eq!(closable_periods(&log.ledger, far, 0), []);
        log.roll();
        let ended = SPAN_MS;
        assert_eq!(closable_periods(&log.ledger, UnixMillis(ended + 9), 10), []);
        let closable = closable_periods(&log.ledger, UnixMillis(ended + 10), 10);
        let (account, period) = (ACCOUNT, 1);
        assert_eq!(closable, [ClosePeriod { account, period }]);
    }

    #[test]
    fn a_part_of_a_rolling_window_is_closed_when_it_counts_no_more() {
        let mut log = Log::sample();
        let mut rolling = budget("rolling", 10);
        rolling.windows[0].window = Window::Rolling(24 * SPAN_MS);
        log.done(put_budget(rolling));
        let account = AccountId { budget: log.ledger.budgets["rolling"].handle, window: 0 };
        let mut ask = line(0, 0, 10);
        ask.account = account;
        log.refill(NODES[0], ask);
        let closable = |log: &Log, now_ms| {
            let all = closable_periods(&log.ledger, UnixMillis(now_ms), 0);
            all.into_iter().filter(|close| close.account == account).collect::<Vec<_>>()
        };
        for part in 1..=25 {
            assert_eq!(closable(&log, u64::MAX), [], "part {part}");
            let due = due_periods(&log.ledger, UnixMillis(part * SPAN_MS));
            for open in due.into_iter().filter(|open| open.account == account) {
                log.done(Command::OpenPeriod(open));
            }
        }
        assert_eq!(log.ledger.accounts[&account].period, 26);
        assert_eq!(closable(&log, 26 * SPAN_MS), [ClosePeriod { account, period: 1 }]);
        log.done(Command::ClosePeriod(ClosePeriod { account, period: 1 }));
        assert_eq!(log.ledger.accounts[&account].closed_spend, 10);
    }

    #[test]
    fn what_is_over_is_taken_back_closed_and_forgotten_after_what_opens() {
        let mut log = Log::sample();
        let mut runs = budget("runs", 10);
        runs.per = Per::Session { ttl_ms: 2 * SPAN_MS };
        log.done(put_budget(runs));
        let budget = log.ledger.budgets["runs"].handle;
        let (name, subject) = ("runs".to_owned(), "id1/a".to_owned());
        log.done(Command::OpenInstance(OpenInstance {
            budget: name,
            subject: subject.clone(),
            periods: Vec::new(),
        }));
        let handle = log.ledger.applied_index;
        let until = UnixMillis(2 * SPAN_MS);
        let (account, word) = (ACCOUNT, Word::default());
        log.done(Command::IncreaseBudget(IncreaseBudget { account, amount: 1, until, word }));
        let increase = log.ledger.applied_index;
        let now = UnixMillis(401 * 86_400_000);
        assert_eq!(due(&log.ledger, UnixMillis(SPAN_MS - 1), 0), []);
        let key = UsageKey::default();
        let sums = UsageSums { requests: 1, ..UsageSums::default() };
        usage::add(&mut log.ledger, &[UsageLine { key, sums }]);
        let all = due(&log.ledger, now, 0);
        assert!(matches!(&all[..2], [Command::OpenPeriod(_), Command::OpenPeriod(_)]), "{all:?}");
        let rest = [
            Command::ExpireIncrease(ExpireIncrease { account, increase }),
            Command::CloseInstance(CloseInstance { budget, subject, handle }),
            Command::PruneUsage(PruneUsage { before_day: 1 }),
        ];
        assert_eq!(all[2..], rest);
        log.now_ms = now.0;
        for command in all {
            log.done(command);
        }
        assert_eq!(due(&log.ledger, now, 0).len(), 1, "the period before is to be closed");
    }

    #[test]
    fn another_time_zone_never_leaves_a_budget_without_a_period() {
        let mut log = Log::sample();
        log.now_ms = 1_709_210_096_000;
        let mut daily = budget("daily", 10);
        daily.windows[0].window = Window::Day;
        log.done(put_budget(daily.clone()));
        let id = AccountId { budget: log.ledger.budgets["daily"].handle, window: 0 };
        daily.time_zone = "Asia/Tokyo".to_owned();
        let periods = calendar::first_periods(&daily, UnixMillis(log.now_ms)).unwrap();
        log.done(Command::PutBudget(PutBudget { budget: daily, if_index: None, periods }));
        let midnight = log.ledger.accounts[&id].present().unwrap().ends_at.unwrap();
        let due = due_periods(&log.ledger, midnight);
        let open = due.into_iter().find(|open| open.account == id).unwrap();
        assert_eq!(open.starts_at, midnight);
        assert_eq!(open.ends_at, Some(UnixMillis(midnight.0 + 15 * 3_600_000)));
        log.done(Command::OpenPeriod(open));
        assert_eq!(log.ledger.accounts[&id].period, 2);
    }
}
