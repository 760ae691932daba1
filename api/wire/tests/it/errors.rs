//! Errors of providers: read in every shape, said in the caller's dialect.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::dialect::openai_chat::{error_body, error_event, provider_answer, reply};
use wire::{Fault, Operation, ProviderError, Refusal, Retry};

use crate::traffic::{self, Record};

const NOW_MS: u64 = 1_759_845_400_000;

fn error(record: &Record) -> ProviderError {
    ProviderError::read(
        record.status,
        &|name| record.header(name),
        record.response_body.as_bytes(),
        NOW_MS,
    )
}

/// Status, message, type and code that the caller of a recorded error sees.
fn seen(id: &str) -> (u16, Value) {
    let record = traffic::record(id);
    let (status, body) = provider_answer(&error(&record), &record.body());
    (status, serde_json::from_slice(&body).unwrap())
}

#[test]
fn recorded_errors_keep_status_and_words_unless_the_credential_was_refused() {
    let mut count = 0;
    traffic::each(|record| {
        if record.status < 400 {
            return;
        }
        count += 1;
        let error = error(&record);
        let (status, body) = provider_answer(&error, &record.body());
        let shown: Value = serde_json::from_slice(&body).unwrap();
        let message = shown["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty(), "{}", record.id);
        if error.is_credential_refused() {
            assert_eq!(
                (status, &shown["error"]["code"]),
                (502, &json!("provider_credential_refused")),
                "{}",
                record.id
            );
            return;
        }
        assert!(![401, 402].contains(&status), "{}", record.id);
        assert_eq!(status, record.status, "{}", record.id);
        let original: Value = serde_json::from_str(&record.response_body).unwrap_or_default();
        if original["error"]["message"].is_string() {
            assert_eq!(body, record.response_body, "{}", record.id);
        } else {
            let words: String = message.chars().take(30).collect();
            let quoted = Value::from(words).to_string();
            let escaped = quoted.trim_matches('"');
            assert!(
                record.response_body.contains(escaped) || record.response_body.contains(message),
                "{}",
                record.id
            );
        }
    });
    assert!(count > 270, "{count}");
}

#[test]
fn groq_chat_01e6d8548a_failed_generation_reaches_the_caller() {
    let (status, body) = seen("groq-chat-01e6d8548a");
    assert_eq!((status, &body["error"]["failed_generation"]), (400, &json!("maybe")));
}

#[test]
fn azure_chat_e12174acb6_error_under_200_is_a_failure() {
    for (id, status, code) in [
        ("azure-chat-e12174acb6", 400, "content_filter"),
        ("openrouter-chat-854f22b3c1", 502, "502"),
    ] {
        let body = traffic::record(id).body();
        let fault = reply(Operation::ChatCompletions, &body).fault.unwrap();
        assert_eq!((fault.status, fault.code.as_deref()), (status, Some(code)), "{id}");
        assert_eq!(provider_answer(&fault, &body), (status, body), "{id}");
    }
}

#[test]
fn xai_chat_6eeb434e32_error_as_text_with_a_code_is_said_in_the_dialect() {
    let (status, body) = seen("xai-chat-6eeb434e32");
    assert_eq!(status, 404);
    let message = "The model grok-beta was deprecated on 2025-09-15 and is no longer accessible via the API. \
        Please use grok-3 instead.";
    let code = "Some requested entity was not found";
    let expected = json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}});
    assert_eq!(body, expected);
}

#[test]
fn mistral_chat_3545e11c32_message_at_the_top_is_found() {
    let (status, body) = seen("mistral-chat-3545e11c32");
    let expected = json!({"error": {"message": "Rate limit exceeded", "type": "rate_limited", "param": null, "code": "1300"}});
    assert_eq!((status, body), (429, expected));
}

#[test]
fn mistral_chat_d999cc7cab_refused_credential_is_not_the_callers_fault() {
    for id in ["mistral-chat-d999cc7cab", "llamacpp-chat-affc1735d4", "xai-chat-5d06ee2d42"] {
        let refusal = error(&traffic::record(id)).refusal();
        assert_eq!((refusal.fault, refusal.status), (Fault::Provider, 502), "{id}");
        assert_eq!(refusal.code, "provider_credential_refused", "{id}");
    }
}

