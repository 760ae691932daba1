//! Waiting until the other nodes have applied what they must not miss.

use super::message::{AwaitV1, IndexV1};
use super::node::Node;
use super::route::Route;
use crate::status::{Member, MemberState, Role};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// What an answer may take beyond the wait itself.
const ON_THE_WAY: Duration = Duration::from_millis(250);
/// How long a member is given that gossip does not hear: it may serve all the same, or be gone.
const SILENT_WITHIN: Duration = Duration::from_millis(300);

/// Asks every node that may serve whether it has applied `index`; see [`crate::Cluster::applied_everywhere`].
pub(crate) async fn applied_everywhere(
    node: &Arc<Node>,
    index: u64,
    within: Duration,
) -> Vec<String> {
    let members = node.members();
    let asked = members.iter().filter_map(|member| {
        let within = match (member.state, member.role) {
            (MemberState::Live | MemberState::Draining, _) => within,
            (MemberState::Silent, Role::Unknown) => return None,
            (MemberState::Silent, Role::Leader | Role::Voter | Role::Learner) => {
                within.min(SILENT_WITHIN)
            }
        };
        Some(async move {
            let applied = applied(node, member, index, within).await;
            (!applied).then(|| member.label.clone())
        })
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn applied(node: &Node, member: &Member, index: u64, within: Duration) -> bool {
    if member.raft_id == node.id() {
        let waited = tokio::time::timeout(within, node.view.wait_applied(index)).await;
        return waited.unwrap_or(false);
    }
    let question =
        AwaitV1 { index, within_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX) };
    let to = node.member(member.raft_id);
    let answer = node.client.ask(Route::Applied, &to, &question, within + ON_THE_WAY).await;
    match answer {
        Ok(IndexV1 { index: at }) => at >= index,
        Err(error) => {
            tracing::debug!(member = member.label, %error, "does not say what it has applied");
            false
        }
    }
}
