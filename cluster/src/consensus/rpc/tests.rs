//! Strangers, other clusters, other receivers and repetitions, on every route.

use super::super::client::{CallError, Lane, PeerClient, To, Way};
use super::super::message::{EmptyV1, EnvelopeV1};
use super::super::node::Node;
use super::super::refusal::Reason;
use super::super::route::Route;
use super::super::tests::{Started, secret, started};
use crate::ClusterSecret;
use crate::seal::Sealer;
use std::sync::Arc;
use std::time::Duration;
use storage::format::v1::Bytes;
use storage::{Identity, format};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const WITHIN: Duration = Duration::from_secs(10);

async fn member() -> Started {
    started("n1", Vec::new(), None).await.ready().await
}

fn to(node: &Node) -> To {
    To { raft_id: node.id(), uuid: String::new(), addr: node.settings.peer_addr.clone() }
}

/// A client of somebody who holds a secret and says it is of this cluster.
fn peer(name: &str, cluster_id: Option<&str>, secret: &ClusterSecret) -> (TempDir, PeerClient) {
    let dir = tempfile::tempdir().unwrap();
    let identity = Identity::open(dir.path()).unwrap();
    if let Some(cluster_id) = cluster_id {
        identity.set_cluster_id(cluster_id).unwrap();
    }
    let client = PeerClient::new(name, identity, Arc::new(Sealer::new(secret))).unwrap();
    (dir, client)
}

async fn ask(client: &PeerClient, route: Route, to: &To) -> Result<Vec<u8>, CallError> {
    let message = format::encode(&EmptyV1 {}).unwrap();
    client.call(Way { lane: Lane::Control, route, within: WITHIN }, to, message).await
}

async fn post(http: &reqwest::Client, addr: &str, route: Route, body: Vec<u8>) -> u16 {
    let sent = http.post(format!("http://{addr}{}", route.path())).body(body).send();
    sent.await.unwrap().status().as_u16()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap()
}

fn envelope(node: &Node) -> Vec<u8> {
    let envelope = EnvelopeV1 {
        cluster_name: "test".to_owned(),
        cluster_id: node.identity.cluster_id().unwrap(),
        from_uuid: "somebody".to_owned(),
        from_raft: 1,
        to_uuid: String::new(),
        to_raft: node.id(),
        message: Bytes(format::encode(&EmptyV1 {}).unwrap()),
    };
    format::encode(&envelope).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_who_does_not_hold_the_secret() {
    let member = member().await;
    let node = member.node();
    let addr = &node.settings.peer_addr;
    let http = http();
    let frame = envelope(node);
    let other = Sealer::new(&secret(8));
    let (_peer_dir, stranger) = peer("test", node.identity.cluster_id().as_deref(), &secret(8));
    for route in Route::ALL {
        for body in
            [vec![], vec![0; 500], frame.clone(), other.seal(route.path().as_bytes(), &frame)]
        {
            assert_eq!(post(&http, addr, route, body).await, 403, "{route:?}");
        }
        let answered = ask(&stranger, route, &to(node)).await;
        assert!(matches!(answered, Err(CallError::Stranger { .. })), "{route:?} {answered:?}");
    }
    member.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_is_no_route_leads_nowhere() {
    let member = member().await;
    let node = member.node();
    let sealed = node.sealer.seal(b"/peer/v1/else", &envelope(node));
    let url = format!("http://{}/peer/v1/else", node.settings.peer_addr);
    assert_eq!(http().post(url).body(sealed).send().await.unwrap().status().as_u16(), 404);
    let url = format!("http://{}{}", node.settings.peer_addr, Route::Clock.path());
    assert_eq!(http().get(url).send().await.unwrap().status().as_u16(), 405);
    member.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_one_route_is_refused_on_every_other() {
    let member = member().await;
    let node = member.node();
    let http = http();
    let frame = envelope(node);
    for route in Route::ALL {
        for other in Route::ALL.into_iter().filter(|other| *other != route) {
            let sealed = node.sealer.seal(route.path().as_bytes(), &frame);
            assert_eq!(post(&http, &node.settings.peer_addr, other, sealed).await, 403);
        }
    }
    member.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_seen_before_is_refused_where_that_matters() {
    let member = member().await;
    let node = member.node();
    let http = http();
    let addr = &node.settings.peer_addr;
    for route in Route::ALL {
        let sealed = node.sealer.seal(route.path().as_bytes(), &envelope(node));
        assert_eq!(post(&http, addr, route, sealed.clone()).await, 200, "{route:?}");
        let again = if route.once_only() { 403 } else { 200 };
        assert_eq!(post(&http, addr, route, sealed).await, again, "{route:?}");
    }
    member.cluster.shutdown().await;
}

fn reason(answered: Result<Vec<u8>, CallError>) -> Option<Reason> {
    match answered {
        Err(CallError::Refused(refusal)) => Some(refusal.reason),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_another_cluster_and_a_message_for_another_node() {
    let member = member().await;
    let node = member.node();
    let own = node.identity.cluster_id();
    let (_d1, other_cluster) = peer("test", Some("another"), &secret(7));
    let (_d2, other_name) = peer("another", own.as_deref(), &secret(7));
    let (_d3, without) = peer("test", None, &secret(7));
    let (_d4, right) = peer("test", own.as_deref(), &secret(7));
    let elsewhere = To { raft_id: node.id() + 1, ..to(node) };
    let other_uuid = To { raft_id: 0, uuid: "another".to_owned(), ..to(node) };
    let nobody = To { raft_id: 0, ..to(node) };
    for route in Route::ALL {
        for client in [&other_cluster, &other_name] {
            let answered = reason(ask(client, route, &to(node)).await);
            assert_eq!(answered, Some(Reason::WrongCluster), "{route:?}");
        }
        let answered = reason(ask(&without, route, &to(node)).await);
        assert_eq!(answered == Some(Reason::WrongCluster), !route.before_joining(), "{route:?}");
        for target in [&elsewhere, &other_uuid, &nobody] {
            let answered = reason(ask(&right, route, target).await);
            assert_eq!(answered, Some(Reason::WrongReceiver), "{route:?}");
        }
    }
    assert!(ask(&right, Route::Clock, &to(node)).await.is_ok());
    member.cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_too_large_or_does_not_arrive_is_given_up() {
    let member = member().await;
    let addr = &member.node().settings.peer_addr;
    let large = vec![0; Route::SMALL_BYTES_MAX + 1];
    assert_eq!(post(&http(), addr, Route::Vote, large.clone()).await, 413);
    assert_eq!(post(&http(), addr, Route::Append, large).await, 403);
    for (route, stated) in [(Route::Vote, 100), (Route::Append, 10_000_000)] {
        let mut socket = tokio::net::TcpStream::connect(addr).await.unwrap();
        let path = route.path();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {stated}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let read = tokio::time::timeout(WITHIN, socket.read_exact(&mut answer));
        read.await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408", "{route:?}");
    }
    let room = member.node().intake.room_kib();
    assert_eq!(room, super::LARGE_KIB_MAX as usize, "what was given up gives its room back");
    member.cluster.shutdown().await;
}
