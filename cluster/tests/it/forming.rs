//! How clusters come about.

use crate::bed::{formed, has, put, ready, seat, seats, start_all, stop_all, until};
use cluster::{ClusterSecret, Role, StartError, Tuning};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_seeds_is_a_cluster_of_one() {
    let alone = seat("n1", &[], None);
    let node = alone.start().await;
    let status = ready(&node).await;
    assert_eq!(status.leader, status.raft_id);
    assert_eq!(status.raft_id.unwrap() >> 62, 2, "founders' ids have the top bit set");
    assert_eq!(node.ledger().cluster_id, status.cluster_id);
    put(&node, "b").await;
    assert!(has(&node, "b"));
    assert_eq!(node.members().len(), 1);
    assert_eq!(node.members()[0].role, Role::Leader);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_become_one_cluster_soon_after_the_last_one_starts() {
    let mut seats = seats(3, Some(3));
    for seat in &mut seats {
        seat.tuning = Tuning::default();
    }
    let nodes = start_all(&seats).await;
    let started = Instant::now();
    let mut ids = BTreeSet::new();
    for node in &nodes {
        let status = ready(node).await;
        assert_eq!(status.voters.len(), 3);
        until(node, "with a quorum", |status| status.quorum_ok).await;
        ids.insert(status.cluster_id);
    }
    assert_eq!(ids.len(), 1);
    let took = started.elapsed();
    println!("three nodes were ready {took:?} after the last one started");
    assert!(took < Duration::from_secs(15), "took {took:?} on a machine that is shared");
    for node in &nodes {
        let all = |node: &cluster::Cluster| node.members().iter().all(|m| !m.base_url.is_empty());
        until(node, "told where the others are", |_| all(node)).await;
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_started_in_any_order_make_one_cluster() {
    let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0]];
    for order in orders {
        let seats = seats(3, Some(2));
        // Two are enough to found; the third finds them founding, founded, or is one of the two.
        let mut nodes = Vec::new();
        for index in order {
            nodes.push(seats[index].start().await);
        }
        let mut ids = BTreeSet::new();
        for node in &nodes {
            ids.insert(ready(node).await.cluster_id);
        }
        stop_all(&nodes).await;
        assert_eq!(ids.len(), 1, "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_founders_found_nothing_and_a_late_one_completes_them() {
    let seats = seats(3, Some(3));
    let mut nodes = start_all(&seats[..2]).await;
    for node in &nodes {
        let status = until(node, "waiting for the third", |status| {
            status.phase.contains("2 of 3 founders are there")
        });
        assert_eq!(status.await.cluster_id, "");
    }
    nodes.push(seats[2].start().await);
    let mut ids = BTreeSet::new();
    for node in &nodes {
        ids.insert(ready(node).await.cluster_id);
    }
    assert_eq!(ids.len(), 1);
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_seeds_that_could_make_two_clusters_is_refused() {
    let seats = seats(4, Some(2));
    match seats[0].try_start().await {
        Err(StartError::Config(say)) => {
            assert!(say.contains("more than half of the 4 seeds"), "{say}")
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("two of four may found two clusters"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_seeds_and_no_number_of_founders_only_joins() {
    let founder = seat("n1", &[], None);
    let joiner = seat("n2", &[founder.gossip.to_string()], None);
    let late = joiner.start().await;
    until(&late, "waiting", |status| status.phase.contains("waits for a cluster to join")).await;
    let first = founder.start().await;
    let joined = ready(&late).await;
    assert_eq!(joined.cluster_id, ready(&first).await.cluster_id);
    assert!(joined.raft_id.unwrap() < 1 << 62, "joiners' ids are log indexes");
    stop_all(&[late, first]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_secret_stays_outside() {
    let founder = seat("n1", &[], None);
    let mut stranger = seat("n2", &[founder.gossip.to_string()], None);
    stranger.secret = ClusterSecret::from_bytes([8; 32]);
    let first = founder.start().await;
    let outside = stranger.start().await;
    ready(&first).await;
    // It heard nothing, and after several rounds of gossip the cluster has not heard of it.
    let mut changes = outside.changes();
    let _ = tokio::time::timeout(Duration::from_millis(600), changes.changed()).await;
    assert_eq!(outside.status().cluster_id, "");
    assert_eq!(first.members().len(), 1);
    stop_all(&[first, outside]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn founders_that_stop_in_the_middle_of_founding_still_make_one_cluster() {
    for stopping in 0..3 {
        let seats = seats(3, Some(3));
        let mut nodes = start_all(&seats).await;
        // Asking, promised, or just begun: whatever it is in, it goes, and comes back.
        until(&nodes[stopping], "founding", |status| {
            status.phase.contains("promise") || !status.cluster_id.is_empty()
        })
        .await;
        nodes[stopping].shutdown().await;
        nodes[stopping] = seats[stopping].start().await;
        let mut ids = BTreeSet::new();
        for node in &nodes {
            let status = ready(node).await;
            assert_eq!(status.voters.len(), 3, "{status:?}");
            ids.insert(status.cluster_id);
        }
        stop_all(&nodes).await;
        assert_eq!(ids.len(), 1, "{stopping}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clusters_of_one_name_are_told_and_never_merged() {
    let first = seat("n1", &[], None);
    let mut second = seat("n2", &[], None);
    let one = first.start().await;
    let two = second.start().await;
    let id = ready(&one).await.cluster_id;
    ready(&two).await;
    two.shutdown().await;
    drop(two);
    second.seeds = vec![first.gossip.to_string()];
    let two = second.start().await;
    for node in [&one, &two] {
        until(node, "warned", |status| {
            status.warnings.iter().any(|say| say.contains("another cluster is named test"))
        })
        .await;
        assert_eq!(node.members().len(), 1);
        put(node, "own").await;
    }
    assert_ne!(ready(&two).await.cluster_id, id);
    stop_all(&[one, two]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_is_who_it_was_with_what_it_had() {
    let (seats, mut nodes) = formed(3).await;
    put(&nodes[0], "before").await;
    let before = nodes[1].status();
    nodes[1].shutdown().await;
    put(&nodes[0], "while-it-was-away").await;
    nodes[1] = seats[1].start().await;
    let after = ready(&nodes[1]).await;
    assert_eq!((after.raft_id, after.uuid), (before.raft_id, before.uuid));
    assert_eq!(after.incarnation, before.incarnation + 1);
    assert!(has(&nodes[1], "before") && has(&nodes[1], "while-it-was-away"));
    let record = nodes[1].ledger();
    let record = record.nodes.get(&ledger::NodeId(after.raft_id.unwrap())).unwrap().clone();
    assert_eq!(record.incarnation, after.incarnation);
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_cluster_comes_back_with_new_addresses() {
    let (mut seats, nodes) = formed(3).await;
    put(&nodes[2], "kept").await;
    let id = nodes[0].status().cluster_id;
    stop_all(&nodes).await;
    drop(nodes);
    // Peer ports are drawn anew at each start; gossip moves, too.
    let moved = crate::bed::seats(3, Some(3));
    for (seat, new) in seats.iter_mut().zip(&moved) {
        seat.gossip = new.gossip;
        seat.seeds = new.seeds.clone();
    }
    let nodes = start_all(&seats).await;
    for node in &nodes {
        assert_eq!(ready(node).await.cluster_id, id);
        assert!(has(node, "kept"));
    }
    stop_all(&nodes).await;
}
