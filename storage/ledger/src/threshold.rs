//! Thresholds: told once in each period, by the entry that reached them.

use crate::{Account, AccountId, Budget, Happened, Ledger, UnixMillis, Window, event};

/// Tells what thresholds an account reached in a period for the first time.
///
/// To be called after any change of what is spent or of the limit. Where the window rolls it is the
/// present period that tells, for the spend of past ones counts in it. Accounts that were closed tell
/// nothing.
pub(crate) fn tell(ledger: &mut Ledger, at: UnixMillis, id: AccountId, period: u64) {
    let Some(account) = ledger.accounts.get(&id).filter(|account| account.deleted_at.is_none())
    else {
        return;
    };
    let Some(budget) = ledger.budgets.get(&account.budget) else {
        return;
    };
    if budget.thresholds.is_empty() {
        return;
    }
    let number = if rolls(account) { account.period } else { period };
    let Some((spent, limit)) = used(account, number) else {
        return;
    };
    let fired = account.periods.get(&number).map_or(0, |books| books.fired);
    let new = reached(&budget.thresholds, spent, limit) & !fired;
    if new == 0 {
        return;
    }
    let events = told(budget, account, (id, number), new);
    if let Some(account) = ledger.accounts.get_mut(&id)
        && let Some(books) = account.periods.get_mut(&number)
    {
        books.fired |= new;
    }
    for what in events {
        event::happened(ledger, at, what);
    }
}

/// After a rolling account's next period was opened: what is no longer reached may be reached again.
pub(crate) fn let_go(ledger: &mut Ledger, id: AccountId) {
    let Some(account) = ledger.accounts.get(&id).filter(|account| rolls(account)) else {
        return;
    };
    let (Some(budget), Some((spent, limit))) =
        (ledger.budgets.get(&account.budget), used(account, account.period))
    else {
        return;
    };
    let still = reached(&budget.thresholds, spent, limit);
    if let Some(account) = ledger.accounts.get_mut(&id)
        && let Some(present) = account.periods.get_mut(&account.period)
    {
        present.fired &= still;
    }
}

/// Bits of the new list for the bits of the old one: a threshold that stays is not told again.
pub(crate) fn renumber(fired: u8, old: &[u8], new: &[u8]) -> u8 {
    bits(new, |percent| {
        let position = old.iter().position(|other| other == percent);
        position.is_some_and(|position| fired & bit(position) != 0)
    })
}

/// What was spent of what limit, as thresholds see it.
fn used(account: &Account, number: u64) -> Option<(i64, i64)> {
    let books = account.periods.get(&number)?;
    let spent = if rolls(account) { account.spent() } else { books.spent() };
    Some((spent, books.limit))
}

fn rolls(account: &Account) -> bool {
    matches!(account.window, Window::Rolling(_))
}

/// The thresholds that are reached. Nothing spent reaches none, not even of a limit of nothing.
fn reached(thresholds: &[u8], spent: i64, limit: i64) -> u8 {
    let (spent, limit) = (i128::from(spent), i128::from(limit));
    bits(thresholds, |&percent| spent > 0 && spent * 100 >= limit * i128::from(percent))
}

fn bits(thresholds: &[u8], is_set: impl Fn(&u8) -> bool) -> u8 {
    let set = thresholds.iter().enumerate().filter(|(_, percent)| is_set(percent));
    set.fold(0, |bits, (position, _)| bits | bit(position))
}

/// There are at most eight thresholds.
fn bit(position: usize) -> u8 {
    1_u8.checked_shl(u32::try_from(position).unwrap_or(u32::MAX)).unwrap_or(0)
}

