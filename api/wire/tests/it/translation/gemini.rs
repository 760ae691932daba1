//! Gemini's dialect, in and out.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use wire::chat::{Event, Identity, ReadStream, WriteStream, replay};
use wire::dialect::gemini::{
    StreamReading, StreamRelay, StreamWriting, read, read_answer, read_error, read_request, reply,
    write_answer, write_request,
};
use wire::frame::Framing;
use wire::relay::{End, Relay, StreamOptions};
use wire::splice::{Edits, OutputCap, OutputField, apply};
use wire::{Asked, Operation, Refusal};

use super::meaning;
use super::support::{collected, cuts, difference, events, target};
use crate::traffic::{self, Record};

const OPERATIONS: [&str; 2] = ["gemini_generate", "gemini_stream"];

fn reader(record: &Record) -> Box<dyn ReadStream> {
    let is_array = record.response_body.trim_start().starts_with('[');
    Box::new(StreamReading::of(if is_array { Framing::JsonArray } else { Framing::Sse }))
}

/// A request in the one form of several that mean the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut plain = Map::new();
            for (key, value) in members {
                let key = camel(key);
                let is_data = ["args", "response", "parametersJsonSchema"].contains(&key.as_str());
                let value = if is_data { value.clone() } else { plain_member(&key, value) };
                if !says_nothing(&key, &value) {
                    plain.insert(key, value);
                }
            }
            Value::Object(plain)
        }
        Value::Array(list) => Value::Array(list.iter().map(plain).collect()),
        other => other.clone(),
    }
}

fn plain_member(key: &str, value: &Value) -> Value {
    match (key, value) {
        // What may be several may stand alone.
        ("parts" | "contents" | "functionDeclarations", Value::Object(_)) => {
            Value::Array(vec![plain(value)])
        }
        ("tools", list) => tools(list),
        ("mode", Value::String(mode)) => Value::from(mode.to_ascii_uppercase()),
        _ => plain(value),
    }
}

/// Functions first and together, then every other tool on its own.
fn tools(value: &Value) -> Value {
    let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let (mut functions, mut others) = (Vec::new(), Vec::new());
    for entry in list.iter().map(plain) {
        for (key, value) in entry.as_object().unwrap() {
            match value.as_array() {
                Some(list) if key == "functionDeclarations" => functions.extend(list.clone()),
                _ => others.push(json!({ key: value })),
            }
        }
    }
    if !functions.is_empty() {
        others.insert(0, json!({ "functionDeclarations": functions }));
    }
    Value::Array(others)
}

fn says_nothing(key: &str, value: &Value) -> bool {
    match key {
        // The path says it.
        "model" => true,
        "tools" | "generationConfig" | "systemInstruction" | "allowedFunctionNames" => {
            value.is_null() || value == &json!({}) || value == &json!([])
        }
        "thought" => value != &Value::Bool(true),
        _ => value.is_null(),
    }
}

fn camel(snake: &str) -> String {
    let mut upper = false;
    let mut name = String::new();
    for letter in snake.chars() {
        match letter {
            '_' => upper = true,
            _ if std::mem::take(&mut upper) => name.push(letter.to_ascii_uppercase()),
            _ => name.push(letter),
        }
    }
    name
}

