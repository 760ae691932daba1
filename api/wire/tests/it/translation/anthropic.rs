//! Anthropic's dialect, in and out.

use serde_json::Value;
use wire::Refusal;
use wire::chat::{Answer, Event, Identity, WriteStream, replay};
use wire::dialect::anthropic_messages::{
    NAME, StreamReading, StreamRelay, StreamWriting, read, read_answer, read_request, reply,
    write_answer, write_request,
};
use wire::relay::Relay;
use wire::splice::OutputField;

use super::support::{CHAT, collected, cuts, difference, events, target};
use crate::traffic;

const OPERATIONS: [&str; 2] = ["messages", "messages_stream"];

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut faults) = (0, Vec::new());
    traffic::each_of(&OPERATIONS, |record| {
        let Some(body) = record.request() else { return };
        let has = |key: &str| record.request_body.get(key).is_some();
        if !has("model") || !has("messages") {
            // Vertex has the model in its path; one quoted request is not whole.
            return;
        }
        count += 1;
        let request =
            read_request(&body).unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let written =
            write_request(&request, &target(&request.model, OutputField::MaxTokens)).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        faults.extend(
            difference(&record.request_body, &again).map(|what| format!("{}{what}", record.id)),
        );
        let call = read(&CHAT, &body).unwrap();
        assert_eq!(call.model, request.model);
        assert_eq!(
            (Some(call.stream), call.output_tokens_max),
            (Some(request.stream == Some(true)), request.output_tokens_max)
        );
    });
    println!("{count} requests, {} differ", faults.len());
    assert!(count > 780, "{count}");
    // The field's older place is not kept.
    let legacy = faults.iter().filter(|fault| fault.contains(".output_format")).count();
    assert_eq!(faults.len(), legacy, "{faults:#?}");
}

#[test]
fn recorded_answers_are_said_again_with_the_same_content_and_usage() {
    let mut count = 0;
    traffic::each_of(&["messages"], |record| {
        if record.status != 200 {
            return;
        }
        let body: Value = serde_json::from_str(&record.response_body).unwrap();
        let answer = read_answer(record.response_body.as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let again: Value =
            serde_json::from_slice(&write_answer(&answer, &Identity::default())).unwrap();
        for key in ["id", "type", "role", "model", "content", "stop_sequence"] {
            assert_eq!(difference(&body[key], &again[key]), None, "{} {key}", record.id);
        }
        let counted = ["input_tokens", "output_tokens", "cache_read_input_tokens"];
        for key in counted.into_iter().chain(["cache_creation_input_tokens"]) {
            let known = body["usage"][key].as_u64().unwrap_or(0);
            assert_eq!(again["usage"][key], known, "{} {key}", record.id);
        }
        let metered = reply(record.response_body.as_bytes());
        assert_eq!(metered.usage, answer.counts, "{}", record.id);
        let (replayed, _, whole) = collected(&replay(&answer));
        assert!(whole);
        assert_eq!(replayed, answer, "{}", record.id);
        count += 1;
    });
    println!("{count} answers");
    assert!(count > 570, "{count}");
}

#[test]
fn recorded_streams_mean_the_same_however_they_are_cut_and_are_said_again() {
    let (mut count, mut whole_count) = (0_u64, 0);
    traffic::each_of(&["messages_stream"], |record| {
        if record.status != 200 {
            return;
        }
        count += 1;
        let body = record.response_body.as_bytes();
        let read = |cuts: Vec<usize>| events(Box::new(StreamReading::new()), body, cuts);
        let said = read(vec![]);
        for seed in [count, !count] {
            assert_eq!(read(cuts(body.len(), seed)), said, "{}", record.id);
        }
        let (answer, failed, whole) = collected(&said);
        assert_eq!(answer.dialect, NAME);
        whole_count += u32::from(whole);
        let mut relay = Box::new(StreamRelay::new());
        let mut passed = Vec::new();
        relay.push(&record.body(), &mut passed).unwrap();
        let cut = || Refusal::provider(502, "cut", "cut");
        let end = relay.finish(&cut, &mut passed);
        // Something is added only where the stream was cut.
        assert_eq!(passed.len() == 1, whole || failed.is_some(), "{}", record.id);
        assert_eq!(
            (end.complete, end.counts, end.error.is_some()),
            (whole, answer.counts, failed.is_some()),
            "{}",
            record.id
        );
        let mut writer = StreamWriting::new(Identity::default());
        let mut out = Vec::new();
        said.iter().for_each(|event: &Event| writer.event(event, &mut out));
        let (again, _, whole_again) = collected(&events(Box::new(StreamReading::new()), &out, []));
        assert_eq!(whole_again, whole, "{}", record.id);
        // What class of service it was concerns whoever pays, and is told to nobody else.
        let served = |mut answer: Answer| {
            answer.counts.iter_mut().for_each(|counts| counts.service = None);
            answer
        };
        if whole {
            assert_eq!(served(again), served(answer), "{}", record.id);
        }
    });
    println!("{count} streams, {whole_count} whole");
    assert!(count > 240 && whole_count > 240, "{count} {whole_count}");
}
