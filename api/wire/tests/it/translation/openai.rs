//! OpenAI's chat dialect, in and out.

use std::collections::BTreeMap;

use serde_json::Value;
use wire::chat::{Identity, WriteStream, replay};
use wire::dialect::openai_chat;
use wire::dialect::openai_chat::chat::{
    StreamReading, StreamWriting, read_answer, read_request, write_answer, write_request,
};
use wire::splice::OutputField;

use super::support::{CHAT, collected, cuts, difference, events, target};
use super::{meaning, valid};
use crate::traffic;

/// Why a request is not said again exactly as it was.
fn accepted(fault: &str) -> Option<&'static str> {
    let reasons = [
        (".stop: \"", "one text to stop at becomes a list of one"),
        (".tool_choice: \"any\"", "'any' is Mistral's other word for 'required'"),
        (".type: \"(absent)\"", "a function's type is told where it was left out"),
        (".image_url: \"", "a bare address becomes an object with it"),
    ];
    reasons.iter().find(|(mark, _)| fault.contains(mark)).map(|(_, reason)| *reason)
}

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut refused, mut faults) = (0, Vec::new(), Vec::new());
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    traffic::each_of(&["chat", "chat_stream"], |record| {
        let Some(body) = record.request() else { return };
        if openai_chat::read(&CHAT, &body).is_err() {
            // Azure has the model in its path; some are wrong on purpose.
            return;
        }
        count += 1;
        let request = match read_request(&body) {
            Ok(request) => request,
            Err(refusal) => return refused.push(format!("{}: {}", record.id, refusal.say)),
        };
        let newer = !record.request_body["max_completion_tokens"].is_null();
        let field = if newer { OutputField::MaxCompletionTokens } else { OutputField::MaxTokens };
        let written = write_request(&request, &target(&request.model, field)).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        let Some(what) = difference(&record.request_body, &again) else { return };
        match accepted(&what) {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None => faults.push(format!("{}{what}", record.id)),
        }
    });
    println!("{count} requests; refused: {refused:#?}; said otherwise: {reasons:#?}");
    assert!(count > 3400, "{count}");
    assert_eq!(faults, Vec::<String>::new());
    assert!(refused.len() < 12, "{}", refused.len());
}

#[test]
fn recorded_answers_are_said_again_with_the_same_meaning() {
    let mut count = 0;
    traffic::each_of(&["chat"], |record| {
        let body = record.response_body.as_bytes();
        if record.status != 200 {
            return;
        }
        let Ok(answer) = read_answer(body) else {
            assert!(openai_chat::reply(wire::Operation::ChatCompletions, body).fault.is_some());
            return;
        };
        let metered = openai_chat::reply(wire::Operation::ChatCompletions, body);
        assert_eq!(metered.usage, answer.counts, "{}", record.id);
        let again = read_answer(&write_answer(&answer, &Identity::default())).unwrap();
        assert_eq!(meaning::of(&again), meaning::of(&answer), "{}", record.id);
        let (replayed, _, _) = collected(&replay(&answer));
        assert_eq!(replayed, answer, "{}", record.id);
        count += 1;
    });
    println!("{count} answers");
    assert!(count > 2400, "{count}");
}

#[test]
fn recorded_streams_mean_the_same_however_they_are_cut_and_are_said_again() {
    let (mut count, mut whole_count) = (0_u64, 0);
    traffic::each_of(&["chat_stream"], |record| {
        if record.status != 200 {
            return;
        }
        count += 1;
        let body = record.response_body.as_bytes();
        let read = |cuts: Vec<usize>| events(Box::new(StreamReading::new()), body, cuts);
        let said = read(vec![]);
        assert_eq!(read(cuts(body.len(), count)), said, "{}", record.id);
        let (answer, failed, whole) = collected(&said);
        assert!(whole != failed.is_some() || !whole, "{}", record.id);
        whole_count += u32::from(whole);
        let identity = Identity { include_usage: true, ..Identity::default() };
        let mut writer = StreamWriting::new(identity);
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        let (again, _, whole_again) = collected(&events(Box::new(StreamReading::new()), &out, []));
        assert_eq!(whole_again, whole, "{}", record.id);
        if whole {
            valid::openai(std::str::from_utf8(&out).unwrap(), true);
            assert_eq!(meaning::of(&again), meaning::of(&answer), "{}", record.id);
        }
    });
    println!("{count} streams, {whole_count} whole");
    assert!(count > 840 && whole_count > 835, "{count} {whole_count}");
}
