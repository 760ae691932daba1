//! Usage as another package reads it out of the same answers: see `scripts/golden_costs.py`.

use crate::traffic;
use serde_json::Value;
use std::collections::HashMap;
use wire::{Operation, Usage, dialect};

const COSTS: &str = include_str!("../../../../node/tests/costs.jsonl");

/// Answers that the two read differently, and why ours is as it is.
const DIFFERENT: &[(&str, &str)] = &[
    ("azure-chat-cc17e41d7c", "Grok's reasoning is in the total and not in the completion"),
    ("azure-chat-f46a9b890f", "Grok's reasoning is in the total and not in the completion"),
    ("gemini-chat-153859f25e", "thoughts are in the total and not in the completion"),
    ("gemini-chat-610514ba3f", "thoughts are in the total and not in the completion"),
    ("azure-chat-e99707518b", "tokens of pictures, which the package has no name for here"),
    ("xai-chat-d0d0de23a7", "tokens of pictures, which the package has no name for here"),
    ("mistral-chat-424d4c4381", "tokens of sound, left out of the prompt"),
    ("mistral-chat-f02b545140", "tokens of sound, left out of the prompt"),
    ("moonshot-chat-9c1fa95d22", "cached tokens stand beside the prompt's details"),
    ("azure-responses-", "searches are counted among the items of the answer"),
    ("openai-responses-", "searches are counted among the items of the answer"),
    ("xai-responses-", "searches are counted among the items of the answer"),
    ("gemini-gemini_generate-6f32a7e883", "searches are counted by their questions"),
    ("gemini-gemini_generate-", "the package counts documents as pictures"),
    ("vertex-gemini_generate-", "the package counts documents as pictures"),
];

fn read(record: &traffic::Record) -> Option<Usage> {
    let (dialect, operation) = match record.operation.as_str() {
        "chat" => ("openai_chat", Operation::ChatCompletions),
        "embeddings" => ("openai_chat", Operation::Embeddings),
        "responses" => ("openai_responses", Operation::ChatCompletions),
        "messages" => ("anthropic_messages", Operation::ChatCompletions),
        "gemini_generate" => ("gemini", Operation::ChatCompletions),
        "converse" => ("bedrock_converse", Operation::ChatCompletions),
        "cohere_chat" => ("cohere_chat", Operation::ChatCompletions),
        _ => return None,
    };
    (dialect::named(dialect)?.reply)(operation, &record.bytes()).usage
}

fn classes(usage: &Usage) -> [(&'static str, u64); 12] {
    [
        ("input_tokens", usage.input_tokens),
        ("cache_read_tokens", usage.cache_read_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
        ("cache_write_1h_tokens", usage.cache_write_1h_tokens),
        ("audio_input_tokens", usage.audio_input_tokens),
        ("audio_cache_read_tokens", usage.audio_cache_read_tokens),
        ("image_input_tokens", usage.image_input_tokens),
        ("output_tokens", usage.output_tokens),
        ("reasoning_tokens", usage.reasoning_tokens),
        ("audio_output_tokens", usage.audio_output_tokens),
        ("image_output_tokens", usage.image_output_tokens),
        ("web_searches", usage.web_searches),
    ]
}

#[test]
fn usage_is_what_a_package_of_others_reads_out_of_the_same_answers() {
    let rows = COSTS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: HashMap<String, Value> =
        rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row["usage"].clone())).collect();
    let operations = [
        "chat",
        "embeddings",
        "responses",
        "messages",
        "gemini_generate",
        "converse",
        "cohere_chat",
    ];
    let (mut compared, mut odd) = (0, Vec::new());
    traffic::each_of(&operations, |record| {
        let Some((row, usage)) = rows.get(&record.id).zip(read(&record)) else { return };
        compared += 1;
        let differs = |(class, count): &(&str, u64)| row[class].as_u64().unwrap_or(0) != *count;
        let differing: Vec<_> = classes(&usage).into_iter().filter(differs).collect();
        let whole = |id: &str| !id.ends_with('-');
        let of_few = |class: &str| matches!(class, "web_searches" | "image_input_tokens");
        let few = differing.iter().all(|(class, _)| of_few(class));
        let known = DIFFERENT.iter().any(|(id, _)| record.id.starts_with(id) && (whole(id) || few));
        if !differing.is_empty() && !known {
            odd.push(format!("{} {row} {differing:?}", record.id));
        }
    });
    assert!(compared > 400, "{compared}");
    assert!(odd.is_empty(), "{}: {odd:#?}", odd.len());
}
