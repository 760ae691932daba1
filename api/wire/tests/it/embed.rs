//! Embeddings: every recorded request and answer, through every format.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wire::chat::Leniency;
use wire::embed::{self, Answer, Encoding, Format, Input, Request};
use wire::splice::OutputField;

use crate::traffic::{self, Record};

fn target(model: &str) -> wire::chat::Target<'_> {
    wire::chat::Target {
        model,
        output_tokens_default: 1,
        output_field: OutputField::MaxTokens,
        reasons: false,
        ask_usage: false,
        leniency: Leniency::Strict,
    }
}

/// The format a record is in, by the shape of its answer.
fn format(record: &Record) -> Option<&'static Format> {
    let name = match record.id.split('-').next().unwrap() {
        "gemini" => "gemini",
        "cohere" => "cohere",
        "voyageai" => "voyage",
        "vertex" => "gemini",
        "ollama" => return None,
        // Numbers of 8 bits.
        "perplexity" => return None,
        _ => "openai",
    };
    embed::named(name)
}

/// The numbers of the first vectors; the others are many, and alike.
fn floats(answer: &Answer) -> Vec<Vec<f32>> {
    let vectors = answer.vectors.iter().take(2).map(|vector| vector.floats());
    vectors.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

#[test]
fn recorded_answers_arrive_through_every_format_with_their_vectors_and_usage() {
    let (mut count, mut skipped): (u32, BTreeMap<String, u32>) = (0, BTreeMap::new());
    traffic::each_of(&["embeddings"], |record| {
        // Some ask how much was used, which is no embedding.
        if record.status != 200 || record.response_body.contains("\"page\"") {
            return;
        }
        let Some(from) = format(&record) else {
            *skipped
                .entry("Ollama's own paths, and numbers of 8 bits, are not asked for".to_owned())
                .or_default() += 1;
            return;
        };
        let before = (from.read_answer)(record.response_body.as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let numbers = floats(&before);
        assert!(!numbers.is_empty() && numbers.iter().all(|one| !one.is_empty()), "{}", record.id);
        for to in embed::ALL {
            if to.inputs_max == Some(1) && before.vectors.len() > 1 {
                *skipped.entry("one vector is the answer to one text".to_owned()).or_default() += 1;
                continue;
            }
            let encodings = [Encoding::Floats, Encoding::Base64];
            let both = ["openai", "voyage", "cohere"].contains(&to.name);
            for encoding in encodings.into_iter().take(if both { 2 } else { 1 }) {
                let asked = Request { encoding, ..Request::default() };
                let written = (to.write_answer)(&before, &asked);
                let after = (to.read_answer)(&written).unwrap();
                assert_eq!(floats(&after), numbers, "{} as {}", record.id, to.name);
                assert_eq!(after.vectors.len(), before.vectors.len(), "{}", record.id);
                let told = after.input_tokens.unwrap_or(0);
                assert_eq!(told, before.input_tokens.unwrap_or(0), "{}", record.id);
            }
        }
        count += 1;
    });
    println!("{count} answers through {} formats; skipped: {skipped:#?}", embed::ALL.len());
    assert!(count > 190, "{count}");
}

fn texts<'a>(request: &'a Request) -> Option<Vec<&'a str>> {
    let text = |input: &'a Input| match input {
        Input::Text(text) => Some(text.as_str()),
        Input::Tokens(_) => None,
    };
    request.inputs.iter().map(text).collect()
}

#[test]
fn recorded_requests_say_the_same_in_every_format() {
    let (mut count, mut tokens) = (0, 0);
    traffic::each_of(&["embeddings"], |record| {
        let (Some(body), Some(from)) = (record.request(), format(&record)) else { return };
        let Ok(before) = (from.read_request)(&body) else {
            let media = record.request_body.get("images").is_some();
            let incomplete = record.request_body.get("input").is_none();
            return assert!(media || incomplete || record.status != 200, "{}", record.id);
        };
        for to in embed::ALL {
            let written = to.write(&before, &target("m"));
            let Some(words) = texts(&before) else {
                tokens += 1;
                assert_eq!(written.is_ok(), to.name == "openai");
                continue;
            };
            if to.inputs_max.is_some_and(|most| words.len() > most) {
                assert_eq!(written.unwrap_err().code, "too_many_inputs");
                continue;
            }
            let after = (to.read_request)(&written.unwrap().body).unwrap();
            assert_eq!(texts(&after), Some(words), "{} as {}", record.id, to.name);
            assert_eq!(after.dimensions, before.dimensions, "{} as {}", record.id, to.name);
        }
        count += 1;
    });
    println!("{count} requests, {tokens} times with tokens");
    assert!(count > 150, "{count}");
}

