//! What operators see.

use super::client::{ask, chat, once};
use super::node::{TestNode, USD};
use super::upstream::{Does, Upstream, answer, json};
use std::io::Write;
use std::process::{Command, Stdio};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_has_nothing_to_say_against_the_metrics() {
    let upstream = Upstream::start(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let node = TestNode::start().await;
    node.provider("up", &upstream.base_url()).await;
    let key = node.key("k", USD).await;
    once(node.addr, &chat(&key, &ask("up/m", ""))).await;
    once(node.addr, &chat("nobody", &ask("up/m", ""))).await;
    node.spent().await;
    let text = node.metrics.render(&node.cluster);
    for line in [
        r#"bursar_requests_total{operation="chat_completions",provider="up",model="m",ending="answered"} 1"#,
        r#"bursar_spent_nano_usd_total{operation="chat_completions",provider="up",model="m"} 19000"#,
        r#"bursar_refusals_total{code="virtual_key_unknown"} 1"#,
        r#"bursar_budget_limit{budget="k-budget",window="0",unit="nano_usd"} 1000000000"#,
        concat!(r#"bursar_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        "bursar_cluster_leader 1",
        "bursar_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed: scripts/install-tools");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success(), "{}\n{text}", String::from_utf8_lossy(&words));
    node.stop().await;
}
