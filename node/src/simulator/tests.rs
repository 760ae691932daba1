//! The simulated provider over its own socket.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

fn start() -> Simulator {
    let api_keys = vec!["k".to_owned()];
    let models = vec!["m".to_owned()];
    Simulator::start(Settings { api_keys, models, output_tokens: 5, ..Settings::default() })
        .unwrap()
}

/// Sends one request on a connection of its own and reads to the end. A cut connection ends the text.
fn ask(simulator: &Simulator, path: &str, headers: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(simulator.local_addr()).unwrap();
    let method = if body.is_empty() { "GET" } else { "POST" };
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n{headers}");
    write!(socket, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = Vec::new();
    // A reset instead of an orderly end is how a cut answer may look; what came before it counts.
    drop(socket.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

fn chat(simulator: &Simulator, headers: &str, more: &str) -> String {
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}]{more}}}"#);
    ask(simulator, "/v1/chat/completions", &format!("authorization: Bearer k\r\n{headers}"), &body)
}

/// Bytes of `messages` in [`chat`], as tokens.
const INPUT: u64 = 8;

#[test]
fn a_plain_chat_is_answered_and_billed() {
    let simulator = start();
    let answer = chat(&simulator, "", "");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(r#""completion_tokens":5,"#), "{answer}");
    let billed = simulator.billed();
    assert_eq!((billed.requests, billed.input_tokens, billed.output_tokens), (1, INPUT, 5));
    assert_eq!(billed.nano_usd, (INPUT * 1_000 + 5 * 4_000) as i64);
}

#[test]
fn the_same_question_gets_the_same_answer() {
    let simulator = start();
    let without_date = |answer: String| {
        answer.lines().filter(|line| !line.starts_with("date")).collect::<String>()
    };
    assert_eq!(without_date(chat(&simulator, "", "")), without_date(chat(&simulator, "", "")));
}

#[test]
fn a_stream_ends_with_usage_and_done_and_bills_each_token() {
    let simulator = start();
    let answer = chat(
        &simulator,
        "",
        r#","stream":true,"stream_options":{"include_usage":true},"max_tokens":3"#,
    );
    assert_eq!(answer.matches(r#""delta":{"content":"#).count(), 3, "{answer}");
    assert!(answer.contains(r#""finish_reason":"length""#), "{answer}");
    assert!(
        answer.contains(r#""choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3,"#),
        "{answer}"
    );
    assert!(answer.contains("data: [DONE]\n\n"), "{answer}");
    assert_eq!(simulator.billed().output_tokens, 3);
    assert_eq!(simulator.billed().abandoned, 0);
}

#[test]
fn a_cut_stream_bills_what_was_written_and_never_says_done() {
    let simulator = start();
    let answer = chat(&simulator, "x-sim: cut_after=2\r\n", r#","stream":true"#);
    assert!(!answer.contains("[DONE]"), "{answer}");
    assert_eq!(answer.matches(r#""delta":{"content":"#).count(), 2, "{answer}");
    assert_eq!(simulator.billed().output_tokens, 2);
    assert_eq!(simulator.billed().abandoned, 1);
}

#[test]
fn a_caller_who_leaves_stops_the_bill_of_an_endless_stream() {
    let simulator = start();
    let mut socket = TcpStream::connect(simulator.local_addr()).unwrap();
    let body = r#"{"model":"m","messages":["sim{endless}"],"stream":true}"#;
    write!(
        socket,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: s\r\nauthorization: Bearer k\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut some = [0; 4_096];
    assert!(socket.read(&mut some).unwrap() > 0);
    drop(socket);
    // Each look is a request of its own on the thread that also has to notice the caller has gone.
    while simulator.billed().abandoned == 0 {
        ask(&simulator, "/_sim/billed", "", "");
    }
    let then = simulator.billed().output_tokens;
    ask(&simulator, "/_sim/billed", "", "");
    assert_eq!(simulator.billed().output_tokens, then);
}

#[test]
fn a_wrong_key_and_an_unknown_model_are_refused_and_cost_nothing() {
    let simulator = start();
    let body = r#"{"model":"m","messages":[]}"#;
    let answer = ask(&simulator, "/v1/chat/completions", "authorization: Bearer x\r\n", body);
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_api_key"), "{answer}");
    let body = r#"{"model":"other","messages":[]}"#;
    let answer = ask(&simulator, "/v1/chat/completions", "authorization: Bearer k\r\n", body);
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("model_not_found"), "{answer}");
    assert_eq!((simulator.billed().requests, simulator.billed().refused), (0, 2));
}

#[test]
fn a_standing_behaviour_refuses_as_often_as_it_was_told() {
    let simulator = start();
    let told = r#"{"status":429,"retry_after_s":7,"times":1}"#;
    assert!(ask(&simulator, "/_sim/behave", "", told).starts_with("HTTP/1.1 200"));
    let refused = chat(&simulator, "", "");
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 7"), "{refused}");
    assert!(chat(&simulator, "", "").starts_with("HTTP/1.1 200"));
    assert!(ask(&simulator, "/_sim/behave", "", r#"{"odd":1}"#).starts_with("HTTP/1.1 400"));
}

#[test]
fn trouble_of_every_kind_can_be_had() {
    let simulator = start();
    let cut = chat(&simulator, "x-sim: cut_after=1\r\n", "");
    assert!(cut.contains("200 OK") && !cut.ends_with('}'), "{cut}");
    assert!(chat(&simulator, "x-sim: garbage\r\n", "").contains("oops"));
    assert!(!chat(&simulator, "x-sim: no_usage\r\n", "").contains("usage"));
    assert!(
        chat(&simulator, "x-sim: huge_line_bytes=100000\r\n", r#","stream":true"#).len() > 100_000
    );
    assert!(chat(&simulator, "x-sim: first_byte_ms=1,latency_ms=1\r\n", "").contains("200 OK"));
    assert!(chat(&simulator, "x-sim: latncy=1\r\n", "").contains("unknown behaviour"));
}

#[test]
fn the_books_are_told_and_begun_anew() {
    let simulator = start();
    chat(&simulator, "", "");
    let told = ask(&simulator, "/_sim/billed", "", "");
    assert!(told.contains(r#""lines":[{"key":"k","model":"m","requests":1,"#), "{told}");
    ask(&simulator, "/_sim/reset", "", "{}");
    assert_eq!(simulator.billed(), Billed::default());
}
