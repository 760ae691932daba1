//! Tools that take free text, offered to models that know functions only: a function stands in, and its
//! calls come back as calls of the tool, plain and streamed, through each dialect that a provider speaks.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::chat::{Identity, Leniency, StandIns, Target};
use wire::dialect::{
    Dialect, anthropic_messages, gemini, openai_chat, openai_responses as responses,
};
use wire::relay::{Relay, Translated, answer};
use wire::splice::OutputField;

use super::support::target;
use super::valid;
use crate::traffic;

fn strict() -> Target<'static> {
    Target { leniency: Leniency::Strict, ..target("m", OutputField::MaxTokens) }
}

/// The recorded request that offers a tool with a grammar.
fn recorded() -> Value {
    let mut found = None;
    traffic::each_of(&["responses"], |record| {
        if found.is_none() && record.request_body["tools"][0]["type"] == "custom" {
            found = Some(record.request_body);
        }
    });
    found.unwrap()
}

fn written(to: &Dialect, body: &Value) -> (Value, Vec<String>) {
    let request = responses::read_request(body.to_string().as_bytes()).unwrap();
    let written = to.write_request(&request, &strict()).unwrap();
    let fields = written.dropped.into_iter().map(|lost| lost.field).collect();
    (serde_json::from_slice(&written.body).unwrap(), fields)
}

fn stand_ins(body: &Value) -> Identity {
    let request = responses::read_request(body.to_string().as_bytes()).unwrap();
    Identity { stand_ins: StandIns::of(&request), ..Identity::default() }
}

#[test]
fn a_function_with_one_text_stands_in_for_a_tool_that_takes_free_text() {
    let body = recorded();
    let (told, fields) = written(&openai_chat::DIALECT, &body);
    let function = &told["tools"][0]["function"];
    assert_eq!(function["name"], body["tools"][0]["name"]);
    assert_eq!(function["parameters"]["required"], json!(["input"]));
    let description = function["description"].as_str().unwrap();
    assert!(description.starts_with("Creates valid mathematical expressions\n\nThe input must"));
    assert!(description.contains("start: expr"));
    assert!(fields.contains(&"tools.custom".to_owned()));
    let tool = written(&anthropic_messages::DIALECT, &body).0["tools"][0].clone();
    assert_eq!(tool["input_schema"]["properties"]["input"]["type"], "string");
    written(&gemini::DIALECT, &body);
}

#[test]
fn what_was_said_by_and_to_the_tool_goes_on_with_it() {
    let mut body = recorded();
    body["input"] = json!([{"role": "user", "content": "hi"},
        {"type": "custom_tool_call", "call_id": "c", "name": "math_exp", "input": "1 + \"2\""},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "3"}]);
    let (told, _) = written(&anthropic_messages::DIALECT, &body);
    assert_eq!(told["messages"][1]["content"][0]["input"], json!({"input": "1 + \"2\""}));
    assert_eq!(told["messages"][2]["content"][0]["tool_use_id"], "c");
}

#[test]
fn a_choice_among_some_tools_leaves_the_others_out() {
    let function =
        |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    let mut body = json!({"model": "m", "input": "hi", "tools": [function("a"), function("b")],
        "tool_choice": {"type": "allowed_tools", "mode": "required",
            "tools": [{"type": "function", "name": "b"}]}});
    let (told, _) = written(&openai_chat::DIALECT, &body);
    assert_eq!(
        (told["tools"].as_array().unwrap().len(), &told["tool_choice"]),
        (1, &json!("required"))
    );
    assert_eq!(told["tools"][0]["function"]["name"], "b");
    body["tools"] = json!([{"type": "custom", "name": "free"}, function("a")]);
    body["tool_choice"] = json!({"type": "custom", "name": "free"});
    let (told, _) = written(&anthropic_messages::DIALECT, &body);
    assert_eq!(told["tool_choice"]["name"], "free");
}

#[test]
fn tools_that_a_provider_runs_are_refused_by_name() {
    for kind in ["web_search", "file_search", "code_interpreter", "mcp", "image_generation"] {
        let body = json!({"model": "m", "input": "hi", "tools": [{"type": kind}]});
        let request = responses::read_request(body.to_string().as_bytes()).unwrap();
        let refusal = openai_chat::DIALECT.write_request(&request, &strict()).unwrap_err();
        assert_eq!((refusal.status, refusal.param.as_deref()), (400, Some("tools")), "{kind}");
        let lenient = Target { leniency: Leniency::Lenient, ..strict() };
        let written = openai_chat::DIALECT.write_request(&request, &lenient).unwrap();
        assert_eq!(written.dropped[0].field, "tools");
    }
}

