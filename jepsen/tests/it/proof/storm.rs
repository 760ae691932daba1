//! Strokes, one after another, for as long as a run takes.

use std::time::Duration;

use jepsen::cluster::Cluster;
use jepsen::dice::Dice;
use jepsen::nemesis::Nemesis;
use tokio::time::{Instant, sleep};

/// Shortest and longest quiet time between two strokes, in milliseconds.
const QUIET_MS: (u64, u64) = (300, 2_000);

/// Strikes with each nemesis once, in an order the dice choose, and then with any, until the time is
/// over. Says what was done.
pub(super) async fn rage(
    cluster: &mut Cluster,
    of: &[Nemesis],
    dice: &mut Dice,
    time: Duration,
) -> Vec<String> {
    let over = Instant::now() + time;
    let mut once = of.to_vec();
    let mut done = Vec::new();
    while Instant::now() < over || !once.is_empty() {
        sleep(Duration::from_millis(dice.within(QUIET_MS.0, QUIET_MS.1))).await;
        let nemesis = match once.is_empty() {
            true => *dice.pick(of),
            false => once.swap_remove(dice.below(once.len())),
        };
        let did = (nemesis.strike)(cluster, dice).await.unwrap();
        println!("  {}: {did}", nemesis.name);
        done.push(did);
    }
    done
}
