//! Histories of a register that is right are accepted, spoilt ones are not, and for small ones the
//! answer is that of trying every order.

use std::time::{Duration, Instant};

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::register::after;
use super::*;
use crate::dice::Dice;
use crate::history::{Action, Answer, Outcome};
use crate::spoil;

/// What a client of the made-up register is doing.
enum Phase {
    Idle,
    Asked(u64, Action),
    Answered(u64, Action, Answer),
}

/// A register that is right, asked by clients whose calls overlap at random.
struct Register {
    dice: Dice,
    clock: u64,
    value: State,
    values: u64,
    records: Vec<Record>,
    /// Asked for, given up by the client, and not happened yet.
    afloat: Vec<Action>,
}

impl Register {
    fn history(seed: u64, clients: usize, each: usize, doubt_percent: usize) -> Vec<Record> {
        let mut register = Register {
            dice: Dice::of(seed),
            clock: 0,
            value: None,
            values: 0,
            records: Vec::new(),
            afloat: Vec::new(),
        };
        let mut phases: Vec<Phase> = (0..clients).map(|_| Phase::Idle).collect();
        while register.records.len() < clients * each {
            let client = register.dice.below(clients);
            phases[client] = register.advance(client, &phases[client], doubt_percent);
            if !register.afloat.is_empty() && register.dice.chance(2) {
                let nth = register.dice.below(register.afloat.len());
                let late = register.afloat.swap_remove(nth);
                register.apply(late);
            }
        }
        for (client, phase) in phases.into_iter().enumerate() {
            if let Phase::Answered(invoked_ns, action, answer) = phase {
                register.clock += 1;
                register.record(client, invoked_ns, action, Outcome::Ok(answer));
            }
        }
        register.records
    }

    fn advance(&mut self, client: usize, phase: &Phase, doubt_percent: usize) -> Phase {
        self.clock += 1;
        match *phase {
            Phase::Idle => {
                let action = self.draw();
                Phase::Asked(self.clock, action)
            }
            Phase::Asked(invoked_ns, action) => match self.dice.chance(doubt_percent) {
                true if self.dice.chance(50) => {
                    self.record(client, invoked_ns, action, Outcome::Failed);
                    Phase::Idle
                }
                true => {
                    self.afloat.push(action);
                    self.record(client, invoked_ns, action, Outcome::Indeterminate);
                    Phase::Idle
                }
                false => Phase::Answered(invoked_ns, action, self.apply(action)),
            },
            Phase::Answered(invoked_ns, action, answer) => {
                let outcome = match self.dice.chance(doubt_percent) {
                    true => Outcome::Indeterminate,
                    false => Outcome::Ok(answer),
                };
                self.record(client, invoked_ns, action, outcome);
                Phase::Idle
            }
        }
    }

    fn draw(&mut self) -> Action {
        self.values += 1;
        match self.dice.below(3) {
            0 => Action::Read,
            1 => Action::Write(self.values),
            _ => match self.value {
                // What is there now may be gone by then.
                Some(from) => Action::Swap { from, to: self.values },
                None => Action::Write(self.values),
            },
        }
    }

    fn apply(&mut self, action: Action) -> Answer {
        match action {
            Action::Read => Answer::Value(self.value),
            Action::Swap { from, .. } if self.value != Some(from) => Answer::Mismatch,
            Action::Write(to) | Action::Swap { to, .. } => {
                self.value = Some(to);
                Answer::Done
            }
        }
    }

    fn record(&mut self, client: usize, invoked_ns: u64, action: Action, outcome: Outcome) {
        let (key, returned_ns) = ("r".to_owned(), self.clock);
        self.records.push(Record { client, key, invoked_ns, returned_ns, action, outcome });
    }
}

/// Whether some order explains a few operations: tries them all.
fn explained_by_brute_force(left: &[&Record], state: State) -> bool {
    let sure = |record: &&Record| matches!(record.outcome, Outcome::Ok(_));
    if !left.iter().any(sure) {
        return true;
    }
    let first_end = left.iter().filter(|r| sure(r)).map(|r| r.returned_ns).min().unwrap();
    (0..left.len()).any(|nth| {
        let mut rest = left.to_vec();
        let record = rest.remove(nth);
        record.invoked_ns <= first_end
            && after(record, state).is_some_and(|state| explained_by_brute_force(&rest, state))
    })
}

