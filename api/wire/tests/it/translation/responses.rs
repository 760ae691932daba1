//! OpenAI's Responses, in and out.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::chat::{Identity, WriteStream, replay};
use wire::dialect::openai_responses::{
    NAME, StreamReading, StreamWriting, read_answer, read_request, write_answer, write_request,
};
use wire::splice::OutputField;

use super::support::{collected, cuts, difference, events, target};
use super::{meaning, valid};
use crate::traffic;

const OPERATIONS: [&str; 2] = ["responses", "responses_stream"];

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut refused, mut faults) = (0, Vec::new(), Vec::new());
    traffic::each_of(&OPERATIONS, |record| {
        let Some(body) = record.request() else { return };
        count += 1;
        let request = match read_request(&body) {
            Ok(request) => request,
            Err(refusal) => {
                return refused.push(format!("{} {}: {}", record.id, record.status, refusal.say));
            }
        };
        let target = target(&request.model, OutputField::MaxTokens);
        let written = write_request(&request, &target).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        if let Some(what) = difference(&record.request_body, &again) {
            faults.push(format!("{}{what}", record.id));
        }
    });
    println!("{count} requests; refused: {refused:#?}; {} differ", faults.len());
    assert!(count > 950, "{count}");
    assert_eq!(faults, Vec::<String>::new());
    // Stored prompts name their model themselves; a gateway has to know it.
    assert!(refused.len() < 7, "{}", refused.len());
}

#[test]
fn recorded_answers_are_said_again_item_by_item() {
    let (mut count, mut failed) = (0, BTreeMap::new());
    traffic::each_of(&["responses"], |record| {
        if record.status != 200 {
            return;
        }
        let body: Value = serde_json::from_str(&record.response_body).unwrap();
        let answer = match read_answer(record.response_body.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => {
                failed.insert(record.id, error.message);
                return;
            }
        };
        assert_eq!(answer.dialect, NAME);
        let again: Value =
            serde_json::from_slice(&write_answer(&answer, &Identity::default())).unwrap();
        for key in ["id", "object", "model", "output"] {
            assert_eq!(difference(&body[key], &again[key]), None, "{} {key}", record.id);
        }
        for key in ["input_tokens", "output_tokens"] {
            // One counts below nothing.
            if let Some(told) = body["usage"][key].as_u64() {
                assert_eq!(again["usage"][key], told, "{} {key}", record.id);
            }
        }
        if ["completed", "incomplete"].contains(&body["status"].as_str().unwrap()) {
            assert_eq!(
                meaning::of(&read_answer(again.to_string().as_bytes()).unwrap()),
                meaning::of(&answer)
            );
        }
        let (replayed, _, whole) = collected(&replay(&answer));
        assert!(whole);
        assert_eq!(replayed, answer, "{}", record.id);
        count += 1;
    });
    println!("{count} answers, failed: {failed:#?}");
    assert!(count > 770, "{count}");
}

#[test]
fn recorded_streams_mean_the_same_however_they_are_cut_and_are_said_again() {
    let (mut count, mut whole_count, mut shortened) = (0_u64, 0, Vec::new());
    traffic::each_of(&["responses_stream"], |record| {
        if record.status != 200 {
            return;
        }
        count += 1;
        let body = record.response_body.as_bytes();
        let read = |cuts: Vec<usize>| events(Box::new(StreamReading::new()), body, cuts);
        let said = read(vec![]);
        assert_eq!(read(cuts(body.len(), count)), said, "{}", record.id);
        let (answer, failed, whole) = collected(&said);
        assert!(whole != failed.is_some(), "{}", record.id);
        whole_count += u32::from(whole);
        let mut writer = StreamWriting::new(Identity::default());
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        let text = std::str::from_utf8(&out).unwrap();
        valid::responses(text);
        let (again, _, whole_again) = collected(&events(Box::new(StreamReading::new()), &out, []));
        assert_eq!(whole_again, whole, "{}", record.id);
        if whole {
            assert_eq!(meaning::of(&again), meaning::of(&answer), "{}", record.id);
            // The last event says the whole answer once more, as a plain one does.
            let last = last_response(&record.response_body);
            let plain = read_answer(last.to_string().as_bytes()).unwrap();
            // Codex gets none of the output at the end.
            let told = !plain.choices[0].parts.is_empty();
            if told && meaning::of(&answer) != meaning::of(&plain) {
                shortened.push(record.id);
            }
        }
    });
    // Their projects left events out and kept the whole answer at the end.
    println!("{count} streams, {whole_count} whole; shortened where kept: {shortened:#?}");
    assert!(count > 245 && whole_count > 243, "{count} {whole_count}");
    assert!(shortened.len() < 9, "{shortened:?}");
}

/// The response that the last event holds.
fn last_response(stream: &str) -> Value {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let ends = ["response.completed", "response.incomplete"];
    let last = events.rfind(|event| ends.iter().any(|end| event["type"] == *end));
    last.unwrap()["response"].clone()
}
