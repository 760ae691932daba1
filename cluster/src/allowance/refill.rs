//! The refill: one command that reports, gives back and asks for every purse that has cause.
//!
//! Composing is synchronous and takes the time as a parameter; sending is the business of `run`.

use super::desk::{Desk, Said, Sent};
use super::plan::{self, Ask, Standing};
use super::{Purse, observe};
use ledger::command::{Refill, RefillLine};
use ledger::{AccountId, Ledger, UsageLine};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// Most lines of one refill: an entry of the log has at most 64 KiB, a line at most 90 bytes.
pub(super) const LINES_MAX: usize = 600;
/// Most of them for purses that cannot wait: there is room for reports in any refill.
const URGENT_LINES_MAX: usize = 450;

/// What makes a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Somebody pressed: only purses that did.
    Urgent,
    /// Everything there is to say about every purse in use.
    Report,
    /// The same, once a second: rates are sampled too.
    Second,
}

/// Composes refills. One per node, used by one task.
pub(super) struct Refiller {
    desk: Arc<Desk>,
    seq: u64,
    tallies: BTreeMap<Key, Tally>,
    sampled_at_ms: u64,
    /// Purses that cannot wait.
    urgent: Turns,
    /// Purses to be reported.
    due: Turns,
    /// The batch of usage that is on its way until it is known to be applied.
    batch: Option<(u64, Vec<UsageLine>)>,
}

type Key = (AccountId, u64);

/// Purses that each get their turn: they go round, and the next refill goes on behind the last one.
#[derive(Default)]
struct Turns {
    waiting: BTreeSet<Key>,
    last: Option<Key>,
}

impl Turns {
    fn next(&mut self) -> Option<Key> {
        let behind = self.last.map_or(Unbounded, Excluded);
        let next = self.waiting.range((behind, Unbounded)).next().or_else(|| self.waiting.first());
        let next = *next?;
        self.waiting.remove(&next);
        self.last = Some(next);
        Some(next)
    }
}

/// A refill in the making.
#[derive(Default)]
struct Draft {
    lines: Vec<RefillLine>,
    sent: Sent,
    /// Numbers of the paths met so far.
    paths: BTreeMap<u64, u32>,
    now_ms: u64,
    /// The ledger, where no earlier refill can change it any more.
    settled: Option<Arc<Ledger>>,
}

/// What is known of a purse over time.
struct Tally {
    purse: Arc<Purse>,
    rate: i64,
    mean_hold: i64,
    settled_at_sample: i64,
    used_at_ms: u64,
}

impl Refiller {
    pub(super) fn new(desk: Arc<Desk>) -> Refiller {
        Refiller {
            desk,
            seq: 0,
            tallies: BTreeMap::new(),
            sampled_at_ms: 0,
            urgent: Turns::default(),
            due: Turns::default(),
            batch: None,
        }
    }

    /// The next refill, or `None` where there is no cause for one or this life of the node is not
    /// enrolled. `now_ms` is monotonic and starts anywhere.
    pub(super) fn compose(&mut self, round: Round, now_ms: u64) -> Option<Refill> {
        if !self.desk.is_enrolled() {
            return None;
        }
        let &(node, incarnation) = self.desk.identity.get()?;
        let desk = Arc::clone(&self.desk);
        let _not_draining_meanwhile = desk.compose();
        let is_answered = desk.answered_seq.load(SeqCst) >= self.seq;
        self.drain_words(now_ms);
        if round != Round::Urgent {
            self.due.waiting.extend(self.tallies.keys());
        }
        if round == Round::Second {
            self.sample(now_ms);
            self.recheck();
        }
        let settled = if is_answered { desk.ledger.load_full() } else { None };
        let Draft { lines, mut sent, .. } =
            self.draft(Draft { settled, now_ms, ..Draft::default() });
        let (usage_batch, usage) = self.usage(round);
        if !self.urgent.waiting.is_empty() || !self.due.waiting.is_empty() {
            self.desk.bell.notify_one();
        }
        if round == Round::Second {
            self.forget_done();
        }
        // An empty one, too, keeps those before it from being applied.
        let ends_others = desk.is_draining() && !is_answered;
        if lines.is_empty() && usage.is_empty() && !ends_others {
            return None;
        }
        self.seq += 1;
        sent.seq = self.seq;
        self.desk.send(sent);
        Some(Refill {
            node,
            incarnation,
            seq: self.seq,
            active_nodes: self.desk.active_nodes.load(SeqCst).max(1),
            lines,
            usage_batch,
            usage,
        })
    }

    /// The batch of usage to send: the one that is out until it is applied, unchanged, and then in its
    /// turn the next.
    fn usage(&mut self, round: Round) -> (u64, Vec<UsageLine>) {
        let usage = &self.desk.usage;
        if self.batch.as_ref().is_some_and(|(number, _)| *number <= usage.applied()) {
            self.batch = None;
        }
        let is_turn = round != Round::Urgent || usage.is_crowded();
        if self.batch.is_none() && is_turn {
            self.batch = usage.take_batch();
            if usage.is_crowded() {
                self.desk.bell.notify_one();
            }
        }
        self.batch.clone().unwrap_or_default()
    }

