//! Every sequence of commands of a small alphabet up to a length, each step checked.

use super::engine::{Letter, always, walk};
use crate::command::{
    ClosePeriod, Command, DeleteBudget, EnrolNode, OpenPeriod, Refill, RefillLine, RetireNode,
    RevokeKey, RotateKey, WriteOff,
};
use crate::invariant::check;
use crate::sample::{ACCOUNT, Log, NODES, SPAN_MS, budget, key, put_budget, put_key};
use crate::{AccountId, Budget, BudgetWindow, KeyHash, Mode, UnixMillis, Window};

/// The second window of the walk's budget, which never starts anew.
const PREPAID: AccountId = AccountId { budget: ACCOUNT.budget, window: 1 };

/// A budget of 10 in each second and 8 in all.
fn team(per_second: i64) -> Budget {
    let mut team = budget("team", per_second);
    let (window, limit) = (Window::Never, 8);
    team.windows.push(BudgetWindow { window, limit });
    team
}

/// The sample, with its budget made anew as [`team`] under the same handle.
fn start() -> Log {
    let mut log = Log::default();
    let sample = Log::sample();
    log.ledger.cluster_id = sample.ledger.cluster_id;
    log.ledger.key_pepper = sample.ledger.key_pepper;
    log.ledger.cluster_version = sample.ledger.cluster_version;
    log.ledger.nodes = sample.ledger.nodes;
    log.ledger.applied_index = ACCOUNT.budget - 1;
    log.done(put_budget(team(10)));
    log.done(put_key(key("ann", 1)));
    log
}

fn line(account: AccountId, period: u64, counters: [i64; 2], must: i64) -> RefillLine {
    RefillLine {
        account,
        period,
        settled_cum: counters[0],
        returned_cum: counters[1],
        debt_cum: 0,
        want: must + 2,
        must,
        path: 1,
    }
}

fn refill(node: usize, incarnation: u64, seq: u64, lines: &[RefillLine]) -> Command {
    Command::Refill(Refill {
        node: NODES[node],
        incarnation,
        seq,
        active_nodes: 2,
        lines: lines.to_vec(),
        ..Refill::default()
    })
}

/// Refills of both nodes: asks that together pass the limit, reports, returns, a report of more than was
/// granted, a late report, those of a second life, and one account twice. Their order is the walk's.
fn refills() -> Vec<Command> {
    let second = |counters, must| line(ACCOUNT, 1, counters, must);
    let prepaid = |counters, must| line(PREPAID, 1, counters, must);
    vec![
        refill(0, 1, 1, &[second([0, 0], 6), prepaid([0, 0], 6)]),
        refill(0, 1, 2, &[second([4, 1], 0), prepaid([4, 2], 3)]),
        refill(0, 1, 3, &[second([12, 3], 0), line(ACCOUNT, 2, [0, 0], 7)]),
        refill(0, 2, 1, &[second([0, 0], 3), prepaid([0, 0], 2)]),
        refill(0, 2, 2, &[second([3, 0], 9)]),
        refill(1, 1, 1, &[second([0, 0], 7)]),
        refill(1, 1, 2, &[second([2, 5], 1), line(ACCOUNT, 2, [0, 0], 5)]),
        refill(1, 2, 1, &[second([0, 0], 6), second([0, 0], 6)]),
    ]
}

fn rotate(seed: u8) -> Command {
    Command::RotateKey(RotateKey {
        name: "ann".to_owned(),
        id: "id1".to_owned(),
        hash: KeyHash([seed; 32]),
        managed_by: "api:ann".to_owned(),
        if_index: None,
    })
}

fn alphabet() -> Vec<Letter> {
    let enrol = |node: usize, incarnation| {
        let id = NODES[node];
        Command::EnrolNode(EnrolNode { id, incarnation })
    };
    let open = |period: u64, early_ms: u64| {
        Command::OpenPeriod(OpenPeriod {
            account: ACCOUNT,
            period,
            starts_at: UnixMillis((period - 1) * SPAN_MS - early_ms),
            ends_at: Some(UnixMillis(period * SPAN_MS)),
        })
    };
    let write_off = |account, amount| {
        Command::WriteOff(WriteOff {
            account,
            period: 1,
            node: NODES[0],
            incarnation: 1,
            amount,
            word: crate::Word::default(),
        })
    };
    let close = |account| Command::ClosePeriod(ClosePeriod { account, period: 1 });
    let mut same_hash = key("bob", 2);
    same_hash.hash = KeyHash([1; 32]);
    let mut soft = team(10);
    soft.mode = Mode::Soft;
    let mut all = refills();
    all.extend([
        enrol(0, 1),
        enrol(0, 2),
        enrol(1, 2),
        Command::RetireNode(RetireNode { node: NODES[0] }),
        write_off(ACCOUNT, 2),
        write_off(PREPAID, 9),
        open(2, 0),
        open(2, 1),
        open(3, 0),
        close(ACCOUNT),
        close(PREPAID),
        put_budget(team(5)),
        put_budget(team(12)),
        put_budget(soft),
        put_key(key("ann", 1)),
        put_key(key("bob", 1)),
        put_key(same_hash),
        put_key(key("ann", 2)),
        rotate(2),
        Command::RevokeKey(RevokeKey { name: "ann".to_owned(), if_index: None }),
        Command::DeleteBudget(DeleteBudget {
            name: "team".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        }),
    ]);
    all.into_iter().map(always).collect()
}

#[test]
fn every_short_sequence_of_commands_keeps_every_invariant() {
    let start = start();
    assert_eq!(check(&start.ledger), Ok(()));
    let states = walk(&start.ledger, &alphabet(), 5).unwrap();
    println!("{states} states");
    assert!(states > 10_000, "only {states} states: the walk stands still");
}

#[test]
fn the_walk_catches_a_ledger_that_starts_with_a_hidden_overspend() {
    let mut broken = start().ledger;
    let account = broken.accounts.get_mut(&ACCOUNT).unwrap();
    account.periods.get_mut(&1).unwrap().granted = -1;
    let caught = walk(&broken, &alphabet(), 1).unwrap_err();
    assert!(caught.starts_with("conservation: "), "{caught}");
}
