//! Long random sequences: of moves against the model, and of commands with amounts at the edges.

use super::model::{Move, World};
use crate::UnixMillis;
use crate::command::{Command, EnrolNode, OpenPeriod, Refill, RefillLine, WriteOff};
use crate::invariant::{check, check_step};
use crate::sample::{ACCOUNT, Log, NODES, budget, put_budget};
use proptest::prelude::*;

fn moves() -> impl Strategy<Value = Move> {
    let index = 0..16_usize;
    prop_oneof![
        6 => (index.clone(), 0..2_usize, 1..60_i64)
            .prop_map(|(life, account, amount)| Move::Spend { life, account, amount }),
        6 => (index.clone(), 0..30_i64, 0..80_i64, 0..40_i64)
            .prop_map(|(life, give_back, must, cushion)| {
                let give_back = (give_back - 20).max(0);
                Move::Ask { life, give_back, must, cushion }
            }),
        9 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(message, answered)| Move::Deliver { message, answered }),
        1 => (0..2_usize).prop_map(|node| Move::Restart { node }),
        1 => Just(Move::Roll),
        1 => Just(Move::Close),
        1 => (0..2_usize, 1..100_i64).prop_map(|(account, by)| Move::Raise { account, by }),
        1 => (index, 0..100_i64).prop_map(|(life, amount)| Move::WriteOff { life, amount }),
    ]
}

fn play(world: &mut World, moves: &[Move]) -> Result<(), String> {
    moves.iter().try_for_each(|next| world.make(next))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_moves_spends_more_than_the_limit(
        moves in prop::collection::vec(moves(), 1..250),
    ) {
        let played = play(&mut World::new(), &moves);
        prop_assert_eq!(played, Ok(()));
    }
}

/// Amounts at the edges of what an `i64` holds.
fn edges() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![i64::MIN, -1, 0, 1, 7, 1_000_000_000_000_000_000, i64::MAX])
}

fn edge_command() -> impl Strategy<Value = Command> {
    let period = prop::sample::select(vec![0, 1, 2, u64::MAX]);
    let life = prop::sample::select(vec![0, 1, 2, u64::MAX - 1, u64::MAX]);
    let line = (period.clone(), [edges(), edges(), edges(), edges(), edges()], 0..2_u32).prop_map(
        |(period, [settled_cum, returned_cum, debt_cum, want, must], path)| RefillLine {
            account: ACCOUNT,
            period,
            settled_cum,
            returned_cum,
            debt_cum,
            want,
            must,
            path,
        },
    );
    let lines = prop::collection::vec(line, 0..4);
    let (node, account) = (NODES[0], ACCOUNT);
    prop_oneof![
        6 => (life.clone(), lines).prop_map(move |(incarnation, lines)| {
            let (active_nodes, seq) = (u32::MAX, 0);
            Command::Refill(Refill { node, incarnation, seq, active_nodes, lines, ..Refill::default() })
        }),
        2 => life.clone().prop_map(move |incarnation| {
            Command::EnrolNode(EnrolNode { id: node, incarnation })
        }),
        2 => (period.clone(), life, edges()).prop_map(move |(period, incarnation, amount)| {
            Command::WriteOff(WriteOff { account, period, node, incarnation, amount, word: crate::Word::default() })
        }),
        1 => (period, edges(), edges()).prop_map(move |(period, starts, ends)| {
            let [starts_at, ends_at] = [starts, ends].map(|at| UnixMillis(at.unsigned_abs()));
            let ends_at = Some(ends_at);
            Command::OpenPeriod(OpenPeriod { account, period, starts_at, ends_at })
        }),
        2 => edges().prop_map(|limit| put_budget(budget("team", limit))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_amount_panics_or_breaks_an_invariant(
        commands in prop::collection::vec(edge_command(), 1..40),
    ) {
        let mut log = Log::sample();
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

/// Asks, delivers and spends, round after round, on both nodes.
fn rounds(count: usize) -> Vec<Move> {
    let round = |round: usize| {
        let life = round % 2;
        let (must, cushion, give_back) = (10, 0, 0);
        let ask = Move::Ask { life, give_back, must, cushion };
        let deliver = Move::Deliver { message: round, answered: true };
        let (account, amount) = (0, 10);
        let spend = Move::Spend { life, account, amount };
        [ask, deliver, spend]
    };
    (0..count).flat_map(round).collect()
}

#[test]
fn a_whole_budget_can_be_used() {
    let mut world = World::new();
    assert_eq!(play(&mut world, &rounds(60)), Ok(()));
    assert_eq!(world.usage(0), (500, 500));
}

#[test]
fn a_node_that_adds_answers_up_is_caught() {
    let mut world = World::new();
    world.adds_answers_twice = true;
    let caught = play(&mut world, &rounds(60)).unwrap_err();
    assert!(caught.contains("may be spent"), "{caught}");
}
