//! What must survive a change of dialect.

use serde_json::Value;
use wire::Usage;
use wire::chat::{Answer, Body, Choice, Finish};

/// An answer without what only its own dialect says.
#[derive(Debug, PartialEq)]
pub(super) struct Meaning {
    pub(super) choices: Vec<Said>,
    pub(super) usage: Option<Usage>,
}

/// What one choice says.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    words: String,
    thoughts: String,
    /// Name and arguments of each call that the caller has to answer.
    calls: Vec<(String, Value)>,
    finish: &'static str,
    /// Tokens and the logarithms of their probabilities, those that could have stood there included.
    pub(super) likely: Vec<(String, String)>,
}

/// The meaning of an answer.
pub(super) fn of(answer: &Answer) -> Meaning {
    let choices = answer.choices.iter().map(said).collect();
    Meaning { choices, usage: answer.counts.map(tokens) }
}

/// The counts that most dialects have places for.
fn tokens(counts: Usage) -> Usage {
    Usage {
        input_tokens: counts.input_tokens,
        cache_read_tokens: counts.cache_read_tokens,
        cache_write_tokens: counts.cache_write_tokens,
        output_tokens: counts.output_tokens,
        reasoning_tokens: counts.reasoning_tokens,
        ..Usage::default()
    }
}

fn said(choice: &Choice) -> Said {
    let (mut words, mut thoughts, mut calls) = (String::new(), String::new(), Vec::new());
    for part in &choice.parts {
        match &part.body {
            Body::Text(text) => words.push_str(&text.text),
            Body::Refusal(text) => words.push_str(text),
            Body::Thinking(thinking) => thoughts.push_str(&thinking.text),
            Body::ToolCall(call) if part.is_client_call() => {
                let given =
                    if call.custom { call.arguments_object() } else { (&call.arguments).into() };
                calls.push((call.name.clone(), arguments(&given)));
            }
            _ => {}
        }
    }
    let finish = coarse(choice, !calls.is_empty());
    Said { words, thoughts, calls, finish, likely: likely(choice) }
}

fn likely(choice: &Choice) -> Vec<(String, String)> {
    let told = choice.logprobs.iter().flat_map(|likely| &likely.tokens);
    let with_others = told.flat_map(|token| std::iter::once(token).chain(&token.others));
    with_others.map(|token| (token.text.clone(), token.logprob.as_str().to_owned())).collect()
}

/// Arguments as a value; those of a call that was cut off, or that has none, are an empty object.
fn arguments(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    if value.is_object() { value } else { Value::Object(serde_json::Map::new()) }
}

/// The reason as far as every dialect has a word for it.
fn coarse(choice: &Choice, calls: bool) -> &'static str {
    match &choice.finish {
        None | Some(Finish::Stop | Finish::Other(_)) if calls => "tool_calls",
        Some(Finish::ToolCalls) if !calls => "stop",
        Some(Finish::ToolCalls) => "tool_calls",
        Some(Finish::Length | Finish::ContextLength) => "length",
        Some(Finish::Refusal | Finish::ContentFilter) => "refusal",
        None | Some(Finish::Stop | Finish::StopSequence | Finish::Pause | Finish::Other(_)) => {
            "stop"
        }
    }
}
