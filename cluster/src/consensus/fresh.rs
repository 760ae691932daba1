//! How old what this node shows may be: it asks the leader, again and again.

use super::node::Node;
use super::proposals;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Notes each time the node has applied everything that was acknowledged before it asked.
pub(crate) async fn keep_asking(node: Arc<Node>) {
    let mut closing = node.closing.subscribe();
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = closing.wait_for(|closing| *closing) => return,
        }
        let asked_at_ms = node.mono_ms();
        if node.raft().is_ok() && proposals::read_index(&node).await.is_ok() {
            node.fresh_at_ms.fetch_max(asked_at_ms.max(1), Ordering::AcqRel);
        }
    }
}

/// For how long the node may have missed what was acknowledged, [`Duration::MAX`] where it never heard; see [`crate::Cluster::stale_for`].
pub(crate) fn stale_for(node: &Node) -> Duration {
    let fresh_at_ms = node.fresh_at_ms.load(Ordering::Acquire);
    if fresh_at_ms == 0 {
        return Duration::MAX;
    }
    Duration::from_millis(node.mono_ms().saturating_sub(fresh_at_ms))
}
