//! Requests: what is read of them, and what the edits leave.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::dialect::openai_chat::read;
use wire::splice::{Edits, ModelName, OutputCap, OutputField, apply};
use wire::{Asked, Operation, Refusal};

use crate::traffic;

fn edited(operation: Operation, body: &str, edits: &Edits<'_>) -> String {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let call = read(&Asked::of(operation), &body).unwrap();
    String::from_utf8(apply(&call, edits, &body).concat()).unwrap()
}

fn chat(body: &str) -> Result<wire::Call, Refusal> {
    read(&Asked::of(Operation::ChatCompletions), body.as_bytes())
}

/// What the edits should make of a body, done on the tree.
fn expected(mut body: Value, edits: &Edits<'_>, operation: Operation) -> Value {
    let fields = body.as_object_mut().unwrap();
    fields.remove("fallbacks");
    if let Some(model) = edits.model {
        fields.insert("model".to_owned(), model.as_str().into());
    }
    if edits.ask_usage && fields.get("stream") == Some(&Value::Bool(true)) {
        let options = fields.entry("stream_options").or_insert(Value::Null);
        if options.is_null() {
            *options = json!({});
        }
        options["include_usage"] = true.into();
    }
    let Some(cap) = edits.output_cap.filter(|_| operation != Operation::Embeddings) else {
        return body;
    };
    let names = ["max_tokens", "max_completion_tokens"];
    let capped = |value: &Value| value.as_u64().map(|tokens| tokens.min(cap.tokens));
    let given: Vec<_> = names
        .iter()
        .filter(|name| fields.get(**name).is_some_and(|value| !value.is_null()))
        .collect();
    for name in &given {
        let value = capped(&fields[**name]).unwrap_or(cap.tokens);
        fields[**name] = value.into();
    }
    if given.is_empty() {
        fields.insert("max_tokens".to_owned(), cap.tokens.into());
    }
    body
}

#[test]
fn recorded_requests_survive_reading_and_change_only_where_edited() {
    let model = ModelName::new("another/model");
    let output_cap = Some(OutputCap { tokens: 50, field: OutputField::MaxTokens });
    let edits = Edits { model: Some(&model), ask_usage: true, output_cap };
    let (mut read_count, mut refused) = (0, Vec::new());
    traffic::each(|record| {
        let Some(body) = record.request() else { return };
        let operation = record.operation().unwrap();
        let call = match read(&Asked::of(operation), &body) {
            Ok(call) => call,
            Err(refusal) => {
                refused.push((record, refusal));
                return;
            }
        };
        read_count += 1;
        assert_eq!(call.model, record.request_body["model"], "{}", record.id);
        let untouched = apply(&call, &Edits::default(), &body);
        assert_eq!(untouched, std::slice::from_ref(&body), "{}", record.id);
        let bytes = apply(&call, &edits, &body).concat();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value, expected(record.request_body, &edits, operation), "{}", record.id);
    });
    assert!(read_count > 3500, "{read_count}");
    // Bodies of other dialects under the same operation, and the wrong requests that were recorded.
    for (record, refusal) in refused {
        let field = refusal.param.as_deref().unwrap();
        let value = &record.request_body[field];
        assert!(
            value.is_null() || (field == "messages" && !value.is_array()),
            "{} {refusal}",
            record.id
        );
    }
}

#[test]
fn fields_that_matter_are_read() {
    let body = r#" {"model":"openai/gpt-4o","messages":[{"role":"system","content":"a"},{"role":"user","content":[
        {"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],
        "max_tokens":10,"max_completion_tokens":20,"n":3,"stream":true,"stream_options":{"include_usage":true},
        "fallbacks":["a/b","c"],"tools":[{},{}],"response_format":{"type":"json_schema"}} "#;
    let call = chat(body).unwrap();
    assert_eq!(call.model, "openai/gpt-4o");
    assert!(call.stream && call.include_usage && call.schema);
    assert_eq!(
        (call.output_tokens_max, call.choices, call.messages, call.tools),
        (Some(20), 3, 2, 2)
    );
    assert_eq!(call.fallbacks, ["a/b", "c"]);
    assert_eq!((call.media.images, call.media.audio, call.media.unbounded), (1, 0, 0));
    assert_eq!(
        call.body_bytes - call.input_bytes,
        r#"{"url":"data:image/png;base64,AAAA"}"#.len() as u64
    );
}

