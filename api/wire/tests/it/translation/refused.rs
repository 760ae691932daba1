//! What cannot be said is refused by name, or left out and reported.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::chat::{Dropped, How, Leniency, Target};
use wire::dialect::{
    anthropic_messages as anthropic, bedrock_converse, openai_chat::chat as openai,
};
use wire::splice::{Edits, ModelName, OutputCap, OutputField, apply};

use super::support::{CHAT, target};
use crate::traffic;

fn strict() -> Target<'static> {
    Target { leniency: Leniency::Strict, ..target("claude-sonnet-4-5", OutputField::MaxTokens) }
}

#[test]
fn what_changes_the_answer_is_refused_and_named() {
    let cases = [
        ("n", json!(2)),
        ("logprobs", json!(true)),
        ("frequency_penalty", json!(0.5)),
        ("tools", json!([{"type": "custom", "custom": {"name": "x"}}])),
        ("functions", json!([{"name": "x"}])),
        ("web_search_options", json!({"search_context_size": "low"})),
    ];
    for (field, value) in cases {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        body[field] = value;
        let request = openai::read_request(body.to_string().as_bytes()).unwrap();
        let refusal = anthropic::write_request(&request, &strict()).unwrap_err();
        assert_eq!((refusal.status, refusal.param.as_deref()), (400, Some(field)));
        let lenient = Target { leniency: Leniency::Lenient, ..strict() };
        let written = anthropic::write_request(&request, &lenient).unwrap();
        let dropped = Dropped { field: field.to_owned(), how: How::Dropped };
        assert_eq!(written.dropped, [dropped]);
    }
}

#[test]
fn one_call_at_a_time_is_asked_of_a_model_that_cannot_be_told_only_where_one_tool_is_meant() {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "parallel_tool_calls": false});
    let strict = Target { model: "amazon.nova-lite-v1:0", ..strict() };
    let request = openai::read_request(body.to_string().as_bytes()).unwrap();
    let refusal = bedrock_converse::write_request(&request, &strict).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("parallel_tool_calls"));
    for choice in [json!({"type": "function", "function": {"name": "f"}}), json!("required")] {
        body["tool_choice"] = choice;
        let request = openai::read_request(body.to_string().as_bytes()).unwrap();
        let written = bedrock_converse::write_request(&request, &strict).unwrap();
        let dropped = Dropped { field: "parallel_tool_calls".to_owned(), how: How::Dropped };
        assert_eq!(written.dropped, [dropped]);
    }
}

#[test]
fn what_only_hints_is_left_out_and_reported() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi", "name": "a"}],
        "store": true, "seed": 1, "frequency_penalty": 0, "n": 1, "temperature": 1.7, "user": "u"});
    let request = openai::read_request(body.to_string().as_bytes()).unwrap();
    let written = anthropic::write_request(&request, &strict()).unwrap();
    let fields: Vec<(&str, How)> =
        written.dropped.iter().map(|lost| (lost.field.as_str(), lost.how)).collect();
    let (out, emulated) = (How::Dropped, How::Emulated);
    let expected =
        [("seed", out), ("temperature", emulated), ("store", out), ("messages.name", out)];
    assert_eq!(fields, expected);
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!((&body["temperature"], &body["metadata"]["user_id"]), (&json!(1), &json!("u")));
}

#[test]
fn recorded_anthropic_requests_are_spliced_and_nothing_else_changes() {
    let (mut count, name) = (0, ModelName::new("other"));
    traffic::each_of(&["messages", "messages_stream"], |record| {
        let Some(body) = record.request() else { return };
        let Ok(call) = anthropic::read(&CHAT, &body) else { return };
        let cap = OutputCap { tokens: 7, field: OutputField::MaxTokens };
        let edits = Edits { model: Some(&name), ask_usage: true, output_cap: Some(cap) };
        let spliced: Value = serde_json::from_slice(&apply(&call, &edits, &body).concat()).unwrap();
        let mut expected = record.request_body.clone();
        expected["model"] = json!("other");
        let given = expected["max_tokens"].as_u64();
        expected["max_tokens"] = json!(given.unwrap_or(7).min(7));
        assert_eq!(spliced, expected, "{}", record.id);
        let images = body.windows(14).filter(|text| text == b"\"type\":\"image\"").count();
        assert_eq!(call.media.images, images as u64, "{}", record.id);
        assert!(call.input_bytes <= call.body_bytes);
        count += 1;
    });
    assert!(count > 780, "{count}");
}

#[test]
fn fields_that_are_acted_on_may_stand_once_only() {
    for body in [
        r#"{"model":"a","model":"b","messages":[]}"#,
        r#"{"model":"a","Model":"b","messages":[]}"#,
        r#"{"model":"a","messages":[],"max_tokens":1,"max_tokens":2}"#,
        r#"{"messages":[]}"#,
        r#"{"model":"a"}"#,
        "[]",
        "{",
    ] {
        assert_eq!(anthropic::read(&CHAT, body.as_bytes()).unwrap_err().status, 400, "{body}");
    }
}

#[test]
fn recorded_counts_of_tokens_are_asked_and_told() {
    let mut count = 0;
    traffic::each_of(&["count_tokens"], |record| {
        if !record.id.starts_with("anthropic") || record.status != 200 {
            return;
        }
        let told: Value = serde_json::from_str(&record.response_body).unwrap();
        let tokens = told["input_tokens"].as_u64().unwrap();
        let format = anthropic::DIALECT.beside.count.unwrap();
        let again: Value = serde_json::from_slice(&(format.write_answer)(tokens)).unwrap();
        assert_eq!(again["input_tokens"], tokens);
        if let Some(body) = record.request() {
            assert!(!(format.read_request)(&body).unwrap().turns.is_empty(), "{}", record.id);
        }
        count += 1;
    });
    assert!(count > 5, "{count}");
}

#[test]
fn recorded_refusals_of_anthropic_are_read_and_said() {
    let mut count = 0;
    traffic::each_of(&["messages", "messages_stream"], |record| {
        let body = Bytes::from(record.response_body.clone());
        if record.status < 400 || !body.starts_with(b"{") {
            return;
        }
        let error = anthropic::read_error(&body);
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(error.status, record.status, "{}", record.id);
        assert_eq!(told["error"]["message"], error.message.as_str(), "{}", record.id);
        assert_eq!(told["error"]["type"].as_str(), error.kind.as_deref(), "{}", record.id);
        count += 1;
    });
    assert!(count > 20, "{count}");
}