#[test]
fn tasks_keep_their_meaning_and_what_is_lost_is_told() {
    let body = json!({"input": "a", "model": "v", "input_type": "query", "truncation": true});
    let request = (embed::named("voyage").unwrap().read_request)(body.to_string().as_bytes());
    let request = request.unwrap();
    let said = |name: &str| {
        let written = (embed::named(name).unwrap().write_request)(&request, &target("m")).unwrap();
        let fields: Vec<String> = written.dropped.into_iter().map(|lost| lost.field).collect();
        (serde_json::from_slice::<Value>(&written.body).unwrap(), fields)
    };
    let (gemini, lost) = said("gemini");
    assert_eq!(gemini["requests"][0]["taskType"], "RETRIEVAL_QUERY");
    assert_eq!(
        (&gemini["requests"][0]["model"], lost),
        (&json!("models/m"), vec!["truncation".to_owned()])
    );
    let (cohere, _) = said("cohere");
    assert_eq!((&cohere["input_type"], &cohere["texts"]), (&json!("search_query"), &json!(["a"])));
    let (openai, lost) = said("openai");
    assert_eq!((openai.get("input_type"), lost.contains(&"input_type".to_owned())), (None, true));
    assert_eq!(said("titan").0, json!({"inputText": "a"}));
}

#[test]
fn gemini_embeddings_00de638313_one_vector_has_a_shape_of_its_own() {
    let record = traffic::record("gemini-embeddings-00de638313");
    let single = embed::named("gemini_single").unwrap();
    let answer = (single.read_answer)(record.response_body.as_bytes()).unwrap();
    let again: Value =
        serde_json::from_slice(&(single.write_answer)(&answer, &Request::default())).unwrap();
    let told: Value = serde_json::from_str(&record.response_body).unwrap();
    assert_eq!(again["embedding"]["values"], told["embedding"]["values"]);
}

#[test]
fn openai_embeddings_45c4e57830_vectors_in_base64_are_numbers_for_others() {
    let record = traffic::record("openai-embeddings-45c4e57830");
    let openai = embed::named("openai").unwrap();
    let request = (openai.read_request)(&record.request().unwrap()).unwrap();
    assert_eq!(request.encoding, Encoding::Base64);
    let answer = (openai.read_answer)(record.response_body.as_bytes()).unwrap();
    let told: Value = serde_json::from_str(&record.response_body).unwrap();
    let again: Value = serde_json::from_slice(&(openai.write_answer)(&answer, &request)).unwrap();
    assert_eq!(again["data"][0]["embedding"], told["data"][0]["embedding"]);
    assert!(floats(&answer)[0].len() > 100);
}

#[test]
fn recorded_answers_of_titan_and_of_cohere_on_bedrock_are_read() {
    let mut count = 0;
    traffic::each_of(&["invoke"], |record| {
        let name = if record.request_body.get("inputText").is_some() { "titan" } else { "cohere" };
        let asks = record.request_body.get("input_type").is_some() || name == "titan";
        let value: Value = serde_json::from_str(&record.response_body).unwrap_or_default();
        let has = value.get("embedding").is_some() || value.get("embeddings").is_some();
        if record.status != 200 || !asks || !has {
            return;
        }
        let answer = (embed::named(name).unwrap().read_answer)(record.response_body.as_bytes());
        assert!(!floats(&answer.unwrap()).is_empty(), "{}", record.id);
        count += 1;
    });
    assert!(count > 8, "{count}");
}
