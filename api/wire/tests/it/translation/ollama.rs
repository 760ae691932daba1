//! Ollama's own chat, in and out.

use bytes::Bytes;
use serde_json::Value;
use wire::chat::{Body, Event, Finish, Identity, WriteStream};
use wire::dialect::ollama_chat::{
    DIALECT, StreamReading, StreamWriting, read_answer, read_request, write_answer, write_request,
};
use wire::frame::Framing;
use wire::relay::StreamOptions;
use wire::splice::{self, Edits, OutputField};
use wire::{Asked, Operation};

use super::meaning;
use super::support::{collected, cuts, difference, events, target};
use crate::traffic::{self, record};

fn read(body: &[u8], cuts: Vec<usize>) -> Vec<Event> {
    events(Box::new(StreamReading::new()), body, cuts)
}

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut faults) = (0, Vec::new());
    traffic::each_of(&["ollama_chat", "ollama_chat_stream"], |record| {
        let Some(body) = record.request().filter(|_| record.request_body.is_object()) else {
            return;
        };
        count += 1;
        let call = (DIALECT.read)(&Asked::of(Operation::ChatCompletions), &body).unwrap();
        assert_eq!(splice::apply(&call, &Edits::default(), &body).concat(), body);
        assert_eq!(call.stream, record.request_body["stream"].as_bool() != Some(false));
        let request =
            read_request(&body).unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let written =
            write_request(&request, &target(&request.model, OutputField::MaxTokens)).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        faults.extend(
            difference(&record.request_body, &again).map(|what| format!("{} {what}", record.id)),
        );
        assert_eq!(read_request(&written.body).unwrap(), request, "{}", record.id);
    });
    faults.retain(|fault| !fault.contains(".options: {}"));
    println!("{count} requests");
    assert_eq!(faults, [] as [String; 0], "{faults:#?}");
    assert!(count > 38, "{count}");
}

#[test]
fn recorded_answers_keep_their_meaning() {
    let mut count = 0;
    traffic::each_of(&["ollama_chat"], |record| {
        if record.status != 200 {
            return;
        }
        let answer = read_answer(record.response_body.as_bytes()).unwrap();
        let again = read_answer(&write_answer(&answer, &Identity::default())).unwrap();
        assert_eq!(meaning::of(&again), meaning::of(&answer), "{}", record.id);
        assert_eq!(again.created_s, answer.created_s, "{}", record.id);
        assert!(answer.created_s.is_some());
        count += 1;
    });
    assert!(count > 32, "{count}");
}

/// Row 14.
#[test]
fn ollama_ollama_chat_stream_48c823fa9b_and_all_others_mean_the_same_however_they_are_cut() {
    let mut count = 0_u64;
    traffic::each_of(&["ollama_chat_stream"], |record| {
        count += 1;
        let body = Bytes::from(record.bytes());
        let said = read(&body, vec![]);
        assert_eq!(read(&body, cuts(body.len(), count)), said, "{}", record.id);
        let (answer, _, whole) = collected(&said);
        assert!(whole, "{}", record.id);
        let mut writer = StreamWriting::new(Identity::default());
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        let (again, _, whole) = collected(&read(&out, vec![]));
        assert!(whole);
        assert_eq!(meaning::of(&again).choices, meaning::of(&answer).choices, "{}", record.id);
        let options = StreamOptions { hide_usage: false, answers: 1, framing: Framing::NdJson };
        let mut relay = (DIALECT.relay)(&options);
        let mut passed = Vec::new();
        relay.push(&body, &mut passed).unwrap();
        let end = relay.finish(&|| unreachable!("it is whole"), &mut passed);
        assert_eq!((passed.concat(), end.complete), (body.to_vec(), true), "{}", record.id);
        assert_eq!(end.counts, answer.counts);
    });
    assert!(count > 20, "{count}");
}

/// Row 38.
#[test]
fn ollama_ollama_chat_6e9e3a5d25_has_calls_without_ids_which_get_some_that_stay() {
    let body = record("ollama-ollama_chat-6e9e3a5d25").response_body;
    let ids = || -> Vec<String> {
        let answer = read_answer(body.as_bytes()).unwrap();
        let calls = answer.choices[0].parts.iter().filter_map(|part| match &part.body {
            Body::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        });
        calls.collect()
    };
    let first = ids();
    assert_eq!(first.len(), 2);
    assert_ne!(first[0], first[1]);
    assert!(first.iter().all(|id| id.len() > 5));
    assert_eq!(ids(), first);
}

/// Row 41.
#[test]
fn ollama_ollama_chat_f7ecffa6e1_has_arguments_that_are_an_object() {
    let body = record("ollama-ollama_chat-f7ecffa6e1").response_body;
    let answer = read_answer(body.as_bytes()).unwrap();
    let openai = wire::dialect::openai_chat::chat::write_answer(&answer, &Identity::default());
    let openai: Value = serde_json::from_slice(&openai).unwrap();
    let call = &openai["choices"][0]["message"]["tool_calls"][0]["function"];
    assert!(
        serde_json::from_str::<Value>(call["arguments"].as_str().unwrap()).unwrap().is_object()
    );
}

/// Row 42.
#[test]
fn ollama_ollama_chat_stream_48c823fa9b_calls_before_it_is_done_and_says_stop() {
    let said =
        read(record("ollama-ollama_chat_stream-48c823fa9b").response_body.as_bytes(), vec![]);
    let (answer, _, _) = collected(&said);
    assert_eq!(answer.choices[0].finish, Some(Finish::Stop));
    let calls = answer.choices[0].parts.iter().any(wire::chat::Part::is_client_call);
    assert!(calls);
    assert_eq!(Finish::settled(answer.choices[0].finish.clone(), calls), Finish::ToolCalls);
}

/// Row 69.
#[test]
fn ollama_ollama_chat_8bdc0c7e57_says_its_error_as_a_bare_text() {
    let record = record("ollama-ollama_chat-8bdc0c7e57");
    let body = record.body();
    let error = wire::ProviderError::read(record.status, &|name| record.header(name), &body, 0);
    assert_eq!(error.message, "model 'nonexistent-model:latest' not found");
    assert_eq!((DIALECT.provider_answer)(&error, &body), (404, body));
}
