//! The provider's own books against the limits, and every node's settlements against the ledger.
//!
//! Hard budgets: per account and period, what was billed and what may yet be billed is within the
//! highest limit the period ever had, and what providers billed beyond the holds on top. Of a window that
//! rolls all periods that count are taken together. Where a budget lets nodes that cannot ask go on by so
//! much, that comes on top for each life that spent; soft and open ones are judged by the books alone.

use crate::sim::life::lock;
use cluster::allowance::{Charge, PurseBooks};
use ledger::{AccountId, Budget, Ledger, Mode, NodeId, UnixMillis, Window, WithoutQuorum};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Most a period may open before its time, in milliseconds: half a second between the leader's clock and
/// the median, the skew of a good clock, and the way of a question.
const EARLY_MAX_MS: u64 = 2_000;

/// Where one charge is booked: the account, its period, and the unit it counts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) period: u64,
    pub(crate) unit: ledger::Unit,
}

/// What became of the money of one life of one node in one account and period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Settled by the node.
    pub(crate) settled: i64,
    /// Billed by the provider.
    pub(crate) billed: i64,
    /// At the provider, and what it may bill.
    pub(crate) in_flight: i64,
    /// Billed beyond the holds.
    pub(crate) beyond: i64,
}

/// One attempt: who pays, and what the provider may yet bill.
pub(crate) struct Exposure {
    life: (NodeId, u64),
    path: Vec<Place>,
    worst: Charge,
    /// The hold; less once the node has left; nothing once it is billed.
    open: Mutex<Charge>,
    is_settled: AtomicBool,
}

impl Exposure {
    pub(crate) fn new(life: (NodeId, u64), path: &[Place], worst: Charge) -> Arc<Exposure> {
        Arc::new(Exposure {
            life,
            path: path.to_vec(),
            worst,
            open: Mutex::new(worst),
            is_settled: AtomicBool::new(false),
        })
    }

    /// Whether the node has settled: it told the provider that it listens no more.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(SeqCst)
    }
}

#[derive(Default)]
struct Book {
    limit: i64,
    beyond: Beyond,
    sum: Tally,
    lives: BTreeMap<(NodeId, u64), Tally>,
}

/// What may be spent beyond the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Nothing.
    #[default]
    Nothing,
    /// So much by each life of each node.
    EachLife(i64),
    /// Anything.
    Anything,
}

impl Beyond {
    /// Most that each life of a node may let through beyond its grants; `None`: anything.
    pub(crate) fn of_a_life(self) -> Option<i64> {
        match self {
            Beyond::Nothing => Some(0),
            Beyond::EachLife(most) => Some(most),
            Beyond::Anything => None,
        }
    }

    fn of(budget: &Budget) -> Beyond {
        match (budget.mode, budget.without_quorum) {
            (Mode::Soft, _) | (Mode::Hard, WithoutQuorum::Open) => Beyond::Anything,
            (Mode::Hard, WithoutQuorum::Degraded(most)) => Beyond::EachLife(most),
            (Mode::Hard, WithoutQuorum::Strict) => Beyond::Nothing,
        }
    }
}

/// All of it.
#[derive(Default)]
pub(crate) struct MoneyBook(Mutex<Books>);

#[derive(Default)]
struct Books {
    books: BTreeMap<(AccountId, u64), Book>,
    /// The first period that counts, of accounts whose windows roll.
    rolling: BTreeMap<AccountId, u64>,
    /// By life, over all accounts.
    costs: BTreeMap<(NodeId, u64), Cost>,
}

/// What the requests of one life cost, each counted once whatever it is charged to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// As settled by the node.
    pub(crate) settled: i64,
    /// As a journal may tell it that does not know how they ended.
    pub(crate) most: i64,
}

impl Books {
    fn of(&mut self, account: AccountId, period: u64) -> &mut Book {
        self.books.entry((account, period)).or_default()
    }

    /// What was billed and may be billed is within the limit: of one period, or of all that count.
    fn check(&self, account: AccountId, period: u64) -> Result<(), String> {
        let first = self.rolling.get(&account).copied().unwrap_or(period);
        let last = if self.rolling.contains_key(&account) { u64::MAX } else { period };
        if period < first {
            return Ok(());
        }
        let (mut limit, mut spent, mut beyond) = (0, 0, 0);
        for book in self.books.range((account, first)..=(account, last)).map(|(_, book)| book) {
            let more = match book.beyond {
                Beyond::Nothing => 0,
                Beyond::EachLife(most) => most * i64::try_from(book.lives.len()).unwrap_or(0),
                Beyond::Anything => return Ok(()),
            };
            limit = limit.max(book.limit + more);
            spent += book.sum.billed + book.sum.in_flight;
            beyond += book.sum.beyond;
        }
        if spent > limit + beyond {
            return Err(format!(
                "{account} from period {first}: {spent} billed or in flight of {limit}, {beyond} of it beyond holds"
            ));
        }
        Ok(())
    }
}

