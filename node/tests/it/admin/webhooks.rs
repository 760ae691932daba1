//! Webhooks that are posted to a real listener.

use super::solo::{Solo, text};
use super::spender::Spender;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::UsageKey;
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Longest wait for a letter or for what comes of it.
const WITHIN: Duration = Duration::from_secs(30);

/// One letter as it came.
#[derive(Debug)]
struct Posted {
    headers: HashMap<String, String>,
    body: String,
}

impl Posted {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Checks the signature by the secret as the operator was shown it.
    fn assert_signed(&self, secret: &str) {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let (id, time) = (&self.headers["webhook-id"], &self.headers["webhook-timestamp"]);
        let signed = self.headers["webhook-signature"].strip_prefix("v1,").unwrap();
        let signed = STANDARD.decode(signed).unwrap();
        let told = format!("{id}.{time}.{}", self.body);
        hmac::verify(&key, told.as_bytes(), &signed).unwrap();
        assert_eq!(self.json()["id"], id.as_str());
    }
}

/// A receiver that answers with these, one after the other, and then 204.
struct Receiver {
    url: String,
    posted: UnboundedReceiver<Posted>,
}

impl Receiver {
    async fn start(answers: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks?from=bursar", listener.local_addr().unwrap());
        let (tell, posted) = unbounded_channel();
        tokio::spawn(async move {
            let mut answers = answers.iter().copied();
            loop {
                let (caller, _) = listener.accept().await.unwrap();
                let letter = take(caller, answers.next().unwrap_or(204)).await;
                if tell.send(letter).is_err() {
                    return;
                }
            }
        });
        Self { url, posted }
    }

    async fn next(&mut self) -> Posted {
        timeout(WITHIN, self.posted.recv()).await.unwrap().unwrap()
    }
}

async fn take(mut caller: TcpStream, status: u16) -> Posted {
    let (read, mut write) = caller.split();
    let mut read = BufReader::new(read);
    let mut line = String::new();
    read.read_line(&mut line).await.unwrap();
    assert_eq!(line, "POST /hooks?from=bursar HTTP/1.1\r\n");
    let mut headers = HashMap::new();
    loop {
        line.clear();
        read.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    read.read_exact(&mut body).await.unwrap();
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    write.write_all(answer.as_bytes()).await.unwrap();
    Posted { headers, body: String::from_utf8(body).unwrap() }
}

/// Waits until nothing waits for a webhook any more.
async fn all_noted(solo: &Solo) {
    let mut applied = solo.running.cluster.applied();
    let noted = async {
        while !solo.running.cluster.ledger().outbox.is_empty() {
            applied.changed().await.unwrap();
        }
    };
    timeout(WITHIN, noted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_threshold_is_posted_until_it_is_taken_and_then_never_again() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let mut receiver = Receiver::start(&[503]).await;
    let settings = json!({"url": receiver.url, "allow_private_network": true});
    let made = solo.put("webhooks/pager", settings.clone()).await;
    let secret = text(&made.json, "secret");
    assert_eq!(solo.put("webhooks/pager", settings).await.json.get("secret"), None);
    solo.put("budgets/team", json!({"limit_usd": 1, "thresholds": [50, 80]})).await;

    let mut spender = Spender::new(&solo).await;
    spender.spend("team", 600_000_000, UsageKey::default()).await;
    let refused = receiver.next().await;
    let taken = receiver.next().await;
    refused.assert_signed(&secret);
    taken.assert_signed(&secret);
    assert_eq!(refused.headers["webhook-id"], taken.headers["webhook-id"]);
    let json = taken.json();
    assert_eq!(json["type"], "budget.threshold_reached");
    let data = &json["data"];
    assert_eq!((&data["budget"], &data["percent"]), (&json!("team"), &json!(50)), "{json}");
    assert_eq!((&data["spent"]["usd"], &data["window"]), (&json!("0.60"), &json!("never")));
    all_noted(&solo).await;

    spender.spend("team", 300_000_000, UsageKey::default()).await;
    assert_eq!(receiver.next().await.json()["data"]["percent"], 80);
    all_noted(&solo).await;
    assert!(receiver.posted.try_recv().is_err());
    assert_eq!(solo.get("webhooks/pager").await.json["waiting"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_tried_and_a_disabled_one_keeps_nothing_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let mut receiver = Receiver::start(&[200, 404]).await;
    let set = async |private: bool, enabled: bool| {
        let url = &receiver.url;
        let settings = json!({"url": url, "allow_private_network": private, "enabled": enabled});
        solo.put("webhooks/pager", settings).await
    };
    set(false, true).await;
    let inside = solo.post("webhooks/pager:test", Value::Null).await.json;
    assert_eq!(inside["delivered"], false);
    assert!(inside["detail"].as_str().unwrap().contains("private addresses only"), "{inside}");

    set(true, true).await;
    let rotated = solo.post("webhooks/pager:rotate", Value::Null).await;
    let came = solo.post("webhooks/pager:test", Value::Null).await.json;
    assert_eq!((&came["delivered"], &came["status"]), (&json!(true), &json!(200)), "{came}");
    let refused = solo.post("webhooks/pager:test", Value::Null).await.json;
    assert_eq!((&refused["delivered"], &refused["status"]), (&json!(false), &json!(404)));

    set(true, false).await;
    solo.put("budgets/team", json!({"limit_usd": 1, "thresholds": [50]})).await;
    Spender::new(&solo).await.spend("team", 600_000_000, UsageKey::default()).await;
    all_noted(&solo).await;
    let gone = solo.ask(Method::DELETE, "webhooks/pager", Value::Null).await;
    assert_eq!((gone.status, gone.json.get("secret")), (200, None));

    let letter = receiver.next().await;
    letter.assert_signed(&text(&rotated.json, "secret"));
    assert_eq!(letter.json()["type"], "webhook.test");
    receiver.next().await;
    assert!(receiver.posted.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_at_the_moment_of_a_rotation_does_not_undo_it() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let mut receiver = Receiver::start(&[]).await;
    let url = receiver.url.clone();
    let settings =
        |enabled: bool| json!({"url": url, "allow_private_network": true, "enabled": enabled});
    solo.put("webhooks/pager", settings(true)).await;
    for _ in 0..10 {
        let (rotated, _, _, _) = tokio::join!(
            solo.post("webhooks/pager:rotate", Value::Null),
            solo.put("webhooks/pager", settings(false)),
            solo.put("webhooks/pager", settings(true)),
            solo.put("webhooks/pager", settings(false)),
        );
        // It says so where another write came before it; then it has changed nothing.
        if rotated.status == 412 {
            continue;
        }
        assert_eq!(rotated.status, 200, "{:?}", rotated.json);
        solo.post("webhooks/pager:test", Value::Null).await;
        receiver.next().await.assert_signed(&text(&rotated.json, "secret"));
    }
}
