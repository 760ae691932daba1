//! Habits of Gemini and Vertex that break naive translators, one record each: what callers of other
//! faces get is what the record means.

use serde_json::{Value, json};
use wire::chat::{Answer, Finish, Identity};
use wire::dialect::{anthropic_messages as anthropic, gemini, openai_chat::chat as openai};
use wire::frame::Framing;
use wire::splice::OutputField;

use super::support::{collected, events, target};
use crate::traffic;

/// The answer of a record, its stream cut into pieces of 11 bytes; the failure and whether it is whole.
fn answer(id: &str) -> (Answer, Option<wire::ProviderError>, bool) {
    let record = traffic::record(id);
    let body = record.response_body.as_bytes();
    if !record.is_stream() {
        return (gemini::read_answer(body).unwrap(), None, true);
    }
    let array = record.response_body.trim_start().starts_with('[');
    let framing = if array { Framing::JsonArray } else { Framing::Sse };
    let reader = gemini::StreamReading::of(framing);
    collected(&events(Box::new(reader), body, (0..body.len()).step_by(11)))
}

fn to_openai(id: &str) -> Value {
    serde_json::from_slice(&openai::write_answer(&answer(id).0, &Identity::default())).unwrap()
}

fn to_anthropic(id: &str) -> Value {
    serde_json::from_slice(&anthropic::write_answer(&answer(id).0, &Identity::default())).unwrap()
}

#[test]
fn gemini_gemini_stream_7925025246_line_ends_of_two_bytes_and_no_done() {
    let answer = to_openai("gemini-gemini_stream-7925025246");
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(answer["usage"]["total_tokens"], 177);
}

#[test]
fn vertex_gemini_stream_71aa466ae2_plain_json_after_good_events_is_a_failure() {
    let (_, failed, whole) = answer("vertex-gemini_stream-71aa466ae2");
    assert_eq!((failed.unwrap().status, whole), (499, false));
}

#[test]
fn gemini_gemini_stream_775db5b905_a_plain_error_instead_of_a_stream_is_told() {
    let (_, failed, whole) = answer("gemini-gemini_stream-775db5b905");
    let failed = failed.unwrap();
    assert_eq!((failed.status, whole), (404, false));
    assert!(failed.message.contains("is not found"));
}

#[test]
fn gemini_gemini_stream_554a1ce85e_one_array_is_a_stream_as_well() {
    for (id, words) in
        [("gemini-gemini_stream-554a1ce85e", "Vast"), ("vertex-gemini_stream-9784dce43d", "I told")]
    {
        let (answer, _, whole) = answer(id);
        assert!(whole, "{id}");
        let said: Value =
            serde_json::from_slice(&openai::write_answer(&answer, &Identity::default())).unwrap();
        assert!(said["choices"][0]["message"]["content"].as_str().unwrap().starts_with(words));
        assert_eq!(said["choices"][0]["finish_reason"], "stop");
    }
}

#[test]
fn gemini_gemini_generate_ca8a158e05_stop_beside_calls_without_ids_and_arguments() {
    let both = to_openai("gemini-gemini_generate-ca8a158e05");
    let calls = both["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone();
    assert_eq!(both["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(both, to_openai("gemini-gemini_generate-ca8a158e05"));
    let bare = to_openai("vertex-gemini_generate-75c3dcf3bf");
    let call = &bare["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call, &json!({"name": "current_time", "arguments": "{}"}));
}

/// The parts of the model's turn after the caller sent its message back.
fn sent_back(body: &Value, read: fn(&[u8]) -> Result<wire::chat::Request, wire::Refusal>) -> Value {
    let request = read(body.to_string().as_bytes()).unwrap();
    let target = target("gemini-3-pro-preview", OutputField::MaxTokens);
    let written = gemini::write_request(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    body["contents"][1]["parts"].clone()
}

#[test]
fn gemini_gemini_generate_5a30d22ae9_the_signature_of_a_call_comes_back_from_every_face() {
    let id = "gemini-gemini_generate-5a30d22ae9";
    let message = to_openai(id)["choices"][0]["message"].clone();
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}, message]});
    let parts = sent_back(&body, openai::read_request);
    assert_eq!(parts[0]["thoughtSignature"], "signature_REDACTED_1");
    assert_eq!(parts[0]["functionCall"]["args"], json!({"x": 21, "y": 21}));
    let content = to_anthropic(id)["content"].clone();
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": content}]});
    let parts = sent_back(&body, anthropic::read_request);
    assert_eq!(parts[0]["thoughtSignature"], "signature_REDACTED_1");
}

#[test]
fn gemini_gemini_stream_25d896b40f_the_signature_of_an_empty_text_comes_back() {
    let message = to_openai("gemini-gemini_stream-25d896b40f")["choices"][0]["message"].clone();
    assert_eq!(message["content"], "17 squared is 289.");
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}, message]});
    let parts = sent_back(&body, openai::read_request);
    let signed =
        parts.as_array().unwrap().iter().find(|part| part.get("thoughtSignature").is_some());
    assert_eq!(signed.unwrap()["thoughtSignature"], "signature_REDACTED_2");
}