/// Why a request is not said again exactly as it was.
fn accepted(fault: &str) -> Option<&'static str> {
    let reasons = [
        (".parameters", "a schema of the older subset becomes a JSON schema"),
        (".responseSchema", "a schema of the older subset becomes a JSON schema"),
        (".responseJsonSchema", "a schema of the older subset becomes a JSON schema"),
        (".thinkingLevel: ", "levels are told in lower case"),
        (".text: \"(absent)\" became \"\"", "a signature alone stands at an empty text"),
        (".role: \"(absent)\"", "the user's role is told where it was left out"),
        (".role: \"function\"", "results stand in the user's turn"),
        (".role: \"tool\"", "results stand in the user's turn"),
    ];
    reasons.iter().find(|(mark, _)| fault.contains(mark)).map(|(_, reason)| *reason)
}

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut faults) = (0, Vec::new());
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    traffic::each_of(&OPERATIONS, |record| {
        let Some(body) = record.request() else { return };
        if record.request_body.get("contents").is_none() {
            return;
        }
        count += 1;
        let request =
            read_request(&body).unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let written = write_request(&request, &target("m", OutputField::MaxTokens)).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        let Some(what) = difference(&plain(&record.request_body), &plain(&again)) else { return };
        match accepted(&what) {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None => faults.push(format!("{}{what}", record.id)),
        }
    });
    println!("{count} requests; said otherwise: {reasons:#?}");
    assert!(count > 800, "{count}");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn recorded_answers_are_said_again_with_the_same_meaning() {
    let (mut count, mut faults) = (0, Vec::new());
    traffic::each_of(&["gemini_generate"], |record| {
        let body = record.response_body.as_bytes();
        if record.status != 200 {
            return;
        }
        let answer = match read_answer(body) {
            Ok(answer) => answer,
            Err(error) => return faults.push(format!("{}: {}", record.id, error.message)),
        };
        let again = read_answer(&write_answer(&answer, &Identity::default())).unwrap();
        assert_eq!(meaning::of(&again), meaning::of(&answer), "{}", record.id);
        let signatures = |answer: &wire::chat::Answer| {
            let parts = answer.choices.iter().flat_map(|choice| choice.parts.clone());
            parts.filter_map(|part| part.signature).collect::<Vec<_>>()
        };
        assert_eq!(signatures(&again), signatures(&answer), "{}", record.id);
        let (replayed, _, whole) = collected(&replay(&answer));
        assert!(whole);
        let choices = replayed.choices.iter().zip(&answer.choices);
        choices.for_each(|(replayed, said)| assert_eq!(replayed.parts, said.parts));
        count += 1;
    });
    println!("{count} answers; not read: {faults:#?}");
    assert!(count > 740, "{count}");
    assert!(faults.len() <= 8, "{}", faults.len());
}

#[test]
fn recorded_streams_mean_the_same_however_they_are_cut_and_are_said_again() {
    let (mut count, mut whole_count, mut cut) = (0_u64, 0, Vec::new());
    traffic::each_of(&["gemini_stream"], |record| {
        if record.status != 200 {
            return;
        }
        count += 1;
        let body = record.response_body.as_bytes();
        let read = |cuts: Vec<usize>| events(reader(&record), body, cuts);
        let said = read(vec![]);
        for seed in [count, !count] {
            assert_eq!(read(cuts(body.len(), seed)), said, "{}", record.id);
        }
        if body.len() < 3000 {
            assert_eq!(read((1..body.len()).collect()), said, "{}", record.id);
        }
        let (answer, failed, whole) = collected(&said);
        whole_count += u32::from(whole);
        if !whole {
            cut.push((record.id.clone(), failed.map(|error| error.message)));
            return;
        }
        for framing in [Framing::Sse, Framing::JsonArray] {
            let identity = Identity { framing, ..Identity::default() };
            let mut writer = StreamWriting::new(identity);
            let mut out = Vec::new();
            said.iter().for_each(|event: &Event| writer.event(event, &mut out));
            if framing == Framing::JsonArray {
                assert!(serde_json::from_slice::<Value>(&out).unwrap().is_array());
            }
            let again = events(Box::new(StreamReading::of(framing)), &out, []);
            let (again, _, whole_again) = collected(&again);
            assert!(whole_again, "{}", record.id);
            assert_eq!(meaning::of(&again), meaning::of(&answer), "{} {framing:?}", record.id);
        }
    });
    println!("{count} streams, {whole_count} whole; others: {cut:#?}");
    assert!(count > 195 && whole_count > 185, "{count} {whole_count}");
}

