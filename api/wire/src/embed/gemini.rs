//! Gemini's embedContent and batchEmbedContents.

use super::{
    Answer, Encoding, Format, Input, Maker, Request, Task, Vector, answered, asked, losses,
    no_text, none, only_text, texts,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, items, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// Many at once. Reads one or many.
pub const BATCH: Format = Format {
    name: "gemini",
    inputs_max: Some(100),
    read_request,
    write_request: write_batch,
    read_answer,
    write_answer: write_answers,
};

/// One alone, which has a shape of its own.
pub const SINGLE: Format = Format {
    name: "gemini_single",
    inputs_max: Some(1),
    write_request: write_one,
    write_answer: write_single,
    ..BATCH
};

/// Tasks and Google's words for them.
const TASKS: [(Task, &str); 5] = [
    (Task::Query, "RETRIEVAL_QUERY"),
    (Task::Document, "RETRIEVAL_DOCUMENT"),
    (Task::Similarity, "SEMANTIC_SIMILARITY"),
    (Task::Classification, "CLASSIFICATION"),
    (Task::Clustering, "CLUSTERING"),
];

fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = asked(body)?.camel();
    let Some(list) = fields.list("requests") else {
        return one(fields);
    };
    let mut all: Option<Request> = None;
    for value in list {
        let fields = Fields::read(value).map_err(|_| missing("content"))?;
        let next = one(fields.camel())?;
        match &mut all {
            None => all = Some(next),
            Some(first) if (first.dimensions, &first.task) == (next.dimensions, &next.task) => {
                first.inputs.extend(next.inputs);
            }
            Some(_) => {
                let say = "'requests' differ in outputDimensionality or taskType, and only Gemini \
                           itself embeds such ones at once";
                return Err(Refusal::invalid("unsupported_parameter", Some("requests"), say));
            }
        }
    }
    all.ok_or_else(|| missing("requests"))
}

/// One of the requests of a batch, or the one that stands alone.
fn one(mut fields: Fields<'_>) -> Result<Request, Refusal> {
    let content = fields.object("content").ok_or_else(|| missing("content"))?;
    let parts = content.get("parts").unwrap_or("[]");
    let parts = if parts.starts_with('{') { vec![parts] } else { items(parts).unwrap_or_default() };
    let words = |value: &str| Fields::read(value).ok()?.text("text");
    let words = parts.into_iter().map(words).collect::<Option<String>>();
    Ok(Request {
        maker: Maker::Gemini,
        inputs: vec![Input::Text(words.ok_or_else(|| no_text("content.parts"))?)],
        model: fields.text("model").unwrap_or_default(),
        dimensions: fields.whole("outputDimensionality"),
        task: fields.take("taskType", text).map(task),
        extra: fields.rest(),
        ..Request::default()
    })
}

/// What a word of Google's means.
pub(super) fn task(word: String) -> Task {
    let known = TASKS.into_iter().find(|(_, name)| *name == word);
    known.map_or(Task::Other(word), |(task, _)| task)
}

/// Google's word for what vectors are for; one without a name here only where it is Google's `own`.
pub(super) fn word(request: &Request, own: bool) -> Option<&str> {
    let task = request.task.as_ref()?;
    let known = TASKS.iter().find(|(known, _)| known == task);
    match (task, known) {
        (_, Some((_, word))) => Some(word),
        (Task::Other(word), None) if own => Some(word),
        (_, None) => None,
    }
}

fn write_batch(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let losses = losses(request, Maker::Gemini, target, &["task"])?;
    let texts = texts(request, "Gemini")?;
    let body = Out::object(|out| {
        out.list("requests", |out| {
            texts.iter().for_each(|text| out.item(|out| write(out, request, target, text)));
        });
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn write_one(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let losses = losses(request, Maker::Gemini, target, &["task"])?;
    let text = only_text(request, "Gemini")?;
    let body = Out::object(|out| write(out, request, target, text));
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn write(out: &mut Out, request: &Request, target: &Target<'_>, text: &str) {
    let own = request.maker == Maker::Gemini;
    out.text("model", &format!("models/{}", target.model));
    out.member("content", |out| {
        out.list("parts", |out| out.item(|out| out.text("text", text)));
    });
    if let Some(length) = request.dimensions {
        out.number("outputDimensionality", length);
    }
    if let Some(word) = word(request, own || request.maker == Maker::Vertex) {
        out.text("taskType", word);
    }
    if own {
        out.extra(&request.extra);
    }
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?.camel();
    let single = fields.get("embedding");
    let list = fields.get("embeddings").and_then(items).or(single.map(|one| vec![one]));
    let vector = |value: &str| Vector::read(Fields::read(value).ok()?.get("values")?);
    let vectors = list.ok_or_else(none)?.into_iter().map(vector).collect::<Option<Vec<_>>>();
    let usage = fields.object("usageMetadata");
    let input_tokens = usage.and_then(|usage| usage.camel().whole("promptTokenCount"));
    let vectors = vectors.ok_or_else(none)?;
    Ok(Answer { vectors, input_tokens, ..Answer::default() })
}

fn write_answers(answer: &Answer, _request: &Request) -> Vec<u8> {
    Out::object(|out| {
        out.list("embeddings", |out| {
            for vector in &answer.vectors {
                out.item(|out| vector.write(out, "values", Encoding::Floats));
            }
        });
        write_usage(out, answer);
    })
}

fn write_single(answer: &Answer, _request: &Request) -> Vec<u8> {
    Out::object(|out| {
        out.member("embedding", |out| {
            if let Some(vector) = answer.vectors.first() {
                vector.write(out, "values", Encoding::Floats);
            }
        });
        write_usage(out, answer);
    })
}

fn write_usage(out: &mut Out, answer: &Answer) {
    if let Some(tokens) = answer.input_tokens {
        out.member("usageMetadata", |out| out.number("promptTokenCount", tokens));
    }
}
