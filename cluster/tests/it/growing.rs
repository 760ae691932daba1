//! Nodes that come later.

use crate::bed::{formed, has, leader, put, ready, seat, start_all, stop_all, until};
use cluster::{Cluster, Role};

fn role(of: &Cluster, seen_by: &Cluster) -> Role {
    let id = of.status().raft_id.unwrap_or(0);
    let members = seen_by.members();
    members.iter().find(|member| member.raft_id == id).map_or(Role::Unknown, |member| member.role)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_nodes_learn_first_and_vote_once_there_are_enough() {
    let founder = seat("n1", &[], None);
    let first = founder.start().await;
    ready(&first).await;
    put(&first, "before").await;
    let seeds = [founder.gossip.to_string()];
    let second = seat("n2", &seeds, None);
    let two = second.start().await;
    ready(&two).await;
    assert!(has(&two, "before"));
    // Two voters would only halve what the cluster survives.
    let status = until(&first, "two", |status| status.learners.len() == 1).await;
    assert_eq!(status.voters.len(), 1);
    assert_eq!(role(&two, &first), Role::Learner);
    assert!(status.warnings.iter().any(|say| say.contains("one voter only")), "{status:?}");
    let third = seat("n3", &seeds, None);
    let three = third.start().await;
    ready(&three).await;
    for node in [&first, &two, &three] {
        until(node, "three voters", |status| status.voters.len() == 3).await;
    }
    put(&three, "after").await;
    stop_all(&[first, two, three]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fourth_node_learns_and_takes_a_removed_voters_place() {
    let (seats, mut nodes) = formed(3).await;
    let fourth = seat("n4", &seats[0].seeds, None);
    let four = fourth.start().await;
    ready(&four).await;
    nodes.push(four);
    until(&nodes[0], "one learner", |status| status.learners.len() == 1).await;
    let leading = leader(&nodes).await;
    let gone = (0..3).find(|index| *index != leading).unwrap();
    let gone_id = nodes[gone].status().raft_id.unwrap();
    // Asked of a node that does not lead: it passes the word on.
    nodes[3].remove(gone_id).await.unwrap();
    let status = until(&nodes[leading], "three voters without it", |status| {
        status.voters.len() == 3 && !status.voters.contains(&gone_id)
    });
    assert!(status.await.learners.is_empty());
    let ledger = nodes[leading].ledger();
    assert!(ledger.nodes.get(&ledger::NodeId(gone_id)).unwrap().is_retired());
    let left: Vec<u64> = nodes[leading].members().iter().map(|member| member.raft_id).collect();
    assert!(!left.contains(&gone_id) || !nodes[gone].status().ready());
    put(&nodes[3], "after").await;
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_told_to_remove_itself_hands_over_and_is_gone() {
    let (_seats, nodes) = formed(3).await;
    let leading = leader(&nodes).await;
    let id = nodes[leading].status().raft_id.unwrap();
    nodes[leading].remove(id).await.unwrap();
    let other = &nodes[(leading + 1) % 3];
    // Two are left, of which one votes.
    let status =
        until(other, "without it", |status| status.voters.len() == 1 && status.learners.len() == 1);
    assert!(!status.await.voters.contains(&id));
    put(other, "after").await;
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_voter_is_not_removed() {
    let alone = seat("n1", &[], None);
    let nodes = start_all(std::slice::from_ref(&alone)).await;
    let id = ready(&nodes[0]).await.raft_id.unwrap();
    assert!(nodes[0].remove(id).await.is_err());
    put(&nodes[0], "still").await;
    stop_all(&nodes).await;
}
