//! The search for an order: that of Wing and Gong with the memory of Lowe, which tries a set of
//! operations and the state they lead to once.
//!
//! Three things keep it short. An operation that is answered rightly now and changes nothing is done now.
//! One whose end nobody knows is done only where the next one sees it. And where two ways lead to the same
//! place, that with fewer of those makes the other one needless.

use std::collections::{HashMap, HashSet};

use super::Objection;
use super::bits::Bits;
use super::register::{Uses, after, asks_about, written};
use crate::history::{Action, Answer, Outcome, Record, State};

/// Most steps of a search before it is given up: some seconds, and a gigabyte.
const STEPS_MAX: usize = 4_000_000;

/// A step: the operation of this number among the sure ones, or among the open ones.
#[derive(Clone, Copy)]
enum Step {
    Sure(usize),
    Open(usize),
}

/// What is undone when a step is taken back.
#[derive(Clone, Copy)]
struct Before {
    state: State,
    unseen: bool,
    first_left: usize,
}

struct Frame {
    came_by: Option<(Step, Before)>,
    choices: Vec<Step>,
    next: usize,
}

/// How far the longest explanation goes, what ends first of what it leaves over, and what is there.
#[derive(Clone, Copy, Default)]
struct Best {
    explained: usize,
    stuck: Option<usize>,
    state: State,
}

/// Where two ways meet: the sure operations done, the state, and whether its writer may be one too many.
type Place = (usize, Vec<u64>, State, bool);

pub(super) struct Search<'a> {
    /// Operations with an answer, by the time they were asked for.
    sure: Vec<&'a Record>,
    /// Operations that may have happened.
    open: Vec<&'a Record>,
    /// Values that some operation asks about.
    named: HashSet<u64>,
    /// Which of the open ones leave a value behind.
    writers: HashMap<u64, Vec<usize>>,
    done: Bits,
    used: Bits,
    count: usize,
    /// First of the sure ones that is not done.
    first_left: usize,
    state: State,
    /// The last step was an open one, which nothing has seen yet.
    unseen: bool,
    /// With which open ones each place was reached.
    seen: HashMap<Place, Vec<Bits>>,
    steps: usize,
    best: Best,
}

impl<'a> Search<'a> {
    pub(super) fn of(mut records: Vec<&'a Record>) -> Search<'a> {
        records.sort_by_key(|record| record.invoked_ns);
        let is = |sure: bool| {
            move |record: &&Record| match record.outcome {
                Outcome::Ok(_) => sure,
                // A read without an answer says nothing.
                Outcome::Indeterminate => !sure && record.action != Action::Read,
                Outcome::Failed => false,
            }
        };
        let sure: Vec<&Record> = records.iter().copied().filter(is(true)).collect();
        let open: Vec<&Record> = records.iter().copied().filter(is(false)).collect();
        Search {
            writers: writers(&open),
            done: Bits::of(sure.len()),
            used: Bits::of(open.len()),
            named: sure.iter().chain(&open).filter_map(|record| asks_about(record)).collect(),
            sure,
            open,
            count: 0,
            first_left: 0,
            state: None,
            unseen: false,
            seen: HashMap::new(),
            steps: 0,
            best: Best::default(),
        }
    }

    pub(super) fn run(mut self, key: &str) -> Result<(), Objection> {
        self.best = self.look();
        let mut frames = vec![Frame { came_by: None, choices: self.choices(), next: 0 }];
        while self.count < self.sure.len() {
            let Some(frame) = frames.last_mut() else { return Err(self.objection(key)) };
            let Some(step) = frame.choices.get(frame.next).copied() else {
                if let Some((step, before)) = frames.pop().and_then(|frame| frame.came_by) {
                    self.take_back(step, before);
                }
                continue;
            };
            frame.next += 1;
            let Some(before) = self.take(step) else { continue };
            if !self.is_news() {
                self.take_back(step, before);
                continue;
            }
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(Objection::Undecided { key: key.to_owned() });
            }
            if self.count > self.best.explained {
                self.best = self.look();
            }
            frames.push(Frame { came_by: Some((step, before)), choices: self.choices(), next: 0 });
        }
        Ok(())
    }

    /// How far it got now.
    fn look(&self) -> Best {
        let left = (self.first_left..self.sure.len()).filter(|nth| !self.done.has(*nth));
        // Of what was asked for first, some have not ended either: more of them tell nothing new.
        let stuck = left.take(64).min_by_key(|nth| self.sure[*nth].returned_ns);
        Best { explained: self.count, stuck, state: self.state }
    }

    fn objection(&self, key: &str) -> Objection {
        let Best { explained, stuck, state } = self.best;
        let stuck = stuck.expect("something is left, or the search had ended well");
        Objection::NotLinearizable {
            key: key.to_owned(),
            explained,
            of: self.sure.len(),
            stuck: Box::new((self.sure[stuck].clone(), state)),
        }
    }

