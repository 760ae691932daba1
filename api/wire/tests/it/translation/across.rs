//! From one dialect to the other, both ways.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::chat::{Answer, Event, Identity, Request, WriteStream};
use wire::dialect::{anthropic_messages as anthropic, openai_chat::chat as openai};
use wire::splice::OutputField;

use super::meaning::signatures;
use super::support::{collected, events, target};
use super::{meaning, valid};
use crate::traffic;

fn identity() -> Identity {
    Identity { id: "made-up".to_owned(), include_usage: true, ..Identity::default() }
}

fn written(mut writer: impl WriteStream, said: &[Event]) -> String {
    let mut out = Vec::new();
    said.iter().for_each(|event| writer.event(event, &mut out));
    String::from_utf8(out).unwrap()
}

/// Compares by meaning; usage that a provider never told is told as nothing.
fn same(id: &str, before: &Answer, after: &Answer) {
    let (before, mut after) = (meaning::of(before), meaning::of(after));
    if before.usage.is_none() {
        after.usage = None;
    }
    assert_eq!(after, before, "{id}");
}

#[test]
fn anthropic_answers_through_the_openai_face() {
    let (mut plain, mut streams, mut failed) = (0, 0, 0);
    traffic::each_of(&["messages", "messages_stream"], |record| {
        let body = record.response_body.as_bytes();
        if record.status != 200 {
            return;
        }
        if record.is_stream() {
            let said = events(Box::new(anthropic::StreamReading::new()), body, []);
            let (before, fault, whole) = collected(&said);
            let out = written(openai::StreamWriting::new(identity()), &said);
            if !whole {
                failed += 1;
                assert_eq!(fault.is_some(), out.contains("\"error\""), "{}", record.id);
                return assert!(!out.contains("[DONE]"), "{}", record.id);
            }
            valid::openai(&out, true);
            let said = events(Box::new(openai::StreamReading::new()), out.as_bytes(), []);
            let (after, _, _) = collected(&said);
            same(&record.id, &before, &after);
            let parts = |answer: &Answer| signatures(&answer.choices[0].parts);
            assert_eq!(parts(&after), parts(&before), "{}", record.id);
            streams += 1;
        } else {
            let before = anthropic::read_answer(body).unwrap();
            let after = openai::read_answer(&openai::write_answer(&before, &identity())).unwrap();
            same(&record.id, &before, &after);
            let parts = |answer: &Answer| signatures(&answer.choices[0].parts);
            assert_eq!(parts(&after), parts(&before), "{}", record.id);
            plain += 1;
        }
    });
    println!("anthropic -> openai: {plain} answers, {streams} streams, {failed} failed upstream");
    assert!(plain > 570 && streams > 240, "{plain} {streams}");
}

#[test]
fn openai_answers_through_the_anthropic_face() {
    let (mut plain, mut streams, mut several, mut failed) = (0, 0, 0, 0);
    traffic::each_of(&["chat", "chat_stream"], |record| {
        let body = record.response_body.as_bytes();
        if record.status != 200 {
            return;
        }
        if record.is_stream() {
            let said = events(Box::new(openai::StreamReading::new()), body, []);
            let (before, fault, whole) = collected(&said);
            if before.choices.len() > 1 {
                several += 1;
                return;
            }
            let out = written(anthropic::StreamWriting::new(identity()), &said);
            if !whole {
                failed += 1;
                assert_eq!(fault.is_some(), out.contains("event: error"), "{}", record.id);
                return assert!(!out.contains("message_stop"), "{}", record.id);
            }
            valid::anthropic(&out);
            let said = events(Box::new(anthropic::StreamReading::new()), out.as_bytes(), []);
            same(&record.id, &before, &collected(&said).0);
            streams += 1;
        } else {
            let Ok(before) = openai::read_answer(body) else {
                failed += 1;
                return;
            };
            if before.choices.len() > 1 {
                several += 1;
                return;
            }
            let out = anthropic::write_answer(&before, &identity());
            same(&record.id, &before, &anthropic::read_answer(&out).unwrap());
            plain += 1;
        }
    });
    println!(
        "openai -> anthropic: {plain} answers, {streams} streams, {failed} failed upstream, \
         {several} with several choices, which a request through this face cannot ask for"
    );
    assert!(plain > 2400 && streams > 820, "{plain} {streams}");
}

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