#[test]
fn a_search_is_said_in_the_words_of_whoever_makes_it() {
    let place = json!({"type": "approximate", "city": "Bern"});
    let search = json!({"type": "web_search", "search_context_size": "low", "user_location": place,
        "filters": {"allowed_domains": ["example.org"]}});
    let (told, fields) = written(
        &anthropic_messages::DIALECT,
        &json!({"model": "m", "input": "hi", "tools": [search]}),
    );
    let expected = json!({"type": "web_search_20250305", "name": "web_search",
        "allowed_domains": ["example.org"], "user_location": place});
    assert_eq!(told["tools"], json!([expected]));
    assert!(fields.contains(&"tools.web_search.search_context_size".to_owned()));
    let plain = json!({"model": "m", "input": "hi", "tools": [{"type": "web_search"}]});
    assert_eq!(written(&gemini::DIALECT, &plain).0["tools"], json!([{"googleSearch": {}}]));
    let asked = json!({"model": "m", "max_tokens": 9, "tools": [expected],
        "messages": [{"role": "user", "content": "hi"}]});
    let request = anthropic_messages::read_request(asked.to_string().as_bytes()).unwrap();
    let body = responses::DIALECT.write_request(&request, &strict()).unwrap().body;
    let body: Value = serde_json::from_slice(&body).unwrap();
    let expected = json!({"type": "web_search", "user_location": place,
        "filters": {"allowed_domains": ["example.org"]}});
    assert_eq!(body["tools"], json!([expected]));
}

#[test]
fn functions_of_a_group_go_under_a_longer_name_and_come_back_under_their_own() {
    let function = json!({"type": "function", "name": "wait", "description": "Waits.",
        "parameters": {"type": "object"}});
    let group = json!({"type": "namespace", "name": "agents", "description": "Of agents.", "tools": [function]});
    let body = json!({"model": "m", "tools": [group], "input": [{"role": "user", "content": "hi"},
        {"type": "function_call", "call_id": "c", "name": "wait", "namespace": "agents", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"}]});
    let (told, fields) = written(&openai_chat::DIALECT, &body);
    let function = &told["tools"][0]["function"];
    assert_eq!(function["name"], "agents__wait");
    assert_eq!(function["description"], "Of agents.\n\nWaits.");
    assert_eq!(told["messages"][1]["tool_calls"][0]["function"]["name"], "agents__wait");
    assert!(fields.contains(&"tools.namespace".to_owned()));
    let call = json!({"id": "d", "type": "function", "function": {"name": "agents__wait", "arguments": "{}"}});
    let reply = json!({"id": "x", "created": 1, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": null, "tool_calls": [call]},
        "finish_reason": "tool_calls"}]});
    let (from, to) = (&openai_chat::DIALECT, &responses::DIALECT);
    let (told, _) = answer(from, to, &stand_ins(&body), reply.to_string().as_bytes()).unwrap();
    let item = serde_json::from_slice::<Value>(&told).unwrap()["output"][0].clone();
    assert_eq!((&item["name"], &item["namespace"]), (&json!("wait"), &json!("agents")));
}

#[test]
fn a_call_of_the_function_comes_back_as_a_call_of_the_tool() {
    let identity = stand_ins(&recorded());
    let call = json!({"id": "c", "type": "function",
        "function": {"name": "math_exp", "arguments": "{\"input\": \"1 + \\\"2\\\"\"}"}});
    let body = json!({"id": "x", "created": 1, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": null, "tool_calls": [call]},
        "finish_reason": "tool_calls"}]});
    let (from, to) = (&openai_chat::DIALECT, &responses::DIALECT);
    let (told, _) = answer(from, to, &identity, body.to_string().as_bytes()).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    let item = &told["output"][0];
    assert_eq!((&item["type"], &item["input"]), (&json!("custom_tool_call"), &json!("1 + \"2\"")));
}

#[test]
fn a_call_in_pieces_comes_back_whole() {
    let identity = stand_ins(&recorded());
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"id": "x", "created": 1, "model": "m", "choices": [choice]}))
    };
    let call = |call: Value| chunk(json!({"tool_calls": [call]}), Value::Null);
    let mut stream = call(json!({"index": 0, "id": "c", "type": "function",
        "function": {"name": "math_exp", "arguments": ""}}));
    for piece in ["{\"inp", "ut\": \"1 +\\", "n2\"", "}"] {
        stream.push_str(&call(json!({"index": 0, "function": {"arguments": piece}})));
    }
    stream.push_str(&chunk(json!({}), json!("tool_calls")));
    stream.push_str("data: [DONE]\n\n");
    let mut relay = Box::new(Translated::new(&openai_chat::DIALECT, &responses::DIALECT, identity));
    let mut out = Vec::new();
    relay.push(&Bytes::from(stream), &mut out).unwrap();
    relay.finish(&|| unreachable!("it is whole"), &mut out);
    let told = String::from_utf8(out.concat()).unwrap();
    valid::responses(&told);
    assert!(told.contains(r#""delta":"1 +\n2""#), "{told}");
    assert!(
        told.contains(
            r#""type":"custom_tool_call","call_id":"c","name":"math_exp","input":"1 +\n2""#
        )
    );
}
