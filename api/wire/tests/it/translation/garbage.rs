//! Nothing that a caller or a provider sends makes a translation panic or go on for ever.

use proptest::prelude::*;
use serde_json::{Value, json};
use wire::chat::{Identity, Leniency, Target};
use wire::dialect::Dialect;
use wire::frame::{Framing, aws_event_stream};
use wire::splice::OutputField;

use super::support::{chats, collected, events};

/// Values made of the words that the dialects know, in places where they do not belong.
fn value() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "text",
        "type",
        "image",
        "tool_use",
        "tool_result",
        "thinking",
        "function",
        "content",
        "assistant",
        "user",
        "tool",
        "content_block_start",
        "content_block_delta",
        "message_start",
        "message_delta",
        "message_stop",
        "input_json_delta",
        "text_delta",
        "stop",
        "null",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u64..4).prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        let keys = prop::sample::select(vec![
            "type",
            "role",
            "content",
            "text",
            "index",
            "delta",
            "choices",
            "message",
            "messages",
            "tool_calls",
            "function",
            "arguments",
            "name",
            "id",
            "input",
            "source",
            "usage",
            "error",
            "content_block",
            "partial_json",
            "finish_reason",
            "tools",
            "system",
            "model",
            "reasoning_details",
            "tool_choice",
            "thinking",
            "signature",
            "stop_reason",
            "citations",
            "url",
            "image_url",
            "start",
            "contentBlockIndex",
            "toolUse",
            "toolResult",
            "reasoningContent",
            "output",
            "stopReason",
            "toolConfig",
            "bytes",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..6).prop_map(|members| {
                let named = members.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(named.collect())
            }),
        ]
    })
}

/// Names by which a framing tells its events.
fn event() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
        "chunk",
    ])
}

fn framed(framing: Framing, frames: &[(&str, Value)], done: bool) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, frame) in frames {
        match framing {
            Framing::Sse => body.extend(format!("data: {frame}\n\n").into_bytes()),
            Framing::NdJson => body.extend(format!("{frame}\n").into_bytes()),
            Framing::JsonArray => {
                body.extend(if body.is_empty() { b"[" } else { b"," });
                body.extend(frame.to_string().into_bytes());
            }
            Framing::AwsEventStream => {
                aws_event_stream::event(&mut body, name, frame.to_string().as_bytes());
            }
        }
    }
    let end: &[u8] = match framing {
        Framing::Sse if done => b"data: [DONE]\n\n",
        Framing::Sse => b"data: {\"type\":\"message_stop\"}\n\n",
        Framing::JsonArray => b"]",
        Framing::NdJson | Framing::AwsEventStream => b"",
    };
    body.extend(end);
    body
}

fn every_pair(mut check: impl FnMut(&Dialect, &Dialect)) {
    for from in chats() {
        chats().into_iter().for_each(|to| check(from, to));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn requests(system in value(), messages in prop::collection::vec(value(), 0..4), tools in value()) {
        let body = json!({"model": "m", "system": system, "messages": messages, "tools": tools});
        every_pair(|from, to| {
            let Ok(request) = (from.chat.read_request)(body.to_string().as_bytes()) else { return };
            let target = Target {
                model: "m",
                output_tokens_default: 1,
                output_field: OutputField::MaxTokens,
                ask_usage: true,
                reasons: true,
                leniency: Leniency::Lenient,
            };
            let written = (to.chat.write_request)(&request, &target).unwrap();
            assert!(serde_json::from_slice::<Value>(&written.body).is_ok());
        });
    }

    #[test]
    fn answers(body in value()) {
        every_pair(|from, to| {
            let Ok(answer) = (from.chat.read_answer)(body.to_string().as_bytes()) else { return };
            let written = (to.chat.write_answer)(&answer, &Identity::default());
            assert!(serde_json::from_slice::<Value>(&written).is_ok());
        });
    }

    #[test]
    fn streams(frames in prop::collection::vec((event(), value()), 0..8), done in any::<bool>()) {
        every_pair(|from, to| {
            let body = framed(from.framing, &frames, done);
            let said = events((from.chat.read_stream)(), &body, []);
            collected(&said);
            let mut writer = (to.chat.write_stream)(Identity::default());
            let mut out = Vec::new();
            said.iter().for_each(|event| writer.event(event, &mut out));
            let binary = to.framing == Framing::AwsEventStream;
            assert!(binary || std::str::from_utf8(&out).is_ok());
        });
    }
}
