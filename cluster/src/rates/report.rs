//! The node's side of sharing: a report each second, or sooner where a share runs out.

use super::message::{RateLine, RateReport, RateShares};
use super::meter::Dimension;
use super::{Meter, Rates, lock};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

/// Time between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Least time between two reports.
const TICK: Duration = Duration::from_millis(20);
/// How long an answer is waited for.
const ANSWER_WAIT: Duration = Duration::from_millis(1_000);
/// A meter not used for so long has slid empty, in milliseconds.
const IDLE_MS: u64 = 70_000;
/// Most lines of one report; the rest goes into the next.
const LINES_MAX: usize = 1_000;
/// Demand of so many seconds is asked for ahead: how long a share lasts.
const AHEAD_S: u64 = 5;

/// How a report reaches the leader.
pub trait AskShares: Send + Sync + 'static {
    /// Sends the report to the leader, which may be this node; `None` where there is no answer.
    fn ask(&self, report: RateReport) -> BoxFuture<'_, Option<RateShares>>;
}

/// A report and the meters its lines are of.
pub(super) struct Reported {
    pub(super) report: RateReport,
    meters: Vec<(Arc<Meter>, Dimension)>,
    sent_ms: u64,
}

impl Rates {
    /// Keeps the shares fresh until the future is dropped. One per node; `node` is its Raft id.
    pub async fn run(self: Arc<Self>, node: u64, leader: Arc<dyn AskShares>) {
        let mut second = interval(REPORT_EVERY);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        let mut seq = 0;
        loop {
            let all = tokio::select! {
                _ = second.tick() => true,
                () = self.bell.notified() => false,
            };
            sleep_until(last + TICK).await;
            last = Instant::now();
            let meters =
                if all { self.in_use() } else { std::mem::take(&mut *lock(&self.pressed)) };
            for part in meters.chunks(LINES_MAX / Dimension::ALL.len()) {
                seq += 1;
                let reported = self.compose(node, seq, part);
                if reported.report.lines.is_empty() {
                    continue;
                }
                let asked = timeout(ANSWER_WAIT, leader.ask(reported.report.clone())).await;
                if let Ok(Some(shares)) = asked {
                    self.take_over(&reported, &shares);
                }
            }
        }
    }

    /// Meters that count something or did lately; others are forgotten once nobody has terms on them.
    pub(super) fn in_use(&self) -> Vec<Arc<Meter>> {
        let now_ms = self.mono_ms();
        let mut in_use = Vec::new();
        lock(&self.meters).retain(|_, meter| {
            let counts = lock(&meter.counts);
            let used = counts.in_flight > 0 || now_ms < counts.used_at_ms + IDLE_MS;
            drop(counts);
            if used {
                in_use.push(Arc::clone(meter));
            }
            used || Arc::strong_count(meter) > 1
        });
        in_use
    }

    pub(super) fn compose(&self, node: u64, seq: u64, meters: &[Arc<Meter>]) -> Reported {
        let mut reported = Reported {
            report: RateReport { node, seq, lines: Vec::new() },
            meters: Vec::new(),
            sent_ms: self.mono_ms(),
        };
        let now_ms = crate::seal::unix_ms();
        for meter in meters {
            let mut counts = lock(&meter.counts);
            counts.is_pressed = false;
            counts.wants_more = false;
            for dimension in Dimension::ALL {
                let index = dimension.index();
                let asked = std::mem::take(&mut counts.asked[index]);
                let Some(limit) = counts.limits[index] else {
                    continue;
                };
                reported.report.lines.push(RateLine {
                    scope: meter.scope.to_string(),
                    dimension: dimension.code(),
                    limit,
                    used: counts.used(dimension, now_ms),
                    wanted: asked.saturating_mul(AHEAD_S).min(limit),
                    share_seq: counts.share_seqs[index],
                });
                reported.meters.push((Arc::clone(meter), dimension));
            }
        }
        reported
    }

    /// Takes over the shares of an answer; one that is older than what is in use changes nothing.
    pub(super) fn take_over(&self, reported: &Reported, shares: &RateShares) {
        if shares.seq != reported.report.seq || shares.shares.len() != reported.meters.len() {
            return;
        }
        for ((meter, dimension), share) in reported.meters.iter().zip(&shares.shares) {
            let mut counts = lock(&meter.counts);
            let index = dimension.index();
            if counts.share_seqs[index] < shares.seq {
                counts.share_seqs[index] = shares.seq;
                counts.shares[index].give(*share, reported.sent_ms);
            }
        }
        self.answer.notify_waiters();
    }
}
