//! Nodes that go politely.

use crate::bed::{budget, formed, leader, put, ready, stop_all, until};
use cluster::{MemberState, Unavailable};
use std::time::{Duration, Instant};
use tokio::sync::watch;

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
async fn whoever_leads_is_removed_by_a_word_to_any_other_node() {
    let (_seats, nodes) = formed(3).await;
    let leading = leader(&nodes).await;
    let id = nodes[leading].status().raft_id.unwrap();
    let other = &nodes[(leading + 1) % 3];
    other.remove(id).await.unwrap();
    until(other, "rid of it", |_| other.members().iter().all(|member| member.raft_id != id)).await;
    put(other, "after").await;
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_voter_is_not_removed() {
    let (_seats, nodes) = formed(1).await;
    let id = nodes[0].status().raft_id.unwrap();
    let refused = nodes[0].remove(id).await.unwrap_err();
    assert!(matches!(&refused, Unavailable::Refused(why) if why.contains("last one stays")));
    put(&nodes[0], "after").await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarting_every_node_politely_fails_no_write_on_the_others() {
    let (seats, mut nodes) = formed(3).await;
    for leaver in 0..3 {
        let (stop, stopped) = watch::channel(false);
        let writers: Vec<_> = (0..3)
            .filter(|writer| *writer != leaver)
            .map(|writer| {
                let (node, stopped) = (nodes[writer].clone(), stopped.clone());
                tokio::spawn(async move {
                    let mut written = 0;
                    while !*stopped.borrow() {
                        let name = format!("w{leaver}-{writer}-{written}");
                        node.propose(budget(&name)).await.unwrap();
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        nodes[leaver].leave_politely(Duration::from_secs(10)).await;
        nodes[leaver].shutdown().await;
        nodes[leaver] = seats[leaver].start().await;
        ready(&nodes[leaver]).await;
        stop.send_replace(true);
        for writer in writers {
            assert!(writer.await.unwrap() > 0);
        }
    }
    stop_all(&nodes).await;
}
