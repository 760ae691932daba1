//! Plain answers: usage counted as the record says, failures under 200 told.

use bytes::Bytes;
use serde_json::Value;
use wire::dialect::openai_chat::{self, reply};
use wire::frame::Framing;
use wire::relay::{Completed, Relay, StreamOptions};
use wire::splice::Calls;

use crate::traffic;

#[test]
fn usage_of_recorded_answers_is_what_a_plain_reader_finds() {
    let (mut count, mut silent, mut unseen) = (0, 0, Vec::new());
    traffic::each(|record| {
        if record.status != 200 || record.is_stream() {
            return;
        }
        let reply = reply(record.operation().unwrap(), record.response_body.as_bytes());
        let body: Value = serde_json::from_str(&record.response_body).unwrap();
        assert_eq!(reply.usage, traffic::plain_usage(&body), "{}", record.id);
        let failed =
            ["azure-chat-e12174acb6", "openrouter-chat-854f22b3c1"].contains(&record.id.as_str());
        assert_eq!(reply.fault.is_some(), failed, "{}", record.id);
        if let Some(usage) = reply.usage
            && record.operation().unwrap().generates()
            && reply.output_bytes < usage.output_tokens - usage.reasoning_tokens
            && !audio(&body)
        {
            unseen.push(record.id.clone());
        }
        count += 1;
        silent += u32::from(reply.usage.is_none());
    });
    assert!(count > 2700, "{count}");
    assert!(silent < 70, "{silent}");
    // Billed, but not in the answer: reasoning that is neither shown nor counted as such.
    println!("{} of {count} answers bill more output than they show: {unseen:?}", unseen.len());
    assert!(unseen.len() < 10, "{unseen:?}");
}

/// Spoken answers have tokens for sound.
fn audio(body: &Value) -> bool {
    body.pointer("/choices/0/message/audio").is_some_and(|audio| !audio.is_null())
}

#[test]
fn garbage_under_200_is_the_providers_failure() {
    for body in ["", "<html>", "[]", "null", "{\"choices\":[{", "{\"choices\":[]} trailing"] {
        let fault = reply(wire::Operation::ChatCompletions, body.as_bytes()).fault;
        assert_eq!(fault.unwrap().status, 502, "{body}");
    }
}

#[test]
fn usage_of_any_type_is_tolerated() {
    let cases = [
        (r#"{"prompt_tokens":1,"completion_tokens":2.5,"total_tokens":null}"#, Some((1, 3))),
        (r#"{"prompt_tokens":-1,"completion_tokens":"2"}"#, Some((0, 0))),
        (
            r#"{"prompt_tokens":1e2,"prompt_tokens_details":[],"completion_tokens_details":"x"}"#,
            Some((100, 0)),
        ),
        (r#"{"total_tokens":7}"#, Some((7, 0))),
        (r#"{"input_tokens":7,"output_tokens":8,"prompt_tokens":{}}"#, Some((7, 8))),
        ("{}", None),
        ("null", None),
        ("3", None),
    ];
    for (usage, expected) in cases {
        let body = format!(r#"{{"choices":[{{}}],"usage":{usage}}}"#);
        let found = reply(wire::Operation::ChatCompletions, body.as_bytes()).usage;
        assert_eq!(
            found.map(|usage| (usage.input_tokens, usage.output_tokens)),
            expected,
            "{usage}"
        );
    }
}

/// Every recorded answer and stream of Mistral's with calls: each gets what it lacks, nothing else changes.
#[test]
fn calls_without_a_type_get_one_and_every_other_byte_stays() {
    let options = StreamOptions { hide_usage: false, answers: 1, framing: Framing::Sse };
    let bare = |text: &str| text.replace("\"type\":\"function\",", "");
    let (mut plain, mut streams) = (0, 0);
    traffic::each_of(&["chat", "chat_stream"], |record| {
        if !record.id.starts_with("mistral") || record.status != 200 {
            return;
        }
        let body = record.body();
        if !record.is_stream() {
            let told = Calls::answer(&body);
            plain += u32::from(told != body);
            let told: Value = serde_json::from_slice(&told).unwrap();
            let calls = told["choices"][0]["message"]["tool_calls"].as_array();
            let typed = |call: &Value| call["type"] == "function";
            assert!(calls.into_iter().flatten().all(typed), "{}", record.id);
            return;
        }
        for size in [1, 97, body.len().max(1)] {
            let mut relay = Completed::new((openai_chat::DIALECT.relay)(&options));
            let mut out = Vec::new();
            body.chunks(size)
                .for_each(|piece| relay.push(&Bytes::copy_from_slice(piece), &mut out).unwrap());
            let end = Box::new(relay).finish(&|| unreachable!("it is whole"), &mut out);
            assert!(end.complete, "{}", record.id);
            let told = String::from_utf8(out.concat()).unwrap();
            let begun = told.matches("\"type\":\"function\",").count();
            streams += u32::from(begun > 0 && size == 1);
            if record.id == "mistral-chat_stream-82b56fc94c" {
                assert!(told.contains("{\"type\":\"function\",\"index\":0,"), "{told}");
            } else {
                assert_eq!(bare(&told), bare(&record.response_body), "{}", record.id);
            }
        }
    });
    assert!(plain > 90 && streams > 2, "{plain} {streams}");
}
