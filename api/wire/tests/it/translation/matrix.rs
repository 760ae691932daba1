//! Every recorded answer of every dialect through every other face: what arrives means the same.

use std::collections::BTreeMap;
use std::fmt::Write;

use wire::Usage;
use wire::chat::{Answer, Body, Event, Identity, Part};
use wire::dialect::{self, Dialect};

use super::support::{chats, collected, events};
use super::{meaning, valid};
use crate::traffic::{self, Record};

/// The operations that records of a dialect have, plain and streamed.
fn operations(dialect: &Dialect) -> [String; 2] {
    let name = match dialect.name {
        "openai_chat" => "chat",
        "anthropic_messages" => "messages",
        "openai_responses" => "responses",
        "cohere_chat" => "cohere_chat",
        "gemini" => return ["gemini_generate".to_owned(), "gemini_stream".to_owned()],
        "bedrock_converse" => "converse",
        "bedrock_invoke" => "invoke",
        "ollama_chat" => "ollama_chat",
        other => panic!("name the records of {other}"),
    };
    [name.to_owned(), format!("{name}_stream")]
}

/// Dialects whose callers give back another maker's signatures.
const CARRIES: [&str; 5] =
    ["openai_chat", "anthropic_messages", "openai_responses", "cohere_chat", "gemini"];

/// Dialects that say of each token how likely it was; Cohere's says it of pieces of text.
const TELLS_LIKELIHOOD: [&str; 4] = ["openai_chat", "openai_responses", "gemini", "ollama_chat"];

/// Dialects in which a request may ask for several answers.
const SEVERAL: [&str; 2] = ["openai_chat", "gemini"];

const FAILED: &str = "the provider failed; the face is told so";
const MARKED: &str = "open marks of thoughts stand in the words, which readers of chats tell apart";
const ENDLESS: &str = "the record breaks off; the face gets no end";

