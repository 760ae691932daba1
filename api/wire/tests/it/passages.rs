//! Long talks and long streams in every dialect, and their way into every other.

use bytes::Bytes;
use std::fmt::Write;
use wire::chat::{Identity, Leniency, Target};
use wire::dialect::{self, Dialect};
use wire::relay::{Relay, Translated};
use wire::splice::OutputField;
use wire::{Asked, Operation, Refusal};

/// The dialects that talks are held in.
pub(crate) fn dialects() -> impl Iterator<Item = &'static Dialect> {
    let talks = |dialect: &&Dialect| dialect.operations.contains(&Operation::ChatCompletions);
    dialect::ALL.iter().copied().filter(talks)
}

/// A talk of so many messages: questions, calls of a tool, their results, answers.
pub(crate) fn talk(from: &Dialect, messages: usize) -> Vec<u8> {
    let mut list = String::from(r#"{"role":"system","content":"Be brief."}"#);
    for at in 0..messages {
        let message = match at % 4 {
            0 => format!(
                r#"{{"role":"user","content":"What is the weather of day {at} in Kyōto?"}}"#
            ),
            1 => format!(
                r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_{at}","type":"function","function":{{"name":"weather","arguments":"{{\"day\":{at}}}"}}}}]}}"#
            ),
            2 => format!(
                r#"{{"role":"tool","tool_call_id":"call_{}","content":"{{\"rain\":true}}"}}"#,
                at - 1
            ),
            _ => format!(r#"{{"role":"assistant","content":"On day {at} it \"rains\"."}}"#),
        };
        write!(list, ",{message}").unwrap();
    }
    list.push_str(r#",{"role":"user","content":"And the day after?"}"#);
    let tool = r#"{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"day":{"type":"integer"}}}}}"#;
    let body = format!(r#"{{"model":"m","max_tokens":50,"messages":[{list}],"tools":[{tool}]}}"#)
        .into_bytes();
    let openai = &dialect::openai_chat::DIALECT;
    if from == openai { body } else { across(openai, from, &body) }
}

/// A request of one dialect, written in another.
pub(crate) fn across(from: &Dialect, to: &Dialect, body: &[u8]) -> Vec<u8> {
    let asked = Asked { model: Some("m"), ..Asked::of(Operation::ChatCompletions) };
    let call = from.call(&asked, body).unwrap();
    let request = from.request(&call, body).unwrap();
    let target = Target {
        model: "m",
        output_tokens_default: 4_096,
        output_field: OutputField::MaxTokens,
        ask_usage: true,
        reasons: true,
        leniency: Leniency::Lenient,
    };
    (to.chat.write_request)(&request, &target).unwrap().body
}

/// A stream of so many chunks with a few words each, and its end, as a provider of the dialect cuts it.
pub(crate) fn stream(from: &Dialect, chunks: usize) -> Vec<Bytes> {
    let chunk = |delta: &str, rest: &str| {
        Bytes::from(format!(
            r#"data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":{rest}}}]}}{}"#,
            "\n\n"
        ))
    };
    let mut sent = vec![chunk(r#""role":"assistant","content":"""#, "null")];
    sent.extend((0..chunks).map(|at| chunk(&format!(r#""content":" word{at} \"é\"""#), "null")));
    sent.push(chunk("", r#""stop""#));
    sent.push(Bytes::from_static(
        b"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9,\"total_tokens\":16}}\n\ndata: [DONE]\n\n",
    ));
    let openai = &dialect::openai_chat::DIALECT;
    if from == openai { sent } else { told(openai, from, &sent) }
}

/// A stream of one dialect, told in another.
pub(crate) fn told(from: &Dialect, to: &Dialect, chunks: &[Bytes]) -> Vec<Bytes> {
    let identity =
        Identity { id: "made-up".to_owned(), include_usage: true, ..Identity::default() };
    let mut relay = Box::new(Translated::new(from, to, identity));
    let mut out = Vec::new();
    for chunk in chunks {
        relay.push(chunk, &mut out).unwrap();
    }
    let end = relay.finish(&|| Refusal::provider(502, "cut", "cut"), &mut out);
    assert!(end.complete, "{} to {}: {end:?}", from.name, to.name);
    out
}
