//! Recorded provider traffic, found beside the repository.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use base64::Engine as _;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use wire::{Operation, Usage};

/// One exchange, as its record keeps it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) request_body: Value,
    pub(crate) request_body_encoding: String,
    pub(crate) response_headers: std::collections::BTreeMap<String, String>,
    pub(crate) response_body: String,
    pub(crate) response_body_encoding: String,
    pub(crate) response_chunks: Option<Vec<usize>>,
}

impl Record {
    /// The operation, for those of the OpenAI dialect.
    pub(crate) fn operation(&self) -> Option<Operation> {
        match self.operation.as_str() {
            "chat" | "chat_stream" => Some(Operation::ChatCompletions),
            "completions" | "completions_stream" => Some(Operation::Completions),
            "embeddings" => Some(Operation::Embeddings),
            _ => None,
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.operation.ends_with("_stream")
    }

    pub(crate) fn body(&self) -> Bytes {
        Bytes::copy_from_slice(self.response_body.as_bytes())
    }

    /// The answer's bytes, also where they are no text.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self.response_body_encoding.as_str() {
            "base64" => {
                base64::engine::general_purpose::STANDARD.decode(&self.response_body).unwrap()
            }
            _ => self.response_body.clone().into_bytes(),
        }
    }

    /// The request's bytes, where it was JSON.
    pub(crate) fn request(&self) -> Option<Bytes> {
        let json = self.request_body_encoding == "json";
        json.then(|| Bytes::from(self.request_body.to_string()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.response_headers.get(name).cloned()
    }
}

/// The folder beside the repository, from whichever crate's tests this is compiled into.
fn folder() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut folders = here.ancestors().map(|above| above.join("../shared/traffic"));
    let found = folders.find(|folder| folder.is_dir());
    found.unwrap_or_else(|| panic!("recorded traffic is expected beside {}", here.display()))
}

/// Only what tells whether a record is wanted, so that the rest need not be parsed.
#[derive(Deserialize)]
struct Label {
    operation: String,
}

fn lines(provider: &str) -> impl Iterator<Item = String> {
    let path = folder().join(format!("{provider}.jsonl.gz"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(flate2::read::GzDecoder::new(file)).lines().map(Result::unwrap)
}

/// Every record of the OpenAI dialect.
pub(crate) fn each(each: impl FnMut(Record)) {
    each_of(&["chat", "chat_stream", "completions", "completions_stream", "embeddings"], each);
}

/// Every record of these operations.
pub(crate) fn each_of(operations: &[&str], mut each: impl FnMut(Record)) {
    let is_wanted = |line: &str| {
        let label: Label = serde_json::from_str(line).unwrap();
        operations.contains(&label.operation.as_str())
    };
    let entries =
        folder().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut providers: Vec<String> =
        entries.filter_map(|name| Some(name.strip_suffix(".jsonl.gz")?.to_owned())).collect();
    providers.sort();
    for provider in providers {
        lines(&provider)
            .filter(|line| is_wanted(line.as_str()))
            .for_each(|line| each(serde_json::from_str(&line).unwrap()));
    }
}

/// Records of one provider and these operations.
pub(crate) fn of(provider: &str, operations: &[&str]) -> impl Iterator<Item = Record> {
    let is_wanted = |line: &String| {
        let label: Label = serde_json::from_str(line).unwrap();
        operations.contains(&label.operation.as_str())
    };
    let wanted: Vec<String> = lines(provider).filter(is_wanted).collect();
    wanted.into_iter().map(|line| serde_json::from_str(&line).unwrap())
}

/// One record by its id, `PROVIDER-OPERATION-HASH`.
pub(crate) fn record(id: &str) -> Record {
    let provider = id.split('-').next().unwrap();
    let mut lines = lines(provider).filter(|line| line.contains(id));
    let line = lines.next().unwrap_or_else(|| panic!("no record {id}"));
    serde_json::from_str(&line).unwrap()
}

/// Usage out of a whole body or chunk, read the slow and plain way.
pub(crate) fn plain_usage(body: &Value) -> Option<Usage> {
    let places =
        [body.get("usage"), body.pointer("/x_groq/usage"), body.pointer("/choices/0/usage")];
    let usage = places.into_iter().flatten().filter_map(plain_counts).reduce(Usage::max);
    let service = body.get("service_tier").and_then(Value::as_str);
    let service = service.and_then(wire::Service::named);
    usage.map(|usage| Usage { service, ..usage })
}

fn plain_counts(usage: &Value) -> Option<Usage> {
    let at = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let most = |paths: &[&str]| paths.iter().filter_map(|path| at(path)).max().unwrap_or(0);
    let (prompt, completion, total) =
        (at("/prompt_tokens"), at("/completion_tokens"), at("/total_tokens"));
    if prompt.is_none() && completion.is_none() && total.is_none() {
        return None;
    }
    let reasoning = most(&["/completion_tokens_details/reasoning_tokens", "/reasoning_tokens"]);
    let audio = most(&["/prompt_tokens_details/audio_tokens"]);
    let mut output = completion.unwrap_or(0);
    let mut input = prompt.unwrap_or(total.unwrap_or(0).saturating_sub(output));
    let missing = total.unwrap_or(0).saturating_sub(input + output);
    if missing > 0 && missing == audio {
        input += audio;
    } else if missing > 0 {
        output += missing;
    } else if reasoning > 2 * output + 1 {
        output += reasoning;
    }
    let written =
        most(&["/prompt_tokens_details/cache_write_tokens", "/cache_creation_input_tokens"])
            .min(input);
    let read = most(&[
        "/prompt_tokens_details/cached_tokens",
        "/prompt_cache_hit_tokens",
        "/cache_read_input_tokens",
        "/num_cached_tokens",
        "/cached_tokens",
    ]);
    Some(Usage {
        input_tokens: input,
        cache_read_tokens: read.min(input - written),
        cache_write_tokens: written,
        cache_write_1h_tokens: most(&["/cache_creation/ephemeral_1h_input_tokens"]).min(written),
        audio_input_tokens: audio.min(input),
        audio_cache_read_tokens: most(&[
            "/prompt_tokens_details/cached_tokens_details/audio_tokens",
        ]),
        image_input_tokens: most(&["/prompt_tokens_details/image_tokens"]).min(input),
        output_tokens: output,
        reasoning_tokens: reasoning.min(output),
        audio_output_tokens: most(&["/completion_tokens_details/audio_tokens"]).min(output),
        image_output_tokens: most(&["/completion_tokens_details/image_tokens"]).min(output),
        input_ms: 1_000 * most(&["/prompt_audio_seconds", "/seconds"]),
        web_searches: most(&["/server_tool_use/web_search_requests", "/num_search_queries"]),
        ..Usage::default()
    })
}
