//! Answers of makers with formats of their own: words, why they ended, and what was counted, wherever
//! each has them.

use super::NAME;
use crate::chat::{Answer, Choice, Finish, Part};
use crate::dialect::{anthropic_messages, bedrock_converse, openai_chat};
use crate::json::{Fields, text};
use crate::provider_error::ProviderError;
use crate::relay::{Reply, reply_of};
use crate::usage::{Service, Usage};

/// Lists of answers, and the path to the words in each.
const LISTS: [(&str, &str); 4] =
    [("results", "outputText"), ("outputs", "text"), ("generations", "text"), ("completions", "")];

/// Words that stand in the body itself.
const WORDS: [&str; 4] = ["generation", "completion", "outputText", "text"];

/// Reads an answer that came under a success status, of whichever maker.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let body_text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    let mut fields = Fields::read(body_text).map_err(|_| unreadable("is not a JSON object"))?;
    if fields.get("content").is_some_and(|list| list.starts_with('[')) {
        return anthropic_messages::read_answer(body);
    }
    if fields.get("output").is_some() {
        return bedrock_converse::read_answer(body);
    }
    if fields.get("choices").is_some_and(|list| list.contains("\"message\"")) {
        return openai_chat::chat::read_answer(body);
    }
    let choices = choices(&mut fields);
    if choices.is_empty() {
        return Err(match fields.get("message").and_then(text) {
            Some(_) => bedrock_converse::read_error(body),
            None => unreadable("is of no known format"),
        });
    }
    let id = fields.text("id").or_else(|| fields.text("response_id")).unwrap_or_default();
    let model = fields.text("model").unwrap_or_default();
    let counts = counts(&mut fields, body_text);
    Ok(Answer { dialect: NAME, id, model, created_s: None, choices, counts })
}

/// Reads a body that came with a success status, also one that holds vectors or scores.
#[must_use]
pub fn reply(operation: crate::call::Operation, body: &[u8]) -> Reply {
    let has = |key: &[u8]| memchr::memmem::find(body, key).is_some();
    // Behind a profile's name there may be any model.
    if operation.generates() && !has(b"\"embedding\"") && !has(b"\"embeddings\"") {
        return reply_of(read_answer(body));
    }
    let fields = std::str::from_utf8(body).ok().and_then(|text| Fields::read(text).ok());
    let Some(mut fields) = fields else {
        let what = "the provider's answer is not a JSON object";
        return Reply { fault: Some(ProviderError::unreadable(what)), ..Reply::default() };
    };
    let input = fields.whole("inputTextTokenCount");
    let usage = input.map(|input_tokens| Usage { input_tokens, ..Usage::default() });
    Reply { usage, ..Reply::default() }
}

/// What Bedrock counted, as the headers of a plain answer tell it: the only place for some makers.
/// `header` looks a response header up, in lower case.
pub fn usage_of_headers(header: &dyn Fn(&str) -> Option<String>) -> Option<Usage> {
    let count = |what: &str| {
        header(&format!("x-amzn-bedrock-{what}-token-count"))?.trim().parse::<u64>().ok()
    };
    let input = count("input")?;
    let read = count("cache-read-input").unwrap_or(0);
    let write = count("cache-write-input").unwrap_or(0);
    Some(Usage {
        input_tokens: input.saturating_add(read).saturating_add(write),
        cache_read_tokens: read,
        cache_write_tokens: write,
        output_tokens: count("output").unwrap_or(0),
        service: header("x-amzn-bedrock-service-tier").and_then(|word| Service::named(&word)),
        ..Usage::default()
    })
}

fn choices(fields: &mut Fields<'_>) -> Vec<Choice> {
    for (key, words) in LISTS {
        let Some(list) = fields.list(key) else { continue };
        let read = (0..).zip(list).filter_map(|(index, item)| {
            let mut item = Fields::read(item).ok()?;
            let said = match words {
                // AI21's first models.
                "" => item.object("data")?.text("text")?,
                words => item.text(words)?,
            };
            Some(choice(index, said, &mut item))
        });
        return read.collect();
    }
    let said = WORDS.into_iter().find_map(|key| fields.text(key));
    if let Some(said) = said {
        return vec![choice(0, said, fields)];
    }
    // A completion in OpenAI's older format.
    let list = fields.list("choices").unwrap_or_default();
    let read = (0..).zip(list).filter_map(|(index, item)| {
        let mut item = Fields::read(item).ok()?;
        let said = item.text("text")?;
        Some(choice(index, said, &mut item))
    });
    read.collect()
}

fn choice(index: u32, said: String, fields: &mut Fields<'_>) -> Choice {
    let parts = vec![Part::text(said)];
    Choice { index, parts, finish: finish(fields), ..Choice::default() }
}

/// Why an answer ended, wherever it is told.
pub(super) fn finish(fields: &mut Fields<'_>) -> Option<Finish> {
    let keys = ["stop_reason", "completionReason", "finish_reason", "finishReason"];
    let given = |key: &str| {
        let nested = |value: &str| Fields::read(value).ok()?.text("reason");
        fields.get(key).and_then(|value| text(value).or_else(|| nested(value)))
    };
    let word = keys.into_iter().find_map(given)?;
    Some(match word.to_ascii_lowercase().as_str() {
        "stop" | "finish" | "complete" | "endoftext" | "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "length" | "max_tokens" => Finish::Length,
        "content_filtered" | "error_toxic" | "rag_query_when_rag_disabled" => Finish::ContentFilter,
        _ => Finish::Other(word),
    })
}

fn counts(fields: &mut Fields<'_>, body: &str) -> Option<Usage> {
    if let Some(list) = fields.get("usage").and_then(|usage| Fields::read(usage).ok()) {
        let mut usage = list;
        let (input, output) = (usage.whole("prompt_tokens"), usage.whole("completion_tokens"));
        return of(input, output);
    }
    let input = fields.whole("prompt_token_count").or_else(|| fields.whole("inputTextTokenCount"));
    let results = Fields::read(body).ok()?.list("results").unwrap_or_default();
    let generated =
        results.into_iter().filter_map(|item| Fields::read(item).ok()?.whole("tokenCount"));
    let output = fields.whole("generation_token_count").or_else(|| {
        let all: Vec<u64> = generated.collect();
        (!all.is_empty()).then(|| all.into_iter().fold(0, u64::saturating_add))
    });
    of(input, output)
}

/// Counts out of those of input and output.
pub(super) fn of(input: Option<u64>, output: Option<u64>) -> Option<Usage> {
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Usage {
        input_tokens: input.unwrap_or(0),
        output_tokens: output.unwrap_or(0),
        ..Usage::default()
    })
}
