//! What a leader saw of the members over time.

use super::autopilot::{Roster, Seen, keeps_up};
use crate::gossip::Heard;
use ledger::{Ledger, NodeId};
use openraft::Instant as _;
use openraft::metrics::RaftMetrics;
use std::collections::BTreeMap;
use std::time::Duration;
use storage::TypeConfig;
use tokio::time::Instant;

/// A member that answered replication so lately is live whatever gossip says.
const ACKED_WITHIN: Duration = Duration::from_millis(1_500);

/// What a leader saw, and since when. Begins anew with each term.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    leading: Option<(u64, Instant)>,
    nodes: BTreeMap<u64, Sighting>,
}

#[derive(Clone, Copy, Debug)]
struct Sighting {
    live_at: Instant,
    steady_since: Option<Instant>,
}

/// What there is to see now.
pub(crate) struct Scene<'a> {
    pub(crate) metrics: &'a RaftMetrics<TypeConfig>,
    pub(crate) heard: &'a [Heard],
    pub(crate) ledger: &'a Ledger,
    pub(crate) draining: bool,
}

impl Sightings {
    /// Takes in what there is to see and gives the roster. Only meaningful on a leader.
    pub(crate) fn observe(&mut self, scene: &Scene<'_>, now: Instant) -> Roster {
        let metrics = scene.metrics;
        let since = match self.leading {
            Some((term, since)) if term == metrics.current_term => since,
            Some(_) | None => {
                self.nodes.clear();
                now
            }
        };
        self.leading = Some((metrics.current_term, since));
        let membership = metrics.membership_config.membership();
        let voters: Vec<u64> = membership.voter_ids().collect();
        let ids: Vec<u64> = membership.nodes().map(|(id, _)| *id).collect();
        self.nodes.retain(|id, _| ids.contains(id));
        Roster {
            me: metrics.id,
            joint: membership.get_joint_config().len() > 1,
            leading_for: now - since,
            nodes: ids.iter().map(|id| self.see(scene, *id, voters.contains(id), now)).collect(),
        }
    }

    fn see(&mut self, scene: &Scene<'_>, id: u64, voter: bool, now: Instant) -> Seen {
        let me = id == scene.metrics.id;
        let heard = scene.heard.iter().find(|node| node.raft_id == Some(id));
        let live = me || heard.is_some_and(|node| node.live) || acked_lately(scene.metrics, id);
        let sighting =
            self.nodes.entry(id).or_insert(Sighting { live_at: now, steady_since: None });
        if live {
            sighting.live_at = now;
        }
        let steady = live && (me || lag(scene.metrics, id).is_some_and(keeps_up));
        sighting.steady_since = steady.then(|| sighting.steady_since.unwrap_or(now));
        let label = match (heard, scene.ledger.nodes.get(&NodeId(id))) {
            (Some(node), _) => node.label.clone(),
            (None, Some(record)) => record.label.clone(),
            (None, None) => id.to_string(),
        };
        Seen {
            id,
            label,
            voter,
            draining: heard.is_some_and(|node| node.draining) || (me && scene.draining),
            live,
            silent_for: now - sighting.live_at,
            steady_for: sighting.steady_since.map_or(Duration::ZERO, |since| now - since),
        }
    }
}

fn acked_lately(metrics: &RaftMetrics<TypeConfig>, id: u64) -> bool {
    let acked = metrics.heartbeat.as_ref().and_then(|acked| acked.get(&id).copied().flatten());
    acked.is_some_and(|at| at.elapsed() < ACKED_WITHIN)
}

/// Entries a member is behind this leader; `None` where nothing of it is known.
pub(crate) fn lag(metrics: &RaftMetrics<TypeConfig>, id: u64) -> Option<u64> {
    let matched = metrics.replication.as_ref()?.get(&id)?.as_ref()?;
    Some(metrics.last_log_index.unwrap_or(0).saturating_sub(matched.index()))
}
