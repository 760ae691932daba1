//! Nodes that go politely.

use crate::bed::{formed, leader, put, stop_all, until};
use cluster::MemberState;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_goes_to_whoever_is_named() {
    let (_seats, nodes) = formed(3).await;
    let leading = leader(&nodes).await;
    let heir = (leading + 1) % 3;
    let heir_id = nodes[heir].status().raft_id.unwrap();
    assert_eq!(nodes[leading].transfer_leader(Some(heir_id)).await.unwrap(), heir_id);
    assert_eq!(leader(&nodes).await, heir);
    // The wish may be told to any node.
    let third = nodes[(leading + 2) % 3].status().raft_id.unwrap();
    until(&nodes[leading], "following", |status| status.leader == Some(heir_id)).await;
    assert_eq!(nodes[leading].transfer_leader(Some(third)).await.unwrap(), third);
    put(&nodes[leading], "after").await;
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_leaves_politely_hands_over_first_and_writes_go_on() {
    let (_seats, nodes) = formed(3).await;
    let leading = leader(&nodes).await;
    let id = nodes[leading].status().raft_id.unwrap();
    nodes[leading].announce_draining();
    assert!(!nodes[leading].status().ready());
    let others: Vec<usize> = (0..3).filter(|index| *index != leading).collect();
    let observer = &nodes[others[0]];
    until(observer, "told of the leaving", |_| {
        let members = observer.members();
        members.iter().any(|m| m.raft_id == id && m.state == MemberState::Draining)
    })
    .await;
    nodes[leading].leave_politely(Duration::from_secs(10)).await;
    assert_ne!(nodes[leading].status().leader, Some(id));
    let begun = Instant::now();
    nodes[leading].shutdown().await;
    put(&nodes[others[1]], "after").await;
    assert!(begun.elapsed() < Duration::from_secs(8));
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_one_leaves_politely_too() {
    let (_seats, nodes) = formed(1).await;
    put(&nodes[0], "b").await;
    nodes[0].leave_politely(Duration::from_secs(5)).await;
    nodes[0].leave_politely(Duration::from_secs(5)).await;
    nodes[0].shutdown().await;
    nodes[0].shutdown().await;
}
