//! Random sequences of commands with amounts at the edges of what fits.

use crate::command::{
    Adopt, AdoptLine, Command, EnrolNode, ExpireIncrease, IncreaseBudget, OpenPeriod, PruneUsage,
    PutWebhook, Refill, RefillLine, ResetBudget, TransferBudget, WriteOff,
};
use crate::invariant::{check, check_step};
use crate::sample::{ACCOUNT, Log, NODES, budget, put_budget, webhook};
use crate::{AccountId, Budget, BudgetWindow, UnixMillis, Window, Word};
use proptest::prelude::*;

/// Amounts at the edges of what an `i64` holds.
fn edges() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![i64::MIN, -1, 0, 1, 7, 1_000_000_000_000_000_000, i64::MAX])
}

fn account(window: u8) -> AccountId {
    AccountId { budget: ACCOUNT.budget, window }
}

/// A budget that starts anew, rolls, and never ends.
fn team(limit: i64) -> Budget {
    let mut team = budget("team", limit);
    for window in [Window::Rolling(24_000), Window::Never] {
        team.windows.push(BudgetWindow { window, limit });
    }
    team.thresholds = vec![1, 50, 100];
    team
}

fn start() -> Log {
    let mut log = Log::default();
    log.ledger.nodes = Log::sample().ledger.nodes;
    log.ledger.applied_index = ACCOUNT.budget - 2;
    let webhook = webhook("ops");
    log.done(Command::PutWebhook(PutWebhook { webhook, if_index: None }));
    log.done(put_budget(team(1_000)));
    log
}

/// What moves limits by hand and what journals tell.
fn edge_by_hand() -> impl Strategy<Value = Command> {
    let word = Word::default;
    let period = prop::sample::select(vec![0, 1, 2, u64::MAX]);
    let part = prop::sample::select(vec![0, 1, u32::MAX]);
    prop_oneof![
        (0..3_u8, edges(), edges()).prop_map(move |(window, amount, until)| {
            let (account, until) = (account(window), UnixMillis(until.unsigned_abs()));
            Command::IncreaseBudget(IncreaseBudget { account, amount, until, word: word() })
        }),
        (0..3_u8, 0..30_u64).prop_map(move |(window, increase)| {
            let account = account(window);
            Command::ExpireIncrease(ExpireIncrease { account, increase })
        }),
        (0..3_u8, period.clone()).prop_map(move |(window, period)| {
            let account = account(window);
            Command::ResetBudget(ResetBudget { account, period, word: word() })
        }),
        (0..3_u8, 0..3_u8, edges()).prop_map(move |(from, to, amount)| {
            let (from, to) = (account(from), account(to));
            Command::TransferBudget(TransferBudget { from, to, amount, word: word() })
        }),
        (1..4_u64, part, 0..3_u8, period, edges()).prop_map(
            move |(incarnation, part, window, period, settled_cum)| {
                let account = account(window);
                Command::Adopt(Adopt {
                    node: NODES[0],
                    incarnation,
                    past: incarnation - 1,
                    part,
                    last: settled_cum != 7,
                    lines: vec![AdoptLine { account, period, settled_cum }],
                    usage: Vec::new(),
                })
            }
        ),
        Just(Command::PruneUsage(PruneUsage { before_day: u32::MAX })),
    ]
}

fn edge_command() -> impl Strategy<Value = Command> {
    let period = prop::sample::select(vec![0, 1, 2, u64::MAX]);
    let life = prop::sample::select(vec![0, 1, 2, u64::MAX - 1, u64::MAX]);
    let line = (period.clone(), [edges(), edges(), edges(), edges(), edges()], 0..2_u32, 0..3_u8)
        .prop_map(|(period, [settled_cum, returned_cum, debt_cum, want, must], path, window)| {
            RefillLine {
                account: account(window),
                period,
                settled_cum,
                returned_cum,
                debt_cum,
                want,
                must,
                path,
            }
        });
    let lines = prop::collection::vec(line, 0..4);
    let node = NODES[0];
    prop_oneof![
        6 => (life.clone(), lines).prop_map(move |(incarnation, lines)| {
            let (active_nodes, seq) = (u32::MAX, 0);
            Command::Refill(Refill { node, incarnation, seq, active_nodes, lines, ..Refill::default() })
        }),
        2 => life.clone().prop_map(move |incarnation| {
            Command::EnrolNode(EnrolNode { id: node, incarnation })
        }),
        2 => (0..3_u8, period.clone(), life, edges()).prop_map(
            move |(window, period, incarnation, amount)| {
                let (account, word) = (account(window), Word::default());
                Command::WriteOff(WriteOff { account, period, node, incarnation, amount, word })
            }
        ),
        2 => (0..3_u8, period, edges(), edges()).prop_map(move |(window, period, starts, ends)| {
            let account = account(window);
            let [starts_at, ends_at] = [starts, ends].map(|at| UnixMillis(at.unsigned_abs()));
            let ends_at = Some(ends_at);
            Command::OpenPeriod(OpenPeriod { account, period, starts_at, ends_at })
        }),
        2 => edges().prop_map(|limit| put_budget(team(limit))),
        6 => edge_by_hand(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_amount_panics_or_breaks_an_invariant(
        commands in prop::collection::vec(edge_command(), 1..40),
    ) {
        let mut log = start();
        for (seq, mut command) in (1..).zip(commands) {
            let before = log.ledger.clone();
            if let Command::Refill(refill) = &mut command {
                refill.seq = seq;
            }
            log.propose(command);
            prop_assert_eq!(check(&log.ledger), Ok(()));
            prop_assert_eq!(check_step(&before, &log.ledger), Ok(()));
        }
    }
}
