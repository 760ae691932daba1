//! What nodes ask one another.

use crate::bed::{formed, stop_all};
use cluster::Unavailable;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_answers_itself_and_others_what_its_service_knows() {
    let (_seats, nodes) = formed(2).await;
    for asked in &nodes {
        let ask =
            |topic, body: &[u8]| nodes[0].ask_peer(asked.node_id(), topic, body.to_vec(), WITHIN);
        assert_eq!(ask("echo", b"abc").await.as_deref(), Ok(&b"cba"[..]));
        let unknown = ask("receipt", b"abc").await;
        assert!(matches!(unknown, Err(Unavailable::Refused(_))), "{unknown:?}");
    }
    let nobody = nodes[0].ask_peer(7, "echo", Vec::new(), WITHIN).await;
    assert!(matches!(nobody, Err(Unavailable::NotApplied { .. })), "{nobody:?}");
    let long = nodes[0].ask_peer(nodes[1].node_id(), "echo", vec![0; 1 << 18], WITHIN).await;
    assert!(matches!(long, Err(Unavailable::Refused(_))), "{long:?}");
    stop_all(&nodes).await;
}
