//! Restarting every node, one after another, behind HAProxy: no caller notices.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use reqwest::{Client, Method};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use super::client::{Call, Ended};
use super::cluster::Cluster;

/// Between two calls: 200 a second.
const GAP: Duration = Duration::from_millis(5);
/// Load before the first restart and after the last.
const MARGIN: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Tally {
    plain: AtomicUsize,
    streamed: AtomicUsize,
    refused: AtomicUsize,
    unknown: AtomicUsize,
    /// Of the first failure.
    first: std::sync::Mutex<Option<String>>,
}

#[tokio::test]
async fn a_rolling_restart_behind_haproxy_loses_no_request() {
    let arguments = ["--nodes", "3", "--budget-usd", "1000", "--drain-delay", "2s"];
    let cluster = Cluster::start(&arguments).await;
    // A stream takes a second, so that every restart meets some two hundred of them.
    let pace = r#"{"latency_ms":20,"tokens_per_second":32}"#;
    cluster.simulator(Method::POST, "behave", pace).await;
    let haproxy = Haproxy::start(&cluster);
    let ready = || async { answers(&cluster.client, &format!("{}/readyz", haproxy.url)).await };
    cluster.eventually("HAProxy has a node", ready).await;

    let tally = Arc::new(Tally::default());
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let load = tokio::spawn(load(
        call(&cluster),
        haproxy.url.clone(),
        Arc::clone(&tally),
        Arc::clone(&stop),
    ));
    sleep(MARGIN).await;
    let before = pids(&cluster);
    cluster.restart_in_turn();
    cluster
        .eventually("every node is a new process", || async {
            pids(&cluster).iter().zip(&before).all(|(now, then)| now != then)
        })
        .await;
    for node in &cluster.facts.nodes {
        let url = format!("{}/readyz", node.admin_url);
        cluster.eventually("it is ready", || async { answers(&cluster.client, &url).await }).await;
    }
    let restarted = began.elapsed();
    sleep(MARGIN).await;
    stop.store(true, Relaxed);
    load.await.unwrap();

    let Tally { plain, streamed, refused, unknown, first } = &*tally;
    println!(
        "rolling restart, 200 calls a second for {:.1?}, restarts done after {restarted:.1?}: {plain:?} plain and \
         {streamed:?} streamed answered, {refused:?} refused, {unknown:?} failed or truncated",
        began.elapsed(),
    );
    let lost = refused.load(Relaxed) + unknown.load(Relaxed);
    assert_eq!(lost, 0, "first: {:?}", first.lock().unwrap());
}

fn call(cluster: &Cluster) -> Call {
    Call::new(&cluster.facts.virtual_key)
}

/// Calls at a steady rate, whether or not the ones before have ended; waits for the last of them.
async fn load(call: Call, url: String, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
    let mut ticks = interval(GAP);
    let mut calls = JoinSet::new();
    let mut number = 0_u64;
    while !stop.load(Relaxed) {
        ticks.tick().await;
        number += 1;
        let mut call = call.clone();
        call.stream = number.is_multiple_of(2);
        let (client, url, tally) = (client.clone(), url.clone(), Arc::clone(&tally));
        calls.spawn(async move {
            let ended = call.send(&client, &url).await;
            tally.count(call.stream, &ended);
        });
        while calls.try_join_next().is_some() {}
    }
    while let Some(ended) = calls.join_next().await {
        ended.unwrap();
    }
}

impl Tally {
    fn count(&self, stream: bool, ended: &Ended) {
        let column = match ended {
            Ended::Answered if stream => &self.streamed,
            Ended::Answered => &self.plain,
            Ended::Refused { .. } => &self.refused,
            Ended::Unreachable | Ended::Unknown(_) => &self.unknown,
        };
        column.fetch_add(1, Relaxed);
        if !matches!(ended, Ended::Answered) {
            self.first.lock().unwrap().get_or_insert_with(|| format!("stream {stream}: {ended:?}"));
        }
    }
}

fn pids(cluster: &Cluster) -> Vec<String> {
    let directory = Path::new(&cluster.facts.data_dir);
    let nodes = cluster.facts.nodes.iter();
    nodes
        .map(|node| std::fs::read_to_string(directory.join(&node.id).join("pid")).unwrap())
        .collect()
}

async fn answers(client: &Client, url: &str) -> bool {
    client.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// HAProxy with the file we ship.
struct Haproxy {
    url: String,
    process: Child,
}

impl Haproxy {
    fn start(cluster: &Cluster) -> Haproxy {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/haproxy/haproxy.cfg");
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (listen, stats) = (free(), free());
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(config).env("PATH", path).stdout(Stdio::null());
        command.env("LISTEN", listen.to_string()).env("STATS", stats.to_string());
        for (number, node) in (1..).zip(&cluster.facts.nodes) {
            command.env(format!("NODE_{number}"), node.base_url.trim_start_matches("http://"));
        }
        let process = command.spawn().expect("scripts/install-tools installs HAProxy");
        Haproxy { url: format!("http://{listen}"), process }
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        self.process.kill().ok();
        drop(self.process.wait());
    }
}
