//! Nodes that gave no answer lately: like a balancer, callers mostly leave them alone for a while.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::dice::Dice;

/// How long a node is left alone.
const SHUNNED_NS: u64 = 2_000_000_000;
/// How often one is tried all the same, in percent.
const TRIED_PERCENT: usize = 3;
/// Who has not answered for so long, beyond what it takes with nothing wrong, is left alone by others
/// already.
const SLOW: Duration = Duration::from_millis(400);

/// Until when each node is left alone, and which are there at all.
#[derive(Debug)]
pub struct Shun {
    until_ns: Vec<AtomicU64>,
    /// Bit by number.
    there: AtomicU64,
}

impl Shun {
    /// So many places; nobody is there.
    pub fn new(places: usize) -> Shun {
        let until_ns = std::iter::repeat_with(AtomicU64::default).take(places).collect();
        Shun { until_ns, there: AtomicU64::default() }
    }

    /// These nodes are there, and no others.
    pub fn there_are(&self, nodes: &[usize]) {
        let bits = nodes.iter().fold(0, |bits, node| bits | 1 << node);
        self.there.store(bits, Ordering::Relaxed);
    }

    /// A node gave no answer.
    pub fn note(&self, node: usize, now_ns: u64) {
        self.until_ns[node].store(now_ns + SHUNNED_NS, Ordering::Relaxed);
    }

    /// Waits for what a node answers. It was asked at `now_ns`, for something that takes this long.
    pub async fn watch<T>(
        &self,
        (node, now_ns): (usize, u64),
        takes: Duration,
        answer: impl Future<Output = T>,
    ) -> T {
        let mut answer = pin!(answer);
        if let Ok(answered) = timeout(takes + SLOW, &mut answer).await {
            return answered;
        }
        self.note(node, now_ns);
        answer.await
    }

    /// Whether a node is there.
    pub fn is_there(&self, node: usize) -> bool {
        self.there.load(Ordering::Relaxed) >> node & 1 == 1
    }

    /// A node to ask.
    pub fn draw(&self, now_ns: u64, dice: &mut Dice) -> usize {
        let there: Vec<usize> =
            (0..self.until_ns.len()).filter(|node| self.is_there(*node)).collect();
        let well = |node: &usize| self.until_ns[*node].load(Ordering::Relaxed) <= now_ns;
        let well: Vec<usize> = there.iter().copied().filter(well).collect();
        let from = if well.is_empty() || dice.chance(TRIED_PERCENT) { there } else { well };
        if from.is_empty() { 0 } else { *dice.pick(&from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_gave_no_answer_is_asked_seldom_for_a_while() {
        let (shun, mut dice) = (Shun::new(4), Dice::of(1));
        shun.there_are(&[0, 1, 3]);
        shun.note(1, 5);
        let mut drawn = [0; 4];
        (0..1_000).for_each(|_| drawn[shun.draw(6, &mut dice)] += 1);
        assert!(drawn[2] == 0 && (1..50).contains(&drawn[1]) && drawn[0] > 300, "{drawn:?}");
        let mut later = [0; 4];
        (0..1_000).for_each(|_| later[shun.draw(6 + SHUNNED_NS, &mut dice)] += 1);
        assert!(later[1] > 200, "{later:?}");
    }
}
