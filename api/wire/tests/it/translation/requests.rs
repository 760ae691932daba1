//! Requests of every dialect written for every other: words, calls and results arrive.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};
use wire::chat::{Body, Leniency, Part, Request, Target};
use wire::dialect::{self, Dialect, openai_responses as responses};
use wire::splice::OutputField;

use super::support::{chats, target};
use crate::traffic;

/// The words that the model is to read, and the ids of calls and results.
#[derive(Default)]
struct Said {
    words: Vec<String>,
    calls: Vec<String>,
    results: Vec<String>,
}

fn add(part: &Part, said: &mut Said) {
    match &part.body {
        Body::Text(text) => said.words.push(text.text.clone()),
        Body::ToolCall(call) if part.is_client_call() => said.calls.push(call.name.clone()),
        Body::ToolResult(result) => {
            said.results.push(result.id.clone());
            result.content.iter().for_each(|part| add(part, said));
        }
        _ => {}
    }
}

fn said(request: &Request) -> Said {
    let mut said = Said::default();
    request.turns.iter().flat_map(|turn| &turn.parts).for_each(|part| add(part, &mut said));
    said
}

/// Every string of a body.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|inner| strings(inner, found)),
        Value::Object(map) => map.values().for_each(|inner| strings(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check(id: &str, to: &Dialect, asked: &Said, body: &[u8]) {
    let mut found = Vec::new();
    strings(&serde_json::from_slice(body).unwrap(), &mut found);
    for text in &asked.words {
        let here = found.iter().any(|told| told.contains(text.as_str()));
        // Results that are JSON may be said as JSON.
        let as_json = || serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_string());
        assert!(here || as_json(), "{id} for {} lost {text:.200}", to.name);
    }
    let again = said(&(to.chat.read_request)(body).unwrap());
    assert_eq!(again.calls, asked.calls, "{id} for {}", to.name);
    assert_eq!(again.results.len(), asked.results.len(), "{id} for {}", to.name);
}

/// Writes every recorded request of a dialect for every other that reads its model out of the body.
fn row(name: &str, operations: &[&str]) -> String {
    let from = dialect::named(name).unwrap();
    let (mut counts, mut losses) = (BTreeMap::new(), BTreeMap::new());
    traffic::each_of(operations, |record| {
        let Some(body) = record.request() else { return };
        let Ok(request) = (from.chat.read_request)(&body) else { return };
        let asked = said(&request);
        for to in chats().into_iter().filter(|to| *to != from) {
            let target = target("gpt-5", OutputField::MaxTokens);
            let written = (to.chat.write_request)(&request, &target).unwrap();
            check(&record.id, to, &asked, &written.body);
            *counts.entry(to.name).or_insert(0) += 1;
            for lost in written.dropped {
                *losses.entry(format!("{} {:?}", lost.field, lost.how)).or_insert(0) += 1;
            }
        }
    });
    let mut told = String::new();
    for (to, count) in &counts {
        writeln!(told, "{name} -> {to}: {count} requests").unwrap();
    }
    assert_eq!(counts.len(), chats().len() - 1, "{counts:?}");
    writeln!(told, "not said as they were: {losses:#?}").unwrap();
    told
}

#[test]
fn responses_requests_keep_words_calls_and_results_for_every_other_dialect() {
    println!("{}", row("openai_responses", &["responses", "responses_stream"]));
}

#[test]
fn cohere_requests_keep_words_calls_and_results_for_every_other_dialect() {
    println!("{}", row("cohere_chat", &["cohere_chat", "cohere_chat_stream"]));
}

#[test]
fn anthropic_requests_keep_words_calls_and_results_for_every_other_dialect() {
    println!("{}", row("anthropic_messages", &["messages", "messages_stream"]));
}

fn strict() -> Target<'static> {
    Target { leniency: Leniency::Strict, ..target("m", OutputField::MaxTokens) }
}

#[test]
fn what_responses_keep_elsewhere_is_refused_by_every_other_dialect() {
    let cases = [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
        ("prompt", json!({"id": "p"})),
        ("background", json!(true)),
        ("tools", json!([{"type": "web_search"}])),
        ("tool_choice", json!({"type": "web_search_preview"})),
    ];
    for (field, value) in cases {
        let mut body = json!({"model": "m", "input": "hi", "background": false});
        body[field] = value;
        let request = responses::read_request(body.to_string().as_bytes()).unwrap();
        for to in chats().into_iter().filter(|to| to.name != responses::NAME) {
            let refusal = (to.chat.write_request)(&request, &strict()).unwrap_err();
            let named = refusal.param.as_deref();
            assert_eq!((refusal.status, named), (400, Some(field)), "{}", to.name);
            let lenient = Target { leniency: Leniency::Lenient, ..strict() };
            let written = (to.chat.write_request)(&request, &lenient).unwrap();
            assert!(written.dropped.iter().any(|lost| lost.field == field), "{}", to.name);
        }
    }
    let body = json!({"model": "m", "input": "hi", "background": false});
    let request = responses::read_request(body.to_string().as_bytes()).unwrap();
    for to in chats().into_iter().filter(|to| to.name != responses::NAME) {
        assert!((to.chat.write_request)(&request, &strict()).is_ok(), "{}", to.name);
    }
}

#[test]
fn what_responses_have_no_word_for_is_refused_and_named() {
    let openai = dialect::named("openai_chat").unwrap();
    for (field, value) in [("stop", json!("x")), ("n", json!(2)), ("logit_bias", json!({"1": 2}))] {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        body[field] = value;
        let request = (openai.chat.read_request)(body.to_string().as_bytes()).unwrap();
        let refusal = responses::write_request(&request, &strict()).unwrap_err();
        assert_eq!((refusal.status, refusal.param.as_deref()), (400, Some(field)));
    }
}