    /// What may come next: everything asked for before the first end of what is left.
    fn choices(&self) -> Vec<Step> {
        let mut first_end = u64::MAX;
        let mut choices = Vec::new();
        let mut use_of = Uses::default();
        for (nth, record) in self.sure.iter().enumerate().skip(self.first_left) {
            if record.invoked_ns > first_end {
                break;
            }
            if self.done.has(nth) {
                continue;
            }
            first_end = first_end.min(record.returned_ns);
            let changes_nothing =
                matches!(record.outcome, Outcome::Ok(Answer::Value(_) | Answer::Mismatch));
            if changes_nothing && after(record, self.state).is_some() {
                return vec![Step::Sure(nth)];
            }
            use_of.note(record);
            choices.push(Step::Sure(nth));
        }
        self.add_open(first_end, use_of, &mut choices);
        choices
    }

    /// Adds the open ones that something which may come next would see.
    fn add_open(&self, first_end: u64, use_of: Uses, choices: &mut Vec<Step>) {
        let left = |nth: &usize| !self.used.has(*nth) && self.open[*nth].invoked_ns <= first_end;
        let fits = |nth: usize| after(self.open[nth], self.state).is_some();
        let mut values = use_of.values;
        let mut looked_at = 0;
        while let Some(value) = values.get(looked_at).copied() {
            looked_at += 1;
            for nth in self.writers.get(&value).into_iter().flatten().copied().filter(left) {
                match asks_about(self.open[nth]) {
                    // Another open one may put there what this one asks about.
                    Some(from) if !fits(nth) && !values.contains(&from) => values.push(from),
                    Some(_) | None if fits(nth) => choices.push(Step::Open(nth)),
                    Some(_) | None => {}
                }
            }
        }
        if use_of.any_other {
            let rest = (0..self.open.len()).filter(left).filter(|nth| fits(*nth));
            self.add_any_other(rest, &values, choices);
        }
    }

    /// Adds open ones for the sake of a swap that was refused: whatever they put there will do.
    fn add_any_other(
        &self,
        rest: impl Iterator<Item = usize>,
        added: &[u64],
        choices: &mut Vec<Step>,
    ) {
        let (mut swap, mut write) = (None, None);
        for nth in rest {
            let record = self.open[nth];
            let Some(value) = written(record).filter(|value| !added.contains(value)) else {
                continue;
            };
            if self.named.contains(&value) {
                choices.push(Step::Open(nth));
            } else if matches!(record.action, Action::Swap { .. }) {
                swap.get_or_insert(Step::Open(nth));
            } else {
                write.get_or_insert(Step::Open(nth));
            }
        }
        // Values that nobody asks about are as good as one another, and a write is good anywhere.
        choices.extend(swap.or(write));
    }

    fn take(&mut self, step: Step) -> Option<Before> {
        let record = match step {
            Step::Sure(nth) => self.sure[nth],
            Step::Open(nth) => self.open[nth],
        };
        let overwrites = matches!(record.action, Action::Write(_));
        if self.unseen && overwrites {
            return None;
        }
        let state = after(record, self.state)?;
        let before = Before { state: self.state, unseen: self.unseen, first_left: self.first_left };
        self.state = state;
        match step {
            Step::Sure(nth) => {
                self.done.put(nth, true);
                self.count += 1;
                self.unseen = false;
                while self.first_left < self.sure.len() && self.done.has(self.first_left) {
                    self.first_left += 1;
                }
            }
            Step::Open(nth) => {
                self.used.put(nth, true);
                self.unseen = true;
            }
        }
        Some(before)
    }

    fn take_back(&mut self, step: Step, before: Before) {
        match step {
            Step::Sure(nth) => {
                self.done.put(nth, false);
                self.count -= 1;
            }
            Step::Open(nth) => self.used.put(nth, false),
        }
        Before { state: self.state, unseen: self.unseen, first_left: self.first_left } = before;
    }

    /// Whether this place was not reached before with these open ones or fewer; remembers it.
    fn is_news(&mut self) -> bool {
        let place = (self.first_left, self.done.from(self.first_left), self.state, self.unseen);
        let ways = self.seen.entry(place).or_default();
        if ways.iter().any(|way| way.is_within(&self.used)) {
            return false;
        }
        ways.retain(|way| !self.used.is_within(way));
        ways.push(self.used.clone());
        true
    }
}

fn writers(open: &[&Record]) -> HashMap<u64, Vec<usize>> {
    let mut writers: HashMap<u64, Vec<usize>> = HashMap::new();
    for (nth, record) in open.iter().enumerate() {
        if let Some(value) = written(record) {
            writers.entry(value).or_default().push(nth);
        }
    }
    writers
}
