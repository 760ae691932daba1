//! How the node and its cluster stand, for readiness, operators and peers.

use super::node::Node;
use crate::gossip::Heard;
use crate::status::{Check, Member, MemberState, Role, Status};
use ledger::{NodeId, NodeRecord};
use openraft::Instant as _;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::metrics::RaftMetrics;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::{Membership, TypeConfig};

/// A leader that was not answered by more than half of the voters for so long has no quorum.
const QUORUM_ACKED_WITHIN: Duration = Duration::from_millis(1_600);

impl Node {
    /// The conditions of readiness.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let enrolled = self.enrolled.load(Ordering::Acquire);
        let joined = self.takes_part();
        let draining = self.is_draining();
        let check = |name, ok, say: String| Check { name, ok, say };
        let applied = self.view.applied_index();
        let behind = || format!("has applied {applied} and not yet all there was when it started");
        let up_to_date = || format!("has applied {applied}");
        let asks = self.allowances.askable();
        vec![
            check("joined", joined, self.phase()),
            check("caught_up", enrolled, if enrolled { up_to_date() } else { behind() }),
            check("allowances_askable", asks, yes_no(asks, "enrolled", "not enrolled yet")),
            check("not_draining", !draining, yes_no(!draining, "stays", "is on its way out")),
        ]
    }

    /// All nodes that are members, known to the ledger, or heard; removed ones aside.
    pub(crate) fn members(&self) -> Vec<Member> {
        let ledger = self.view.load();
        let stored = self.membership();
        let membership = stored.membership();
        let heard = self.heard_members();
        let by_id: BTreeMap<u64, &Heard> =
            heard.iter().filter_map(|node| Some((node.raft_id?, node))).collect();
        let mut ids: BTreeSet<u64> = membership.nodes().map(|(id, _)| *id).collect();
        ids.extend(by_id.keys());
        let lives = ledger.nodes.values().filter(|record| !record.is_retired());
        ids.extend(lives.map(|record| record.id.0));
        if self.id() != 0 {
            ids.insert(self.id());
        }
        let member = |id: &u64| {
            let record = ledger.nodes.get(&NodeId(*id));
            let role = self.role(membership, *id);
            let heard = by_id.get(id).copied();
            if *id == self.id() {
                return Some(self.own_member(role));
            }
            let removed = record.is_some_and(NodeRecord::is_retired) && role == Role::Unknown;
            (!removed).then(|| other_member(*id, role, heard, record, membership))
        };
        ids.iter().filter_map(member).collect()
    }

    /// How the cluster stands, seen from here.
    pub(crate) fn status(&self) -> Status {
        let ledger = self.view.load();
        let stored = self.membership();
        let voters: Vec<u64> = stored.membership().voter_ids().collect();
        let learners: Vec<u64> = stored.membership().learner_ids().collect();
        let metrics = self.raft_to_stop().map(|raft| raft.metrics().borrow_watched().clone());
        let metrics = metrics.as_ref();
        let leader = self.leader();
        Status {
            cluster_id: self.identity.cluster_id().unwrap_or_default(),
            cluster_name: self.settings.cluster_name.clone(),
            cluster_version: ledger.cluster_version,
            raft_id: self.identity.raft_id(),
            uuid: self.identity.node_uuid(),
            incarnation: self.identity.incarnation(),
            phase: self.phase(),
            term: metrics.map_or(0, |seen| seen.current_term),
            leader,
            committed: metrics.and_then(|seen| seen.cluster_committed).map_or(0, |id| id.index),
            applied: self.view.applied_index(),
            last_log: metrics.and_then(|seen| seen.last_log_index).unwrap_or(0),
            checks: self.checks(),
            quorum_ok: self.has_quorum(metrics, &voters),
            write_copies: voters.len() / 2 + 1,
            warnings: self.warnings(&voters, &learners),
            voters,
            learners,
        }
    }

    /// A leader knows from its followers' answers; the others go by what gossip says.
    fn has_quorum(&self, metrics: Option<&RaftMetrics<TypeConfig>>, voters: &[u64]) -> bool {
        let acked = metrics.and_then(|seen| seen.last_quorum_acked).filter(|_| self.leads());
        let acked = acked.map(|acked| acked.elapsed());
        acked_lately(voters.len(), acked).unwrap_or_else(|| {
            self.leader().is_some() && self.live_voters(voters) * 2 > voters.len()
        })
    }

    fn live_voters(&self, voters: &[u64]) -> usize {
        let heard = self.heard_members();
        let live = |id: &&u64| {
            let said = heard.iter().any(|node| node.raft_id == Some(**id) && node.live);
            said || **id == self.id()
        };
        voters.iter().filter(live).count()
    }

    fn warnings(&self, voters: &[u64], learners: &[u64]) -> Vec<String> {
        let mut warnings = Vec::new();
        if voters.len() == 1 && !learners.is_empty() {
            warnings
                .push("one voter only: acknowledged writes survive on its disk alone".to_owned());
        }
        let own = self.identity.cluster_id();
        let strangers: BTreeSet<String> = super::bootstrap::clusters_heard(&self.gossip.peers())
            .into_iter()
            .filter(|id| own.as_ref().is_some_and(|own| own != id))
            .collect();
        for id in strangers {
            let name = &self.settings.cluster_name;
            warnings.push(format!("another cluster is named {name} and shares its secret: {id}"));
        }
        if self.short_of_disk.load(Ordering::Relaxed) {
            warnings.push("the disk is nearly full: no configuration is taken here".to_owned());
        }
        warnings
    }

    fn role(&self, membership: &Membership, id: u64) -> Role {
        if self.leader() == Some(id) {
            Role::Leader
        } else if membership.voter_ids().any(|voter| voter == id) {
            Role::Voter
        } else if membership.get_node(&id).is_some() {
            Role::Learner
        } else {
            Role::Unknown
        }
    }

    fn own_member(&self, role: Role) -> Member {
        let public = |key: &str| self.settings.public.get(key).cloned().unwrap_or_default();
        Member {
            raft_id: self.id(),
            uuid: self.identity.node_uuid(),
            label: self.settings.label.clone(),
            role,
            state: if self.is_draining() { MemberState::Draining } else { MemberState::Live },
            peer_addr: self.settings.peer_addr.clone(),
            base_url: public("base_url"),
            admin_url: public("admin_url"),
            version: public("version"),
            applied_index: self.view.applied_index(),
            incarnation: self.identity.incarnation(),
        }
    }
}

