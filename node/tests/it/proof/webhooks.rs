//! Events outlive their leader: each threshold is told under one id, whoever leads, and none is lost.

use super::cluster::Cluster;
use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const BUDGETS: [&str; 3] = ["a", "b", "c"];
const THRESHOLDS: [u8; 8] = [10, 20, 30, 40, 50, 60, 70, 80];
/// Requests each budget holds, and how many are made: past the last threshold.
const LIMIT: usize = 40;
const CALLS: usize = 34;

/// Budget, period and percent of an event, and the ids it came under.
type Told = BTreeMap<(String, u64, u64), BTreeSet<String>>;

/// A receiver that takes two letters of three, and answers 503 to the third.
async fn receiver() -> (String, Arc<Mutex<Told>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Told::new()));
    let all = Arc::clone(&told);
    tokio::spawn(async move {
        for nth in 0_u64.. {
            let (caller, _) = listener.accept().await.unwrap();
            let status = if nth % 3 == 2 { 503 } else { 204 };
            // A node that is stopped in the middle of a letter sends it again.
            let Ok(letter) = take(caller, status).await else { continue };
            let data = &letter["data"];
            let key = (
                data["budget"].as_str().unwrap().to_owned(),
                data["period"].as_u64().unwrap(),
                data["percent"].as_u64().unwrap(),
            );
            let id = letter["id"].as_str().unwrap().to_owned();
            all.lock().unwrap().entry(key).or_default().insert(id);
        }
    });
    (url, told)
}

async fn take(mut caller: TcpStream, status: u16) -> std::io::Result<Value> {
    let (read, mut write) = caller.split();
    let mut read = BufReader::new(read);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    read.read_exact(&mut body).await?;
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    write.write_all(answer.as_bytes()).await?;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// Makes a call through one of the nodes but `not`; says whether it was answered.
async fn call(cluster: &Cluster, key: &str, nth: usize, not: Option<usize>) -> bool {
    let node = (0..3).cycle().skip(nth).find(|node| Some(*node) != not).unwrap();
    let url = format!("{}/v1/chat/completions", cluster.facts.nodes[node].base_url);
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": "hello"}]});
    let answer = cluster.client.post(url).bearer_auth(key).json(&body).send().await;
    answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

#[tokio::test]
async fn a_change_of_leader_neither_loses_nor_renumbers_an_event() {
    let cluster = Cluster::start(&["--nodes", "3"]).await;
    let (url, told) = receiver().await;
    let set = async |path: &str, body: Value| {
        let (status, made) = cluster.admin(0, Method::PUT, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {made}");
    };
    set("webhooks/pager", json!({"url": url, "allow_private_network": true})).await;
    for budget in BUDGETS {
        let body = json!({"limit_requests": LIMIT, "thresholds": THRESHOLDS});
        set(&format!("budgets/{budget}"), body).await;
    }
    let made = json!({"name": "teller", "budgets": BUDGETS});
    let (status, made) = cluster.admin(0, Method::POST, "keys", Some(made)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let key = made["key"].as_str().unwrap();

    let mut stopped = None;
    let (mut answered, mut nth, mut moved) = (0, 0, false);
    while answered < CALLS {
        nth += 1;
        assert!(nth < 20 * CALLS, "{answered} of {nth} calls were answered");
        answered += usize::from(call(&cluster, key, nth, stopped).await);
        match answered {
            // Politely, and then without a word.
            8 if !moved => {
                moved = true;
                let to = (cluster.leader().await + 1) % 3;
                let body = json!({"to": cluster.facts.nodes[to].id});
                let path = "cluster:transfer-leader";
                let (status, said) = cluster.admin(0, Method::POST, path, Some(body)).await;
                assert_eq!(status, StatusCode::OK, "{said}");
            }
            16 if stopped.is_none() => {
                let leader = cluster.leader().await;
                cluster.signal(leader, Signal::STOP);
                stopped = Some(leader);
            }
            _ => {}
        }
    }
    let old = stopped.unwrap();
    cluster.signal(old, Signal::CONT);
    let everything = || async {
        let (_, webhook) = cluster.admin((old + 1) % 3, Method::GET, "webhooks/pager", None).await;
        webhook["waiting"] == 0 && told.lock().unwrap().len() == BUDGETS.len() * THRESHOLDS.len()
    };
    cluster.eventually("every threshold is told", everything).await;
    let told = told.lock().unwrap();
    let ids: BTreeSet<&String> = told.values().flatten().collect();
    assert!(told.values().all(|ids| ids.len() == 1), "one event has several ids: {told:?}");
    assert_eq!(ids.len(), told.len(), "two events share an id: {told:?}");
}
