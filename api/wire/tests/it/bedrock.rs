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

/// Rows 15, 61 and 66: bodies in an envelope.
mod invoked {
    use super::*;
    use wire::chat::{Body, Collector, Event, Identity, Leniency, StreamReader, Target};
    use wire::dialect::{anthropic_messages, anthropic_vertex, bedrock_invoke};

    fn model(path: &str) -> String {
        let inner = path.strip_prefix("/model/").unwrap();
        let (encoded, _) = inner.rsplit_once('/').unwrap();
        encoded.replace("%3A", ":").replace("%2F", "/")
    }

    fn events(body: &[u8], size: usize) -> Vec<Event> {
        let mut reader = StreamReader::new(Box::new(bedrock_invoke::StreamReading::new()));
        let mut events = Vec::new();
        body.chunks(size).for_each(|chunk| reader.push(chunk, &mut events).unwrap());
        reader.finish(&mut events);
        events
    }

    fn target(model: &str) -> Target<'_> {
        Target {
            model,
            output_tokens_default: 4096,
            output_field: OutputField::MaxTokens,
            ask_usage: true,
            reasons: true,
            leniency: Leniency::Strict,
        }
    }

    #[test]
    fn recorded_invocations_are_read_and_pass_unchanged() {
        let (mut count, mut claude) = (0, 0);
        traffic::each_of(&["invoke", "invoke_stream"], |record| {
            let Some(body) = record.request() else { return };
            let model = model(&record.path);
            let call = (bedrock_invoke::DIALECT.read)(&asked(&model), &body);
            let call = call.unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
            assert_eq!((call.model.as_str(), call.dialect), (model.as_str(), "bedrock_invoke"));
            assert_eq!(splice::apply(&call, &Edits::default(), &body).concat(), body);
            count += 1;
            if let Ok(request) = (bedrock_invoke::DIALECT.chat.read_request)(&body) {
                let write = bedrock_invoke::DIALECT.chat.write_request;
                let written = write(&request, &target(&model)).unwrap();
                let again: Value = serde_json::from_slice(&written.body).unwrap();
                assert_eq!(again, record.request_body, "{}", record.id);
                claude += 1;
            }
        });
        println!("{count} requests, {claude} to Claude");
        assert!(count > 200 && claude > 120, "{count} {claude}");
    }

    #[test]
    fn an_output_limit_is_put_where_each_maker_has_it() {
        let cases = [
            (
                "amazon.titan-text-express-v1",
                json!({"inputText": "a"}),
                "/textGenerationConfig/maxTokenCount",
            ),
            (
                "amazon.nova-lite-v1:0",
                json!({"inferenceConfig": {"max_new_tokens": 99}}),
                "/inferenceConfig/max_new_tokens",
            ),
            ("amazon.nova-lite-v1:0", json!({"messages": []}), "/inferenceConfig/maxTokens"),
            (
                "meta.llama3-8b-instruct-v1:0",
                json!({"prompt": "a", "max_gen_len": 99}),
                "/max_gen_len",
            ),
            ("anthropic.claude-v2", json!({"prompt": "a"}), "/max_tokens_to_sample"),
            (
                "anthropic.claude-3",
                json!({"anthropic_version": "v", "messages": []}),
                "/max_tokens",
            ),
            ("cohere.command-r-v1:0", json!({"message": "a"}), "/max_tokens"),
        ];
        for (model, body, place) in cases {
            let text = Bytes::from(body.to_string());
            let call = (bedrock_invoke::DIALECT.read)(&asked(model), &text).unwrap();
            let cap = OutputCap { tokens: 7, field: OutputField::MaxTokens };
            let edits = Edits { output_cap: Some(cap), ..Edits::default() };
            let edited: Value =
                serde_json::from_slice(&splice::apply(&call, &edits, &text).concat()).unwrap();
            assert_eq!(edited.pointer(place), Some(&json!(7)), "{model} {edited}");
        }
    }

    #[test]
    fn recorded_answers_of_every_maker_say_something() {
        let (mut count, mut vectors) = (0, 0);
        traffic::each_of(&["invoke"], |record| {
            if record.status != 200 {
                return;
            }
            let body = record.bytes();
            let silent = ["embed", "rerank"].iter().any(|word| record.path.contains(word));
            if record.response_body.starts_with("{\"embedding\"") && !silent {
                // A profile whose name does not tell the model.
                let reply = (bedrock_invoke::DIALECT.reply)(Operation::ChatCompletions, &body);
                return assert_eq!(reply.fault, None, "{}", record.id);
            }
            if silent {
                let reply = (bedrock_invoke::DIALECT.reply)(Operation::Embeddings, &body);
                assert_eq!(reply.fault, None, "{}", record.id);
                vectors += 1;
                return;
            }
            let answer = bedrock_invoke::read_answer(&body);
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
            assert!(answer.choices.iter().any(|choice| !choice.parts.is_empty()), "{}", record.id);
            let told = bedrock_invoke::usage_of_headers(&|name| record.header(name));
            // In one body only half of it was written down.
            let counts = answer.counts.filter(|counts| counts.output_tokens > 0);
            if let (Some(told), Some(counts)) = (told, counts) {
                assert_eq!(counts.output_tokens, told.output_tokens, "{}", record.id);
                assert_eq!(counts.input_tokens, told.input_tokens, "{}", record.id);
            }
            count += 1;
        });
        println!("{count} answers, {vectors} of vectors or scores");
        assert!(count > 110 && vectors > 20, "{count} {vectors}");
    }

    #[test]
    fn recorded_streams_of_every_maker_pass_and_are_metered() {
        let mut count = 0;
        traffic::each_of(&["invoke_stream"], |record| {
            if record.status != 200 {
                return;
            }
            let body = Bytes::from(record.bytes());
            let said = events(&body, body.len());
            assert_eq!(events(&body, 61), said, "{}", record.id);
            let mut collector = Collector::new();
            said.iter().for_each(|event| collector.push(event));
            assert!(collector.is_whole(), "{} {:?}", record.id, said.last());
            let answer = collector.into_answer();
            assert!(answer.choices.iter().all(|choice| choice.finish.is_some()), "{}", record.id);
            let mut relay = (bedrock_invoke::DIALECT.relay)(&OPTIONS);
            let mut out = Vec::new();
            for at in (0..body.len()).step_by(1000) {
                relay.push(&body.slice(at..body.len().min(at + 1000)), &mut out).unwrap();
            }
            let end = relay.finish(&|| unreachable!("{} is whole", record.id), &mut out);
            assert_eq!(out.concat(), body, "{}", record.id);
            assert!(end.complete && end.usage().is_some(), "{} {end:?}", record.id);
            count += 1;
        });
        println!("{count} streams");
        assert!(count > 50, "{count}");
    }

    #[test]
    fn bedrock_invoke_stream_68e0986a23_is_said_again_in_chunks() {
        let body = traffic::record("bedrock-invoke_stream-68e0986a23").bytes();
        let said = events(&body, 7);
        let mut writer = (bedrock_invoke::DIALECT.chat.write_stream)(Identity::default());
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        let answer = |events: &[Event]| {
            let mut collector = Collector::new();
            events.iter().for_each(|event| collector.push(event));
            assert!(collector.is_whole());
            collector.into_answer()
        };
        assert_eq!(answer(&events(&out, 11)), answer(&said));
        assert!(
            matches!(&answer(&said).choices[0].parts[0].body, Body::Text(text) if !text.text.is_empty())
        );
    }

    #[test]
    fn vertex_messages_ffd6fa783b_has_its_model_in_the_path_and_goes_to_anthropic_and_back() {
        for id in ["vertex-messages-ffd6fa783b", "vertex-messages_stream-c270f29a4f"] {
            let record = traffic::record(id);
            let body = record.request().unwrap();
            let model = "claude-3-7-sonnet@20250219";
            let call = (anthropic_vertex::DIALECT.read)(&asked(model), &body).unwrap();
            assert_eq!((call.model.as_str(), call.dialect), (model, "anthropic_vertex"));
            let request = anthropic_vertex::DIALECT.request(&call, &body).unwrap();
            let straight = anthropic_messages::write_request(&request, &target("claude")).unwrap();
            let straight: Value = serde_json::from_slice(&straight.body).unwrap();
            assert_eq!(straight["model"], "claude");
            assert_eq!(straight.get("anthropic_version"), None);
            let write = anthropic_vertex::DIALECT.chat.write_request;
            let again: Value =
                serde_json::from_slice(&write(&request, &target(model)).unwrap().body).unwrap();
            let mut expected = record.request_body.clone();
            expected.as_object_mut().unwrap().remove("stream");
            let mut again = again;
            again.as_object_mut().unwrap().remove("stream");
            assert_eq!(again, expected, "{id}");
        }
    }
}
