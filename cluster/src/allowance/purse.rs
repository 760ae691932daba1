//! What this node may still spend on one account and period.
//!
//! `available + held + settled + returned = granted`, but for the instant between two of a settlement's
//! steps, and for `owed`. Every counter is at most a few limits, and limits are at most 10^18, so none
//! of the sums here leaves an `i64`; the cumulative ones could after nine times the largest limit was
//! granted and given back in one period.

mod alone;
mod feed;
mod sealed;
mod settle;

pub(super) use alone::Taken;

/// What is to be opened of a purse, and what the journal is to know before.
pub(super) struct Opening {
    pub(super) purse: Arc<Purse>,
    /// So much of what is sealed.
    pub(super) amount: i64,
    /// Up to here may then be spent out of what was granted.
    pub(super) level: i64,
    /// And up to here beyond, where that changes.
    pub(super) beyond: Option<i64>,
}

use super::desk::Desk;
use super::queue::Queue;
use super::{CHARGE_MAX, Charge, PurseBooks, PurseTerms, Short, Why, observe};
use ledger::{AccountId, Mode, Unit, UnixMillis};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};

/// A node admits on a period until its own clock is this far past the period's end.
pub const GRACE_MS: u64 = 2_000;
/// The pool is not known: nothing was heard of the account yet.
const UNKNOWN: i64 = i64::MIN;

/// Keeps what one thread writes off the cache lines that others read.
#[repr(align(128))]
#[derive(Default)]
struct Line<T>(T);

/// What this node may still spend on one account and period. Shared by all threads, without locks.
pub struct Purse {
    account: AccountId,
    period: u64,
    unit: Unit,
    /// Changed by every hold.
    hot: Line<Hot>,
    /// Changed by every settlement.
    books: Line<Books>,
    /// Read by every hold, seldom changed.
    terms: Line<Terms>,
    far: Far,
    pub(super) queue: Queue,
    desk: Arc<Desk>,
}

#[derive(Default)]
struct Hot {
    available: AtomicI64,
    last_hold: AtomicI64,
}

#[derive(Default)]
struct Books {
    held: AtomicI64,
    settled: AtomicI64,
}

struct Terms {
    limit: AtomicI64,
    ends_at_ms: AtomicU64,
    soft: AtomicBool,
    /// What may be overspent without a quorum: zero nothing, `i64::MAX` everything.
    alone: AtomicI64,
    over: AtomicBool,
    touched: AtomicBool,
    pressed: AtomicBool,
    /// Below this much available, more is asked for at once.
    low_water: AtomicI64,
    /// Above this much that nobody waits for, the rest is given back at once.
    high_water: AtomicI64,
    /// Below this much available, more of what is sealed is opened.
    open_water: AtomicI64,
    opening: AtomicBool,
}

/// What only refills and refusals look at.
struct Far {
    granted: AtomicI64,
    returned: AtomicI64,
    /// Granted and not opened yet.
    sealed: AtomicI64,
    /// What is opened at a time.
    chunk: AtomicI64,
    /// Billed beyond what was granted, until a grant covers it.
    owed: AtomicI64,
    /// Let through beyond what was granted, held or spent, and not covered since.
    overspend: AtomicI64,
    /// The part of `owed` that was let through so. Added to after `owed` is.
    overspend_owed: AtomicI64,
    /// Up to here may be spent beyond, as the journal knows.
    beyond_open: AtomicI64,
    /// Up to here somebody wants to, if that is more.
    beyond_wanted: AtomicI64,
    heard_settled: AtomicI64,
    heard_returned: AtomicI64,
    pool: AtomicI64,
    /// Outstanding at other nodes that are heard, as last looked at.
    elsewhere: AtomicI64,
    low: AtomicBool,
    /// So many seconds more it counts as low: somebody asked for more than the pool held.
    scarce_s: AtomicU32,
    /// Which path it belongs to: 0 none yet, `SHARED` more than one.
    path: AtomicU64,
}

const SHARED: u64 = u64::MAX;

impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.books().fmt(f)
    }
}

