//! Nodes of one process gossip over loopback.

use super::*;
use tokio::net::UdpSocket;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);
const LOOPBACK: &str = "127.0.0.1:0";

fn config(uuid: &str, secret: u8, seeds: &[SocketAddr]) -> GossipConfig {
    GossipConfig {
        cluster_name: "orchard".to_owned(),
        uuid: uuid.to_owned(),
        incarnation: 1,
        listen: LOOPBACK.parse().unwrap(),
        advertise: LOOPBACK.parse().unwrap(),
        seeds: seeds.iter().map(SocketAddr::to_string).collect(),
        secret: ClusterSecret::from_bytes([secret; 32]),
        interval: Duration::from_millis(50),
        says: vec![
            (said::LABEL.to_owned(), format!("host-{uuid}")),
            (format!("{}base_url", said::PUBLIC), format!("http://{uuid}")),
        ],
    }
}

async fn start(uuid: &str, secret: u8, seeds: &[SocketAddr]) -> Gossip {
    Gossip::start(config(uuid, secret, seeds)).await.unwrap()
}

/// Waits until what a node hears is as asked.
async fn until(node: &Gossip, is_so: impl Fn(&[Heard]) -> bool) -> Arc<Vec<Heard>> {
    let mut changes = node.changes();
    let heard = timeout(PATIENCE, changes.wait_for(|heard| is_so(heard))).await;
    heard.unwrap().unwrap().clone()
}

fn live(heard: &[Heard]) -> Vec<&str> {
    heard.iter().filter(|peer| peer.live).map(|peer| peer.uuid.as_str()).collect()
}

#[tokio::test]
async fn three_nodes_hear_each_other_and_what_each_says() {
    let a = start("a", 1, &[]).await;
    let b = start("b", 1, &[a.advertised()]).await;
    let c = start("c", 1, &[a.advertised()]).await;
    until(&a, |heard| live(heard) == ["b", "c"]).await;
    until(&b, |heard| live(heard) == ["a", "c"]).await;
    c.say(said::RAFT_ID, "17");
    c.say(said::DRAINING, said::YES);
    c.say(said::APPLIED, "123");
    let heard = until(&b, |heard| heard.iter().any(|peer| peer.draining)).await;
    let of_c = heard.iter().find(|peer| peer.uuid == "c").unwrap();
    assert_eq!((of_c.raft_id, of_c.applied_index, of_c.ready), (Some(17), 123, false));
    assert_eq!(of_c.label, "host-c");
    assert_eq!(of_c.public["base_url"], "http://c");
    assert_eq!(of_c.gossip_addr, c.advertised());
}

#[tokio::test]
async fn a_node_that_stops_is_heard_as_dead_and_its_next_life_replaces_it() {
    let a = start("a", 1, &[]).await;
    let b = start("b", 1, &[a.advertised()]).await;
    until(&a, |heard| live(heard) == ["b"]).await;
    b.shutdown().await;
    drop(b);
    let heard = until(&a, |heard| live(heard).is_empty()).await;
    assert_eq!((heard[0].uuid.as_str(), heard[0].incarnation), ("b", 1));
    let again = GossipConfig { incarnation: 2, ..config("b", 1, &[a.advertised()]) };
    let again = Gossip::start(again).await.unwrap();
    let heard = until(&a, |heard| live(heard) == ["b"]).await;
    assert_eq!((heard.len(), heard[0].incarnation), (1, 2));
    assert_eq!(heard[0].gossip_addr, again.advertised());
}

#[tokio::test]
async fn a_node_with_another_secret_is_never_heard() {
    let a = start("a", 1, &[]).await;
    let stranger = start("stranger", 2, &[a.advertised()]).await;
    let b = start("b", 1, &[a.advertised(), stranger.advertised()]).await;
    until(&a, |heard| live(heard) == ["b"]).await;
    // Both have tried, and neither was let in.
    timeout(PATIENCE, async {
        while a.refused_datagrams() == 0 || stranger.refused_datagrams() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    until(&b, |heard| live(heard) == ["a"]).await;
    assert!(b.peers().iter().chain(a.peers().iter()).all(|peer| peer.uuid != "stranger"));
    assert!(stranger.peers().is_empty());
}

#[tokio::test]
async fn a_datagram_shows_nothing_of_what_it_says() {
    let ear = UdpSocket::bind(LOOPBACK).await.unwrap();
    let _a = start("uuid-of-a", 1, &[ear.local_addr().unwrap()]).await;
    let mut datagram = vec![0; 65_536];
    let length = timeout(PATIENCE, ear.recv(&mut datagram)).await.unwrap().unwrap();
    let sealed = &datagram[..length];
    let shows = |bytes: &[u8], word: &str| {
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    };
    for word in ["orchard", "uuid-of-a"] {
        assert!(!shows(sealed, word));
    }
    let secret = ClusterSecret::from_bytes([1; 32]);
    let opened = Sealer::with_purpose(&secret, Purpose::Gossip).open(b"orchard", sealed).unwrap();
    assert!(shows(&opened, "orchard") && shows(&opened, "uuid-of-a"));
}

#[tokio::test]
async fn a_replayed_datagram_and_noise_are_refused() {
    let ear = UdpSocket::bind(LOOPBACK).await.unwrap();
    let a = start("a", 1, &[]).await;
    let secret = ClusterSecret::from_bytes([1; 32]);
    let sealed = Sealer::with_purpose(&secret, Purpose::Gossip).seal(b"orchard", b"\0\0\0\0\0junk");
    for bytes in [sealed.as_slice(), sealed.as_slice(), b"noise"] {
        ear.send_to(bytes, a.advertised()).await.unwrap();
    }
    timeout(PATIENCE, async {
        while a.refused_datagrams() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    // It still hears those it should.
    let _b = start("b", 1, &[a.advertised()]).await;
    until(&a, |heard| live(heard) == ["b"]).await;
}

#[tokio::test]
async fn more_than_a_datagram_is_said_in_parts() {
    let a = start("a", 1, &[]).await;
    let filler = "x".repeat(5_000);
    let mut large = config("b", 1, &[a.advertised()]);
    let said = (0..30).map(|n| (format!("{}{n}", said::PUBLIC), format!("{filler}{n}")));
    large.says.extend(said);
    let _b = Gossip::start(large).await.unwrap();
    let heard = until(&a, |heard| heard.first().is_some_and(|b| b.public.len() == 31)).await;
    assert_eq!(heard[0].public["29"].len(), 5_002);
}

#[tokio::test]
async fn a_seed_that_is_no_address_is_refused_at_the_start() {
    let mut bad = config("a", 1, &[]);
    bad.seeds = vec!["orchard".to_owned()];
    let error = Gossip::start(bad).await.err().unwrap();
    assert!(error.to_string().contains("seed `orchard` is no host:port"), "{error}");
}
