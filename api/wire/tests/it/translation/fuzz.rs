//! Recorded bodies, altered where it hurts: whatever comes of it, no parser panics, what is written is
//! JSON, and a stream says the same however it is cut.
//!
//! A test run takes a thousand cases from a fixed seed, and every input kept in `tests/corpus`.
//! `BURSAR_FUZZ_SECONDS=600 cargo nextest run -p wire fuzz --no-capture` goes on for that long from a seed
//! of its own, and keeps what fails.

mod alter;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use wire::chat::{Identity, Leniency, StandIns, Target};
use wire::dialect::{self, Dialect};
use wire::frame::Framing;
use wire::relay::{Completed, Relay, StreamOptions, Translated};
use wire::splice::{self, Calls, Edits, OutputField};
use wire::{Asked, Operation, Refusal, embed, rerank};

use self::alter::{Dice, altered_json, altered_stream, torn};
use super::support::{cuts, events, target};
use crate::traffic;

/// Cases of a usual run, in all.
const CASES: u64 = 1_000;
/// Longer bodies only cost time.
const BYTES_MAX: usize = 6_000;
/// Seeds of each operation.
const SEEDS: usize = 12;

/// Where the seeds of each dialect are, and what they are.
const SOURCES: [(&str, &str, [&str; 2]); 10] = [
    ("openai_chat", "mistral", ["chat", "chat_stream"]),
    ("openai_chat", "groq", ["chat", "chat_stream"]),
    ("anthropic_messages", "anthropic", ["messages", "messages_stream"]),
    ("openai_responses", "xai", ["responses", "responses_stream"]),
    ("gemini", "vertex", ["gemini_generate", "gemini_stream"]),
    ("cohere_chat", "cohere", ["cohere_chat", "cohere_chat_stream"]),
    ("bedrock_converse", "bedrock", ["converse", "converse_stream"]),
    ("bedrock_invoke", "bedrock", ["invoke", "invoke_stream"]),
    ("ollama_chat", "ollama", ["ollama_chat", "ollama_chat_stream"]),
    ("other", "cohere", ["embeddings", "rerank"]),
];

/// What is done with an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Answer,
    Stream,
}

impl Kind {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Request, "request"), (Self::Answer, "answer"), (Self::Stream, "stream")];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).unwrap().1
    }
}

#[derive(Debug, Clone)]
struct Input {
    dialect: String,
    kind: Kind,
    bytes: Vec<u8>,
}

fn seeds() -> Vec<Input> {
    let mut seeds = Vec::new();
    for (dialect, provider, operations) in SOURCES {
        let mut taken = [0; 3];
        let mut add = |kind: Kind, bytes: Vec<u8>| {
            let taken = &mut taken[kind as usize];
            if bytes.len() < BYTES_MAX && !bytes.is_empty() && *taken < SEEDS {
                *taken += 1;
                seeds.push(Input { dialect: dialect.to_owned(), kind, bytes });
            }
        };
        for record in traffic::of(provider, &operations) {
            if let Some(body) = record.request() {
                add(Kind::Request, body.to_vec());
            }
            let kind = if record.is_stream() { Kind::Stream } else { Kind::Answer };
            add(kind, record.bytes());
        }
    }
    seeds
}

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// Inputs kept, named `DIALECT.KIND.ANYTHING`.
fn kept() -> Vec<Input> {
    let mut kept = Vec::new();
    for entry in corpus().read_dir().unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let [dialect, kind, _] = name.split('.').collect::<Vec<_>>()[..] else { continue };
        let known = Kind::ALL.into_iter().find(|(_, known)| *known == kind);
        let (kind, _) = known.unwrap_or_else(|| panic!("{name}: no such kind"));
        let bytes = std::fs::read(entry.path()).unwrap();
        kept.push(Input { dialect: dialect.to_owned(), kind, bytes });
    }
    kept
}

fn alter_input(input: &Input, dice: &mut Dice) -> Input {
    let framing = dialect::named(&input.dialect).map_or(Framing::Sse, |dialect| dialect.framing);
    let bytes = match input.kind {
        _ if dice.below(4) == 0 => torn(&input.bytes, dice),
        Kind::Stream => altered_stream(framing, &input.bytes, dice),
        Kind::Request | Kind::Answer => {
            altered_json(&input.bytes, dice).unwrap_or_else(|| torn(&input.bytes, dice))
        }
    };
    Input { bytes, ..input.clone() }
}

fn is_json(bytes: &[u8], what: &str) {
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(), "{what} is no JSON");
}

fn check_request(from: &Dialect, bytes: &[u8]) {
    let asked =
        Asked { model: Some("m"), stream: Some(false), ..Asked::of(Operation::ChatCompletions) };
    let Ok(call) = (from.read)(&asked, bytes) else { return };
    let body = Bytes::copy_from_slice(bytes);
    let spliced = splice::apply(&call, &Edits::default(), &body).concat();
    is_json(&spliced, "a spliced request");
    let Ok(request) = from.request(&call, bytes) else { return };
    for to in dialect::ALL {
        for leniency in [Leniency::Lenient, Leniency::Strict] {
            let target = Target { leniency, ..target("m", OutputField::MaxTokens) };
            if let Ok(written) = to.write_request(&request, &target) {
                is_json(&written.body, "a translated request");
            }
        }
    }
    let _ = StandIns::of(&request);
}

