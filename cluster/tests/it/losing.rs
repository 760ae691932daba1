//! Nodes that go without a word.

use crate::bed::{
    PATIENCE, Way, budget, formed, has, leader, put, ready, seats, start_all, stop_all, until,
};
use cluster::{Cluster, Unavailable};
use std::time::Duration;

/// Writes until told to stop; returns the names of the writes that were acknowledged.
async fn write_on(node: Cluster, prefix: &str, count: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..count {
        let name = format!("{prefix}-{number}");
        match node.propose(budget(&name)).await {
            Ok(_) => acknowledged.push(name),
            // May or may not be there: no promise was made.
            Err(Unavailable::Unknown(_) | Unavailable::NotApplied { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_go_on_without_the_leader_and_no_acknowledged_one_is_lost() {
    let (seats, mut nodes) = formed(3).await;
    let leading = leader(&nodes).await;
    let others: Vec<usize> = (0..3).filter(|index| *index != leading).collect();
    let first = tokio::spawn(write_on(nodes[others[0]].clone(), "a", 40));
    let second = tokio::spawn(write_on(nodes[others[1]].clone(), "b", 40));
    // In the middle of it, the leader goes.
    nodes[others[0]]
        .wait_applied(nodes[leading].status().applied + 10, Duration::from_secs(30))
        .await
        .unwrap();
    nodes[leading].shutdown().await;
    let mut acknowledged = first.await.unwrap();
    acknowledged.extend(second.await.unwrap());
    assert!(acknowledged.len() > 20, "{} of 80 acknowledged", acknowledged.len());
    put(&nodes[others[1]], "after").await;
    nodes[leading] = seats[leading].start().await;
    ready(&nodes[leading]).await;
    for node in &nodes {
        node.read_index().await.unwrap();
        for name in &acknowledged {
            assert!(has(node, name), "{name} was acknowledged");
        }
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_gone_is_named_and_who_is_left_alone_knows_how_long() {
    let (seats, nodes) = formed(3).await;
    nodes[2].shutdown().await;
    let index = put(&nodes[0], "b").await.index;
    let unreached = nodes[0].applied_everywhere(index, Duration::from_secs(2)).await;
    assert_eq!(unreached, [seats[2].label.clone()]);
    nodes[0].read_index().await.unwrap();
    until(&nodes[0], "told how it stands", |_| nodes[0].stale_for() < Duration::MAX).await;
    nodes[1].shutdown().await;
    let before = nodes[0].stale_for();
    assert!(nodes[0].read_index().await.is_err());
    assert!(nodes[0].stale_for() > before, "{before:?}");
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_comes_back_is_elected_anew_and_never_leads_its_old_term() {
    let (seats, mut nodes) = formed(3).await;
    for round in 0..2 {
        let leading = leader(&nodes).await;
        let before = nodes[leading].status();
        put(&nodes[leading], &format!("r{round}")).await;
        // All go at once, so that nobody else could have taken over in the meantime.
        stop_all(&nodes).await;
        let back = seats[leading].start().await;
        // Alone it has no majority: with its old term restored it would lead at once.
        let led = |status: &cluster::Status| status.leader == status.raft_id;
        let mut changes = back.changes();
        let alone = tokio::time::timeout(Duration::from_millis(700), async {
            while !led(&back.status()) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        });
        assert!(alone.await.is_err(), "it led without an election: {:?}", back.status());
        for index in 0..3 {
            nodes[index] = if index == leading { back.clone() } else { seats[index].start().await };
        }
        for node in &nodes {
            ready(node).await;
            assert!(has(node, &format!("r{round}")));
        }
        let after = until(&nodes[leading], "led", |status| status.leader.is_some()).await;
        assert!(after.term > before.term, "{} then {}", before.term, after.term);
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_nothing_is_acknowledged_and_nobody_is_removed() {
    let mut seats = seats(3, Some(3));
    for seat in &mut seats {
        seat.tuning.propose_within = Duration::from_millis(1_500);
    }
    let mut nodes = start_all(&seats).await;
    for node in &nodes {
        ready(node).await;
    }
    put(&nodes[0], "before").await;
    let leading = leader(&nodes).await;
    let others: Vec<usize> = (0..3).filter(|index| *index != leading).collect();
    for index in &others {
        nodes[*index].shutdown().await;
    }
    let left = nodes[leading].clone();
    let refused = left.propose(budget("lost")).await;
    assert!(
        matches!(refused, Err(Unavailable::Unknown(_) | Unavailable::NotApplied { .. })),
        "{refused:?}"
    );
    assert!(left.read_index().await.is_err());
    assert_eq!(left.status().voters.len(), 3);
    until(&left, "without quorum", |status| !status.quorum_ok).await;
    for index in others {
        nodes[index] = seats[index].start().await;
    }
    for node in &nodes {
        ready(node).await;
    }
    put(&left, "after").await;
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_hear_the_leader_does_not_depose_it() {
    let mut seats = seats(3, Some(3));
    let ways = [Way::open().await, Way::open().await, Way::open().await];
    for (seat, way) in seats.iter_mut().zip(&ways) {
        seat.way = Some(way.clone());
    }
    let nodes = start_all(&seats).await;
    for node in &nodes {
        ready(node).await;
    }
    // A machine that is too busy elects anew by itself now and then; a deaf node that could depose a
    // leader would do it every time.
    for attempt in 0.. {
        let leading = leader(&nodes).await;
        let deaf = (leading + 1) % 3;
        let term = nodes[leading].status().term;
        // Nobody reaches it; it reaches everybody, again and again, to ask for their votes.
        ways[deaf].cut();
        put(&nodes[leading], &format!("a{attempt}")).await;
        let mut changes = nodes[leading].changes();
        let deposed = tokio::time::timeout(Duration::from_millis(2_500), async {
            while nodes[leading].status().term == term && changes.changed().await.is_ok() {}
        });
        let deposed = deposed.await.is_ok();
        assert!(deposed || !has(&nodes[deaf], &format!("a{attempt}")), "it is deaf");
        ways[deaf].mend();
        let index = put(&nodes[leading], &format!("b{attempt}")).await.index;
        nodes[deaf].wait_applied(index, PATIENCE).await.unwrap();
        if !deposed {
            break;
        }
        assert!(attempt < 3, "deposed every time: {:?}", nodes[leading].status());
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_its_disk_takes_its_own_place_under_another_id() {
    let (mut seats, mut nodes) = formed(3).await;
    put(&nodes[0], "before").await;
    let leading = leader(&nodes).await;
    let wiped = (leading + 1) % 3;
    let old_id = nodes[wiped].status().raft_id.unwrap();
    nodes[wiped].shutdown().await;
    seats[wiped].wipe();
    nodes[wiped] = seats[wiped].start().await;
    let status = ready(&nodes[wiped]).await;
    let new_id = status.raft_id.unwrap();
    assert_ne!(new_id, old_id);
    until(&nodes[leading], "three voters with the new one", |status| {
        status.voters.contains(&new_id) && !status.voters.contains(&old_id)
    })
    .await;
    assert!(has(&nodes[wiped], "before"));
    stop_all(&nodes).await;
}
