//! Cohere's chat, in and out.

use serde_json::{Value, json};
use wire::chat::{Identity, Leniency, Target, WriteStream, replay};
use wire::dialect::cohere_chat::{
    NAME, StreamReading, StreamWriting, read, read_answer, read_request, write_answer,
    write_request,
};
use wire::dialect::{anthropic_messages as anthropic, openai_chat::chat as openai};
use wire::splice::OutputField;
use wire::{Asked, Operation};

use super::meaning;
use super::support::{collected, cuts, difference, events, target};
use crate::traffic;

const OPERATIONS: [&str; 2] = ["cohere_chat", "cohere_chat_stream"];

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut faults, mut otherwise) = (0, Vec::new(), 0);
    traffic::each_of(&OPERATIONS, |record| {
        let Some(body) = record.request() else { return };
        if record.request_body["messages"].is_null() {
            // Of the first version, which is not served.
            return;
        }
        count += 1;
        let call = read(&Asked::of(Operation::ChatCompletions), &body).unwrap();
        let request = read_request(&body).unwrap();
        assert_eq!(
            (call.model.as_str(), call.stream),
            (&request.model[..], request.stream == Some(true))
        );
        assert_eq!(call.output_tokens_max, request.output_tokens_max);
        let target = target(&request.model, OutputField::MaxTokens);
        let written = write_request(&request, &target).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        match difference(&record.request_body, &again) {
            None => {}
            // The older key of a schema means the same.
            Some(what) if what.contains(".response_format.") => otherwise += 1,
            Some(what) => faults.push(format!("{}{what}", record.id)),
        }
    });
    println!("{count} requests, {otherwise} with an older key");
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 100 && otherwise < 3, "{count} {otherwise}");
}

#[test]
fn recorded_answers_are_said_again_with_the_same_content() {
    let mut count = 0;
    traffic::each_of(&["cohere_chat"], |record| {
        if record.status != 200 || !record.request_body["message"].is_null() {
            return;
        }
        let body: Value = serde_json::from_str(&record.response_body).unwrap();
        let answer = read_answer(record.response_body.as_bytes()).unwrap();
        assert_eq!(answer.dialect, NAME);
        let again: Value =
            serde_json::from_slice(&write_answer(&answer, &Identity::default())).unwrap();
        for key in ["id", "message", "finish_reason"] {
            assert_eq!(difference(&body[key], &again[key]), None, "{} {key}", record.id);
        }
        for key in ["input_tokens", "output_tokens"] {
            let billed = |body: &Value| body["usage"]["billed_units"][key].as_f64();
            assert_eq!(billed(&again), billed(&body), "{} {key}", record.id);
        }
        let (replayed, _, whole) = collected(&replay(&answer));
        assert!(whole);
        assert_eq!(replayed, answer, "{}", record.id);
        count += 1;
    });
    assert!(count > 70, "{count}");
}

#[test]
fn recorded_streams_mean_the_same_however_they_are_cut_and_are_said_again() {
    let mut count = 0_u64;
    traffic::each_of(&["cohere_chat_stream"], |record| {
        count += 1;
        let body = record.response_body.as_bytes();
        let read = |cuts: Vec<usize>| events(Box::new(StreamReading::new()), body, cuts);
        let said = read(vec![]);
        for seed in [count, !count] {
            assert_eq!(read(cuts(body.len(), seed)), said, "{}", record.id);
        }
        let (answer, failed, whole) = collected(&said);
        assert!(whole && failed.is_none(), "{}", record.id);
        let mut writer = StreamWriting::new(Identity::default());
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        let (again, _, whole_again) = collected(&events(Box::new(StreamReading::new()), &out, []));
        assert!(whole_again, "{}", record.id);
        assert_eq!(again, answer, "{}", record.id);
    });
    assert!(count > 30, "{count}");
}

#[test]
fn cohere_cohere_chat_stream_3d7e2693b4_a_plan_is_a_thought_and_billed_units_count() {
    let record = traffic::record("cohere-cohere_chat_stream-3d7e2693b4");
    let body = record.response_body.as_bytes();
    let said = events(Box::new(StreamReading::new()), body, (0..body.len()).step_by(7));
    let (answer, _, _) = collected(&said);
    let usage = answer.counts.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_tokens), (125, 24, 0));
    let message: Value =
        serde_json::from_slice(&anthropic::write_answer(&answer, &Identity::default())).unwrap();
    assert_eq!(message["stop_reason"], "tool_use");
    let content = message["content"].as_array().unwrap();
    assert_eq!(content[0]["thinking"], "I will use the subtract tool to calculate 2 - 5.");
    assert_eq!(
        (&content[1]["name"], &content[1]["input"]),
        (&json!("subtract"), &json!({"x": 2, "y": 5}))
    );
    assert_eq!(content.len(), 2);
}

#[test]
fn documents_reach_other_models_as_words_before_the_question() {
    let body = json!({"model": "m", "documents": [{"id": "d1", "data": {"title": "t", "text": "green"}}, "blue"],
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "which?"}]});
    let request = read_request(body.to_string().as_bytes()).unwrap();
    let written =
        openai::write_request(&request, &target("gpt-5", OutputField::MaxTokens)).unwrap();
    let told: Value = serde_json::from_slice(&written.body).unwrap();
    let content = told["messages"][1]["content"].as_array().unwrap();
    assert!(content[0]["text"].as_str().unwrap().starts_with("d1:\n\n{\""), "{told}");
    assert!(content[1]["text"].as_str().unwrap().ends_with("blue"), "{told}");
    assert_eq!(told["messages"][2]["content"], "which?");
    assert_eq!(written.dropped.len(), 1);
    let own = write_request(&request, &target("m", OutputField::MaxTokens)).unwrap();
    let own: Value = serde_json::from_slice(&own.body).unwrap();
    assert_eq!(difference(&body, &own), None);
}

#[test]
fn one_tool_that_must_be_called_is_the_only_one_given() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}],
        "tools": [tool("a"), tool("b")], "tool_choice": {"type": "function", "function": {"name": "b"}},
        "frequency_penalty": 1.5, "n": 1});
    let request = openai::read_request(body.to_string().as_bytes()).unwrap();
    let strict =
        Target { leniency: Leniency::Strict, ..target("command-a", OutputField::MaxTokens) };
    let written = write_request(&request, &strict).unwrap();
    let told: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!(told["tools"].as_array().unwrap().len(), 1);
    assert_eq!(told["tools"][0]["function"]["name"], "b");
    assert_eq!((&told["tool_choice"], &told["frequency_penalty"]), (&json!("REQUIRED"), &json!(1)));
    let mut several = request.clone();
    several.answers = Some(2);
    let refusal = write_request(&several, &strict).unwrap_err();
    assert_eq!((refusal.status, refusal.param.as_deref()), (400, Some("n")));
}

#[test]
fn answers_keep_their_meaning_in_the_same_dialect() {
    traffic::each_of(&["cohere_chat"], |record| {
        if let Ok(answer) = read_answer(record.response_body.as_bytes()) {
            let again = read_answer(&write_answer(&answer, &Identity::default())).unwrap();
            assert_eq!(meaning::of(&again), meaning::of(&answer), "{}", record.id);
        }
    });
}
