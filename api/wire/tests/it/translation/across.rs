//! Requests from one dialect to the other, both ways.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::chat::Request;
use wire::dialect::{anthropic_messages as anthropic, openai_chat::chat as openai};
use wire::splice::OutputField;

use super::support::target;
use crate::traffic;

/// Every text that the model is to read.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            // What the provider's own tools said before is reported as left out.
            let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
            let elsewhere = ["thinking", "tool_use", "compaction"].contains(&kind);
            if elsewhere || kind.contains("_tool_result") || kind.starts_with("reasoning") {
                return;
            }
            for (key, inner) in map {
                match inner {
                    Value::String(text) if ["text", "content"].contains(&key.as_str()) => {
                        found.push(text.clone());
                    }
                    Value::String(_) => {}
                    inner => texts(inner, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| texts(inner, found)),
        _ => {}
    }
}

fn check_texts(id: &str, before: &Value, written: &[u8]) {
    let after: Value = serde_json::from_slice(written).unwrap();
    let mut said = Vec::new();
    texts(&after["messages"], &mut said);
    texts(&after["system"], &mut said);
    said.extend(after["system"].as_str().map(str::to_owned));
    let mut asked = Vec::new();
    texts(&before["messages"], &mut asked);
    asked.extend(before["system"].as_str().map(str::to_owned));
    texts(&before["system"], &mut asked);
    for text in asked {
        assert!(said.iter().any(|said| said.contains(&text)), "{id} lost {text:.200}");
    }
}

fn tally(losses: &mut BTreeMap<String, u32>, dropped: &[wire::chat::Dropped]) {
    for lost in dropped {
        *losses.entry(format!("{} {:?}", lost.field, lost.how)).or_default() += 1;
    }
}

fn tool_ids(request: &Request) -> (Vec<String>, Vec<String>) {
    use wire::chat::Body;
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for part in request.turns.iter().flat_map(|turn| &turn.parts) {
        match &part.body {
            Body::ToolCall(call) if part.is_client_call() => calls.push(call.id.clone()),
            Body::ToolResult(result) => results.push(result.id.clone()),
            _ => {}
        }
    }
    (calls, results)
}

#[test]
fn anthropic_requests_to_openai_keep_words_tools_and_results() {
    let (mut count, mut losses) = (0, BTreeMap::new());
    traffic::each_of(&["messages", "messages_stream"], |record| {
        let Some(request) = record.request().and_then(|body| anthropic::read_request(&body).ok())
        else {
            return;
        };
        let target = target("gpt-5", OutputField::MaxCompletionTokens);
        let written = openai::write_request(&request, &target).unwrap();
        check_texts(&record.id, &record.request_body, &written.body);
        let again = openai::read_request(&written.body).unwrap();
        assert_eq!(tool_ids(&again), tool_ids(&request), "{}", record.id);
        tally(&mut losses, &written.dropped);
        count += 1;
    });
    println!("{count} requests anthropic -> openai; not said as they were: {losses:#?}");
    assert!(count > 780, "{count}");
}

#[test]
fn openai_requests_to_anthropic_keep_words_tools_and_results() {
    let (mut count, mut losses) = (0, BTreeMap::new());
    traffic::each_of(&["chat", "chat_stream"], |record| {
        let Some(request) = record.request().and_then(|body| openai::read_request(&body).ok())
        else {
            return;
        };
        let target = target("claude-sonnet-4-5", OutputField::MaxTokens);
        let written = anthropic::write_request(&request, &target).unwrap();
        check_texts(&record.id, &record.request_body, &written.body);
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let roles: Vec<&Value> = messages.iter().map(|message| &message["role"]).collect();
        assert!(roles.windows(2).all(|pair| pair[0] != pair[1]), "{}", record.id);
        assert!(body["max_tokens"].as_u64().is_some(), "{}", record.id);
        let again = anthropic::read_request(&written.body).unwrap();
        assert_eq!(tool_ids(&again).0.len(), tool_ids(&request).0.len(), "{}", record.id);
        assert_eq!(tool_ids(&again).1.len(), tool_ids(&request).1.len(), "{}", record.id);
        tally(&mut losses, &written.dropped);
        count += 1;
    });
    println!("{count} requests openai -> anthropic; not said as they were: {losses:#?}");
    assert!(count > 3400, "{count}");
}