impl MoneyBook {
    /// Takes over the limits of a ledger that was come to first.
    pub(super) fn follow(&self, before: &Ledger, after: &Ledger) {
        let is_news = before.config_index != after.config_index
            || before.accounts.size() != after.accounts.size();
        if !is_news {
            return;
        }
        let mut books = lock(&self.0);
        for (id, account) in &after.accounts {
            let budget = after.budgets.get(&account.budget);
            for (number, period) in &account.periods {
                let book = books.of(*id, *number);
                book.limit = book.limit.max(period.limit);
                book.beyond = budget.map_or(book.beyond, Beyond::of);
            }
            if matches!(account.window, Window::Rolling(_))
                && let Some(first) = account.counting().map(|(number, _)| number).min()
            {
                books.rolling.insert(*id, first);
            }
        }
    }

    /// Money was set aside: the provider may be asked, and bill what the attempt's hold is. Should the node
    /// die before that, the hold stays: nobody else may spend it.
    pub(crate) fn held(&self, attempt: &Exposure) -> Result<(), String> {
        let worst = attempt.worst;
        lock(&self.0).costs.entry(attempt.life).or_default().most += worst.nano_usd;
        self.change(attempt, |tally, unit| tally.in_flight += worst.of(unit))
    }

    /// The provider billed, and will bill no more.
    pub(crate) fn billed(&self, attempt: &Exposure, bill: &Charge) -> Result<(), String> {
        let open = std::mem::take(&mut *lock(&attempt.open));
        self.change(attempt, |tally, unit| {
            tally.in_flight -= open.of(unit);
            tally.billed += bill.of(unit);
            tally.beyond += (bill.of(unit) - attempt.worst.of(unit)).max(0);
        })
    }

    /// The node settled. Where it left before the end, the provider may bill no more than it settled.
    pub(crate) fn settled(&self, attempt: &Exposure, charge: &Charge) {
        attempt.is_settled.store(true, SeqCst);
        let before = *lock(&attempt.open);
        let open = Charge {
            nano_usd: before.nano_usd.min(charge.nano_usd),
            tokens: before.tokens.min(charge.tokens),
            requests: before.requests.min(charge.requests),
        };
        *lock(&attempt.open) = open;
        {
            let mut books = lock(&self.0);
            let cost = books.costs.entry(attempt.life).or_default();
            cost.settled += charge.nano_usd;
            cost.most += (charge.nano_usd - attempt.worst.nano_usd).max(0);
        }
        // What is in flight only falls by it, and the limits are about nothing else.
        let _ = self.change(attempt, |tally, unit| {
            tally.settled += charge.of(unit);
            tally.in_flight += open.of(unit) - before.of(unit);
        });
    }

    fn change(
        &self,
        attempt: &Exposure,
        change: impl Fn(&mut Tally, ledger::Unit),
    ) -> Result<(), String> {
        let Exposure { life, path, .. } = attempt;
        let mut books = lock(&self.0);
        for place in path {
            let book = books.of(place.account, place.period);
            change(&mut book.sum, place.unit);
            change(book.lives.entry(*life).or_default(), place.unit);
        }
        path.iter().try_for_each(|place| books.check(place.account, place.period))
    }

    /// The money of all lives.
    pub(crate) fn sum(&self, account: AccountId, period: u64) -> Tally {
        lock(&self.0).of(account, period).sum
    }

    /// What may be spent beyond the limit of an account.
    pub(crate) fn beyond(&self, account: AccountId, period: u64) -> Beyond {
        lock(&self.0).of(account, period).beyond
    }

    /// The lives that spent something.
    pub(crate) fn lives(&self, account: AccountId, period: u64) -> Vec<(NodeId, u64)> {
        lock(&self.0).of(account, period).lives.keys().copied().collect()
    }

    /// What the requests of each life cost.
    pub(crate) fn costs(&self) -> BTreeMap<(NodeId, u64), Cost> {
        lock(&self.0).costs.clone()
    }

    /// The money of one life.
    pub(crate) fn tally(&self, account: AccountId, period: u64, life: (NodeId, u64)) -> Tally {
        lock(&self.0).of(account, period).lives.get(&life).copied().unwrap_or_default()
    }

    /// Billed in all, of all accounts.
    pub(crate) fn billed_in_all(&self) -> i64 {
        lock(&self.0).books.values().map(|book| book.sum.billed).sum()
    }
}

/// No node holds more than it was granted.
pub(crate) fn within_grant(
    books: &PurseBooks,
    life: (NodeId, u64),
    ledger: &Arc<Ledger>,
) -> Result<(), String> {
    let account = ledger.accounts.get(&books.account);
    let period = account.and_then(|account| account.periods.get(&books.period));
    let Some(lane) = period.and_then(|period| period.lanes.get(&life)) else {
        return Ok(());
    };
    let kept = books.available + books.held + books.settled + books.returned - books.owed;
    if books.available < 0 || books.held < 0 || kept > lane.granted {
        return Err(format!("{books:?} of a lane of {lane:?}"));
    }
    Ok(())
}

