//! Long random sequences of moves against the model.

use super::model::{Move, World};
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
        2 => by_hand(),
    ]
}

fn by_hand() -> impl Strategy<Value = Move> {
    let account = 0..2_usize;
    prop_oneof![
        (account.clone(), 1..200_i64).prop_map(|(account, by)| Move::Increase { account, by }),
        account.clone().prop_map(|account| Move::Expire { account }),
        account.clone().prop_map(|account| Move::Reset { account }),
        (account, 1..300_i64).prop_map(|(from, amount)| Move::Transfer { from, amount }),
        (0..2_usize, any::<bool>()).prop_map(|(node, again)| Move::Adopt { node, again }),
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
