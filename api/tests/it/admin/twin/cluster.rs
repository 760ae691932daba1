//! What the stand-in says of models, the cluster and itself.

use super::Twin;
use api::admin::v1::cluster::{
    ClusterAdmin, ClusterStatus, Id, Leader, Member, Removed, TransferLeader,
};
use api::admin::v1::models::{ListedModel, Models};
use api::admin::v1::nodes::{Counts, Node, Nodes, ProviderDoor};
use api::admin::{Answer, Listed, Page, Problem};

impl Models for Twin {
    fn list_models(&self, page: &Page) -> Listed<ListedModel> {
        page.cut(Vec::new(), |model: &ListedModel| &model.name)
    }
}

impl ClusterAdmin for Twin {
    fn cluster_status(&self) -> ClusterStatus {
        ClusterStatus {
            cluster_id: "01J".to_owned(),
            cluster_name: "test".to_owned(),
            node_id: Some(Id(u64::MAX)),
            phase: "member".to_owned(),
            term: 1,
            leader: Some(Id(u64::MAX)),
            quorum_ok: true,
            voters: vec![Id(u64::MAX)],
            learners: Vec::new(),
            committed_index: 1,
            applied_index: 1,
            last_log_index: 1,
            write_copies: 1,
            checks: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn members(&self) -> Vec<Member> {
        Vec::new()
    }

    async fn transfer_leader(&self, _: TransferLeader) -> Answer<Leader> {
        Ok(Leader { leader: Id(u64::MAX) })
    }

    async fn remove_member(&self, member: String) -> Answer<Removed> {
        Err(Problem::not_found("member", &member))
    }
}

impl Nodes for Twin {
    fn node(&self) -> Node {
        Node {
            id: Some(Id(u64::MAX)),
            label: "n1".to_owned(),
            version: "0".to_owned(),
            pid: 1,
            uptime_seconds: 0,
            incarnation: 1,
            base_url: String::new(),
            admin_url: String::new(),
            ready: true,
            draining: self.with(|state| state.draining),
            checks: Vec::new(),
            requests_in_flight: 0,
            streams_in_flight: 0,
            applied_index: 1,
        }
    }

    fn doors(&self) -> Vec<ProviderDoor> {
        vec![ProviderDoor {
            provider: "openai".to_owned(),
            credential: "default".to_owned(),
            passed_over: true,
            passed_over_for_ms: 700,
            failures_in_a_row: 3,
            times_passed_over: 1,
        }]
    }

    fn counts(&self) -> Counts {
        self.with(|state| Counts {
            keys: state.keys.len(),
            budgets: state.budgets.len(),
            providers: state.providers.len(),
            aliases: state.aliases.len(),
        })
    }

    fn begin_drain(&self) {
        self.with(|state| state.draining = true);
    }
}
