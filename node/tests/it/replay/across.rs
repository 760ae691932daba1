//! Recorded answers of one dialect, told to callers of another: each comes whole, under the status it has on
//! its own face, and costs the same.

use super::asked::{self, Caller, Got};
use super::expected::cost;
use super::traffic::{self, Record};
use super::upstream::Upstream;
use super::{PRICE, price};
use crate::plane::node::TestNode;
use bytes::Bytes;
use ledger::{Model, Unpriced};
use serde_json::{Value, json};
use std::sync::Arc;
use wire::dialect::{Dialect, anthropic_messages, openai_chat};
use wire::relay::{End, StreamOptions};
use wire::{Refusal, Usage};

/// Every so many chats are asked; there are thousands.
const ONE_IN: usize = 7;

/// What the record comes to on its own face.
fn own(record: &Record, dialect: &Dialect) -> End {
    let body = Bytes::copy_from_slice(record.response_body.as_bytes());
    if record.is_stream() {
        let framing = dialect.framing;
        let mut relay = (dialect.relay)(&StreamOptions { hide_usage: false, answers: 1, framing });
        relay.push(&body, &mut Vec::new()).unwrap();
        return relay.finish(&|| Refusal::provider(502, "cut", "cut"), &mut Vec::new());
    }
    let reply = (dialect.reply)(wire::Operation::ChatCompletions, &body);
    let counts = reply.usage;
    End { counts, complete: reply.fault.is_none(), error: reply.fault, ..End::default() }
}

/// The same as the caller's own reader sees what it got.
fn got(record: &Record, got: &Got, dialect: &Dialect) -> End {
    let told =
        Record { response_body: String::from_utf8(got.body.clone()).unwrap(), ..record.clone() };
    own(&told, dialect)
}

/// A usage without what only some formats have words for.
fn in_all_faces(usage: Usage) -> Usage {
    let (image_input_tokens, cache_write_1h_tokens, web_searches) = (0, 0, 0);
    let service = None;
    Usage { service, image_input_tokens, cache_write_1h_tokens, web_searches, ..usage }
}

struct Passage<'a> {
    from: &'a Dialect,
    to: &'a Dialect,
    path: &'a str,
}

async fn check(caller: &Caller<'_>, record: &Record, way: &Passage<'_>) -> Result<bool, String> {
    let mut question = json!({
        "model": format!("replay/{}", record.id), "max_tokens": 4096,
        "messages": [{"role": "user", "content": "hello"}],
    });
    if record.is_stream() {
        question["stream"] = Value::Bool(true);
        if way.to == &openai_chat::DIALECT {
            question["stream_options"] = json!({"include_usage": true});
        }
    }
    let answer = caller.ask_at(way.path, &question).await?;
    let before = own(record, way.from);
    if record.status != 200 || !before.complete {
        let says_so = String::from_utf8_lossy(&answer.body).contains("error");
        return if says_so { Ok(false) } else { Err("a failure is told as an answer".to_owned()) };
    }
    if answer.status != 200 {
        return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
    }
    let after = got(record, &answer, way.to);
    if !after.complete {
        return Err(format!("not whole: {:?}", after.error));
    }
    let Some(usage) = before.usage() else { return Ok(true) };
    if answer.charged_nano_usd != cost(&usage, &PRICE) {
        return Err(format!("charged {} for {usage:?}", answer.charged_nano_usd));
    }
    if after.usage().map(in_all_faces) != Some(in_all_faces(usage)) {
        return Err(format!("told {:?} for {usage:?}", after.usage()));
    }
    Ok(true)
}

async fn every(kind: &str, records: Vec<Record>, way: Passage<'_>) -> usize {
    let records: Arc<[Record]> = records.into();
    let upstream = Upstream::start(Arc::clone(&records)).await;
    let node = TestNode::start().await;
    node.provider_with("replay", &upstream.base_url(), |provider| {
        provider.kind = kind.to_owned();
        provider.models = Vec::<Model>::new();
        provider.unpriced = Unpriced::Flat(price());
    })
    .await;
    let keys = asked::keys(&node, 0).await;
    let caller = Caller::new(&node, keys);
    let (mut whole, mut differences) = (0, Vec::new());
    for record in records.iter() {
        match check(&caller, record, &way).await {
            Ok(was_whole) => whole += usize::from(was_whole),
            Err(difference) => differences.push(format!("{}: {difference}", record.id)),
        }
    }
    assert!(differences.is_empty(), "{}:\n{}", differences.len(), differences.join("\n"));
    whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_answers_of_anthropic_reach_callers_of_openai_at_the_same_price() {
    let mut records = Vec::new();
    traffic::each_of(&["messages", "messages_stream"], |record| records.push(record));
    let way = Passage {
        from: &anthropic_messages::DIALECT,
        to: &openai_chat::DIALECT,
        path: "/v1/chat/completions",
    };
    assert!(every("anthropic", records, way).await > 800);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_answers_of_openai_reach_callers_of_anthropic_at_the_same_price() {
    let (mut records, mut nth) = (Vec::new(), 0);
    traffic::each_of(&["chat", "chat_stream"], |record| {
        nth += 1;
        // Whoever asks by this face asks for one answer.
        let several = record.response_body.contains("\"index\":1,")
            || record.response_body.contains("\"index\": 1,");
        if nth % ONE_IN == 0 && !several {
            records.push(record);
        }
    });
    let way = Passage {
        from: &openai_chat::DIALECT,
        to: &anthropic_messages::DIALECT,
        path: "/anthropic/v1/messages",
    };
    assert!(every("openai-compatible", records, way).await > 300);
}
