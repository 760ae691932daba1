//! Whose clock opens periods and ends sessions: the leader's, where more than half of all voters agree with it.
//!
//! While fewer than half of the voters' clocks are wrong, one of any such majority is right: a period never
//! begins because of the wrong ones, however many voters are silent.

use super::leave;
use super::message::{ClockV1, EmptyV1};
use super::node::Node;
use super::proposals::{self, unix_ms};
use super::route::Route;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use ledger::view::due;
use ledger::{Command, Ledger, UnixMillis};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most a voter's clock may be away from the leader's to agree with it, in milliseconds.
const AWAY_MAX_MS: u64 = 500;
/// How long a voter is given to say what time it is.
const CLOCK_WITHIN: Duration = Duration::from_millis(500);
/// A past period is closed so long after its end: until then late answers are booked to it.
const CLOSE_AFTER_MS: u64 = 15 * 60 * 1_000;
/// Time between two looks at the calendar: each goes through all accounts.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time between two questions for the time where nothing is due.
const QUESTION_EVERY: Duration = Duration::from_secs(2);
/// So often in a row its clock is found to be wrong before a leader hands over.
const WRONG_MAX: u32 = 3;
/// Most that is done at one look; the next one follows at once.
const ROLLED_MAX: usize = 4_096;
/// Most of them on their way into the log at once.
const AT_ONCE: usize = 256;

/// A leader's calendar: opens the periods that are due, ends what is over, closes what is long past.
#[derive(Default)]
pub(super) struct Calendar {
    /// No look before this.
    next_look: Option<Instant>,
    /// The time is asked for at the latest then.
    next_question: Option<Instant>,
    /// So often in a row this node's clock was found to be wrong.
    wrong: u32,
}

impl Calendar {
    /// Looks, where it is time to, and rolls what there is to roll.
    pub(super) async fn roll(&mut self, node: &Arc<Node>) {
        if self.next_look.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let ledger = node.view.load();
        // Long for many accounts, and other tasks share this thread.
        let looked = tokio::task::spawn_blocking(move || look(&ledger, UnixMillis(unix_ms())));
        let due = looked.await.unwrap_or_default();
        let full = due.len() == ROLLED_MAX;
        let more = self.trusts_own_clock(node, due.len()).await && roll(node, due).await && full;
        self.next_look = (!more).then(|| Instant::now() + LOOK_EVERY);
    }

    /// Whether the voters agree with this node's clock; asked where something is due, and now and then:
    /// a leader that is slow does not see what is due. One that is wrong hands leadership over.
    async fn trusts_own_clock(&mut self, node: &Arc<Node>, due: usize) -> bool {
        if due == 0 && self.next_question.is_some_and(|at| Instant::now() < at) {
            return true;
        }
        let clock = own_clock(node).await;
        self.next_question = Some(Instant::now() + QUESTION_EVERY);
        match clock {
            Clock::Right => self.wrong = 0,
            Clock::Unsure if due > 0 => {
                tracing::warn!(
                    due,
                    "the calendar waits: too few voters agree with this node's clock"
                )
            }
            Clock::Unsure => {}
            Clock::Wrong => {
                self.wrong += 1;
                tracing::warn!(due, "the calendar waits: most voters' clocks say another time");
            }
        }
        if self.wrong >= WRONG_MAX {
            self.wrong = 0;
            match leave::transfer(node, None).await {
                Ok(leader) => tracing::warn!(
                    leader,
                    "leadership was handed over, for this node's clock is wrong"
                ),
                Err(error) => {
                    tracing::warn!(%error, "this node's clock is wrong, and nobody takes over")
                }
            }
        }
        clock == Clock::Right
    }
}

/// What is due at `now`: openings first, for what they open is waited for.
fn look(ledger: &Ledger, now: UnixMillis) -> Vec<Command> {
    let mut due = due(ledger, now, CLOSE_AFTER_MS);
    due.truncate(ROLLED_MAX);
    due
}

/// Puts it into the log; whether that went well.
async fn roll(node: &Arc<Node>, mut due: Vec<Command>) -> bool {
    while !due.is_empty() {
        let some = due.drain(..due.len().min(AT_ONCE));
        let proposed = join_all(some.map(|command| proposals::propose(node, command))).await;
        if let Some(error) = proposed.into_iter().find_map(Result::err) {
            tracing::debug!(%error, "not all that is due was done; the next look tries again");
            return false;
        }
    }
    true
}

/// What the voters' clocks say of this node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// More than half of all voters agree with it.
    Right,
    /// More than half of all voters do not.
    Wrong,
    /// Neither: too few answered.
    Unsure,
}

/// Asks the voters for the time, until more than half of them agree or do not: one that is silent keeps
/// nobody waiting where the others suffice.
async fn own_clock(node: &Node) -> Clock {
    let stored = node.membership();
    let voters: Vec<u64> = stored.membership().voter_ids().collect();
    let others = voters.iter().filter(|id| **id != node.id());
    let asked = others.map(|id| async {
        let before_ms = unix_ms();
        let to = node.member(*id);
        let answer = node.client.ask(Route::Clock, &to, &EmptyV1 {}, CLOCK_WITHIN).await;
        let answer: ClockV1 = answer.ok()?;
        let half_way_ms = before_ms.midpoint(unix_ms());
        i64::try_from(answer.unix_ms).ok()?.checked_sub_unsigned(half_way_ms)
    });
    let mut answers: FuturesUnordered<_> = asked.collect();
    let mut offsets = Vec::with_capacity(voters.len());
    loop {
        let clock = judged(&offsets, voters.len());
        if clock != Clock::Unsure {
            return clock;
        }
        match answers.next().await {
            Some(answer) => offsets.extend(answer),
            None => return Clock::Unsure,
        }
    }
}

