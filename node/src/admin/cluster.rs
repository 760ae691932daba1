//! The cluster, as this node sees it.

use super::Node;
use super::probes::check_out;
use super::propose::unavailable;
use ::cluster::{Member, MemberState, Role};
use api::admin::v1::cluster::{
    self, ClusterAdmin, ClusterStatus, Id, Leader, Removed, TransferLeader,
};
use api::admin::{Answer, Problem};

impl ClusterAdmin for Node {
    fn cluster_status(&self) -> ClusterStatus {
        let status = self.parts.cluster.status();
        ClusterStatus {
            cluster_id: status.cluster_id,
            cluster_name: status.cluster_name,
            node_id: status.raft_id.map(Id),
            phase: status.phase,
            term: status.term,
            leader: status.leader.map(Id),
            quorum_ok: status.quorum_ok,
            voters: status.voters.into_iter().map(Id).collect(),
            learners: status.learners.into_iter().map(Id).collect(),
            committed_index: status.committed,
            applied_index: status.applied,
            last_log_index: status.last_log,
            write_copies: status.write_copies,
            checks: status
                .checks
                .into_iter()
                .map(|check| check_out(check.name, check.ok, check.say))
                .collect(),
            warnings: status.warnings,
        }
    }

    fn members(&self) -> Vec<cluster::Member> {
        let mut members: Vec<_> = self.parts.cluster.members().into_iter().map(shown).collect();
        members.sort_by_key(|member| member.id);
        members
    }

    async fn transfer_leader(&self, to: TransferLeader) -> Answer<Leader> {
        let to = match &to.to {
            Some(name) => Some(self.find(name).map_err(|say| Problem::invalid("to", say))?),
            None => None,
        };
        let leader = self.parts.cluster.transfer_leader(to).await.map_err(unavailable)?;
        Ok(Leader { leader: Id(leader) })
    }

    async fn remove_member(&self, member: String) -> Answer<Removed> {
        let id = self.find(&member).map_err(|_| Problem::not_found("member", &member))?;
        self.parts.cluster.remove(id).await.map_err(|error| match error {
            ::cluster::Unavailable::Refused(why) => Problem::conflict(why),
            other => unavailable(other),
        })?;
        tracing::info!(member = id, "member removed");
        Ok(Removed { removed: Id(id) })
    }
}

impl Node {
    /// A member's id from its id or its label.
    fn find(&self, name: &str) -> Result<u64, String> {
        let members = self.parts.cluster.members();
        let of_id = members.iter().filter(|member| name.parse() == Ok(member.raft_id));
        let of_label = members.iter().filter(|member| member.label == name);
        let mut found: Vec<u64> = of_id.chain(of_label).map(|member| member.raft_id).collect();
        found.dedup();
        match found[..] {
            [id] => Ok(id),
            [] => Err(format!("there is no member {name:?}")),
            [..] => Err(format!("several members are called {name:?}: give the number")),
        }
    }
}

fn shown(member: Member) -> cluster::Member {
    cluster::Member {
        id: Id(member.raft_id),
        label: member.label,
        role: match member.role {
            Role::Leader => cluster::Role::Leader,
            Role::Voter => cluster::Role::Voter,
            Role::Learner => cluster::Role::Learner,
            Role::Unknown => cluster::Role::Unknown,
        },
        state: match member.state {
            MemberState::Live => cluster::MemberState::Live,
            MemberState::Silent => cluster::MemberState::Silent,
            MemberState::Draining => cluster::MemberState::Draining,
        },
        peer_addr: member.peer_addr,
        base_url: member.base_url,
        admin_url: member.admin_url,
        version: member.version,
        applied_index: member.applied_index,
        incarnation: member.incarnation,
        uuid: member.uuid,
    }
}