    /// As many lines as fit, of those who cannot wait first. The others keep their turn.
    fn draft(&mut self, mut draft: Draft) -> Draft {
        while draft.lines.len() < URGENT_LINES_MAX {
            let Some(key) = self.urgent.next() else { break };
            let report = self.due.waiting.remove(&key);
            self.add_line(&mut draft, key, report);
        }
        while draft.lines.len() < LINES_MAX {
            let Some(key) = self.due.next() else { break };
            self.urgent.waiting.remove(&key);
            self.add_line(&mut draft, key, true);
        }
        draft
    }

    fn add_line(&self, draft: &mut Draft, key: Key, report: bool) {
        let Some(tally) = self.tallies.get(&key) else {
            return;
        };
        if let Some(line) = self.line(tally, report, draft) {
            draft.sent.said.push(Said {
                purse: Arc::clone(&tally.purse),
                settled_cum: line.settled_cum,
                returned_cum: line.returned_cum,
            });
            draft.lines.push(line);
        }
    }

    /// Takes in the words left at the desk.
    fn drain_words(&mut self, now_ms: u64) {
        for purse in self.desk.take_touched() {
            purse.lift_touch();
            self.tally(purse, now_ms).used_at_ms = now_ms;
        }
        for purse in self.desk.take_pressed() {
            purse.lift_press();
            self.urgent.waiting.insert((purse.account(), purse.period()));
            self.tally(purse, now_ms);
        }
    }

    fn tally(&mut self, purse: Arc<Purse>, now_ms: u64) -> &mut Tally {
        let key = (purse.account(), purse.period());
        self.tallies.entry(key).or_insert_with(|| Tally {
            rate: 0,
            mean_hold: purse.last_hold(),
            settled_at_sample: purse.settled_and_returned().0,
            used_at_ms: now_ms,
            purse,
        })
    }

    /// Rates and means, once a second.
    fn sample(&mut self, now_ms: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.sampled_at_ms).clamp(1, 60_000);
        self.sampled_at_ms = now_ms;
        let elapsed_ms = i64::try_from(elapsed_ms).unwrap_or(60_000);
        for tally in self.tallies.values_mut() {
            let (settled, _) = tally.purse.settled_and_returned();
            let spent = settled - tally.settled_at_sample;
            tally.settled_at_sample = settled;
            let rate = spent.saturating_mul(1_000) / elapsed_ms;
            // Up by a half, down by a quarter: short of money is worse than a cushion too many.
            let weight = if rate > tally.rate { 2 } else { 4 };
            let step = (rate - tally.rate) / weight;
            tally.rate = if step == 0 { rate } else { tally.rate + step };
            tally.mean_hold += (tally.purse.last_hold() - tally.mean_hold) / 4;
        }
    }

    /// Takes over what operators changed, and ends purses whose period or budget is gone.
    fn recheck(&self) {
        let ledger = self.desk.ledger.load();
        let Some(ledger) = ledger.as_ref() else {
            return;
        };
        for tally in self.tallies.values() {
            tally.purse.tick_second();
            observe::look(&tally.purse, ledger, &self.desk);
        }
    }

    fn line(&self, tally: &Tally, report: bool, draft: &mut Draft) -> Option<RefillLine> {
        let purse = &tally.purse;
        let settled = draft.settled.as_ref();
        if let Some(lane) = settled.and_then(|it| observe::own_lane(purse, it, &self.desk)) {
            purse.take_back(&lane);
        }
        let ask = self.decide(tally, draft.now_ms);
        purse.set_water(ask.low_water, ask.high_water);
        purse.set_chunk(tally.rate, tally.mean_hold);
        purse.give_back(ask.give_back);
        let is_due = report || ask.give_back > 0 || self.is_closing(purse) || purse.owes();
        if ask.want == 0 && !(is_due && purse.has_news()) {
            return None;
        }
        let (settled_cum, returned_cum) = purse.settled_and_returned();
        let paths = &mut draft.paths;
        let next = u32::try_from(paths.len() + 1).unwrap_or(u32::MAX);
        let path = purse.path().map(|path| *paths.entry(path).or_insert(next));
        Some(RefillLine {
            account: purse.account(),
            period: purse.period(),
            settled_cum,
            returned_cum,
            // The ledger itself finds what was spent beyond what it granted.
            debt_cum: 0,
            want: ask.want,
            must: ask.must,
            path: path.unwrap_or(0),
        })
    }

    fn decide(&self, tally: &Tally, now_ms: u64) -> Ask {
        let books = tally.purse.books();
        let closing = self.is_closing(&tally.purse);
        let (in_line, least_in_line) = tally.purse.queue.in_line();
        // Before the first hold, whoever waits shows what holds are like.
        let first = least_in_line.unwrap_or(0);
        let mean_hold = if tally.mean_hold == 0 { first } else { tally.mean_hold };
        let mut ask = plan::ask(&Standing {
            available: (books.available - books.owed).max(0),
            waiting: books.waiting,
            in_line,
            least_in_line,
            rate: tally.rate,
            mean_hold,
            limit: books.limit,
            pool: books.pool,
            low: books.low,
            idle_ms: now_ms.saturating_sub(tally.used_at_ms),
            closing,
        });
        if closing {
            (ask.want, ask.must) = (0, 0);
        }
        ask
    }

    fn is_closing(&self, purse: &Purse) -> bool {
        purse.is_over() || self.desk.is_draining()
    }

    /// Purses with nothing in them and nothing to say are left alone until they are used again.
    fn forget_done(&mut self) {
        self.tallies.retain(|_, tally| {
            let idle = tally.rate == 0 && tally.purse.queue.is_empty();
            !(idle && tally.purse.is_done())
        });
    }
}
