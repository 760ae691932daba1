//! What a write and a read promise on any node.

use crate::bed::{budget, formed, has, leader, put, stop_all};
use cluster::Unavailable;
use futures_util::future::join_all;
use ledger::command::{PutBudget, RevokeKey};
use ledger::{Command, Denial, Outcome};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_on_any_node_is_read_on_every_node_at_once() {
    let (_seats, nodes) = formed(3).await;
    for (writer, node) in nodes.iter().enumerate() {
        let name = format!("from {writer}").replace(' ', "-");
        let committed = put(node, &name).await;
        assert!(has(node, &name), "its own writes a node sees on return");
        for reader in &nodes {
            let index = reader.read_index().await.unwrap();
            assert!(index >= committed.index);
            assert!(has(reader, &name), "{name}");
        }
        let missing = node.applied_everywhere(committed.index, Duration::from_secs(10)).await;
        assert_eq!(missing, Vec::<String>::new());
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_comes_back_to_whoever_asked() {
    let (_seats, nodes) = formed(3).await;
    let leading = leader(&nodes).await;
    for node in &nodes {
        let revoke = Command::RevokeKey(RevokeKey { name: "nobody".to_owned(), if_index: None });
        let outcome = node.propose(revoke).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::Denied(Denial::NotFound(..))), "{outcome:?}");
    }
    put(&nodes[leading], "once").await;
    let Command::PutBudget(again) = budget("once") else {
        unreachable!("a budget is put by PutBudget")
    };
    let must_be_new = Command::PutBudget(PutBudget { if_index: Some(0), ..again });
    let follower = &nodes[(leading + 1) % 3];
    let outcome = follower.propose(must_be_new).await.unwrap().outcome;
    assert!(matches!(outcome, Outcome::Denied(Denial::IndexMismatch { .. })), "{outcome:?}");
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_on_all_nodes_lose_nothing_and_write_nothing_twice() {
    let (_seats, nodes) = formed(3).await;
    let writes = (0..60).map(|number| {
        let node = &nodes[number % 3];
        async move { put(node, &format!("b{number}")).await.index }
    });
    let mut indexes = join_all(writes).await;
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), 60);
    for node in &nodes {
        node.read_index().await.unwrap();
        assert_eq!(node.ledger().budgets.size(), 60);
    }
    stop_all(&nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_change_is_told_and_a_command_too_large_is_refused() {
    let (_seats, nodes) = formed(1).await;
    let mut config = nodes[0].config_index();
    let before = *config.borrow_and_update();
    let committed = put(&nodes[0], "b").await;
    config.changed().await.unwrap();
    assert!(*config.borrow() > before);
    assert_eq!(*config.borrow(), committed.index);
    let huge = Command::RevokeKey(RevokeKey { name: "x".repeat(100_000), if_index: None });
    assert!(matches!(nodes[0].propose(huge).await, Err(Unavailable::Refused(_))));
    stop_all(&nodes).await;
}
