//! The table of what real providers send that naive gateways get wrong: each row has a test of its own,
//! named after one of the row's records. Rows that are about neither chats nor errors have theirs here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use wire::Operation;
use wire::chat::{Event, StreamReader};
use wire::dialect::gemini;
use wire::frame::{Found, Framing, Splitter};
use wire::provider;

use crate::traffic;

/// The rows, each with its records as they stand in names of tests.
fn rows() -> BTreeMap<u32, Vec<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = here.join("../../../shared/design/ODDITIES.md");
    let text = std::fs::read_to_string(&table)
        .unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    let row = |line: &str| {
        let cells: Vec<&str> =
            line.strip_prefix("| ")?.trim_end_matches(" |").split(" | ").collect();
        let number = cells.first()?.parse().ok()?;
        let quoted = cells.last()?.split('`').skip(1).step_by(2);
        Some((number, quoted.map(|id| id.replace('-', "_")).collect()))
    };
    text.lines().filter_map(row).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = folder.read_dir() else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The names of all tests of this crate and of those that answer callers.
fn tests() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in
        ["api/wire/src", "api/wire/tests", "api/src", "api/tests", "node/src", "node/tests"]
    {
        sources(&root.join(folder), &mut files);
    }
    let mut names = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                names.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
                is_test = false;
            }
        }
    }
    names
}

/// Gives a row a test of its own, asking rows that have one to take another.
fn settle(
    row: u32,
    fits: &BTreeMap<u32, Vec<usize>>,
    taken: &mut BTreeMap<usize, u32>,
    asked: &mut Vec<usize>,
) -> bool {
    for &test in &fits[&row] {
        if asked.contains(&test) {
            continue;
        }
        asked.push(test);
        let holder = taken.get(&test).copied();
        if holder.is_none_or(|other| settle(other, fits, taken, asked)) {
            taken.insert(test, row);
            return true;
        }
    }
    false
}

#[test]
fn each_row_of_the_table_has_a_test_of_its_own_named_after_its_record() {
    let (rows, tests) = (rows(), tests());
    assert_eq!(rows.len(), 84);
    let named = |ids: &Vec<String>| -> Vec<usize> {
        let named = |name: &String| ids.iter().any(|id| name.contains(id.as_str()));
        (0..tests.len()).filter(|at| named(&tests[*at])).collect()
    };
    let fits: BTreeMap<u32, Vec<usize>> =
        rows.iter().map(|(row, ids)| (*row, named(ids))).collect();
    let mut taken = BTreeMap::new();
    let without: Vec<u32> = rows
        .keys()
        .copied()
        .filter(|row| !settle(*row, &fits, &mut taken, &mut Vec::new()))
        .collect();
    assert_eq!(without, [0; 0], "rows without a test of their own");
}

/// The data of a stream's events, cut into pieces of that size.
fn data(body: &[u8], size: usize) -> Vec<String> {
    let (mut splitter, mut events) = (Splitter::new(Framing::Sse), Vec::new());
    for piece in body.chunks(size) {
        let mut at = 0;
        while let Some(found) = splitter.next(piece, &mut at).unwrap() {
            if let Found::Event { data, .. } = found {
                events.push(String::from_utf8(data.to_vec()).unwrap());
            }
        }
    }
    events
}

/// Row 19: numbered events of plain words, some of them empty, keep every space but the first.
#[test]
fn replicate_predictions_stream_d64579881d_data_is_plain_text() {
    let body = traffic::record("replicate-predictions_stream-d64579881d").bytes();
    let events = data(&body, body.len());
    assert_eq!(data(&body, 1), events);
    // The last is the word of `event: done`; what stands behind it is a comment.
    assert_eq!((events.len(), events.last().unwrap().as_str()), (25, "{}"));
    let words = events[..events.len() - 1].concat();
    assert!(
        words.starts_with("Sure, here's a joke about OpenTelemetry:\n\nWhy did the Open"),
        "{words}"
    );
    assert!(words.ends_with("your face! Is there anything else I can assist you with?"), "{words}");
}

/// Row 59: the counts of a stream grow from chunk to chunk; the last is what is billed.
#[test]
fn gemini_gemini_stream_7925025246_counts_of_every_chunk_are_never_summed() {
    let record = traffic::record("gemini-gemini_stream-7925025246");
    let last = |name: &str| -> u64 {
        let said = record.response_body.rmatch_indices(&format!("\"{name}\":")).next();
        let (at, key) = said.unwrap_or_else(|| panic!("no {name}"));
        let rest = record.response_body[at + key.len()..].trim_start();
        rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let mut reader = StreamReader::new(Box::new(gemini::StreamReading::of(Framing::Sse)));
    let mut events = Vec::new();
    reader.push(record.response_body.as_bytes(), &mut events).unwrap();
    reader.finish(&mut events);
    let told = events.iter().filter_map(|event| match event {
        Event::Usage(counts) => Some(*counts),
        _ => None,
    });
    let usage = told.reduce(wire::Usage::max).unwrap();
    let (input, output) = (usage.input_tokens, usage.output_tokens);
    assert_eq!((input, input + output), (last("promptTokenCount"), last("totalTokenCount")));
}

/// Row 64: whatever names a model is one segment of the path, in the form that is signed.
#[test]
fn bedrock_converse_bee11282cc_the_model_is_one_segment_of_the_path() {
    let recorded = traffic::record("bedrock-converse-bee11282cc").path;
    let bedrock = provider::named("bedrock").unwrap();
    let path = |model: &str| {
        let face = &wire::dialect::bedrock_converse::DIALECT;
        let speech = bedrock.speech(Operation::ChatCompletions, face, model).unwrap();
        speech.path(model, false).into_owned()
    };
    assert_eq!(path("amazon.nova-lite-v1:0"), recorded);
    let arn = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/abc";
    let encoded =
        "arn%3Aaws%3Abedrock%3Aus-east-1%3A000000000000%3Aapplication-inference-profile%2Fabc";
    assert_eq!(path(arn), format!("/model/{encoded}/converse"));
}

/// Row 81: sound told in events is no chat, and captions are no JSON; neither is taken for the other.
#[test]
fn openai_speech_stream_c7155d519b_sound_in_events_and_captions_as_text() {
    let body = Bytes::from(traffic::record("openai-speech_stream-c7155d519b").bytes());
    let events = data(&body, 1000);
    assert_eq!(data(&body, 1), events);
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let told: Vec<Value> =
        events[..events.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    let sound = told.iter().filter(|event| event["audio"].is_string()).count();
    assert_eq!((sound, told.len()), (told.len() - 1, 16));
    assert_eq!(told.last().unwrap()["usage"]["output_tokens"], 93);
    let captions = traffic::record("openai-transcription-3d3a40c197");
    assert!(data(&captions.bytes(), 7).is_empty());
    assert!(captions.response_headers["content-type"].starts_with("text/plain"));
}