#[test]
fn calls_of_other_models_are_sent_with_what_google_tells_to_send() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "b", "content": "two"},
        {"role": "tool", "tool_call_id": "a", "content": "{\"one\": 1}"}]});
    let parts = sent_back(&body, openai::read_request);
    assert_eq!(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(parts[1].get("thoughtSignature"), None);
    let request = openai::read_request(body.to_string().as_bytes()).unwrap();
    let target = target("gemini-2.5-pro", OutputField::MaxTokens);
    let written = gemini::write_request(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!(body["contents"][1]["parts"][0].get("thoughtSignature"), None);
    let results = &body["contents"][2]["parts"];
    assert_eq!(
        results[0]["functionResponse"],
        json!({"id": "b", "name": "g", "response": {"output": "two"}})
    );
    assert_eq!(results[1]["functionResponse"]["response"], json!({"one": 1}));
}

#[test]
fn gemini_gemini_generate_cb0859f2b1_thoughts_are_not_the_answer() {
    let message = to_openai("gemini-gemini_generate-cb0859f2b1")["choices"][0]["message"].clone();
    assert!(message["reasoning_content"].as_str().unwrap().starts_with("**Defining"));
    assert!(message["content"].as_str().unwrap().starts_with("To compute"));
}

#[test]
fn gemini_gemini_generate_28ad445da1_thoughts_and_what_tools_read_are_billed() {
    let usage = to_openai("gemini-gemini_generate-28ad445da1")["usage"].clone();
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(2278), &json!(62)));
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 1081);
    let thought_only = to_openai("gemini-gemini_generate-956c80f9cf");
    assert_eq!(thought_only["usage"]["completion_tokens"], 499);
    assert_eq!(thought_only["choices"][0]["finish_reason"], "length");
}

#[test]
fn gemini_gemini_stream_a738b23979_nothing_but_a_reason_is_an_answer_that_was_filtered() {
    for (id, reason) in [
        ("gemini-gemini_stream-a738b23979", "content_filter"),
        ("gemini-gemini_generate-ee45ca2f14", "content_filter"),
        ("vertex-gemini_stream-db0c881bcb", "content_filter"),
        ("gemini-gemini_generate-89ad81a238", "stop"),
    ] {
        assert!(answer(id).2, "{id}");
        assert_eq!(to_openai(id)["choices"][0]["finish_reason"], reason, "{id}");
        to_anthropic(id);
    }
}

#[test]
fn vertex_gemini_generate_153f42819d_unknown_reasons_and_numbers_do_not_fail() {
    let finish = |id: &str| answer(id).0.choices[0].finish.clone().unwrap();
    let other = |word: &str| Finish::Other(word.to_owned());
    assert_eq!(finish("vertex-gemini_generate-153f42819d"), other("UNEXPECTED_TOOL_CALL"));
    assert_eq!(finish("vertex-gemini_generate-b4a719ce95"), other("FAKE_NEW_FINISH_REASON"));
    assert_eq!(finish("gemini-gemini_generate-1af720f6a6"), Finish::Stop);
    let call = to_openai("gemini-gemini_generate-1af720f6a6")["choices"][0].clone();
    assert_eq!(call["finish_reason"], "tool_calls");
}

#[test]
fn gemini_gemini_generate_862cadf8d7_the_wait_stands_in_the_body() {
    let record = traffic::record("gemini-gemini_generate-862cadf8d7");
    let error = gemini::read_error(record.response_body.as_bytes());
    assert_eq!(error.status, 429);
    // A quota by the minute is worth the wait that it names.
    let wait = wire::retry_after::from_body(record.response_body.as_bytes());
    assert_eq!(wait, Some(34_400));
}

#[test]
fn vertex_gemini_stream_d74f4c0ebb_arguments_come_value_by_value() {
    let answer = to_openai("vertex-gemini_stream-d74f4c0ebb");
    let calls = answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone();
    assert_eq!(calls[0]["function"]["name"], "cookRecipe");
    for call in calls {
        let arguments: Value =
            serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        assert!(!arguments.as_object().unwrap().is_empty());
    }
}