/// What became of one record through one face.
enum Fate {
    Passed,
    Skipped(&'static str),
}

fn identity() -> Identity {
    Identity { id: "made-up".to_owned(), include_usage: true, ..Identity::default() }
}

fn check_order(face: &Dialect, stream: &str) {
    match face.name {
        "openai_chat" => valid::openai(stream, true),
        "anthropic_messages" => valid::anthropic(stream),
        "openai_responses" => valid::responses(stream),
        // Others have their order checked by tests of their own.
        _ => {}
    }
}

/// The counts that a face has places for: the sums always, parts of them not everywhere.
fn told(face: &Dialect, usage: Usage) -> Usage {
    match face.name {
        "bedrock_converse" => Usage { reasoning_tokens: 0, ..usage },
        // Nothing says what of the billed tokens was cached.
        "cohere_chat" => Usage { cache_read_tokens: 0, cache_write_tokens: 0, ..usage },
        "ollama_chat" => Usage {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            ..Usage::default()
        },
        "gemini" => Usage { cache_write_tokens: 0, ..usage },
        _ => usage,
    }
}

/// Compares by meaning; usage that a provider never told is told as nothing.
fn same(id: &str, face: &Dialect, before: &Answer, after: &Answer) {
    if CARRIES.contains(&face.name) && before.choices.len() == 1 {
        // Cohere's callers have a place for those of thoughts only.
        let all = face.name != "cohere_chat";
        let (before, after) = (secrets(before, all), secrets(after, all));
        assert_eq!(after, before, "{id} through {}", face.name);
    }
    let (mut before, mut after) = (meaning::of(before), meaning::of(after));
    before.usage = before.usage.map(|usage| told(face, usage));
    if before.usage.is_none() {
        after.usage = None;
    }
    if !TELLS_LIKELIHOOD.contains(&face.name) {
        before.choices.iter_mut().chain(&mut after.choices).for_each(|said| said.likely.clear());
    }
    assert_eq!(after, before, "{id} through {}", face.name);
}

/// Whether words begin with a mark that some servers leave before thoughts.
fn is_marked(answer: &Answer) -> bool {
    let begins = |part: &Part| matches!(&part.body, Body::Text(text) if text.text.trim_start().starts_with("<think>"));
    answer.choices.iter().flat_map(|choice| &choice.parts).any(begins)
}

/// What only the maker of thoughts and calls can read of them, without the word on who that is; faces
/// have their places for it in an order of their own.
fn secrets(answer: &Answer, all: bool) -> Vec<String> {
    let bare = |text: &str| {
        let carried = text.starts_with("bursar:").then(|| text.splitn(4, ':').nth(3)).flatten();
        carried.unwrap_or(text).to_owned()
    };
    let secret = |part: &Part| match &part.body {
        Body::Redacted(redacted) => Some(bare(&redacted.data)),
        Body::Thinking(_) => part.signature.as_deref().map(bare),
        _ => part.signature.as_deref().filter(|_| all).map(bare),
    };
    let parts = answer.choices.iter().flat_map(|choice| &choice.parts);
    let mut secrets: Vec<String> =
        parts.filter_map(secret).filter(|text| !text.is_empty()).collect();
    secrets.sort_unstable();
    secrets
}

/// A record as its own dialect reads it.
enum Read {
    Failed,
    Plain(Answer),
    Stream { said: Vec<Event>, before: Answer, failed: bool, whole: bool },
}

fn read(from: &Dialect, record: &Record) -> Read {
    if !record.is_stream() {
        let answer = (from.chat.read_answer)(&record.bytes());
        return answer.map_or(Read::Failed, Read::Plain);
    }
    let said = events((from.chat.read_stream)(), &record.bytes(), []);
    let (before, fault, whole) = collected(&said);
    Read::Stream { said, before, failed: fault.is_some(), whole }
}

fn through(face: &Dialect, id: &str, read: &Read) -> Fate {
    let several = |before: &Answer| before.choices.len() > 1 && !SEVERAL.contains(&face.name);
    match read {
        Read::Failed => Fate::Skipped(FAILED),
        Read::Plain(before) | Read::Stream { before, .. } if several(before) => {
            Fate::Skipped("several answers, which a request through this face cannot ask for")
        }
        Read::Plain(before) | Read::Stream { before, .. } if is_marked(before) => {
            Fate::Skipped(MARKED)
        }
        Read::Plain(before) => {
            let body = (face.chat.write_answer)(before, &identity());
            let after = (face.chat.read_answer)(&body)
                .unwrap_or_else(|error| panic!("{id} through {}: {error:?}", face.name));
            same(id, face, before, &after);
            Fate::Passed
        }
        Read::Stream { said, before, failed, whole } => {
            let mut writer = (face.chat.write_stream)(identity());
            let mut out = Vec::new();
            said.iter().for_each(|event| writer.event(event, &mut out));
            let (after, told, ended) = collected(&events((face.chat.read_stream)(), &out, []));
            assert_eq!(ended, *whole, "{id} through {}", face.name);
            if !whole {
                assert_eq!(told.is_some(), *failed, "{id} through {}", face.name);
                return Fate::Skipped(if *failed { FAILED } else { ENDLESS });
            }
            check_order(face, &String::from_utf8_lossy(&out));
            same(id, face, before, &after);
            Fate::Passed
        }
    }
}

/// Puts every record of a dialect through every other face; gives a row of the matrix.
fn row(name: &str) -> String {
    let from = dialect::named(name).unwrap();
    let mut told = String::new();
    let names = operations(from);
    let operations: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut passed: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
    let mut skipped: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut total = [0, 0];
    traffic::each_of(&operations, |record| {
        // Cohere's first version is served by Bedrock only.
        let first = !record.request_body["message"].is_null() && name == "cohere_chat";
        let silent = ["embed", "rerank"].iter().any(|word| record.path.contains(word));
        let vectors = record.response_body.starts_with("{\"embedding\"");
        let empty = record.status != 200 || record.response_body.is_empty();
        if empty || first || silent || vectors {
            return;
        }
        let streams = record.is_stream();
        total[usize::from(streams)] += 1;
        let read = read(from, &record);
        for face in chats().into_iter().filter(|face| *face != from) {
            match through(face, &record.id, &read) {
                Fate::Passed => passed.entry(face.name).or_default()[usize::from(streams)] += 1,
                Fate::Skipped(reason) => {
                    skipped.entry((face.name, reason)).or_default().push(record.id.clone());
                }
            }
        }
    });
    for (face, [plain, streams]) in &passed {
        let (name, [answers, all_streams]) = (from.name, total);
        writeln!(
            told,
            "{name} -> {face}: {plain} of {answers} answers, {streams} of {all_streams} streams"
        )
        .unwrap();
        let out = skipped.iter().filter(|((name, _), _)| name == face);
        let mut missing = 0;
        for ((_, reason), ids) in out {
            missing += ids.len();
            writeln!(told, "    {} skipped: {reason}, e.g. {}", ids.len(), ids[0]).unwrap();
        }
        let all = total[0] + total[1];
        assert_eq!(plain + streams + u32::try_from(missing).unwrap(), all);
        assert!(missing < 40, "{missing} records of {} skipped", from.name);
    }
    assert_eq!(passed.len(), chats().len() - 1, "{}", from.name);
    told
}

#[test]
fn openai_chat_answers_through_every_other_face() {
    println!("{}", row("openai_chat"));
}

#[test]
fn anthropic_answers_through_every_other_face() {
    println!("{}", row("anthropic_messages"));
}

#[test]
fn bedrock_answers_through_every_other_face() {
    println!("{}", row("bedrock_converse"));
}

#[test]
fn cohere_answers_through_every_other_face() {
    println!("{}", row("cohere_chat"));
}

#[test]
fn gemini_answers_through_every_other_face() {
    println!("{}", row("gemini"));
}

#[test]
fn answers_of_invoked_models_through_every_other_face() {
    println!("{}", row("bedrock_invoke"));
}

#[test]
fn ollama_answers_through_every_other_face() {
    println!("{}", row("ollama_chat"));
}

#[test]
fn responses_answers_through_every_other_face() {
    println!("{}", row("openai_responses"));
}