#[test]
fn recorded_usage_adds_up_to_the_total() {
    let mut count = 0;
    traffic::each_of(&["gemini_generate"], |record| {
        let Ok(answer) = read_answer(record.response_body.as_bytes()) else { return };
        let body: Value = serde_json::from_str(&record.response_body).unwrap();
        let told = &body["usageMetadata"];
        let number = |key: &str| told[key].as_u64().unwrap_or(0);
        let Some(usage) = answer.counts else { return };
        let sum = usage.input_tokens + usage.output_tokens;
        let parts = ["promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount"];
        let parts = parts.into_iter().chain(["thoughtsTokenCount"]).map(number).sum();
        assert_eq!(sum, number("totalTokenCount").max(parts), "{}", record.id);
        assert_eq!(usage.reasoning_tokens, number("thoughtsTokenCount"), "{}", record.id);
        count += 1;
    });
    assert!(count > 700, "{count}");
}

#[test]
fn recorded_refusals_are_read() {
    let mut count = 0;
    traffic::each_of(&OPERATIONS, |record| {
        let body = record.response_body.as_bytes();
        if record.status < 400 || !record.response_body.contains("\"error\"") {
            return;
        }
        let error = read_error(body);
        assert_eq!(error.status, record.status, "{}", record.id);
        assert!(!error.message.is_empty(), "{}", record.id);
        if record.operation == "gemini_stream" {
            let (_, failed, whole) = collected(&events(reader(&record), body, []));
            assert_eq!((failed.map(|error| error.status), whole), (Some(record.status), false));
        }
        count += 1;
    });
    assert!(count > 55, "{count}");
}

const ASKED: Asked<'static> =
    Asked { model: Some("m"), stream: Some(false), ..Asked::of(Operation::ChatCompletions) };

#[test]
fn recorded_requests_are_spliced_and_nothing_else_changes() {
    let mut count = 0;
    traffic::each_of(&OPERATIONS, |record| {
        let Some(body) = record.request() else { return };
        if record.request_body.get("contents").is_none() {
            return;
        }
        let call = read(&ASKED, &body).unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let cap = OutputCap { tokens: 7, field: OutputField::MaxTokens };
        let edits = Edits { output_cap: Some(cap), ..Edits::default() };
        let spliced: Value = serde_json::from_slice(&apply(&call, &edits, &body).concat()).unwrap();
        let mut expected = record.request_body.clone();
        let given = expected["generationConfig"]["maxOutputTokens"].as_u64();
        expected["generationConfig"]["maxOutputTokens"] = json!(given.unwrap_or(7).min(7));
        assert_eq!(spliced, expected, "{}", record.id);
        assert_eq!(call.output_tokens_max, given, "{}", record.id);
        let request = read_request(&body).unwrap();
        let functions = request
            .tools
            .iter()
            .filter(|tool| matches!(tool.body, wire::chat::ToolBody::Function(_)));
        assert_eq!(call.tools, functions.count() as u64, "{}", record.id);
        let has_schema = matches!(request.format, Some(wire::chat::Format::Schema(_)));
        assert!(call.schema || !has_schema, "{}", record.id);
        count += 1;
    });
    assert!(count > 800, "{count}");
}

fn relayed(body: &Bytes, framing: Framing, size: usize) -> (Vec<u8>, End) {
    let options = StreamOptions { hide_usage: false, answers: 1, framing };
    let mut relay = Box::new(StreamRelay::new(&options));
    let mut out = Vec::new();
    for from in (0..body.len()).step_by(size) {
        relay.push(&body.slice(from..body.len().min(from + size)), &mut out).unwrap();
    }
    let cut = || Refusal::provider(502, "stream_cut", "the provider's stream broke off");
    let end = relay.finish(&cut, &mut out);
    (out.concat(), end)
}