#[test]
fn azure_chat_9fb8d0f95c_errors_that_are_no_json_keep_their_text() {
    for (id, status, words) in [
        ("azure-chat-9fb8d0f95c", 408, "upstream request timeout"),
        (
            "deepseek-chat-3b7b28ac5f",
            422,
            "Failed to deserialize the JSON body into the target type: messages[0]",
        ),
        (
            "huggingface-chat-db6a358d6f",
            422,
            "Failed to deserialize the JSON body into the target type: missing",
        ),
    ] {
        let (seen_status, body) = seen(id);
        assert_eq!(seen_status, status, "{id}");
        assert!(body["error"]["message"].as_str().unwrap().starts_with(words), "{id}");
    }
}

#[test]
fn deepseek_chat_694d2777e1_json_under_octet_stream_is_read() {
    let record = traffic::record("deepseek-chat-694d2777e1");
    assert_eq!(error(&record).code.as_deref(), Some("invalid_request_error"));
}

#[test]
fn openai_chat_780121800c_some_429_are_final() {
    for (id, retryable) in [
        ("openai-chat-780121800c", false),
        ("openai-chat_stream-6d78ab2251", false),
        ("openai-chat-3d47a7d3e8", true),
        ("groq-chat-0d72c50a15", true),
        ("mistral-chat-3545e11c32", true),
    ] {
        assert_eq!(error(&traffic::record(id)).retryable, retryable, "{id}");
    }
}

#[test]
fn openrouter_chat_87d988fe36_moments_in_reset_headers_are_waited_for() {
    assert_eq!(
        error(&traffic::record("openrouter-chat-87d988fe36")).refusal().retry,
        Retry::AfterMs(20_000)
    );
}

#[test]
fn groq_chat_0d72c50a15_waits_named_in_the_message_are_kept() {
    let error = error(&traffic::record("groq-chat-0d72c50a15"));
    assert!(error.retry_after_ms.is_some());
}

fn plain(status: u16, body: &'static str) -> (u16, Value) {
    let body = Bytes::from_static(body.as_bytes());
    let error = ProviderError::read(status, &|_| None, &body, NOW_MS);
    let (status, body) = provider_answer(&error, &body);
    (status, serde_json::from_slice(&body).unwrap())
}

#[test]
fn pages_empty_bodies_and_strange_values_still_make_an_error() {
    let cases = [
        (503, "", "the provider answered 503"),
        (502, "<html><h1>Bad Gateway</h1></html>", "the provider answered 502"),
        (500, "null", "null"),
        (500, "[1]", "[1]"),
        (500, "{\"error\":null}", "{\"error\":null}"),
        (
            422,
            "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"bad\"}]}",
            "[{\"loc\":[\"body\"],\"msg\":\"bad\"}]",
        ),
        (400, "{\"error\":{\"error\":{\"message\":\"deep\"}}}", "deep"),
        (404, "{\"error\":\"model 'x' not found\"}", "model 'x' not found"),
    ];
    for (status, body, message) in cases {
        let (seen, shown) = plain(status, body);
        assert_eq!((seen, &shown["error"]["message"]), (status, &json!(message)), "{body}");
        let fields: Vec<_> = shown["error"].as_object().unwrap().keys().collect();
        assert_eq!(fields.len(), 4, "{shown}");
    }
    let (status, shown) = plain(402, "{\"error\":{\"message\":\"Insufficient Balance\"}}");
    assert_eq!((status, &shown["error"]["code"]), (502, &json!("provider_credential_refused")));
    let (status, _) = plain(302, "");
    assert_eq!(status, 502);
}

#[test]
fn words_of_a_provider_behind_the_provider_are_kept() {
    let body = br#"{"error":{"message":"Provider returned error","code":403,"metadata":{"raw":"Content violates usage guidelines"}}}"#;
    let error = ProviderError::read(403, &|_| None, body, NOW_MS);
    assert_eq!(error.message, "Provider returned error: Content violates usage guidelines");
    assert!(!error.is_credential_refused() && !error.is_worth_another_target());
}

#[test]
fn refusals_have_all_four_fields() {
    let bare =
        Refusal { param: None, ..Refusal::provider(503, "all_attempts_failed", "said \"so\"\n") };
    let body = r#"{"error":{"message":"said \"so\"\n","type":"server_error","param":null,"code":"all_attempts_failed"}}"#;
    assert_eq!(error_body(&bare), body);
    assert_eq!(error_event(&bare), format!("data: {body}\n\n"));
    let named = Refusal::invalid("invalid_type", Some("n"), "no");
    let body = r#"{"error":{"message":"no","type":"invalid_request_error","param":"n","code":"invalid_type"}}"#;
    assert_eq!(error_body(&named), body);
    assert_eq!(Refusal { retry: Retry::AfterMs(1_001), ..named }.retry_after_s(), Some(2));
}
