//! Whose clock opens periods: the leader's, where it agrees with the voters' median.

use super::autopilot::odd;
use super::message::{ClockV1, EmptyV1};
use super::node::Node;
use super::proposals::{self, unix_ms};
use super::route::Route;
use futures_util::future::join_all;
use ledger::view::{closable_periods, due_periods};
use ledger::{Command, UnixMillis};
use std::sync::Arc;
use std::time::Duration;

/// Most the leader's clock may be away from the voters' median, in milliseconds.
const AWAY_MAX_MS: u64 = 500;
/// How long a voter is given to say what time it is.
const CLOCK_WITHIN: Duration = Duration::from_millis(500);
/// A past period is closed so long after its end: until then late answers are booked to it.
const CLOSE_AFTER_MS: u64 = 15 * 60 * 1_000;
/// Most periods opened and closed in one go; the rest follows in the next.
const AT_ONCE: usize = 256;

/// Opens the periods that are due and closes those that are long past.
pub(super) async fn roll_periods(node: &Arc<Node>) {
    let ledger = node.view.load();
    let now = UnixMillis(unix_ms());
    let open = due_periods(&ledger, now).into_iter().map(Command::OpenPeriod);
    let close =
        closable_periods(&ledger, now, CLOSE_AFTER_MS).into_iter().map(Command::ClosePeriod);
    let due: Vec<Command> = open.chain(close).take(AT_ONCE).collect();
    if due.is_empty() {
        return;
    }
    if !own_clock_is_right(node).await {
        tracing::warn!(
            due = due.len(),
            "periods wait: this node's clock is not the voters' median"
        );
        return;
    }
    let proposed = join_all(due.into_iter().map(|command| proposals::propose(node, command))).await;
    for error in proposed.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a period was not rolled; the next round tries again");
    }
}

/// Asks the voters for the time.
async fn own_clock_is_right(node: &Node) -> bool {
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
    let offsets: Vec<i64> = join_all(asked).await.into_iter().flatten().collect();
    agrees(offsets, voters.len())
}

/// Whether a clock agrees with the median of more than half of the voters' clocks, its own among them.
/// `offsets` are the others' less its own, in milliseconds.
fn agrees(mut offsets: Vec<i64>, voters: usize) -> bool {
    offsets.push(0);
    if offsets.len() * 2 <= voters {
        return false;
    }
    offsets.sort_unstable();
    // Of an even number both middle ones must agree.
    let upper = offsets.len() / 2;
    let lower = odd(offsets.len()) / 2;
    offsets[lower..=upper].iter().all(|offset| offset.unsigned_abs() <= AWAY_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_right_within_half_a_second_of_the_median() {
        let cases: [(&[i64], usize, bool); 9] = [
            (&[], 1, true),
            (&[20, -30], 3, true),
            (&[500, 500], 3, true),
            (&[501, 501], 3, false),
            (&[90_000, 10], 3, true),
            (&[90_000, 80_000], 3, false),
            (&[-90_000, 10, 20, 90_000], 5, true),
            (&[400], 3, true),
            (&[600], 3, false),
        ];
        for (offsets, voters, expected) in cases {
            assert_eq!(agrees(offsets.to_vec(), voters), expected, "{offsets:?} of {voters}");
        }
    }

    #[test]
    fn a_clock_alone_of_many_is_not_right() {
        assert!(!agrees(vec![], 3));
        assert!(!agrees(vec![0], 5));
        assert!(!agrees(vec![], 2));
    }
}
