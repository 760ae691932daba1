//! `generationConfig`, read.

use super::schema::to_json_schema;
use crate::chat::{Effort, Extra, Format, Logprobs, Raw, Reasoning, Sampling, Schema, Thinks};
use crate::json::{Fields, items, text};

/// How thoughts are shown where they are asked for.
pub(super) const SHOWN: &str = "summarized";

/// How thoughts are shown where they are not.
pub(super) const HIDDEN: &str = "omitted";

/// What the configuration says.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) format: Option<Format>,
    pub(super) sampling: Sampling,
    pub(super) output_tokens_max: Option<u64>,
    pub(super) stop: Vec<String>,
    pub(super) answers: Option<u64>,
    pub(super) logprobs: Option<Logprobs>,
    pub(super) reasoning: Option<Reasoning>,
    pub(super) extra: Extra,
}

/// Reads the members, whose names are in camel case.
pub(super) fn config(mut fields: Fields<'_>) -> Config {
    Config {
        format: format(&mut fields),
        sampling: Sampling {
            temperature: fields.number("temperature"),
            top_p: fields.number("topP"),
            top_k: fields.number("topK"),
            frequency_penalty: fields.number("frequencyPenalty"),
            presence_penalty: fields.number("presencePenalty"),
            seed: fields.number("seed"),
        },
        output_tokens_max: fields.whole("maxOutputTokens"),
        stop: fields.take("stopSequences", texts).unwrap_or_default(),
        answers: fields.whole("candidateCount"),
        logprobs: logprobs(&mut fields),
        reasoning: fields.take("thinkingConfig", reasoning),
        extra: fields.rest(),
    }
}

fn texts(value: &str) -> Option<Vec<String>> {
    items(value).filter(|items| !items.is_empty())?.into_iter().map(text).collect()
}

fn logprobs(fields: &mut Fields<'_>) -> Option<Logprobs> {
    let (on, top) = (fields.boolean("responseLogprobs"), fields.whole("logprobs"));
    (on.is_some() || top.is_some()).then_some(Logprobs { on, top })
}

/// The shape of the answer. A type that is neither text nor JSON stays where it is.
fn format(fields: &mut Fields<'_>) -> Option<Format> {
    let kind = fields.get("responseMimeType").and_then(text);
    if kind.as_deref() == Some("text/plain") {
        fields.raw("responseMimeType");
        return Some(Format::Text);
    }
    if kind.as_deref() != Some("application/json") {
        return None;
    }
    fields.raw("responseMimeType");
    let newer = fields.raw("responseJsonSchema");
    let older = |fields: &mut Fields<'_>| {
        fields.take("responseSchema", |older| Some(to_json_schema(older)))
    };
    match newer.or_else(|| older(fields)) {
        Some(schema) => Some(Format::Schema(Schema {
            name: title(&schema),
            description: None,
            schema,
            strict: Some(true),
        })),
        None => Some(Format::Json),
    }
}

/// The title of a schema where it may serve as a name.
fn title(schema: &Raw) -> Option<String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let title = Fields::read(schema.as_str()).ok()?.text("title")?;
    (!title.is_empty() && title.len() <= 64 && title.chars().all(allowed)).then_some(title)
}

fn reasoning(value: &str) -> Option<Reasoning> {
    let mut fields = Fields::read(value).ok()?.camel();
    let level = fields.text("thinkingLevel").map(|level| level.to_ascii_lowercase());
    let shown = fields.boolean("includeThoughts");
    let budget = fields.number("thinkingBudget");
    let (thinks, budget_tokens) = match budget.as_ref().map(Raw::as_str) {
        None => (None, None),
        Some("0") => (Some(Thinks::No), None),
        Some(budget) if budget.starts_with('-') => (Some(Thinks::Adaptively), None),
        Some(budget) => (Some(Thinks::Yes), budget.parse().ok()),
    };
    fields.is_empty().then(|| Reasoning {
        thinks,
        effort: level.map(|level| Effort::named(&level)),
        budget_tokens,
        display: shown.map(|shown| if shown { SHOWN } else { HIDDEN }.to_owned()),
    })
}
