//! Reports, gives back and asks, for all accounts of a node.

use super::{At, RefillLine};
use crate::allowance::{self, Ask};
use crate::{
    Account, AccountId, Change, Denial, Grant, Lane, Ledger, NanoUsd, NodeId, Unit, UsageLine,
    instance, threshold, usage,
};
use std::collections::{BTreeMap, BTreeSet};

/// Reports, gives back and asks, for all accounts of a node.
///
/// First all lines are booked, then grants are made: what one line gives back, another may get. Counters
/// are cumulative, so a line repeated or overtaken by a later one changes nothing. Lines for past
/// periods are booked until the period is closed and granted nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refill {
    /// The node.
    pub node: NodeId,
    /// Its incarnation: the present one, else the refill is denied.
    pub incarnation: u64,
    /// Rises by one with each refill of an incarnation. A sequence already applied is only answered,
    /// with the grants as they stand, so that a lost answer is not a lost grant.
    pub seq: u64,
    /// Nodes that share the pools, by the proposer's view.
    pub active_nodes: u32,
    /// One line per account and period.
    pub lines: Vec<RefillLine>,
    /// Number of the batch of usage it carries, from 1; zero: none. One already applied is a repetition,
    /// and an unanswered one is sent again unchanged until it is known to be applied.
    pub usage_batch: u64,
    /// What was used since the batch before.
    pub usage: Vec<UsageLine>,
}

/// A refill's grants and the pools that grew by it.
pub(super) type Refilled = (Vec<Grant>, Vec<Change>);

impl Refill {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Refilled, Denial> {
        let Some(node) = ledger.nodes.get_mut(&self.node) else {
            return Err(Denial::NotFound("node", self.node.0.to_string()));
        };
        let present = node.incarnation;
        if self.incarnation < present || node.is_retired() {
            return Err(Denial::StaleIncarnation { present });
        }
        if self.incarnation > present {
            let reason = format!("{} has not been enrolled", self.incarnation);
            return Err(Denial::Invalid("incarnation", reason));
        }
        let mut changes = Vec::new();
        if self.seq > node.refill_seq {
            node.refill_seq = self.seq;
            if self.usage_batch > node.usage_batch {
                node.usage_batch = self.usage_batch;
                usage::add(ledger, &self.usage);
            }
            changes = self.book_and_grant(ledger, at);
        }
        let grants: Vec<Grant> = self.lines.iter().map(|line| self.answer(ledger, line)).collect();
        for line in &self.lines {
            instance::forget_settled(ledger, line.account);
        }
        let granted = Change::Granted {
            node: self.node,
            incarnation: self.incarnation,
            seq: self.seq,
            grants: grants.clone(),
        };
        changes.insert(0, granted);
        Ok((grants, changes))
    }

    fn book_and_grant(&self, ledger: &mut Ledger, at: At) -> Vec<Change> {
        let mut pools_before = BTreeMap::new();
        let mut spent_on = BTreeSet::new();
        for line in &self.lines {
            pools_before.entry(line.account).or_insert_with(|| present_pool(ledger, line.account));
            if self.book(ledger, line) {
                spent_on.insert((line.account, line.period));
            }
        }
        for lines in self.paths() {
            let asks: Vec<Ask> = lines.iter().map(|line| ask(ledger, line)).collect();
            let sizes = allowance::path(&asks, self.active_nodes);
            for (line, size) in lines.into_iter().zip(sizes) {
                self.grant(ledger, line, size.sum());
            }
        }
        for (account, period) in spent_on {
            threshold::tell(ledger, at.at, account, period);
        }
        pools_before
            .into_iter()
            .filter(|&(account, before)| present_pool(ledger, account) > before)
            .map(|(account, _)| Change::PoolGrew(account))
            .collect()
    }

    /// Lines that are granted together: those of one path number, and each without one by itself.
    fn paths(&self) -> Vec<Vec<&RefillLine>> {
        let mut numbered: BTreeMap<u32, Vec<&RefillLine>> = BTreeMap::new();
        let mut paths = Vec::new();
        for line in &self.lines {
            if line.path == 0 {
                paths.push(vec![line]);
            } else {
                numbered.entry(line.path).or_default().push(line);
            }
        }
        paths.extend(numbered.into_values());
        paths
    }

    /// Books what was spent and given back; true if more is known to be spent after it. A first line of
    /// a new life also tidies away the node's earlier lanes that have nothing outstanding, but for those
    /// that a journal may still tell of: they may have been spent beyond what they were granted.
    fn book(&self, ledger: &mut Ledger, line: &RefillLine) -> bool {
        let node = ledger.nodes.get(&self.node);
        let told_of = |life| node.is_some_and(|node| node.past_life(life).is_some());
        let Some(account) = ledger.accounts.get_mut(&line.account) else {
            return false;
        };
        let pool = if account.grants_in(line.period) { account.pool().max(0) } else { 0 };
        let Some(period) = account.periods.get_mut(&line.period) else {
            return false;
        };
        let mine = (self.node, self.incarnation);
        if !period.lanes.contains_key(&mine) {
            let earlier: Vec<u64> = period
                .lanes
                .range((self.node, 0)..mine)
                .map(|(&(_, incarnation), _)| incarnation)
                .filter(|&incarnation| !told_of(incarnation))
                .collect();
            for incarnation in earlier {
                period.fold_lane(self.node, incarnation);
            }
        }
        let before = period.spent();
        let lane = booked(period.lane(self.node, self.incarnation), line, pool);
        period.put_lane(self.node, self.incarnation, lane);
        period.spent() > before
    }

