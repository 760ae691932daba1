//! The leader's side: who holds which share until when. In memory only; a new leader waits until the
//! shares of the one before have expired.

use super::allot::{Demand, allot};
use super::message::{RateLine, RateReport, RateShares, SHARE_MS};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

/// Limits nobody reports on are forgotten after this long, in milliseconds.
const FORGET_MS: u64 = 2 * SHARE_MS;

/// Hands out shares. One per process; idle unless this node leads.
///
/// To mount it: on becoming leader call [`RateDesk::lead`], on losing that call [`RateDesk::follow`],
/// and answer a peer's [`RateReport`] with [`handle_rate_report`]. Times are milliseconds of any clock
/// that does not jump.
#[derive(Debug, Default)]
pub struct RateDesk {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// Since when this node leads and from when it may hand out; `None` while it follows.
    opens_at_ms: Option<u64>,
    limits: HashMap<(String, u8), BTreeMap<u64, Holder>>,
    swept_at_ms: u64,
}

/// What one node said of one limit, and what it was given.
#[derive(Clone, Debug, Default)]
struct Holder {
    demand: Demand,
    said_at_ms: u64,
    /// Shares that may be in use: (sequence of the report, share, expiry).
    given: Vec<(u64, u64, u64)>,
}

impl Holder {
    /// The most this node may believe to have.
    fn claim(&self, now_ms: u64) -> u64 {
        let live = self.given.iter().filter(|(_, _, expires_ms)| *expires_ms > now_ms);
        live.map(|(_, share, _)| *share).max().unwrap_or(0)
    }

    /// Forgets shares that expired, and those that the one in use has replaced.
    fn tidy(&mut self, in_use_seq: u64, now_ms: u64) {
        self.given.retain(|(seq, _, expires_ms)| *expires_ms > now_ms && *seq >= in_use_seq);
    }
}

/// Answers a node's report on the leader; `None` where this node does not lead.
///
/// A route for it takes the report from the peer's body, calls this with a monotonic clock, and sends
/// back the shares, or its usual hint at the leader for `None`.
pub async fn handle_rate_report(
    desk: &RateDesk,
    report: RateReport,
    now_ms: u64,
) -> Option<RateShares> {
    desk.answer(&report, now_ms)
}

impl RateDesk {
    /// This node leads from now on. `alone`: it is the only member, so nobody holds older shares.
    pub fn lead(&self, now_ms: u64, alone: bool) {
        let mut books = self.books();
        if books.opens_at_ms.is_none() {
            books.limits.clear();
            books.opens_at_ms = Some(if alone { now_ms } else { now_ms + SHARE_MS });
        }
    }

    /// This node does not lead any more.
    pub fn follow(&self) {
        let mut books = self.books();
        books.opens_at_ms = None;
        books.limits.clear();
    }

    /// Shares for the lines of a report. The sum of what all nodes may believe to have stays within
    /// each limit, whichever answers are lost; but for nodes that have no share and live on a fallback.
    pub fn answer(&self, report: &RateReport, now_ms: u64) -> Option<RateShares> {
        let mut books = self.books();
        let opens_at_ms = books.opens_at_ms?;
        books.sweep(now_ms);
        let may_give = now_ms >= opens_at_ms;
        let mut shares = Vec::new();
        for line in &report.lines {
            let share = books.share(report, line, now_ms, may_give);
            shares.extend(share);
        }
        Some(RateShares { seq: report.seq, shares })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("no thread panics while it holds this")
    }
}

impl Books {
    fn share(
        &mut self,
        report: &RateReport,
        line: &RateLine,
        now_ms: u64,
        may_give: bool,
    ) -> Option<u64> {
        let key = (line.scope.clone(), line.dimension);
        let holders = self.limits.entry(key).or_default();
        let holder = holders.entry(report.node).or_default();
        holder.demand = Demand { used: line.used, wanted: line.wanted };
        holder.said_at_ms = now_ms;
        holder.tidy(line.share_seq, now_ms);
        if !may_give {
            return None;
        }
        let demands: Vec<Demand> = holders.values().map(|holder| holder.demand).collect();
        let fair = allot(line.limit, &demands);
        let own = holders.keys().position(|node| *node == report.node)?;
        let others = holders.iter().filter(|(node, _)| **node != report.node);
        let claimed = others.map(|(_, holder)| holder.claim(now_ms)).fold(0, u64::saturating_add);
        let share = fair[own].min(line.limit.saturating_sub(claimed));
        let holder = holders.get_mut(&report.node)?;
        holder.given.push((report.seq, share, now_ms + SHARE_MS));
        Some(share)
    }

