//! The positive control of the register proof on a live cluster: local reads of a node that stood still
//! are stale, and passed off as linearizable they are found out.

use std::time::Duration;

use jepsen::cluster::{Act, Build, Cluster, Doors};
use jepsen::history::{Action, Answer, History, Outcome, Record};
use jepsen::http::Call;
use jepsen::linear::{self, Objection};
use serde_json::json;

const KEY: &str = "register";
/// Reads that wait at the paused node's door.
const READS: usize = 24;
/// A node that goes on may hear the news before it answers: so often it is tried.
const ROUNDS: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn local_reads_of_a_paused_node_passed_off_as_linearizable_are_found_out() {
    let mut cluster =
        Cluster::start(Build { founders: 3, spares: 0, clocks: false }).await.unwrap();
    let history = History::default();
    let path = format!("/admin/v1/budgets/{KEY}");
    for round in 0..ROUNDS {
        let leader = cluster.leader().await.expect("a leader of a healthy cluster");
        let paused = (leader + 1) % cluster.size();
        write(&cluster, &history, leader, 2 * round + 1).await;
        let index = last_index(&cluster, leader, &path).await;
        let seen = Call::new("GET", format!("{path}?min_index={index}"));
        cluster.admin(paused, seen).await.unwrap();
        cluster.act(&Act::Pause(paused)).await.unwrap();
        write(&cluster, &history, leader, 2 * round + 2).await;
        let reads: Vec<_> = (0..READS)
            .map(|_| {
                let call = Call::new("GET", path.clone()).bearer(cluster.admin_token());
                let (doors, invoked_ns) = (cluster.doors()[paused], history.now_ns());
                tokio::spawn(async move { (invoked_ns, read(doors, &call).await) })
            })
            .collect();
        // All of them are at the door before it opens.
        tokio::task::yield_now().await;
        cluster.act(&Act::Resume(paused)).await.unwrap();
        for read in reads {
            let (invoked_ns, value) = read.await.unwrap();
            keep(&history, invoked_ns, Action::Read, Answer::Value(value));
        }
        if let Err(objection) = linear::check(&history.records()) {
            assert!(matches!(objection, Objection::NotLinearizable { .. }), "{objection:?}");
            println!("stale control: found out in round {round}: {objection:?}");
            return;
        }
    }
    panic!("{ROUNDS} rounds of local reads at a paused node, and no objection");
}

async fn read(doors: Doors, call: &Call) -> Option<u64> {
    let told = call.send(doors.admin, PATIENCE).await.unwrap();
    told.body["windows"][0]["limit_nano_usd"].as_u64()
}

async fn write(cluster: &Cluster, history: &History, node: usize, value: u64) {
    let body = json!({"limit_nano_usd": value});
    let invoked_ns = history.now_ns();
    let call = Call::new("PUT", format!("/admin/v1/budgets/{KEY}")).body(body);
    cluster.admin(node, call).await.unwrap();
    keep(history, invoked_ns, Action::Write(value), Answer::Done);
}

async fn last_index(cluster: &Cluster, node: usize, path: &str) -> u64 {
    let told = cluster.admin(node, Call::new("GET", path)).await.unwrap();
    told.log_index.unwrap()
}

fn keep(history: &History, invoked_ns: u64, action: Action, answer: Answer) {
    let (key, returned_ns) = (KEY.to_owned(), history.now_ns());
    let outcome = Outcome::Ok(answer);
    history.push(Record { client: 0, key, invoked_ns, returned_ns, action, outcome });
}
