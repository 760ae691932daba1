//! What the caller asks, and what comes back.

use super::traffic::Record;
use crate::plane::node::{TestNode, USD};
use ledger::{Mode, Unit};
use serde_json::{Value, json};

/// A caller with a key on a hard budget, and one on a soft budget for questions whose cost nothing bounds:
/// files, sound and pictures for models of unknown size. Nobody else spends on either.
pub(super) struct Caller<'a> {
    node: &'a TestNode,
    keys: Keys,
    client: reqwest::Client,
}

pub(super) struct Keys {
    hard: String,
    soft: String,
    budgets: Vec<u64>,
}

/// The keys of one worker.
pub(super) async fn keys(node: &TestNode, worker: usize) -> Keys {
    let (hard, soft) = (format!("hard-{worker}"), format!("soft-{worker}"));
    node.budget_with(&hard, Unit::NanoUsd, 1_000_000 * USD, Mode::Hard).await;
    node.budget_with(&soft, Unit::NanoUsd, 1_000_000 * USD, Mode::Soft).await;
    let ledger = node.cluster.ledger();
    let budgets = [&hard, &soft].map(|name| ledger.budgets[name].handle).to_vec();
    Keys {
        hard: node.key_with(&hard, |key| key.budgets = vec![hard.clone()]).await,
        soft: node.key_with(&soft, |key| key.budgets = vec![soft.clone()]).await,
        budgets,
    }
}

/// What the caller got, and what it was charged.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    pub(super) charged_nano_usd: i64,
}

impl Got {
    fn says(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(words)
    }
}

impl<'a> Caller<'a> {
    pub(super) fn new(node: &'a TestNode, keys: Keys) -> Caller<'a> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Caller { node, keys, client }
    }

    /// Asks with the key on the hard budget; where nothing bounds the cost, with the other.
    pub(super) async fn ask(&self, record: &Record, question: &Value) -> Result<Got, String> {
        let got = self.ask_with(&self.keys.hard, record, question).await?;
        if got.status == 402 && got.says("cannot be bounded") {
            return self.ask_with(&self.keys.soft, record, question).await;
        }
        Ok(got)
    }

    async fn ask_with(&self, key: &str, record: &Record, question: &Value) -> Result<Got, String> {
        let path = match record.operation.as_str() {
            "embeddings" => "embeddings",
            "completions" | "completions_stream" => "completions",
            _ => "chat/completions",
        };
        self.post(&format!("/v1/{path}"), key, question).await
    }

    /// Asks at a path, with the key on the soft budget.
    pub(super) async fn ask_at(&self, path: &str, question: &Value) -> Result<Got, String> {
        self.post(path, &self.keys.soft, question).await
    }

    async fn post(&self, path: &str, key: &str, question: &Value) -> Result<Got, String> {
        let before = self.settled().await;
        let url = format!("http://{}{path}", self.node.addr);
        let sent = self.client.post(url).bearer_auth(key).json(question).send().await;
        let answer = sent.map_err(|error| format!("{error:?}"))?;
        let status = answer.status().as_u16();
        let header = answer.headers().get("content-type");
        let content_type = header.map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = answer.bytes().await.map_err(|error| format!("{error:?}"))?.to_vec();
        let charged_nano_usd = self.settled().await - before;
        Ok(Got { status, content_type, body, charged_nano_usd })
    }

    /// What was spent on this caller's budgets, once nothing is held on them.
    async fn settled(&self) -> i64 {
        let mut every = tokio::time::interval(std::time::Duration::from_millis(1));
        loop {
            let purses = self.node.cluster.allowances().snapshot();
            let mine =
                purses.iter().filter(|purse| self.keys.budgets.contains(&purse.account.budget));
            let (held, settled) =
                mine.fold((0, 0), |sum, purse| (sum.0 + purse.held, sum.1 + purse.settled));
            if held == 0 {
                return settled;
            }
            every.tick().await;
        }
    }
}

/// The record's request, for the model that is named like the record.
pub(super) fn question(record: &Record) -> Value {
    let mut question = match &record.request_body {
        Value::Object(_) if record.request_body_encoding == "json" => record.request_body.clone(),
        _ => json!({}),
    };
    let fields = question.as_object_mut().unwrap();
    fields.insert("model".to_owned(), json!(format!("replay/{}", record.id)));
    fields.remove("fallbacks");
    if record.is_stream() {
        fields.insert("stream".to_owned(), json!(true));
    }
    let (needed, sample) = match record.operation.as_str() {
        "embeddings" => ("input", json!("hello")),
        "completions" | "completions_stream" => ("prompt", json!("hello")),
        _ => ("messages", json!([{"role": "user", "content": "hello"}])),
    };
    fields.entry(needed).or_insert(sample);
    question
}

/// The upstream got what the caller sent, but for the edits that must be made.
pub(super) fn unchanged(question: &Value, sent: &Value) -> Result<(), String> {
    let (mut asked, mut sent) = (question.clone(), sent.clone());
    for value in [&mut asked, &mut sent] {
        let fields = value.as_object_mut().unwrap();
        fields.remove("model");
        for cap in ["max_tokens", "max_completion_tokens"] {
            fields.remove(cap);
        }
        if let Some(Value::Object(options)) = fields.get_mut("stream_options") {
            options.remove("include_usage");
        }
        if fields.get("stream_options").is_some_and(|options| options == &json!({})) {
            fields.remove("stream_options");
        }
        fields.retain(|name, value| name != "stream_options" || !value.is_null());
    }
    if asked == sent { Ok(()) } else { Err(format!("asked {asked}\nbut sent {sent}")) }
}

/// The answer is of the type the record says.
pub(super) fn same_type(record: &Record, got: &Got) -> Result<(), String> {
    match record.response_headers.get("content-type") {
        Some(recorded) if *recorded != got.content_type => {
            Err(format!("type {:?} for {recorded:?}", got.content_type))
        }
        _ => Ok(()),
    }
}
