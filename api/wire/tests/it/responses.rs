//! OpenAI's Responses on their own dialect: what is spliced, passed on and counted.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::dialect::openai_responses::{self as responses, DIALECT};
use wire::frame::Framing;
use wire::relay::{End, StreamOptions};
use wire::splice::{Edits, ModelName, OutputCap, OutputField, apply};
use wire::{Asked, Operation, Refusal};

use crate::traffic;

const ASKED: Asked<'static> = Asked::of(Operation::ChatCompletions);

fn cut() -> Refusal {
    Refusal::provider(502, "stream_cut", "the stream was cut")
}

/// A body passed on in pieces: what the caller gets, and what it came to.
fn relayed(body: &[u8], step: usize) -> (Vec<u8>, End) {
    let options = StreamOptions { hide_usage: false, answers: 1, framing: Framing::Sse };
    let mut relay = (DIALECT.relay)(&options);
    let mut out = Vec::new();
    for piece in body.chunks(step) {
        relay.push(&Bytes::copy_from_slice(piece), &mut out).unwrap();
    }
    let end = relay.finish(&cut, &mut out);
    (out.concat(), end)
}

/// Relays a whole recorded stream; gives what it came to and the usage of its last event.
fn passed(id: &str) -> (End, Value) {
    let record = traffic::record(id);
    let body = record.bytes();
    let (out, end) = relayed(&body, 7);
    assert!(out == body, "{id} was changed");
    let data = record.response_body.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let last = events.rfind(|event| event["response"]["usage"].is_object()).unwrap_or_default();
    (end, last["response"]["usage"].clone())
}

fn is_counted(end: &End, usage: &Value) -> bool {
    let counted = end.usage().unwrap();
    usage["input_tokens"] == counted.input_tokens && usage["output_tokens"] == counted.output_tokens
}

#[test]
fn recorded_requests_are_spliced_and_nothing_else_changes() {
    let (mut count, mut longest, name) = (0, 0, ModelName::new("other"));
    traffic::each_of(&["responses", "responses_stream"], |record| {
        let Some(body) = record.request() else { return };
        let Ok(call) = responses::read(&ASKED, &body) else {
            return assert!(record.request_body["model"].is_null(), "{}", record.id);
        };
        let cap = OutputCap { tokens: 7, field: OutputField::MaxTokens };
        let edits = Edits { model: Some(&name), ask_usage: true, output_cap: Some(cap) };
        let spliced: Value = serde_json::from_slice(&apply(&call, &edits, &body).concat()).unwrap();
        let mut expected = record.request_body.clone();
        expected["model"] = json!("other");
        let given = expected["max_output_tokens"].as_u64();
        expected["max_output_tokens"] = json!(given.unwrap_or(7).min(7));
        assert_eq!(spliced, expected, "{}", record.id);
        assert_eq!(call.stream, record.request_body["stream"] == true, "{}", record.id);
        let images = body.windows(20).filter(|text| text == b"\"type\":\"input_image\",").count();
        assert!(call.media.images >= images as u64, "{}", record.id);
        assert!(call.input_bytes <= call.body_bytes);
        longest = longest.max(body.len());
        count += 1;
    });
    println!("{count} requests, the longest of {longest} bytes");
    assert!(count > 950, "{count}");
}

#[test]
fn what_brings_unknown_tokens_is_counted_as_unbounded() {
    let unbounded =
        |body: Value| responses::read(&ASKED, body.to_string().as_bytes()).unwrap().media.unbounded;
    assert_eq!(unbounded(json!({"model": "m", "input": "hi", "previous_response_id": null})), 0);
    assert_eq!(unbounded(json!({"model": "m", "input": "hi", "previous_response_id": "r"})), 1);
    let tools = json!([{"type": "function"}, {"type": "web_search"}, {"type": "custom"}]);
    assert_eq!(unbounded(json!({"model": "m", "input": "hi", "tools": tools})), 1);
    let items = json!([{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]},
        {"type": "item_reference", "id": "x"}, {"type": "function_call_output", "call_id": "c",
        "output": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}]);
    let body = json!({"model": "m", "input": items}).to_string();
    let call = responses::read(&ASKED, body.as_bytes()).unwrap();
    assert_eq!((call.media.unbounded, call.media.images, call.messages), (2, 1, 3));
    assert!(call.input_bytes < call.body_bytes);
}