fn check_answer(from: &Dialect, bytes: &[u8]) {
    let _ = (from.reply)(Operation::ChatCompletions, bytes);
    let _ = Calls::answer(&Bytes::copy_from_slice(bytes));
    let Ok(answer) = (from.chat.read_answer)(bytes) else { return };
    for to in dialect::ALL {
        is_json(&(to.chat.write_answer)(&answer, &Identity::default()), "a translated answer");
    }
}

fn cut() -> Refusal {
    Refusal::provider(502, "stream_cut", "the stream was cut")
}

fn relayed(mut relay: Box<dyn Relay>, bytes: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in bytes.chunks(size) {
        if relay.push(&Bytes::copy_from_slice(piece), &mut out).is_err() {
            break;
        }
    }
    relay.finish(&cut, &mut out);
    out.concat()
}

fn check_stream(from: &Dialect, bytes: &[u8], seed: u64) {
    let whole = events((from.chat.read_stream)(), bytes, []);
    let pieces = events((from.chat.read_stream)(), bytes, cuts(bytes.len(), seed));
    assert_eq!(pieces, whole, "cutting changed what a stream of {} says", from.name);
    for to in dialect::ALL {
        let identity = Identity { framing: to.framing, ..Identity::default() };
        let told =
            relayed(Box::new(Translated::new(from, to, identity)), bytes, bytes.len().max(1));
        let text = to.framing != Framing::AwsEventStream;
        assert!(!text || std::str::from_utf8(&told).is_ok(), "{} is no text", to.name);
    }
    let options = StreamOptions { hide_usage: false, answers: 1, framing: from.framing };
    let passed = |size| relayed((from.relay)(&options), bytes, size);
    assert_eq!(
        passed(7),
        passed(bytes.len().max(1)),
        "cutting changed what {} passes on",
        from.name
    );
    if from.name == "openai_chat" {
        let completed =
            |size| relayed(Box::new(Completed::new((from.relay)(&options))), bytes, size);
        assert_eq!(
            completed(5),
            completed(bytes.len().max(1)),
            "cutting changed what is completed"
        );
    }
}

/// Embeddings and reranking, in every form.
fn check_other(bytes: &[u8]) {
    for format in embed::ALL {
        let _ = (format.read_request)(bytes);
        let _ = (format.read_answer)(bytes);
    }
    if let Ok(answer) = rerank::read_answer(bytes) {
        drop(answer);
    }
}

fn check(input: &Input, seed: u64) {
    let Some(from) = dialect::named(&input.dialect) else { return check_other(&input.bytes) };
    match input.kind {
        Kind::Request => check_request(from, &input.bytes),
        Kind::Answer => check_answer(from, &input.bytes),
        Kind::Stream => check_stream(from, &input.bytes, seed),
    }
}

/// What is left of an input that fails when all that can go is gone.
fn minimised(input: &Input, seed: u64) -> Input {
    let fails = |input: &Input| catch_unwind(AssertUnwindSafe(|| check(input, seed))).is_err();
    let mut least = input.clone();
    let mut size = least.bytes.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < least.bytes.len() {
            let end = (at + size).min(least.bytes.len());
            let bytes = [&least.bytes[..at], &least.bytes[end..]].concat();
            let fewer = Input { bytes, ..least.clone() };
            if fails(&fewer) {
                least = fewer;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    least
}

#[test]
fn altered_bodies_do_no_harm() {
    kept().iter().for_each(|input| check(input, 1));
    let seconds = std::env::var("BURSAR_FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
    let started = Instant::now();
    let clock = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed = if seconds.is_some() { clock.as_secs() | 1 } else { 0x5eed };
    println!("seed {seed}");
    let (mut dice, seeds, mut cases) = (Dice(seed), seeds(), 0_u64);
    assert!(seeds.len() > 200, "{}", seeds.len());
    let mut failed = Vec::new();
    loop {
        let goes_on = match seconds {
            Some(seconds) => started.elapsed() < Duration::from_secs(seconds),
            None => cases < CASES,
        };
        if !goes_on || failed.len() > 20 {
            break;
        }
        cases += 1;
        let mut input = seeds[dice.below(seeds.len())].clone();
        (0..=dice.below(2)).for_each(|_| input = alter_input(&input, &mut dice));
        let case = dice.roll();
        if catch_unwind(AssertUnwindSafe(|| check(&input, case))).is_err() {
            let least = minimised(&input, case);
            let name = format!("{}.{}.{case:012x}", least.dialect, least.kind.name());
            std::fs::write(corpus().join(&name), &least.bytes).unwrap();
            failed.push(name);
        }
    }
    println!("{cases} cases in {:?}", started.elapsed());
    assert_eq!(failed, [] as [String; 0], "kept in tests/corpus");
}
