//! Every course of the small world, by the real ledger.

use super::engine::fingerprint;
use super::world::{BOOKS, Faults, LIMITS, Move, Scope, World};
use crate::command::{Entry, apply};
use crate::invariant::{check, check_step};
use crate::sample::{ACCOUNT, Log, budget, put_budget};
use crate::{BudgetWindow, Grant, Ledger, Outcome, UnixMillis, Window};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a command depends on: the ledger, the move, and how many lives nodes have had.
type Cause = (usize, Move, [u8; 2]);

/// The ledgers met so far, and what commands make of them: each is applied and checked once.
#[derive(Default)]
struct Ledgers {
    all: Vec<Ledger>,
    numbers: BTreeMap<u64, usize>,
    steps: BTreeMap<Cause, (usize, Option<Vec<Grant>>)>,
}

impl Ledgers {
    fn number(&mut self, ledger: Ledger) -> Result<usize, String> {
        let print = fingerprint(&ledger);
        if let Some(&number) = self.numbers.get(&print) {
            return Ok(number);
        }
        check(&ledger)?;
        let number = self.all.len();
        self.all.push(ledger);
        self.numbers.insert(print, number);
        Ok(number)
    }

    /// The ledger after a command, and the grants it answered.
    fn step(
        &mut self,
        world: &World,
        step: Move,
        faults: Faults,
    ) -> Result<(usize, Option<Vec<Grant>>), String> {
        let cause = (world.ledger, step, world.lives_ever());
        if let Some(known) = self.steps.get(&cause) {
            return Ok(known.clone());
        }
        let Some(command) = world.command(step, faults) else {
            return Ok((world.ledger, None));
        };
        let before = &self.all[world.ledger];
        let mut after = before.clone();
        let entry = Entry { index: before.applied_index + 1, at: UnixMillis(0), command };
        let (outcome, _) = apply(&mut after, &entry);
        check_step(before, &after)?;
        let grants = match outcome {
            Outcome::Refilled(grants) => Some(grants),
            Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Denied(_) => None,
        };
        let stepped = (self.number(after)?, grants);
        self.steps.insert(cause, stepped.clone());
        Ok(stepped)
    }
}

fn first() -> Ledger {
    let mut log = Log::default();
    log.ledger.nodes = Log::sample().ledger.nodes;
    log.ledger.applied_index = ACCOUNT.budget - 1;
    let mut team = budget("team", LIMITS[0]);
    team.windows.push(BudgetWindow { window: Window::Never, limit: LIMITS[1] });
    log.done(put_budget(team));
    log.ledger
}

/// Explores everything within a scope, shortest courses first; or the first course that ends in a world
/// where more may be spent than there is, or in a ledger that breaks an invariant. Worlds met.
fn explore(scope: Scope, faults: Faults) -> Result<usize, String> {
    let mut ledgers = Ledgers::default();
    let start = World::new(ledgers.number(first())?);
    let mut seen = BTreeSet::from([print(&start)]);
    let mut steps: Vec<(usize, Option<Move>)> = vec![(0, None)];
    let mut frontier = vec![(start, 0)];
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for (world, place) in frontier {
            for step in world.moves(scope, faults) {
                let mut after = world.clone();
                let made = make(&mut ledgers, &mut after, step, faults);
                if !seen.insert(print(&after)) && made.is_ok() {
                    continue;
                }
                steps.push((place, Some(step)));
                let place = steps.len() - 1;
                if let Err(broken) = made.and_then(|()| within_limits(&after)) {
                    return Err(format!("{broken}, after {:#?}", course(&steps, place)));
                }
                next.push((after, place));
            }
        }
        frontier = next;
    }
    println!("{} worlds, {} ledgers", seen.len(), ledgers.all.len());
    Ok(seen.len())
}

fn make(
    ledgers: &mut Ledgers,
    world: &mut World,
    step: Move,
    faults: Faults,
) -> Result<(), String> {
    let (ledger, grants) = ledgers.step(world, step, faults)?;
    world.ledger = ledger;
    world.make(step, grants.as_deref(), faults);
    Ok(())
}

fn within_limits(world: &World) -> Result<(), String> {
    for ((account, period), sum) in BOOKS.into_iter().zip(world.may_be_spent()) {
        let limit = LIMITS[usize::from(account.window)];
        if sum > limit {
            return Err(format!("{sum} may be spent of {limit} on {account} period {period}"));
        }
    }
    Ok(())
}

fn print(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

fn course(steps: &[(usize, Option<Move>)], mut place: usize) -> Vec<Move> {
    let mut moves = Vec::new();
    while let (before, Some(step)) = steps[place] {
        moves.push(step);
        place = before;
    }
    moves.reverse();
    moves
}

/// One node that crashes or is replaced, and one that takes what it can.
const REPLACED: Scope = Scope { lives: [2, 1], refills: 2, requests: 3, rolls: false };
/// A period that ends under nodes that go on.
const ROLLING: Scope = Scope { lives: [1, 1], refills: 2, requests: 3, rolls: true };
/// All of it, a little each.
const ALL: Scope = Scope { lives: [2, 1], refills: 1, requests: 2, rolls: true };

#[test]
fn no_course_of_lives_that_end_or_run_on_spends_more_than_there_is() {
    let worlds = explore(REPLACED, Faults::default()).unwrap();
    assert!(worlds > 50_000, "only {worlds} worlds");
}

#[test]
fn no_course_over_the_end_of_a_period_spends_more_than_there_is() {
    let worlds = explore(ROLLING, Faults::default()).unwrap();
    assert!(worlds > 50_000, "only {worlds} worlds");
}

#[test]
fn no_course_of_lives_and_periods_together_spends_more_than_there_is() {
    let worlds = explore(ALL, Faults::default()).unwrap();
    assert!(worlds > 20_000, "only {worlds} worlds");
}

#[test]
fn each_fault_is_found() {
    let faults = |set: fn(&mut Faults)| {
        let mut faults = Faults::default();
        set(&mut faults);
        faults
    };
    for (name, faults) in [
        ("no fence", faults(|it| it.no_fence = true)),
        ("answers added up", faults(|it| it.adds_answers = true)),
        ("reclaim by time", faults(|it| it.reclaims = true)),
        ("adoption of the living", faults(|it| it.adopts_the_living = true)),
        ("holds forgotten", faults(|it| it.forgets_holds = true)),
    ] {
        let caught = explore(REPLACED, faults).expect_err(name);
        assert!(caught.contains("may be spent of"), "{name}: {caught}");
    }
}