/// What `offsets`, the other voters' clocks less this one in milliseconds, say of it. Of all voters, not of
/// those that answered: more answers never take back what fewer have shown.
fn judged(offsets: &[i64], voters: usize) -> Clock {
    let near = offsets.iter().filter(|offset| offset.unsigned_abs() <= AWAY_MAX_MS).count();
    if (near + 1) * 2 > voters {
        Clock::Right
    } else if (offsets.len() - near) * 2 > voters {
        Clock::Wrong
    } else {
        Clock::Unsure
    }
}

/// Whether more than half of all voters agree with a clock, its own among them. `offsets` are the others'
/// less its own, in milliseconds, as far as they answered.
#[must_use]
pub fn agrees(offsets: &[i64], voters: usize) -> bool {
    judged(offsets, voters) == Clock::Right
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::command::PutBudget;
    use ledger::{Budget, BudgetWindow, Entry, Unit, Window};

    #[test]
    fn a_clock_is_right_where_more_than_half_of_all_voters_are_within_half_a_second_of_it() {
        use Clock::{Right, Unsure, Wrong};
        let cases: [(&[i64], usize, Clock); 11] = [
            (&[], 1, Right),
            (&[20, -30], 3, Right),
            (&[500], 3, Right),
            (&[501, 501], 3, Wrong),
            (&[90_000, 10], 3, Right),
            (&[90_000, 80_000], 3, Wrong),
            (&[-90_000, 10, 20, 90_000], 5, Right),
            (&[600], 3, Unsure),
            // The leader and one other, wrong alike, and one that is right: not a majority of five.
            (&[0, -90_000], 5, Unsure),
            (&[0, -90_000, -90_000, -90_000], 5, Wrong),
            (&[90_000], 2, Unsure),
        ];
        for (offsets, voters, expected) in cases {
            assert_eq!(judged(offsets, voters), expected, "{offsets:?} of {voters}");
        }
    }

    /// Clocks of so many voters, the leader's first, `None` where a voter is silent: every combination.
    fn all_clocks(voters: u32) -> impl Iterator<Item = Vec<Option<i64>>> {
        const CLOCKS: [Option<i64>; 5] = [Some(0), Some(400), Some(90_000), Some(-60_000), None];
        (0..CLOCKS.len().pow(voters)).map(move |nth| {
            (0..voters).map(|at| CLOCKS[nth / CLOCKS.len().pow(at) % CLOCKS.len()]).collect()
        })
    }

    #[test]
    fn fewer_wrong_clocks_than_half_never_open_a_period_and_never_keep_it_shut() {
        for voters in [3, 5] {
            for clocks in all_clocks(voters) {
                let Some(leader) = clocks[0] else { continue };
                let offsets: Vec<i64> =
                    clocks[1..].iter().flatten().map(|clock| clock - leader).collect();
                let is_right = |clock: &i64| (0..=400).contains(clock);
                let right = clocks.iter().flatten().filter(|clock| is_right(clock)).count();
                let wrong = clocks.iter().flatten().count() - right;
                let judged_so = judged(&offsets, clocks.len());
                if wrong * 2 < clocks.len() && !is_right(&leader) {
                    assert!(judged_so != Clock::Right, "{clocks:?}");
                }
                if right * 2 > clocks.len() {
                    let expected = if is_right(&leader) { Clock::Right } else { Clock::Wrong };
                    assert!(judged_so == expected, "{clocks:?}");
                }
                // Whoever answers first: an early verdict is the last one.
                let early = (0..offsets.len()).map(|most| judged(&offsets[..most], clocks.len()));
                let mut verdicts = early.filter(|clock| *clock != Clock::Unsure);
                assert!(verdicts.all(|clock| clock == judged_so), "{clocks:?}");
            }
        }
    }

    #[test]
    fn a_look_finds_what_is_due_with_openings_first_and_never_too_much_at_once() {
        let mut ledger = Ledger::default();
        for index in 1..=ROLLED_MAX as u64 + 1 {
            let budget = Budget {
                name: format!("b{index}"),
                unit: Unit::Tokens,
                windows: vec![BudgetWindow { window: Window::Fixed(60_000), limit: 1 }],
                managed_by: "api:test".to_owned(),
                ..Budget::default()
            };
            let periods = vec![(UnixMillis(0), Some(UnixMillis(60_000)))];
            let command = Command::PutBudget(PutBudget { budget, if_index: None, periods });
            ledger::apply(&mut ledger, &Entry { index, at: UnixMillis(0), command });
        }
        assert_eq!(look(&ledger, UnixMillis(59_999)), []);
        let due = look(&ledger, UnixMillis(60_000));
        assert_eq!(due.len(), ROLLED_MAX);
        for (index, command) in (ROLLED_MAX as u64 + 2..).zip(due) {
            ledger::apply(&mut ledger, &Entry { index, at: UnixMillis(60_000), command });
        }
        let next = look(&ledger, UnixMillis(60_000 + CLOSE_AFTER_MS));
        let opens = |command: &Command| matches!(command, Command::OpenPeriod(_));
        assert!(next.len() == ROLLED_MAX && next.is_sorted_by_key(|command| !opens(command)));
    }

    #[test]
    fn a_clock_alone_of_many_is_not_right() {
        assert!(!agrees(&[], 3));
        assert!(!agrees(&[0], 5));
        assert!(!agrees(&[], 2));
    }
}