fn told(budget: &Budget, account: &Account, whose: (AccountId, u64), new: u8) -> Vec<Happened> {
    let (id, period) = whose;
    let Some((spent, limit)) = used(account, period) else {
        return Vec::new();
    };
    let thresholds = budget.thresholds.iter().enumerate();
    thresholds
        .filter(|(position, _)| new & bit(*position) != 0)
        .map(|(_, &percent)| Happened::ThresholdReached {
            budget: budget.name.clone(),
            subject: account.subject.clone(),
            window: id.window,
            period,
            percent,
            limit,
            spent,
            ends_at: account.periods.get(&period).and_then(|books| books.ends_at),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::{Command, PutWebhook, RefillLine};
    use crate::sample::{LIMIT, Log, NODES, SPAN_MS, budget, line, put_budget, sealed};
    use crate::{Event, Webhook};

    /// The sample's budget with thresholds, and one webhook.
    fn watched(thresholds: &[u8], window: Window) -> (Log, AccountId) {
        let mut log = Log::sample();
        let webhook = Webhook {
            name: "ops".to_owned(),
            url: "https://ops.example".to_owned(),
            secret: sealed(),
            allow_private_network: false,
            enabled: true,
            managed_by: "api:ann".to_owned(),
            changed_index: 0,
        };
        log.done(Command::PutWebhook(PutWebhook { webhook, if_index: None }));
        log.done(put_budget(with(thresholds, window, LIMIT)));
        let id = AccountId { budget: log.ledger.budgets["watched"].handle, window: 0 };
        (log, id)
    }

    fn with(thresholds: &[u8], window: Window, limit: i64) -> Budget {
        let mut watched = budget("watched", limit);
        watched.thresholds = thresholds.to_vec();
        watched.windows[0].window = window;
        watched
    }

    fn spend(log: &mut Log, account: AccountId, period: u64, settled_cum: i64) {
        let mut refill = RefillLine { account, period, ..line(0, 0, LIMIT) };
        log.refill(NODES[0], refill);
        (refill.settled_cum, refill.must, refill.want) = (settled_cum, 0, 0);
        log.refill(NODES[0], refill);
    }

    /// Period and percentage of what was told.
    fn told(log: &Log) -> Vec<(u64, u8)> {
        let of = |event: &Event| match &event.what {
            Happened::ThresholdReached { period, percent, .. } => (*period, *percent),
        };
        log.ledger.outbox.values().map(of).collect()
    }

    fn open(log: &mut Log, account: AccountId) {
        let ends_at = log.ledger.accounts[&account].present().unwrap().ends_at.unwrap();
        let due = crate::view::due_periods(&log.ledger, ends_at);
        let next = due.into_iter().find(|open| open.account == account).unwrap();
        log.done(Command::OpenPeriod(next));
    }

    #[test]
    fn each_threshold_is_told_once_in_a_period_however_many_are_passed_at_once() {
        let (mut log, id) = watched(&[50, 80, 100], Window::Fixed(SPAN_MS));
        spend(&mut log, id, 1, 499);
        assert_eq!(told(&log), []);
        spend(&mut log, id, 1, 850);
        assert_eq!(told(&log), [(1, 50), (1, 80)]);
        spend(&mut log, id, 1, 900);
        assert_eq!(told(&log).len(), 2);
        open(&mut log, id);
        spend(&mut log, id, 2, 600);
        spend(&mut log, id, 1, 1_000);
        assert_eq!(
            told(&log)[2..],
            [(2, 50), (1, 100)],
            "a late report of a past period tells too"
        );
    }

    #[test]
    fn an_edit_tells_what_it_reaches_and_nothing_twice() {
        let window = Window::Fixed(SPAN_MS);
        let (mut log, id) = watched(&[50, 80], window);
        spend(&mut log, id, 1, 600);
        log.done(put_budget(with(&[50, 60, 80], window, LIMIT)));
        assert_eq!(told(&log), [(1, 50), (1, 60)]);
        log.done(put_budget(with(&[50, 60, 80], window, 700)));
        assert_eq!(told(&log)[2..], [(1, 80)]);
        log.done(put_budget(with(&[80], window, LIMIT)));
        log.done(put_budget(with(&[80], window, 700)));
        assert_eq!(told(&log).len(), 3);
    }

    #[test]
    fn a_rolling_window_tells_again_only_after_it_fell_below() {
        let (mut log, id) = watched(&[50], Window::Rolling(24 * SPAN_MS));
        spend(&mut log, id, 1, 600);
        for period in 2..=25 {
            open(&mut log, id);
            spend(&mut log, id, period, 1);
            assert_eq!(told(&log), [(1, 50)], "period {period}");
        }
        open(&mut log, id);
        assert_eq!(told(&log), [(1, 50)]);
        spend(&mut log, id, 26, 600);
        assert_eq!(told(&log), [(1, 50), (26, 50)]);
    }

    #[test]
    fn a_threshold_is_reached_at_its_share_of_the_limit_to_the_unit() {
        let thresholds = [50, 80, 100];
        for (spent, limit, bits) in [
            (0, 0, 0),
            (1, 0, 0b111),
            (49, 100, 0),
            (50, 100, 0b1),
            (79, 100, 0b1),
            (80, 100, 0b11),
            (99, 100, 0b11),
            (100, 100, 0b111),
            (5_000_000_000_000_000_000, 9_000_000_000_000_000_000, 0b1),
            (i64::MAX, i64::MAX, 0b111),
        ] {
            assert_eq!(reached(&thresholds, spent, limit), bits, "{spent} of {limit}");
        }
    }

    #[test]
    fn bits_follow_their_percentages_through_an_edit() {
        assert_eq!(renumber(0b11, &[50, 80], &[50, 60, 80]), 0b101);
        assert_eq!(renumber(0b10, &[50, 80], &[80]), 0b1);
        assert_eq!(renumber(0b1, &[50, 80], &[80, 90]), 0);
    }
}