    /// Adds to the lane, never more than the pool holds now.
    fn grant(&self, ledger: &mut Ledger, line: &RefillLine, amount: i64) {
        let Some(account) = ledger.accounts.get_mut(&line.account) else {
            return;
        };
        if amount <= 0 || !account.grants_in(line.period) {
            return;
        }
        let amount = amount.min(account.pool().max(0));
        let Some(period) = account.periods.get_mut(&line.period) else {
            return;
        };
        let mut lane = period.lane(self.node, self.incarnation);
        lane.granted = lane.granted.saturating_add(amount);
        period.put_lane(self.node, self.incarnation, lane);
    }

    fn answer(&self, ledger: &Ledger, line: &RefillLine) -> Grant {
        let account = ledger.accounts.get(&line.account);
        let period = account.and_then(|account| account.periods.get(&line.period));
        let lane = period.map(|period| period.lane(self.node, self.incarnation));
        let granting = account.filter(|account| account.grants_in(line.period));
        Grant {
            account: line.account,
            period: line.period,
            granted_cum: lane.unwrap_or_default().granted,
            pool: granting.map_or(0, Account::pool),
            low: granting.is_none_or(|it| it.is_low() || it.pool() < line.want),
        }
    }
}

/// A lane after a line was booked on it.
fn booked(lane: Lane, line: &RefillLine, pool: i64) -> Lane {
    let mut next = lane.spend(line.settled_cum, pool);
    let returnable = next.granted.saturating_sub(next.reported);
    next.returned = lane.returned.max(line.returned_cum.min(returnable));
    next.debt = next.debt.max(line.debt_cum.min(NanoUsd::LIMIT_MAX.0));
    next
}

fn present_pool(ledger: &Ledger, id: AccountId) -> i64 {
    let account = ledger.accounts.get(&id);
    account.filter(|account| account.deleted_at.is_none()).map_or(0, Account::pool)
}