impl Purse {
    pub(super) fn new(terms: &PurseTerms, desk: Arc<Desk>) -> Purse {
        let purse = Purse {
            account: terms.account,
            period: terms.period,
            unit: terms.unit,
            hot: Line::default(),
            books: Line::default(),
            terms: Line(Terms {
                limit: AtomicI64::new(0),
                ends_at_ms: AtomicU64::new(0),
                soft: AtomicBool::new(false),
                alone: AtomicI64::new(0),
                over: AtomicBool::new(false),
                touched: AtomicBool::new(false),
                pressed: AtomicBool::new(false),
                low_water: AtomicI64::new(i64::MIN),
                high_water: AtomicI64::new(i64::MAX),
                open_water: AtomicI64::new(i64::MIN),
                opening: AtomicBool::new(false),
            }),
            far: Far {
                granted: AtomicI64::new(0),
                returned: AtomicI64::new(0),
                sealed: AtomicI64::new(0),
                chunk: AtomicI64::new(0),
                owed: AtomicI64::new(0),
                overspend: AtomicI64::new(0),
                overspend_owed: AtomicI64::new(0),
                beyond_open: AtomicI64::new(0),
                beyond_wanted: AtomicI64::new(0),
                heard_settled: AtomicI64::new(0),
                heard_returned: AtomicI64::new(0),
                pool: AtomicI64::new(UNKNOWN),
                elsewhere: AtomicI64::new(0),
                low: AtomicBool::new(false),
                scarce_s: AtomicU32::new(0),
                path: AtomicU64::new(0),
            },
            queue: Queue::default(),
            desk,
        };
        purse.retell(terms);
        purse
    }

