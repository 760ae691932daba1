//! How likely the words of an answer were: asked for and told in every dialect that has a word for it.

use serde_json::{Value, json};
use wire::chat::{Identity, Leniency, Target};
use wire::dialect::{Dialect, cohere_chat, gemini, ollama_chat, openai_chat, openai_responses};
use wire::splice::OutputField;

use super::support::{events, target};
use crate::traffic;

const FACES: [&Dialect; 3] = [&openai_responses::DIALECT, &gemini::DIALECT, &ollama_chat::DIALECT];

/// A recorded answer of OpenAI's chats as callers of another face get it.
fn told(id: &str, face: &Dialect) -> Value {
    let record = traffic::record(id);
    let answer = (openai_chat::DIALECT.chat.read_answer)(&record.bytes()).unwrap();
    serde_json::from_slice(&(face.chat.write_answer)(&answer, &Identity::default())).unwrap()
}

#[test]
fn recorded_likelihoods_stand_where_each_face_has_its_place() {
    let id = "openai-chat-07bc67b6b0";
    let recorded: Value = serde_json::from_str(&traffic::record(id).response_body).unwrap();
    let recorded = recorded["choices"][0]["logprobs"]["content"].as_array().unwrap().clone();
    assert!(recorded.len() > 1 && recorded[0]["top_logprobs"].is_array());
    let count = recorded.len();
    let responses = told(id, &openai_responses::DIALECT);
    let items = responses["output"].as_array().unwrap();
    let message = items.iter().find(|item| item["type"] == "message").unwrap();
    assert_eq!(message["content"][0]["logprobs"], Value::from(recorded.clone()));
    assert_eq!(told(id, &ollama_chat::DIALECT)["logprobs"], Value::from(recorded.clone()));
    let candidate = told(id, &gemini::DIALECT)["candidates"][0].clone();
    let result = &candidate["logprobsResult"];
    let chosen = result["chosenCandidates"].as_array().unwrap();
    assert_eq!((chosen.len(), result["topCandidates"].as_array().unwrap().len()), (count, count));
    assert_eq!(chosen[0]["token"], recorded[0]["token"]);
    assert_eq!(chosen[0]["logProbability"], recorded[0]["logprob"]);
    assert!(candidate["avgLogprobs"].as_f64().unwrap() <= 0.0);
    let pieces = told(id, &cohere_chat::DIALECT)["logprobs"].clone();
    assert_eq!(pieces.as_array().unwrap().len(), count);
    assert_eq!(pieces[0]["logprobs"], json!([recorded[0]["logprob"]]));
}

#[test]
fn the_pieces_of_a_stream_say_it_beside_their_words() {
    let record = traffic::record("openai-chat_stream-fb79cc428b");
    let said = events((openai_chat::DIALECT.chat.read_stream)(), &record.bytes(), []);
    let mut writer = (openai_responses::DIALECT.chat.write_stream)(Identity::default());
    let mut out = Vec::new();
    said.iter().for_each(|event| writer.event(event, &mut out));
    let out = String::from_utf8(out).unwrap();
    let data = out.lines().filter_map(|line| line.strip_prefix("data: "));
    let told: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    let of = |kind: &str| told.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let pieces = of("response.output_text.delta");
    assert!(!pieces.is_empty());
    for piece in &pieces {
        assert_eq!(piece["logprobs"][0]["token"], piece["delta"], "{piece}");
    }
    let done = of("response.output_text.done");
    assert_eq!(done[0]["logprobs"].as_array().unwrap().len(), pieces.len());
}

#[test]
fn a_caller_of_any_face_may_ask_for_it() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}],
        "logprobs": true, "top_logprobs": 2});
    let strict = Target { leniency: Leniency::Strict, ..target("m", OutputField::MaxTokens) };
    let written = |from: &Dialect, to: &Dialect, body: &Value| -> Value {
        let request = (from.chat.read_request)(body.to_string().as_bytes()).unwrap();
        let written = (to.chat.write_request)(&request, &strict).unwrap();
        serde_json::from_slice(&written.body).unwrap()
    };
    let chat = &openai_chat::DIALECT;
    let response = written(chat, &openai_responses::DIALECT, &body);
    assert_eq!(response["top_logprobs"], 2);
    let include = response["include"].as_array().unwrap();
    assert!(include.contains(&json!("message.output_text.logprobs")));
    let config = written(chat, &gemini::DIALECT, &body)["generationConfig"].clone();
    assert_eq!((&config["responseLogprobs"], &config["logprobs"]), (&json!(true), &json!(2)));
    for face in FACES {
        let mut asked = written(chat, face, &body);
        // Some name the model in the path only.
        asked["model"] = json!("m");
        let back = written(face, chat, &asked);
        assert_eq!(
            (&back["logprobs"], &back["top_logprobs"]),
            (&json!(true), &json!(2)),
            "{}",
            face.name
        );
    }
}