fn ask(ledger: &Ledger, line: &RefillLine) -> Ask {
    let account = ledger.accounts.get(&line.account);
    let granting = account.filter(|account| account.grants_in(line.period));
    let must = line.must.max(0);
    Ask {
        unit: account.map_or(Unit::NanoUsd, |account| account.unit),
        limit: granting.map_or(0, Account::limit),
        pool: granting.map_or(0, Account::pool),
        must,
        want: line.want.max(must),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Adopt, Command};
    use crate::sample::{ACCOUNT, LIMIT, Log, NODES, line};
    use crate::{Outcome, view::books};

    fn refill(incarnation: u64, seq: u64, lines: Vec<RefillLine>) -> Command {
        Command::Refill(Refill {
            node: NODES[0],
            incarnation,
            seq,
            active_nodes: 2,
            lines,
            ..Refill::default()
        })
    }

    #[test]
    fn a_lost_answer_is_given_again_and_grants_nothing_new() {
        let mut log = Log::sample();
        let ask = refill(1, 1, vec![line(0, 0, 30)]);
        let first = log.propose(ask.clone());
        let grant =
            Grant { account: ACCOUNT, period: 1, granted_cum: 30, pool: LIMIT - 30, low: false };
        assert_eq!(first.0, Outcome::Refilled(vec![grant]));
        let before = log.ledger.accounts.clone();
        assert_eq!(log.propose(ask), first);
        assert_eq!(log.ledger.accounts, before);
    }

    #[test]
    fn a_life_that_is_over_or_has_not_begun_is_denied() {
        let mut log = Log::sample();
        log.enrol(NODES[0], 2);
        let stale = Denial::StaleIncarnation { present: 2 };
        let (outcome, changes) = log.propose(refill(1, 9, vec![line(0, 0, 30)]));
        assert_eq!((outcome, changes), (Outcome::Denied(stale), Vec::new()));
        let (outcome, _) = log.propose(refill(3, 1, vec![line(0, 0, 30)]));
        assert!(matches!(outcome, Outcome::Denied(Denial::Invalid("incarnation", _))));
    }

    #[test]
    fn returns_of_one_refill_are_granted_in_the_next() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, LIMIT));
        assert_eq!(log.refill(NODES[1], line(0, 0, 40)), 0);
        let (_, changes) = log.propose(refill(1, 2, vec![line(100, 50, 0)]));
        assert_eq!(changes[1..], [Change::PoolGrew(ACCOUNT)]);
        assert_eq!(log.refill(NODES[1], line(0, 0, 40)), 40);
        assert_eq!(log.refill(NODES[1], line(0, 0, 40)), 50);
    }

    #[test]
    fn old_counters_take_nothing_back() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 100));
        log.refill(NODES[0], line(60, 20, 0));
        let before = log.ledger.accounts.clone();
        log.refill(NODES[0], line(30, 10, 0));
        log.refill(NODES[0], line(-5, i64::MIN, -3));
        assert_eq!(log.ledger.accounts, before);
    }

    #[test]
    fn spend_beyond_the_grants_is_covered_by_the_pool_and_else_is_debt() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 100));
        assert_eq!(log.refill(NODES[0], line(150, 0, 0)), 150);
        log.refill(NODES[1], line(0, 0, LIMIT));
        assert_eq!(log.refill(NODES[0], line(180, 0, 0)), 150);
        let books = books(&log.ledger, ACCOUNT).unwrap();
        assert_eq!((books.reported, books.debt, books.overspend_bound), (150, 30, 30));
    }

    #[test]
    fn a_new_life_tidies_settled_lanes_and_leaves_the_others() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 100));
        log.refill(NODES[0], line(60, 40, 0));
        log.enrol(NODES[0], 2);
        log.refill(NODES[0], line(0, 0, 10));
        log.enrol(NODES[0], 3);
        // The journals of both may tell yet: that of the first does.
        let told =
            Adopt { node: NODES[0], incarnation: 3, past: 1, last: true, ..Adopt::default() };
        log.done(Command::Adopt(told));
        log.refill(NODES[0], line(0, 0, 20));
        let books = log.ledger.accounts[&ACCOUNT].present().unwrap();
        let lives: Vec<u64> = books.lanes.keys().map(|(_, life)| *life).collect();
        assert_eq!((lives, books.closed_spend), (vec![2, 3], 60));
    }

    #[test]
    fn unknown_accounts_and_periods_are_answered_with_nothing() {
        let mut log = Log::sample();
        let mut unknown = line(5, 0, 10);
        unknown.account.window = 1;
        let mut future = line(5, 0, 10);
        future.period = 2;
        let (outcome, _) = log.propose(refill(1, 1, vec![unknown, future]));
        let nothing = |line: RefillLine| Grant {
            account: line.account,
            period: line.period,
            granted_cum: 0,
            pool: 0,
            low: true,
        };
        let grants = vec![nothing(unknown), nothing(future)];
        assert_eq!(outcome, Outcome::Refilled(grants));
    }

    #[test]
    fn a_past_period_takes_reports_and_offers_nothing() {
        let mut log = Log::sample();
        log.refill(NODES[0], line(0, 0, 30));
        log.roll();
        let (outcome, changes) = log.propose(refill(1, 2, vec![line(10, 5, 40)]));
        let grant = Grant { account: ACCOUNT, period: 1, granted_cum: 30, pool: 0, low: true };
        assert_eq!(outcome, Outcome::Refilled(vec![grant]));
        assert_eq!(changes.len(), 1);
        let past = &log.ledger.accounts[&ACCOUNT].periods[&1];
        assert_eq!((past.spent(), past.committed()), (10, 25));
    }

    #[test]
    fn two_lines_for_one_account_share_one_pool() {
        let mut log = Log::sample();
        let mut lines = vec![line(0, 0, 700); 2];
        lines[0].path = 1;
        lines[1].path = 1;
        log.propose(refill(1, 1, lines));
        assert_eq!(log.ledger.accounts[&ACCOUNT].present().unwrap().pool(), 0);
    }

    #[test]
    fn a_pool_that_is_left_with_less_than_was_asked_for_is_low() {
        let mut log = Log::sample();
        log.refill(NODES[1], line(0, 0, LIMIT / 2));
        let mut low = |seq, want| {
            let wish = RefillLine { want, ..line(0, 0, 0) };
            match log.propose(refill(1, seq, vec![wish])).0 {
                Outcome::Refilled(grants) => (grants[0].granted_cum, grants[0].low),
                other @ (Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Denied(_)) => {
                    panic!("{other:?}")
                }
            }
        };
        // A wish that the pool cannot serve takes nothing: it only tells the others.
        assert_eq!(low(1, LIMIT / 2 + 1), (0, true));
        assert_eq!(low(2, 0), (0, false));
        assert_eq!(low(3, 10), (10, false));
    }

    #[test]
    fn a_pool_below_a_fiftieth_of_the_limit_is_low() {
        let mut log = Log::sample();
        log.refill(NODES[1], line(0, 0, LIMIT - 20));
        let low = |log: &mut Log, seq, must| match log
            .propose(refill(1, seq, vec![line(0, 0, must)]))
            .0
        {
            Outcome::Refilled(grants) => grants[0].low,
            other @ (Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Denied(_)) => {
                panic!("{other:?}")
            }
        };
        assert!(!low(&mut log, 1, 0));
        assert!(low(&mut log, 2, 1));
    }
}
