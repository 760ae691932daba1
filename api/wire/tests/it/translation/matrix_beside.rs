//! Every recorded call beside chats: through its own face byte for byte and metered, through every other by its
//! meaning.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;
use wire::chat::Identity;
use wire::dialect::{self, Dialect};
use wire::splice::{Edits, ModelName, OutputField, apply};
use wire::{Asked, Call, Meaning, Operation, Usage};

use super::support::target;
use crate::traffic::{self, Record};

/// The dialect a record is in, or why it is in none that is served.
fn spoken(record: &Record, operation: Operation) -> Result<&'static Dialect, &'static str> {
    let provider = record.id.split('-').next().unwrap();
    let name = match (operation, provider) {
        (_, "ollama") => return Err("Ollama's own paths: its OpenAI paths are asked"),
        (_, "perplexity") => return Err("vectors of 8-bit numbers"),
        (Operation::Embeddings | Operation::Rerank, "voyageai") => "voyage",
        (Operation::Embeddings | Operation::Rerank, "cohere") => "cohere_chat",
        (Operation::Embeddings, "gemini" | "vertex") => {
            let single = record.path.ends_with(":embedContent")
                || record.response_body.starts_with("{\"embedding\"");
            if single { "gemini_single" } else { "gemini" }
        }
        (Operation::CountTokens, "anthropic") => "anthropic_messages",
        (Operation::CountTokens, "openai") => "openai_responses",
        (Operation::CountTokens, "bedrock") => "bedrock_converse",
        (Operation::CountTokens, _) => "gemini",
        _ => "openai_chat",
    };
    dialect::named(name).ok_or("no such dialect")
}

/// Tokens as the provider wrote them, read the slow and plain way.
fn counted(answer: &Value) -> Option<u64> {
    let places = [
        "/usage/prompt_tokens",
        "/usage/total_tokens",
        "/usageMetadata/promptTokenCount",
        "/meta/billed_units/input_tokens",
    ];
    places.into_iter().find_map(|place| answer.pointer(place)?.as_u64())
}

/// What an answer means, whatever it is said in: the first numbers, or the order, or the count.
fn meant(face: &Dialect, operation: Operation, body: &[u8]) -> Vec<String> {
    match operation {
        Operation::Embeddings => {
            let answer = (face.beside.embed.unwrap().read_answer)(body).unwrap();
            let numbers = |text: String| serde_json::from_str::<Vec<f32>>(&text).unwrap();
            let first = |numbers: Vec<f32>| format!("{:?}", &numbers[..numbers.len().min(8)]);
            let vectors = answer.vectors.iter().take(2);
            let count = std::iter::once(answer.vectors.len().to_string());
            count.chain(vectors.map(|vector| first(numbers(vector.floats())))).collect()
        }
        Operation::Rerank => {
            let answer = wire::rerank::read_answer(body).unwrap();
            let rank = |one: &wire::rerank::Ranked| format!("{} {}", one.index, one.score.as_str());
            answer.results.iter().map(rank).collect()
        }
        _ => vec![(face.beside.count.unwrap().read_answer)(body).unwrap().to_string()],
    }
}

fn knows(face: &Dialect, operation: Operation) -> bool {
    face.operations.contains(&operation)
        && match operation {
            Operation::Embeddings => face.beside.embed.is_some(),
            Operation::Rerank => face.beside.rerank.is_some(),
            _ => face.beside.count.is_some(),
        }
}

/// The call of a record in its own face, unchanged on the way to its own provider.
fn read(from: &Dialect, operation: Operation, body: &Bytes) -> Option<Call> {
    let asked = Asked { model: Some("m"), ..Asked::of(operation) };
    let call = (from.read)(&asked, body).ok()?;
    let same = apply(&call, &Edits::default(), body);
    assert_eq!(same.concat(), body[..]);
    let model = ModelName::new("other");
    let edited = apply(&call, &Edits { model: Some(&model), ..Edits::default() }, body).concat();
    assert!(serde_json::from_slice::<Value>(&edited).is_ok());
    Some(call)
}