    fn sweep(&mut self, now_ms: u64) {
        if now_ms < self.swept_at_ms + FORGET_MS {
            return;
        }
        self.swept_at_ms = now_ms;
        self.limits.retain(|_, holders| {
            holders.retain(|_, holder| holder.said_at_ms + FORGET_MS > now_ms);
            !holders.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(node: u64, seq: u64, share_seq: u64, used: u64, wanted: u64) -> RateReport {
        let scope = "k".to_owned();
        let line = RateLine { scope, dimension: 0, limit: 90, used, wanted, share_seq };
        RateReport { node, seq, lines: vec![line] }
    }

    fn leading() -> RateDesk {
        let desk = RateDesk::default();
        desk.lead(0, true);
        desk
    }

    fn ask(desk: &RateDesk, report: &RateReport, now_ms: u64) -> u64 {
        desk.answer(report, now_ms).unwrap().shares[0]
    }

    #[test]
    fn a_lone_node_is_given_the_whole_limit_at_once() {
        assert_eq!(ask(&leading(), &report(1, 1, 0, 0, 1), 0), 90);
    }

    #[test]
    fn what_one_may_still_use_is_not_given_to_another() {
        let desk = leading();
        assert_eq!(ask(&desk, &report(1, 1, 0, 0, 90), 0), 90);
        // The second must wait: the first has not heard that its share is smaller now.
        assert_eq!(ask(&desk, &report(2, 1, 0, 0, 90), 10), 0);
        assert_eq!(ask(&desk, &report(1, 2, 1, 0, 90), 20), 45);
        assert_eq!(ask(&desk, &report(2, 2, 1, 0, 90), 30), 0);
        // Now it has.
        assert_eq!(ask(&desk, &report(1, 3, 2, 0, 90), 40), 45);
        assert_eq!(ask(&desk, &report(2, 3, 2, 0, 90), 50), 45);
    }

    #[test]
    fn the_share_of_a_silent_node_is_free_after_its_expiry() {
        let desk = leading();
        ask(&desk, &report(1, 1, 0, 0, 90), 0);
        assert_eq!(ask(&desk, &report(2, 1, 0, 0, 90), SHARE_MS - 1), 0);
        assert_eq!(ask(&desk, &report(2, 2, 1, 0, 90), SHARE_MS), 45);
        assert_eq!(ask(&desk, &report(2, 3, 2, 0, 90), 3 * FORGET_MS), 90);
    }

    #[test]
    fn a_new_leader_waits_one_expiry_and_a_follower_does_not_answer() {
        let desk = RateDesk::default();
        assert_eq!(desk.answer(&report(1, 1, 0, 0, 1), 0), None);
        desk.lead(1_000, false);
        let early = desk.answer(&report(1, 1, 0, 0, 1), 1_000 + SHARE_MS - 1).unwrap();
        assert!(early.shares.is_empty());
        assert_eq!(ask(&desk, &report(1, 2, 0, 0, 1), 1_000 + SHARE_MS), 90);
        desk.follow();
        assert_eq!(desk.answer(&report(1, 3, 0, 0, 1), 9_000), None);
    }

    #[test]
    fn claims_never_pass_the_limit_whatever_is_lost() {
        // A walk over 4 nodes: each step one of them reports; the answer is lost one time in three.
        let desk = leading();
        let mut held = [(0_u64, 0_u64); 4];
        let (mut seq, mut heard) = ([0_u64; 4], [0_u64; 4]);
        let mut seed = 7_u64;
        for step in 0..20_000_u64 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let node = usize::try_from(seed >> 33 & 3).unwrap();
            let now_ms = step * 37;
            seq[node] += 1;
            let wanted = seed >> 40 & 127;
            let said = report(node as u64, seq[node], heard[node], 0, wanted);
            let share = ask(&desk, &said, now_ms);
            if seed >> 50 & 3 != 0 {
                held[node] = (share, now_ms + SHARE_MS);
                heard[node] = seq[node];
            }
            let live = held.iter().filter(|(_, expires_ms)| *expires_ms > now_ms);
            let sum: u64 = live.map(|(share, _)| share).sum();
            assert!(sum <= 90, "{sum} at step {step}");
        }
    }
}
