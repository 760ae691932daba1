//! Hand-made cases, one folder each: `testdata/<provider>/<case>/`.
//!
//! | file | is |
//! |---|---|
//! | `call.json` | what the caller sends |
//! | `request.json` | what the provider gets |
//! | `answer.sse` or `answer.json` | what the provider answers |
//! | `reply.sse` or `reply.json` | what the caller gets, the trailer included |
//! | `events.json` | what was understood |
//!
//! `UPDATE_GOLDEN=1` writes `request.json`, `reply.*` and `events.json` anew; read the difference.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};
use wire::dialect::openai_chat::{StreamRelay, Trailer, provider_answer, read, reply};
use wire::provider::{self, Provider};
use wire::relay::StreamOptions;
use wire::splice::{Edits, ModelName, OutputCap, apply};
use wire::{Asked, Operation, ProviderError, Refusal, Usage};

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = parent.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn usage(usage: Option<Usage>) -> Value {
    let Some(usage) = usage else { return Value::Null };
    json!({
        "input": usage.input_tokens, "cache_read": usage.cache_read_tokens, "cache_write": usage.cache_write_tokens,
        "output": usage.output_tokens, "reasoning": usage.reasoning_tokens,
    })
}

fn fault(fault: Option<&ProviderError>) -> Value {
    fault.map_or(
        Value::Null,
        |fault| json!({ "status": fault.status, "code": fault.code, "message": fault.message }),
    )
}

/// Reads a plain answer: what the caller gets, and what was understood.
fn plain(answer: &Bytes) -> (Vec<u8>, Value) {
    let reply = reply(Operation::ChatCompletions, answer);
    let (status, body) = match &reply.fault {
        Some(fault) => provider_answer(fault, answer),
        None => (200, answer.clone()),
    };
    let seen = json!({ "status": status, "usage": usage(reply.usage), "fault": fault(reply.fault.as_ref()) });
    (body.to_vec(), seen)
}

/// Passes a stream on in pieces of the given size: what the caller gets, and what was understood.
fn stream(options: StreamOptions, answer: &Bytes, piece: usize) -> (Vec<u8>, Value) {
    let mut relay = StreamRelay::new(options);
    let mut out = Vec::new();
    for from in (0..answer.len()).step_by(piece) {
        relay.push(&answer.slice(from..answer.len().min(from + piece)), &mut out).unwrap();
    }
    let end = relay.finish(&mut out);
    let trailer =
        end.trailer(&Refusal::provider(502, "stream_cut", "the provider's stream broke off"));
    let seen = json!({
        "usage": usage(end.usage), "saw_done": end.saw_done, "finished": end.finished, "complete": end.complete,
        "error": fault(end.error.as_ref()), "events": end.events, "output_bytes": end.output_bytes,
    });
    match trailer {
        Trailer::None => {}
        Trailer::Done(bytes) | Trailer::Cut(bytes) => out.push(bytes),
    }
    (out.concat(), seen)
}

fn check(file: &Path, found: &[u8]) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file, found).unwrap();
    }
    let expected = fs::read(file).unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(found), text(&expected), "{}", file.display());
}

#[test]
fn every_case_gives_its_golden_files() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut count = 0;
    for folder in folders(&testdata) {
        // Folders are named as the provider's file is.
        let name = folder.file_name().unwrap().to_str().unwrap().replace('_', "-");
        let provider = provider::named(&name).unwrap_or_else(|| panic!("no provider {name}"));
        for case in folders(&folder) {
            count += 1;
            run(provider, &case);
        }
    }
    assert!(count >= 9, "{count}");
}

fn run(provider: &Provider, case: &Path) {
    let call_bytes = Bytes::from(fs::read(case.join("call.json")).unwrap());
    let call = read(&Asked::of(Operation::ChatCompletions), &call_bytes).unwrap();
    let model = ModelName::new("upstream/model");
    let quirks = provider.quirks;
    let cap = OutputCap { tokens: 4096, field: quirks.output_field };
    let edits = Edits { model: Some(&model), ask_usage: quirks.ask_usage, output_cap: Some(cap) };
    check(&case.join("request.json"), &apply(&call, &edits, &call_bytes).concat());
    let hide_usage = edits.hides_usage(&call);
    let options = StreamOptions { hide_usage, answers: call.answers, framing: call.framing };
    let streamed = case.join("answer.sse");
    let (extension, (reply, seen)) = if streamed.exists() {
        let answer = Bytes::from(fs::read(streamed).unwrap());
        let whole = stream(options, &answer, answer.len().max(1));
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(
                stream(options, &answer, piece),
                whole,
                "{} in pieces of {piece}",
                case.display()
            );
        }
        ("sse", whole)
    } else {
        let answer = Bytes::from(fs::read(case.join("answer.json")).unwrap());
        ("json", plain(&answer))
    };
    check(&case.join(format!("reply.{extension}")), &reply);
    check(&case.join("events.json"), format!("{seen:#}\n").as_bytes());
}