    /// Takes over what an operator may change while a period runs.
    pub(super) fn retell(&self, terms: &PurseTerms) {
        self.terms.0.limit.store(terms.limit, SeqCst);
        let ends_at_ms = terms.ends_at.map_or(u64::MAX, |at| at.0);
        self.terms.0.ends_at_ms.store(ends_at_ms, SeqCst);
        self.terms.0.soft.store(terms.mode == Mode::Soft, SeqCst);
        self.set_alone(terms.without_quorum);
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The number of the period.
    #[must_use]
    pub fn period(&self) -> u64 {
        self.period
    }

    /// What it counts.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The purse at this moment. Counters are read one after another: exact only while nothing moves.
    #[must_use]
    pub fn books(&self) -> PurseBooks {
        let settled = self.books.0.settled.load(SeqCst);
        let pool = self.far.pool.load(SeqCst);
        PurseBooks {
            account: self.account,
            period: self.period,
            unit: self.unit,
            limit: self.limit(),
            available: self.total(),
            sealed: self.sealed(),
            held: self.held(),
            settled,
            unreported: settled - self.far.heard_settled.load(SeqCst),
            returned: self.far.returned.load(SeqCst),
            granted: self.far.granted.load(SeqCst),
            owed: self.far.owed.load(SeqCst),
            overspend: self.far.overspend.load(SeqCst),
            waiting: self.queue.waiting(),
            pool: (pool != UNKNOWN).then_some(pool),
            low: self.far.low.load(SeqCst),
        }
    }

    pub(super) fn limit(&self) -> i64 {
        self.terms.0.limit.load(Relaxed)
    }

    pub(super) fn available(&self) -> i64 {
        self.hot.0.available.load(SeqCst)
    }

    fn held(&self) -> i64 {
        self.books.0.held.load(SeqCst)
    }

    pub(super) fn last_hold(&self) -> i64 {
        self.hot.0.last_hold.load(Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.terms.0.over.load(SeqCst)
    }

    fn is_soft(&self) -> bool {
        self.terms.0.soft.load(Relaxed)
    }

    /// Sets a charge aside: out of what was granted, or beyond it where that may be.
    pub(super) fn take(self: &Arc<Self>, asked: i64, now: UnixMillis) -> Result<Taken, Why> {
        let terms = &self.terms.0;
        let last_ms = terms.ends_at_ms.load(Relaxed).saturating_add(GRACE_MS);
        if now.0 > last_ms || terms.over.load(Relaxed) {
            return Err(Why::PeriodOver);
        }
        let soft = self.is_soft();
        if !soft && (asked > self.limit() || self.limit() == 0) || asked > CHARGE_MAX {
            return Err(Why::NeverFits);
        }
        let available = &self.hot.0.available;
        let left = |available: i64| (available >= asked).then(|| available - asked);
        let Ok(before) = available.fetch_update(SeqCst, SeqCst, left) else {
            self.ask_open();
            let taken = self.take_beyond(asked)?;
            if soft {
                self.look_at_water(self.available());
            }
            return Ok(taken);
        };
        self.books.0.held.fetch_add(asked, SeqCst);
        self.hot.0.last_hold.store(asked, Relaxed);
        self.touch();
        self.look_at_water(before - asked);
        Ok(Taken { covered: asked, over: 0 })
    }

    /// So much is left: where that is little, more is seen to.
    fn look_at_water(self: &Arc<Self>, left: i64) {
        let terms = &self.terms.0;
        if left < terms.low_water.load(Relaxed).max(terms.open_water.load(Relaxed)) {
            self.run_low(left);
        }
    }

    /// Undoes [`Purse::take`].
    pub(super) fn put_back(self: &Arc<Self>, taken: Taken) {
        self.far.overspend.fetch_sub(taken.over, SeqCst);
        self.books.0.held.fetch_sub(taken.covered, SeqCst);
        self.hot.0.available.fetch_add(taken.covered, SeqCst);
        self.wake_served();
    }

    /// What a charge of this size could hope for: the pool, what is here, what is out elsewhere.
    fn reachable(&self) -> i64 {
        let pool = self.far.pool.load(SeqCst);
        if pool == UNKNOWN {
            return i64::MAX;
        }
        let here = self.total() + self.held();
        pool.max(0) + here + self.far.elsewhere.load(SeqCst)
    }

    /// Whether a refill could bring what a charge of this size lacks.
    pub(super) fn asking_helps(&self, asked: i64) -> bool {
        let pool = self.far.pool.load(SeqCst);
        pool == UNKNOWN || pool.max(0) + self.total() >= asked
    }

    /// Why a charge that finds too little available is not held.
    fn why(&self, asked: i64) -> Why {
        if self.reachable() < asked {
            return Why::Spent;
        }
        // Nodes fall silent and begin new lives without an entry that tells of this account.
        if let Some(elsewhere) = observe::elsewhere_now(self, &self.desk) {
            self.far.elsewhere.store(elsewhere, SeqCst);
        }
        if self.reachable() >= asked { Why::InFlight } else { Why::Spent }
    }

    pub(super) fn short(&self, asked: i64, why: Why) -> Short {
        let pool = self.far.pool.load(SeqCst).max(0);
        let ends_at_ms = self.terms.0.ends_at_ms.load(Relaxed);
        Short {
            account: self.account,
            why,
            limit: self.limit(),
            asked,
            remaining: pool + self.total(),
            resets_at: (ends_at_ms != u64::MAX).then_some(UnixMillis(ends_at_ms)),
        }
    }

    pub(super) fn wake_served(&self) {
        if !self.queue.is_empty() {
            self.queue.wake_served(self.available());
        }
    }

    /// Has this purse looked at in the next report.
    pub(super) fn touch(self: &Arc<Self>) {
        let touched = &self.terms.0.touched;
        if !touched.load(Relaxed) && !touched.swap(true, SeqCst) {
            self.desk.touch(self);
        }
    }

    /// Has this purse looked at within a tick.
    pub(super) fn press(self: &Arc<Self>) {
        let pressed = &self.terms.0.pressed;
        if !pressed.load(SeqCst) && !pressed.swap(true, SeqCst) {
            self.desk.press(self);
        }
    }

    pub(super) fn lift_touch(&self) {
        self.terms.0.touched.store(false, SeqCst);
    }

    pub(super) fn lift_press(&self) {
        self.terms.0.pressed.store(false, SeqCst);
    }

    pub(super) fn note_exceeded(&self) {
        self.desk.counts.exceeded_holds.fetch_add(1, Relaxed);
    }

    /// The amount of a charge in this purse's unit.
    pub(super) fn amount(&self, charge: &Charge) -> i64 {
        charge.of(self.unit)
    }
}