#[test]
fn recorded_streams_are_passed_on_and_metered_and_those_cut_end_in_an_error() {
    let mut count = 0;
    traffic::each_of(&["gemini_stream"], |record| {
        let body = record.body();
        let is_array = body.trim_ascii_start().starts_with(b"[");
        let framing = if is_array { Framing::JsonArray } else { Framing::Sse };
        let (answer, failed, whole) = collected(&events(reader(&record), &body, []));
        for size in [body.len().max(1), 7, 1] {
            let (out, end) = relayed(&body, framing, size);
            assert!(out.starts_with(&body), "{}", record.id);
            assert_eq!(
                (end.complete, end.error.is_some()),
                (whole, failed.is_some()),
                "{}",
                record.id
            );
            assert_eq!(end.usage(), answer.counts, "{}", record.id);
            let cut = !whole && failed.is_none();
            assert_eq!(out.len() > body.len(), cut, "{}", record.id);
        }
        if whole && answer.choices.iter().any(|choice| !choice.parts.is_empty()) {
            let first = body.windows(4).position(|end| end == b"\r\n\r\n").filter(|_| !is_array);
            let at = first.map_or(body.len() / 2, |at| at + 4);
            let (out, end) = relayed(&body.slice(..at), framing, 64);
            if !end.complete && !is_array {
                let (_, fault, whole) =
                    collected(&events(Box::new(StreamReading::new()), &out, []));
                assert_eq!((fault.unwrap().status, whole), (502, false), "{}", record.id);
            }
        }
        count += 1;
    });
    assert!(count > 210, "{count}");
}

#[test]
fn an_array_that_is_cut_between_elements_ends_in_an_error() {
    let element = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
    for body in [format!("[{element}"), "[".to_owned(), String::new(), format!("[{element}\r\n,")] {
        let (out, end) = relayed(&Bytes::from(body.clone()), Framing::JsonArray, 5);
        assert!(!end.complete, "{body}");
        let Ok(list) = serde_json::from_slice::<Vec<Value>>(&out) else {
            panic!("{}", String::from_utf8_lossy(&out));
        };
        assert_eq!(list.last().unwrap()["error"]["code"], 502, "{body}");
    }
}

#[test]
fn recorded_answers_are_metered() {
    let mut count = 0;
    traffic::each_of(&["gemini_generate"], |record| {
        let body = record.response_body.as_bytes();
        let Ok(answer) = read_answer(body) else { return };
        let metered = reply(body);
        assert_eq!(metered.usage, answer.counts, "{}", record.id);
        count += 1;
    });
    assert!(count > 700, "{count}");
}

#[test]
fn fields_that_are_acted_on_may_stand_once_only() {
    for body in [
        r#"{"contents":[],"contents":[]}"#,
        r#"{"contents":[],"generationConfig":{},"generation_config":{}}"#,
        r#"{"contents":[],"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}"#,
        r#"{"contents":[],"generationConfig":{"maxOutputTokens":"many"}}"#,
        r#"{"generationConfig":{}}"#,
        "[]",
        "{",
    ] {
        assert_eq!(read(&ASKED, body.as_bytes()).unwrap_err().status, 400, "{body}");
    }
    let pathless = Asked::of(Operation::ChatCompletions);
    assert_eq!(read(&pathless, br#"{"contents":[]}"#).unwrap_err().param.as_deref(), Some("model"));
}

#[test]
fn recorded_counts_of_tokens_are_asked_and_told() {
    let mut count = 0;
    traffic::each_of(&["gemini_count_tokens"], |record| {
        if record.status != 200 {
            return;
        }
        let told: Value = serde_json::from_str(&record.response_body).unwrap();
        let tokens = told["totalTokens"].as_u64().unwrap();
        let format = wire::dialect::gemini::DIALECT.beside.count.unwrap();
        assert_eq!((format.read_answer)(record.response_body.as_bytes()).unwrap(), tokens);
        assert_eq!((format.read_answer)(&(format.write_answer)(tokens)).unwrap(), tokens);
        if let Some(body) = record.request() {
            assert!(!(format.read_request)(&body).unwrap().turns.is_empty(), "{}", record.id);
        }
        count += 1;
    });
    assert!(count > 8, "{count}");
}