/// No period opens before its time.
pub(super) fn in_time(now: UnixMillis, before: &Ledger, after: &Ledger) -> Result<(), String> {
    for (id, account) in &after.accounts {
        let opened = before.accounts.get(id).is_some_and(|old| old.period < account.period);
        let starts_at = account.present().map(|present| present.starts_at).unwrap_or_default();
        if opened && starts_at.0 > now.0 + EARLY_MAX_MS {
            let early_ms = starts_at.0 - now.0;
            return Err(format!("{id} period {} opened {early_ms} ms early", account.period));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scene::{budget, put_budget};
    use ledger::{BudgetWindow, Command, Entry, Unit};

    const LIFE: (NodeId, u64) = (NodeId(1), 1);

    /// A book of one budget of 100 requests, and where its first period is charged.
    fn book(window: Window) -> (MoneyBook, Ledger, Place) {
        book_of(window, |budget| budget)
    }

    fn book_of(window: Window, with: fn(Budget) -> Budget) -> (MoneyBook, Ledger, Place) {
        let (book, mut ledger) = (MoneyBook::default(), Ledger::default());
        let windows = vec![BudgetWindow { window, limit: 100 }];
        let budget = with(budget("b", Unit::Requests, windows));
        follow(&book, &mut ledger, put_budget(&budget, UnixMillis(0)));
        let account = *ledger.accounts.keys().next().unwrap();
        (book, ledger, Place { account, period: 1, unit: Unit::Requests })
    }

    fn follow(book: &MoneyBook, ledger: &mut Ledger, command: Command) {
        let before = ledger.clone();
        let index = before.applied_index + 1;
        ledger::apply(ledger, &Entry { index, at: UnixMillis(0), command });
        book.follow(&before, ledger);
    }

    fn requests(requests: i64) -> Charge {
        Charge { nano_usd: 0, tokens: 0, requests }
    }

    fn attempt(place: Place, worst: i64) -> Arc<Exposure> {
        Exposure::new(LIFE, &[place], requests(worst))
    }

    #[test]
    fn what_may_be_billed_beyond_the_limit_is_objected_to_before_it_is() {
        let (book, _, place) = book(Window::Never);
        let first = attempt(place, 60);
        assert_eq!(book.held(&first), Ok(()));
        assert_eq!(book.billed(&first, &requests(50)), Ok(()));
        assert_eq!(book.held(&attempt(place, 50)), Ok(()));
        assert!(book.held(&attempt(place, 1)).is_err());
    }

    #[test]
    fn what_a_provider_bills_beyond_a_hold_is_allowed_for() {
        let (book, _, place) = book(Window::Never);
        let dear = attempt(place, 100);
        assert_eq!(book.held(&dear), Ok(()));
        assert_eq!(book.billed(&dear, &requests(130)), Ok(()));
        assert_eq!(book.tally(place.account, 1, LIFE).beyond, 30);
        assert!(book.held(&attempt(place, 1)).is_err());
    }

    #[test]
    fn whoever_leaves_early_frees_what_can_not_be_billed_any_more() {
        let (book, _, place) = book(Window::Never);
        let left = attempt(place, 100);
        assert_eq!(book.held(&left), Ok(()));
        book.settled(&left, &requests(40));
        assert_eq!(book.held(&attempt(place, 60)), Ok(()));
        assert_eq!(book.billed(&left, &requests(40)), Ok(()));
        assert!(book.held(&attempt(place, 1)).is_err());
    }

    #[test]
    fn each_life_may_go_beyond_the_limit_by_what_its_budget_says_and_no_more() {
        let degraded = |budget| Budget { without_quorum: WithoutQuorum::Degraded(10), ..budget };
        let (book, _, place) = book_of(Window::Never, degraded);
        assert_eq!(book.held(&attempt(place, 110)), Ok(()));
        let of_another = Exposure::new((NodeId(2), 1), &[place], requests(10));
        assert_eq!(book.held(&of_another), Ok(()));
        assert!(book.held(&attempt(place, 1)).is_err());
        let soft = |budget| Budget { mode: Mode::Soft, ..budget };
        let (book, _, place) = book_of(Window::Never, soft);
        assert_eq!(book.held(&attempt(place, 500)), Ok(()));
    }

    #[test]
    fn periods_of_a_rolling_window_count_together() {
        let (book, mut ledger, first) = book(Window::Rolling(24_000));
        assert_eq!(book.held(&attempt(first, 70)), Ok(()));
        let due = ledger::view::due(&ledger, UnixMillis(1_000), 0).remove(0);
        follow(&book, &mut ledger, due);
        let second = Place { period: 2, ..first };
        assert_eq!(book.held(&attempt(second, 30)), Ok(()));
        assert!(book.held(&attempt(second, 1)).is_err());
    }

    #[test]
    fn a_period_that_opens_before_its_time_is_objected_to() {
        let (book, before, _) = book(Window::Fixed(10_000));
        let due = ledger::view::due(&before, UnixMillis(10_000), 0).remove(0);
        let mut after = before.clone();
        follow(&book, &mut after, due);
        assert_eq!(in_time(UnixMillis(10_000 - EARLY_MAX_MS), &before, &after), Ok(()));
        assert!(in_time(UnixMillis(9_999 - EARLY_MAX_MS), &before, &after).is_err());
    }
}