/// Whether the followers' last answers make a quorum; `None` where they cannot tell. A leader without
/// followers hears none while nothing is written.
fn acked_lately(voters: usize, acked_ago: Option<Duration>) -> Option<bool> {
    acked_ago.filter(|_| voters > 1).map(|ago| ago < QUORUM_ACKED_WITHIN)
}

fn yes_no(yes: bool, if_so: &str, if_not: &str) -> String {
    if yes { if_so } else { if_not }.to_owned()
}

fn other_member(
    id: u64,
    role: Role,
    heard: Option<&Heard>,
    record: Option<&NodeRecord>,
    membership: &Membership,
) -> Member {
    let public =
        |key: &str| heard.and_then(|node| node.public.get(key).cloned()).unwrap_or_default();
    let remembered = membership.get_node(&id).map(|peer| peer.addr.clone());
    let state = match heard {
        Some(node) if node.live && node.draining => MemberState::Draining,
        Some(node) if node.live => MemberState::Live,
        Some(_) | None => MemberState::Silent,
    };
    let known = record.map(|record| (record.uuid.clone(), record.label.clone()));
    let said = heard.map(|node| (node.uuid.clone(), node.label.clone()));
    let (uuid, label) = said.or(known).unwrap_or_default();
    Member {
        raft_id: id,
        uuid,
        label,
        role,
        state,
        peer_addr: heard.and_then(|node| node.peer_addr.clone()).or(remembered).unwrap_or_default(),
        base_url: public("base_url"),
        admin_url: public("admin_url"),
        version: public("version"),
        applied_index: heard.map_or(0, |node| node.applied_index),
        incarnation: heard
            .map(|node| node.incarnation)
            .or(record.map(|r| r.incarnation))
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_goes_by_its_followers_answers_and_without_followers_by_itself() {
        let (lately, long_ago) = (Duration::from_millis(100), Duration::from_secs(20));
        assert_eq!(acked_lately(3, Some(lately)), Some(true));
        assert_eq!(acked_lately(3, Some(long_ago)), Some(false));
        assert_eq!(acked_lately(1, Some(long_ago)), None);
        assert_eq!(acked_lately(3, None), None);
    }
}