#[test]
fn parts_without_a_known_bound_are_counted() {
    let parts = r#"[{"type":"file","file":{"file_id":"f"}},{"type":"video_url","video_url":{}},{"no":"type"}]"#;
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":{parts}}},{{"audio":{{"id":"x"}}}}]}}"#
    );
    assert_eq!(chat(&body).unwrap().media.unbounded, 4);
    let audio = r#"[{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}}]"#;
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{audio}}}]}}"#);
    let media = chat(&body).unwrap().media;
    assert_eq!((media.audio, media.audio_bytes, media.unbounded), (1, 30, 0));
}

#[test]
fn only_the_edited_spans_change() {
    let model = ModelName::new("gpt\"x");
    let output_cap = Some(OutputCap { tokens: 7, field: OutputField::MaxCompletionTokens });
    let edits = Edits { model: Some(&model), ask_usage: true, output_cap };
    let cases = [
        (
            "{ \"model\" : \"a\" ,\n \"messages\":[],\"x\":1.0e+2}",
            "{\"max_completion_tokens\":7, \"model\" : \"gpt\\\"x\" ,\n \"messages\":[],\"x\":1.0e+2}",
        ),
        (
            r#"{"fallbacks":["b"], "model":"a","messages":[],"max_tokens":9}"#,
            r#"{ "model":"gpt\"x","messages":[],"max_tokens":7}"#,
        ),
        (
            r#"{"model":"a","messages":[] , "fallbacks" : null }"#,
            r#"{"max_completion_tokens":7,"model":"gpt\"x","messages":[]  }"#,
        ),
        (
            r#"{"model":"a","fallbacks":[] ,"messages":[],"max_tokens":-1,"max_completion_tokens":null}"#,
            r#"{"model":"gpt\"x","messages":[],"max_tokens":7,"max_completion_tokens":7}"#,
        ),
        (
            r#"{"stream":true,"model":"a","messages":[],"max_tokens":3}"#,
            r#"{"stream_options":{"include_usage":true},"stream":true,"model":"gpt\"x","messages":[],"max_tokens":3}"#,
        ),
        (
            r#"{"stream":true,"stream_options":{ },"model":"a","messages":[],"max_tokens":3}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true },"model":"gpt\"x","messages":[],"max_tokens":3}"#,
        ),
        (
            r#"{"stream":true,"stream_options":{"include_obfuscation":false},"model":"a","messages":[],"max_tokens":3}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},"model":"gpt\"x","messages":[],"max_tokens":3}"#,
        ),
        (
            r#"{"stream":true,"stream_options":{"include_usage": false},"model":"a","messages":[],"max_tokens":3}"#,
            r#"{"stream":true,"stream_options":{"include_usage": true},"model":"gpt\"x","messages":[],"max_tokens":3}"#,
        ),
        (
            r#"{"stream":true,"stream_options":null,"model":"a","messages":[],"max_tokens":3}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true},"model":"gpt\"x","messages":[],"max_tokens":3}"#,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(edited(Operation::ChatCompletions, body, &edits), expected);
    }
}

#[test]
fn legacy_completions_get_the_only_limit_they_know_and_embeddings_none() {
    let output_cap = Some(OutputCap { tokens: 7, field: OutputField::MaxCompletionTokens });
    let edits = Edits { output_cap, ..Edits::default() };
    let completion = edited(Operation::Completions, r#"{"model":"a"}"#, &edits);
    assert_eq!(completion, r#"{"max_tokens":7,"model":"a"}"#);
    let embedding = edited(Operation::Embeddings, r#"{"model":"a","input":"x"}"#, &edits);
    assert_eq!(embedding, r#"{"model":"a","input":"x"}"#);
}

#[test]
fn usage_asked_for_by_the_caller_is_not_hidden() {
    let edits = Edits { ask_usage: true, ..Edits::default() };
    let asked = chat(
        r#"{"model":"a","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#,
    )
    .unwrap();
    let silent = chat(r#"{"model":"a","messages":[],"stream":true}"#).unwrap();
    let plain = chat(r#"{"model":"a","messages":[]}"#).unwrap();
    assert_eq!([asked, silent, plain].map(|call| edits.hides_usage(&call)), [false, true, false]);
}

#[test]
fn wrong_requests_are_refused_with_the_field_or_the_position() {
    let cases = [
        ("", None, "not valid JSON at byte 0: unexpected end"),
        ("[]", None, "not a JSON object"),
        ("{\"model\":\"a\",}", None, "not valid JSON at byte 13: expected a key"),
        ("{\"model\":\"a\",\"messages\":[]} x", None, "not valid JSON at byte 28: unexpected text"),
        ("{\"model\":\"a\",\"messages\":[NaN]}", None, "not valid JSON at byte 25"),
        (r#"{"messages":[]}"#, Some("model"), "missing required parameter 'model'"),
        (r#"{"model":"a"}"#, Some("messages"), "missing required parameter 'messages'"),
        (r#"{"model":1,"messages":[]}"#, Some("model"), "'model' must be a string, got a number"),
        (r#"{"model":" ","messages":[]}"#, Some("model"), "must hold a model name"),
        (r#"{"model":"\ud800","messages":[]}"#, Some("model"), "must hold a model name"),
        (r#"{"model":"a","messages":{}}"#, Some("messages"), "must be an array, got an object"),
        (r#"{"model":"a","messages":["x"]}"#, Some("messages"), "must be an object, got a string"),
        (r#"{"model":"a","messages":[],"stream":"yes"}"#, Some("stream"), "must be a boolean"),
        (
            r#"{"model":"a","messages":[],"stream_options":[]}"#,
            Some("stream_options"),
            "must be an object",
        ),
        (
            r#"{"model":"a","messages":[],"stream_options":{"include_usage":1}}"#,
            Some("stream_options.include_usage"),
            "must be a boolean",
        ),
        (
            r#"{"model":"a","messages":[],"max_tokens":1.5}"#,
            Some("max_tokens"),
            "must be a whole number",
        ),
        (
            r#"{"model":"a","messages":[],"max_tokens":"9"}"#,
            Some("max_tokens"),
            "must be a whole number",
        ),
        (
            r#"{"model":"a","messages":[],"n":99999999999999999999}"#,
            Some("n"),
            "must be a whole number",
        ),
        (
            r#"{"model":"a","messages":[],"fallbacks":"b"}"#,
            Some("fallbacks"),
            "must be an array of strings",
        ),
        (r#"{"model":"a","messages":[],"fallbacks":[1]}"#, Some("fallbacks"), "must be a string"),
        (r#"{"model":"a","model":"b","messages":[]}"#, Some("model"), "more than once"),
        (r#"{"model":"a","mo\u0064el":"b","messages":[]}"#, Some("model"), "more than once"),
        (r#"{"model":"a","messages":[],"Max_Tokens":1}"#, Some("Max_Tokens"), "write 'max_tokens'"),
        (
            r#"{"model":"a","messages":[],"max_to\u212aens":1}"#,
            Some("max_to\u{212a}ens"),
            "write 'max_tokens'",
        ),
    ];
    for (body, param, say) in cases {
        let refusal = chat(body).unwrap_err();
        assert_eq!((refusal.status, refusal.param.as_deref()), (400, param), "{body}");
        assert!(refusal.say.contains(say), "{body}: {}", refusal.say);
    }
    let refusal =
        read(&Asked::of(Operation::ChatCompletions), b"{\"model\":\"\xff\"}").unwrap_err();
    assert_eq!(refusal.say, "request body is not UTF-8 at byte 10");
}

#[test]
fn deep_nesting_is_refused_without_a_crash() {
    let nested = "[".repeat(1_000_000);
    let refusal = chat(&format!(r#"{{"model":"a","messages":[],"x":{nested}"#)).unwrap_err();
    assert!(refusal.say.contains("nested deeper than 128 levels"), "{}", refusal.say);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn garbage_requests_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = read(&Asked::of(Operation::ChatCompletions), &bytes);
    }

    #[test]
    fn requests_cut_short_are_refused(cut in 0_usize..150) {
        let body = r#"{"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"é\n"}]}],"max_tokens":1,"stream":true,"stream_options":{"include_usage":null}}"#;
        let cut = cut.min(body.len() - 1);
        prop_assert!(read(&Asked::of(Operation::ChatCompletions), &body.as_bytes()[..cut]).is_err());
    }
}