#[test]
fn fields_that_are_acted_on_may_stand_once_only() {
    for body in [
        r#"{"model":"a","model":"b","input":"x"}"#,
        r#"{"model":"a","Input":"x","input":"x"}"#,
        r#"{"model":"a","max_output_tokens":1,"max_output_tokens":2}"#,
        r#"{"model":"a","input":{}}"#,
        r#"{"input":"x"}"#,
        "[]",
        "{",
    ] {
        assert_eq!(responses::read(&ASKED, body.as_bytes()).unwrap_err().status, 400, "{body}");
    }
}

#[test]
fn recorded_streams_pass_unchanged_and_are_counted() {
    let mut count = 0;
    traffic::each_of(&["responses_stream"], |record| {
        let body = record.bytes();
        if record.status != 200 {
            return;
        }
        let (out, end) = relayed(&body, 4093);
        assert!(out == body, "{} was changed", record.id);
        assert_eq!(end.complete, end.error.is_none(), "{}", record.id);
        count += 1;
    });
    assert!(count > 245, "{count}");
}

#[test]
fn a_stream_that_was_cut_ends_in_an_error_event() {
    let body = traffic::record("openai-responses_stream-d313b65304").bytes();
    let (out, end) = relayed(&body[..body.len() - 300], 64);
    assert!(!end.complete && end.error.is_none());
    let out = String::from_utf8(out).unwrap();
    let last = out.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: error\ndata: {\"type\":\"error\""), "{last}");
}

#[test]
fn openrouter_responses_stream_5d1eeb1e72_done_and_no_event_names() {
    let (end, usage) = passed("openrouter-responses_stream-5d1eeb1e72");
    assert!(end.complete && is_counted(&end, &usage), "{end:?}");
}

#[test]
fn xai_responses_stream_39a7953ae1_comments_are_no_events() {
    let (end, usage) = passed("xai-responses_stream-39a7953ae1");
    assert!(end.complete && is_counted(&end, &usage), "{end:?}");
}

#[test]
fn openai_responses_stream_17e8e1744d_an_error_then_failed_under_200() {
    for (id, retryable) in [
        ("openai-responses_stream-17e8e1744d", false),
        ("openai-responses_stream-7bc70fe75b", false),
    ] {
        let (end, _) = passed(id);
        let error = end.error.unwrap();
        assert!(!end.complete, "{id}");
        assert_eq!((error.status, error.retryable), (429, retryable), "{id}: {}", error.message);
    }
}

#[test]
fn openai_responses_stream_d313b65304_multibyte_text_cut_at_every_byte() {
    let record = traffic::record("openai-responses_stream-d313b65304");
    let body = record.bytes();
    let (out, end) = relayed(&body, 1);
    assert!(out == body && end.complete);
}

#[test]
fn openai_responses_3681a7cd36_queued_is_an_answer_without_words_or_usage() {
    let body = traffic::record("openai-responses-3681a7cd36").bytes();
    let reply = (DIALECT.reply)(Operation::ChatCompletions, &body);
    assert_eq!((reply.fault, reply.usage, reply.output_bytes), (None, None, 0));
}

#[test]
fn openai_responses_004872067b_incomplete_is_a_limit_reached() {
    let plain = traffic::record("openai-responses-004872067b").bytes();
    let reply = (DIALECT.reply)(Operation::ChatCompletions, &plain);
    assert_eq!(reply.usage.map(|usage| usage.output_tokens), Some(100));
    let choice = &responses::read_answer(&plain).unwrap().choices[0];
    assert_eq!(choice.finish, Some(wire::chat::Finish::Length));
    let (end, usage) = passed("openai-responses_stream-32c7105ade");
    assert!(end.complete && is_counted(&end, &usage));
    assert_eq!(end.usage().unwrap().reasoning_tokens, 1984);
}

#[test]
fn openai_responses_0d18efe404_errors_that_are_no_json_or_of_another_type() {
    for id in ["openai-responses-0d18efe404", "openai-responses-7ce77ad702"] {
        let record = traffic::record(id);
        let header = |name: &str| record.header(name);
        let error = wire::ProviderError::read(record.status, &header, &record.bytes(), 0);
        let (status, body) = (DIALECT.provider_answer)(&error, &Bytes::from(record.bytes()));
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert!((400..600).contains(&status) && told["error"]["message"].is_string(), "{id}");
    }
}