/// A few operations with answers out of the blue.
fn nonsense(seed: u64, count: usize) -> Vec<Record> {
    let mut dice = Dice::of(seed);
    let mut records = Vec::new();
    for client in 0..count {
        let from = dice.within(1, 3);
        let (action, answers) = match dice.below(3) {
            0 => {
                let value = (from < 3).then_some(from);
                (Action::Read, [Answer::Value(value), Answer::Value(Some(1))])
            }
            1 => (Action::Write(dice.within(1, 6)), [Answer::Done; 2]),
            _ => {
                let to = dice.within(1, 6);
                (Action::Swap { from, to }, [Answer::Done, Answer::Mismatch])
            }
        };
        let outcome = match dice.below(5) {
            0 => Outcome::Indeterminate,
            _ => Outcome::Ok(*dice.pick(&answers)),
        };
        let (key, invoked_ns) = ("r".to_owned(), dice.within(0, 8));
        let returned_ns = invoked_ns + dice.within(1, 5);
        records.push(Record { client, key, invoked_ns, returned_ns, action, outcome });
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_register_that_is_right_is_accepted(
        seed in any::<u64>(), clients in 1_usize..9, each in 1_usize..40, doubt in 0_usize..30,
    ) {
        prop_assert_eq!(check(&Register::history(seed, clients, each, doubt)), Ok(()));
    }

    #[test]
    fn a_history_spoilt_in_one_place_is_refused(
        seed in any::<u64>(), clients in 1_usize..9, each in 3_usize..40, doubt in 0_usize..20,
    ) {
        let records = Register::history(seed, clients, each, doubt);
        for (name, spoil) in spoil::ALL {
            if let Some(spoilt) = spoil(&records) {
                let refused = matches!(check(&spoilt), Err(Objection::NotLinearizable { .. }));
                prop_assert!(refused, "{}: {:?}", name, spoilt);
            }
        }
    }

    #[test]
    fn for_small_histories_the_answer_is_that_of_trying_every_order(
        seed in any::<u64>(), count in 1_usize..7,
    ) {
        let records = nonsense(seed, count);
        let all: Vec<&Record> = records.iter().collect();
        prop_assert_eq!(check(&records).is_ok(), explained_by_brute_force(&all, None), "{:?}", records);
    }
}

#[test]
fn nonsense_is_accepted_often_enough_for_the_comparison_to_mean_something() {
    let accepted = (0..1_000).filter(|seed| check(&nonsense(*seed, 5)).is_ok()).count();
    assert!((100..900).contains(&accepted), "{accepted} of 1000");
}

fn record(span: (u64, u64), action: Action, outcome: Outcome) -> Record {
    let (invoked_ns, returned_ns) = span;
    Record { client: 0, key: "r".to_owned(), invoked_ns, returned_ns, action, outcome }
}

const DONE: Outcome = Outcome::Ok(Answer::Done);

fn read(span: (u64, u64), value: u64) -> Record {
    record(span, Action::Read, Outcome::Ok(Answer::Value(Some(value))))
}

#[test]
fn an_overwritten_value_may_be_read_only_while_the_overwriter_runs() {
    let writes = [record((0, 1), Action::Write(1), DONE), record((2, 5), Action::Write(2), DONE)];
    let with = |read: Record| check(&[&writes[..], &[read]].concat());
    assert_eq!(with(read((3, 4), 1)), Ok(()));
    assert_eq!(with(read((3, 4), 2)), Ok(()));
    let stale = read((6, 7), 1);
    let stuck = Box::new((stale.clone(), Some(2)));
    assert_eq!(
        with(stale),
        Err(Objection::NotLinearizable { key: "r".to_owned(), explained: 2, of: 3, stuck })
    );
}

#[test]
fn a_write_nobody_knows_the_end_of_may_show_late_or_never_but_not_vanish_again() {
    let writes = [
        record((0, 1), Action::Write(1), DONE),
        record((2, 3), Action::Write(2), Outcome::Indeterminate),
    ];
    let with = |reads: &[Record]| check(&[&writes[..], reads].concat()).is_ok();
    assert!(with(&[read((10, 11), 1), read((12, 13), 2)]));
    assert!(with(&[read((10, 11), 1), read((12, 13), 1)]));
    assert!(!with(&[read((10, 11), 2), read((12, 13), 1)]));
}

#[test]
fn a_swap_that_was_refused_where_it_had_to_succeed_is_objected_to() {
    let write = record((0, 1), Action::Write(1), DONE);
    let swap = |outcome| record((2, 3), Action::Swap { from: 1, to: 2 }, outcome);
    assert!(check(&[write.clone(), swap(DONE)]).is_ok());
    assert!(check(&[write.clone(), swap(Outcome::Failed)]).is_ok());
    assert!(check(&[write, swap(Outcome::Ok(Answer::Mismatch))]).is_err());
}

#[test]
fn sixteen_thousand_operations_of_eight_clients_are_checked_at_once() {
    let records = Register::history(1, 8, 2_000, 1);
    let spoilt = spoil::stale_read(&records).unwrap();
    let began = Instant::now();
    assert_eq!(check(&records), Ok(()));
    let accepted = began.elapsed();
    assert!(matches!(check(&spoilt), Err(Objection::NotLinearizable { .. })));
    println!("accepted in {accepted:.1?}, refused in {:.1?}", began.elapsed() - accepted);
    // Some hundred times what it takes, for a machine with other work.
    assert!(began.elapsed() < Duration::from_secs(20));
}