fn row(operation: Operation, records: &[&str], least: u32) -> String {
    let mut passed: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut skipped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut skip =
        |why: &str, id: &str| skipped.entry(why.to_owned()).or_default().push(id.to_owned());
    traffic::each_of(records, |record| {
        let id = record.id.as_str();
        let from = match spoken(&record, operation) {
            Ok(from) => from,
            Err(why) => return skip(why, id),
        };
        if record.response_body.contains("\"page\"") {
            return skip("a report of usage, which is no call", id);
        }
        let body = record.bytes();
        if record.status != 200 {
            return skip("the provider refused: its own words go on", id);
        }
        let reply = from.reply_to(operation, &body);
        assert_eq!(reply.fault, None, "{id}");
        let told: Value = serde_json::from_slice(&body).unwrap();
        if operation == Operation::CountTokens {
            assert_eq!(reply.usage, Some(Usage::default()), "{id}");
        } else {
            let usage = reply.usage.map(|usage| usage.input_tokens);
            assert_eq!(
                usage.filter(|tokens| *tokens > 0),
                counted(&told).filter(|n| *n > 0),
                "{id}"
            );
        }
        *passed.entry((from.name, "itself")).or_default() += 1;
        let Some(request) = record.request() else { return };
        let Some(call) = read(from, operation, &request) else {
            return skip("a path of Azure's or of engines, which names what the body does not", id);
        };
        let meaning = match Meaning::read(from, &call, &request) {
            Ok(meaning) => meaning,
            Err(refusal) => {
                return skip(
                    &format!("{} is for its maker only", refusal.param.unwrap_or_default()),
                    id,
                );
            }
        };
        let identity = Identity { id: "made-up".to_owned(), ..Identity::default() };
        for face in dialect::ALL.iter().filter(|face| **face != from && knows(face, operation)) {
            // There: what is asked is said, and what it says is read again as the other face would read it.
            let asked = match meaning.write(face, &target("m", OutputField::MaxTokens), None) {
                Ok(asked) => asked,
                Err(refusal) => {
                    skip(&format!("{}: {}", face.name, refusal.code), id);
                    continue;
                }
            };
            // And back: what was answered is heard through the other face.
            let path = Asked { model: Some("m"), ..Asked::of(operation) };
            let heard = (face.read)(&path, &asked.body).unwrap();
            let caller = Meaning::read(face, &heard, &asked.body).unwrap();
            match caller.answer((from, face), (&identity, 1), &body) {
                Ok((said, reply)) => {
                    assert_eq!(
                        meant(face, operation, &said),
                        meant(from, operation, &body),
                        "{id} {}",
                        face.name
                    );
                    let used = reply.usage.map_or(0, |usage| usage.input_tokens);
                    let expected = if operation == Operation::CountTokens {
                        0
                    } else {
                        counted(&told).unwrap_or(0)
                    };
                    assert_eq!(used, expected, "{id} {}", face.name);
                    *passed.entry((from.name, face.name)).or_default() += 1;
                }
                Err(error) => skip(&format!("{}: {}", face.name, error.message), id),
            }
        }
    });
    let mut told = String::new();
    for ((from, to), count) in &passed {
        writeln!(told, "{} {from} -> {to}: {count} answers", operation.name()).unwrap();
    }
    for (why, ids) in &skipped {
        writeln!(told, "    {} skipped: {why}, e.g. {}", ids.len(), ids[0]).unwrap();
    }
    let own: u32 =
        passed.iter().filter(|((_, to), _)| *to == "itself").map(|(_, count)| count).sum();
    assert!(own >= least, "{own}");
    told
}

#[test]
fn vectors_through_every_other_face() {
    println!("{}", row(Operation::Embeddings, &["embeddings"], 190));
}

#[test]
fn orderings_through_every_other_face() {
    println!("{}", row(Operation::Rerank, &["rerank"], 13));
}

#[test]
fn counts_through_every_other_face() {
    println!("{}", row(Operation::CountTokens, &["count_tokens", "gemini_count_tokens"], 20));
}
