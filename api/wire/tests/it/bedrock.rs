//! Bedrock's Converse as a face: what is read of a request, what is changed of it, how streams pass.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::dialect::bedrock_converse::{DIALECT, error_event};
use wire::frame::Framing;
use wire::relay::StreamOptions;
use wire::splice::{self, Edits, OutputCap, OutputField};
use wire::{Asked, Call, Operation, Refusal};

use crate::traffic;

const OPTIONS: StreamOptions =
    StreamOptions { hide_usage: false, answers: 1, framing: Framing::AwsEventStream };

fn asked(model: &str) -> Asked<'_> {
    Asked { model: Some(model), stream: Some(false), ..Asked::of(Operation::ChatCompletions) }
}

fn read(body: &Value) -> Result<Call, Refusal> {
    (DIALECT.read)(&asked("amazon.nova-lite-v1:0"), body.to_string().as_bytes())
}

fn capped(body: &Value, tokens: u64) -> Value {
    let text = Bytes::from(body.to_string());
    let call = (DIALECT.read)(&asked("m"), &text).unwrap();
    let cap = OutputCap { tokens, field: OutputField::MaxTokens };
    let edits = Edits { output_cap: Some(cap), ..Edits::default() };
    serde_json::from_slice(&splice::apply(&call, &edits, &text).concat()).unwrap()
}

#[test]
fn recorded_requests_are_read_and_pass_unchanged() {
    let mut count = 0;
    traffic::each_of(&["converse", "converse_stream"], |record| {
        let Some(body) = record.request() else { return };
        let Ok(call) = (DIALECT.read)(&asked("m"), &body) else {
            return assert_ne!(record.status, 200, "{}", record.id);
        };
        count += 1;
        assert_eq!(splice::apply(&call, &Edits::default(), &body).concat(), body, "{}", record.id);
        let limit = record.request_body["inferenceConfig"]["maxTokens"].as_u64();
        assert_eq!(call.output_tokens_max, limit, "{}", record.id);
        let messages = record.request_body["messages"].as_array().unwrap();
        assert_eq!(call.messages, messages.len().max(1) as u64, "{}", record.id);
        assert!(call.input_bytes <= call.body_bytes);
    });
    assert!(count > 230, "{count}");
}

#[test]
fn an_output_limit_is_lowered_or_put_where_it_belongs() {
    let message = json!([{"role": "user", "content": [{"text": "a"}]}]);
    let with = |config: Value| json!({"messages": message, "inferenceConfig": config});
    let limit = |body: &Value| capped(body, 7)["inferenceConfig"]["maxTokens"].clone();
    assert_eq!(limit(&with(json!({"maxTokens": 9}))), 7);
    assert_eq!(limit(&with(json!({"maxTokens": 5}))), 5);
    assert_eq!(limit(&with(json!({"maxTokens": null}))), 7);
    assert_eq!(limit(&with(json!({}))), 7);
    let kept = capped(&with(json!({"temperature": 0.5})), 7);
    assert_eq!(kept["inferenceConfig"], json!({"maxTokens": 7, "temperature": 0.5}));
    assert_eq!(limit(&json!({"messages": message})), 7);
}

#[test]
fn limits_that_would_not_be_metered_are_refused() {
    let message = json!([{"role": "user", "content": [{"text": "a"}]}]);
    let additional = [
        json!({"max_tokens": 9}),
        json!({"Max_Tokens": 9}),
        json!({"inferenceConfig": {"max_new_tokens": 9}}),
    ];
    for fields in additional {
        let body = json!({"messages": message, "additionalModelRequestFields": fields});
        assert_eq!(read(&body).unwrap_err().status, 400, "{body}");
    }
    let twice = r#"{"messages":[],"inferenceConfig":{"maxTokens":1,"maxTokens":99}}"#;
    assert_eq!((DIALECT.read)(&asked("m"), twice.as_bytes()).unwrap_err().code, "duplicate_field");
    let unlimited = json!({"messages": [], "inferenceConfig": {"maxTokens": -1}});
    assert_eq!(read(&unlimited).unwrap_err().status, 400);
    assert_eq!(
        read(&json!({"inferenceConfig": {}})).unwrap_err().param.as_deref(),
        Some("messages")
    );
}

#[test]
fn fallbacks_are_taken_out_and_media_are_counted() {
    let body = json!({
        "messages": [{"role": "user", "content": [
            {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
            {"toolResult": {"toolUseId": "a", "content": [{"document": {"name": "x"}}]}},
        ]}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "a"}}, {"systemTool": {"name": "b"}}]},
        "fallbacks": ["openai/gpt-5"],
    });
    let call = read(&body).unwrap();
    assert_eq!((call.media.images, call.media.unbounded, call.tools), (1, 2, 1));
    assert_eq!(call.fallbacks, ["openai/gpt-5"]);
    assert_eq!(capped(&body, 7).get("fallbacks"), None);
}

#[test]
fn recorded_streams_pass_byte_for_byte_and_are_metered() {
    let (mut count, mut failed) = (0, 0);
    traffic::each_of(&["converse_stream"], |record| {
        if record.status != 200 {
            return;
        }
        let body = Bytes::from(record.bytes());
        for size in [body.len().max(1), 97, 1] {
            let mut relay = (DIALECT.relay)(&OPTIONS);
            let mut out = Vec::new();
            for at in (0..body.len()).step_by(size) {
                let chunk = body.slice(at..body.len().min(at + size));
                relay.push(&chunk, &mut out).unwrap();
            }
            let end = relay.finish(&|| unreachable!("{} is whole", record.id), &mut out);
            assert_eq!(out.concat(), body, "{}", record.id);
            assert_ne!(end.complete, end.error.is_some(), "{}", record.id);
            let counted = end.usage().map_or(0, |usage| usage.output_tokens);
            assert!(end.output_bytes * 4 >= counted || counted < 10, "{} {end:?}", record.id);
            failed += u32::from(size == 1 && end.error.is_some());
        }
        count += 1;
    });
    println!("{count} streams, {failed} of them failed");
    assert!(count > 48, "{count}");
}

#[test]
fn a_stream_that_is_cut_ends_with_an_exception_behind_its_last_whole_message() {
    let body = Bytes::from(traffic::record("bedrock-converse_stream-306501680c").bytes());
    let mut relay = (DIALECT.relay)(&OPTIONS);
    let mut out = Vec::new();
    relay.push(&body.slice(..body.len() - 400), &mut out).unwrap();
    let before = out.concat().len();
    assert!(before < body.len() - 400);
    let cut = Refusal::provider(502, "cut", "the provider's stream broke off");
    let end = relay.finish(&|| cut.clone(), &mut out);
    assert!(!end.complete);
    assert_eq!(out.concat()[before..], error_event(&cut)[..]);
}
