//! The refill loop: a 40 ms tick for those who cannot wait, a report every second.

use super::refill::{Refiller, Round};
use super::{Allowances, desk::Desk};
use futures_util::future::BoxFuture;
use ledger::command::Refill;
use ledger::{Denial, Outcome};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tracing::{debug, error};

/// Least time between two refills.
const TICK: Duration = Duration::from_millis(40);
/// Time between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// How long a refill may be on its way before another is sent with the same counters.
const PROPOSE_WAIT: Duration = Duration::from_secs(2);
/// How long a refill that is in the log may take to be applied here.
const APPLY_WAIT: Duration = Duration::from_millis(500);
/// Reports between two looks for purses that can be forgotten.
const REPORTS_PER_SWEEP: u32 = 60;
/// Longest pause after refills that failed.
const PAUSE_MAX: Duration = Duration::from_millis(320);

/// How a refill gets into the log.
pub trait Propose: Send + Sync + 'static {
    /// Proposes the refill; `None` where it was not applied or nobody knows. Grants are taken from the
    /// applied entry only, so a lost answer, a repetition or a late arrival does no harm.
    fn propose(&self, refill: Refill) -> BoxFuture<'_, Option<Outcome>>;
}

impl Allowances {
    /// Keeps the purses filled until the future is dropped. One per node.
    pub async fn run(self: Arc<Self>, proposer: Arc<dyn Propose>) {
        let desk = &self.desk;
        let started = Instant::now();
        let mut refiller = Refiller::new(Arc::clone(desk));
        let mut second = interval(REPORT_EVERY);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pause = TICK;
        let mut last = started;
        let mut reports = 0_u32;
        loop {
            let mut round = tokio::select! {
                // Which of the two goes first must not be a matter of luck: runs are replayed from a seed.
                biased;
                _ = second.tick() => Round::Second,
                () = desk.bell.notified() => Round::Urgent,
            };
            sleep_until(last + pause).await;
            if round == Round::Second {
                reports = reports.wrapping_add(1);
                if reports.is_multiple_of(REPORTS_PER_SWEEP) {
                    self.sweep();
                }
            }
            if desk.report_now.swap(false, SeqCst) && round == Round::Urgent {
                round = Round::Report;
            }
            let now_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let Some(refill) = refiller.compose(round, now_ms) else {
                continue;
            };
            // Whatever it reports is in the journal before it can be in the ledger.
            if let Some(journal) = desk.journal() {
                journal.flush();
            }
            last = Instant::now();
            pause = if self.send(proposer.as_ref(), refill).await {
                TICK
            } else {
                (pause * 2).min(PAUSE_MAX)
            };
        }
    }

    /// Whether the refill was applied here.
    async fn send(&self, proposer: &dyn Propose, refill: Refill) -> bool {
        let seq = refill.seq;
        match timeout(PROPOSE_WAIT, proposer.propose(refill)).await {
            Ok(Some(Outcome::Denied(denial))) => self.denied(&denial),
            Ok(Some(_in_the_log)) => {}
            Ok(None) | Err(_) => {
                self.failed(seq);
                self.cut_off();
                return false;
            }
        }
        let answered = timeout(APPLY_WAIT, self.desk.wait_answered(seq)).await.is_ok();
        if !answered {
            self.failed(seq);
        }
        answered
    }

    fn denied(&self, denial: &Denial) {
        if let Denial::StaleIncarnation { present } = denial {
            self.desk.fenced.store(true, SeqCst);
            error!(present, "a later life of this node was enrolled: this one asks no more");
        } else {
            error!(?denial, "refill denied");
        }
    }

    /// Nobody takes refills: those who wait where something is let through all the same need not wait any
    /// longer.
    fn cut_off(&self) {
        if self.desk.cut_off() {
            let alone = self.purses().into_iter().filter(|purse| purse.may_overspend());
            alone.for_each(|purse| purse.queue.wake_decided(0, 0));
        }
    }

    /// Those who still wait shall be asked for again.
    fn failed(&self, seq: u64) {
        self.desk.counts.failed.fetch_add(1, SeqCst);
        debug!(seq, "refill not answered");
        for purse in self.desk.sent_purses() {
            if purse.queue.waiting() > purse.total() || purse.has_news() {
                purse.press();
            }
        }
    }
}

impl Desk {
    async fn wait_answered(&self, seq: u64) {
        loop {
            let answer = self.answer.notified();
            tokio::pin!(answer);
            answer.as_mut().enable();
            if self.answered_seq.load(SeqCst) >= seq {
                return;
            }
            answer.await;
        }
    }
}
