//! Gemini's embedContent and batchEmbedContents.

use super::{
    Answer, Encoding, Format, Input, Request, Task, Vector, answered, asked, losses, none, texts,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, items, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

const NAME: &str = "gemini";

/// Reads one or many, writes many.
pub(super) const FORMAT: Format =
    Format { name: NAME, read_request, write_request, read_answer, write_answer };

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
        let mut request = Request { format: NAME, ..Request::default() };
        one(&mut request, fields)?;
        return Ok(request);
    };
    let mut request = Request { format: NAME, ..Request::default() };
    for value in list {
        let fields = Fields::read(value).map_err(|_| missing("content"))?;
        one(&mut request, fields.camel())?;
    }
    Ok(request)
}

/// Takes one of the requests of a batch; they differ in their contents only.
fn one(request: &mut Request, mut fields: Fields<'_>) -> Result<(), Refusal> {
    let content = fields.object("content").ok_or_else(|| missing("content"))?;
    let parts = content.get("parts").unwrap_or("[]");
    let parts = if parts.starts_with('{') { vec![parts] } else { items(parts).unwrap_or_default() };
    let words = |value: &str| Fields::read(value).ok()?.text("text");
    let words: Vec<String> = parts.into_iter().filter_map(words).collect();
    request.inputs.push(Input::Text(words.concat()));
    request.model = fields.text("model").unwrap_or_default();
    request.dimensions = fields.whole("outputDimensionality");
    request.task = fields.take("taskType", |value| Some(task(text(value)?)));
    request.extra = fields.rest();
    Ok(())
}

fn task(word: String) -> Task {
    let known = TASKS.into_iter().find(|(_, name)| *name == word);
    known.map_or(Task::Other(word), |(task, _)| task)
}

fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let losses = losses(request, NAME, target, &["task"]);
    let own = request.format == NAME;
    let texts = texts(request, "Gemini")?;
    let body = Out::object(|out| {
        out.list("requests", |out| {
            for text in texts {
                out.item(|out| {
                    out.text("model", &format!("models/{}", target.model));
                    out.member("content", |out| {
                        out.list("parts", |out| out.item(|out| out.text("text", text)));
                    });
                    write_options(out, request, own);
                });
            }
        });
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn write_options(out: &mut Out, request: &Request, own: bool) {
    if let Some(length) = request.dimensions {
        out.number("outputDimensionality", length);
    }
    let known = TASKS.iter().find(|(task, _)| request.task.as_ref() == Some(task));
    match (&request.task, known) {
        (_, Some((_, word))) => out.text("taskType", word),
        (Some(Task::Other(word)), None) if own => out.text("taskType", word),
        (Some(_) | None, None) => {}
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
    Ok(Answer { format: NAME, vectors, input_tokens, ..Answer::default() })
}

fn write_answer(answer: &Answer, _encoding: Encoding) -> Vec<u8> {
    Out::object(|out| {
        out.list("embeddings", |out| {
            for vector in &answer.vectors {
                out.item(|out| vector.write(out, "values", Encoding::Floats));
            }
        });
        if let Some(tokens) = answer.input_tokens {
            out.member("usageMetadata", |out| out.number("promptTokenCount", tokens));
        }
    })
}

/// An answer to the request for one vector, which has a shape of its own.
#[must_use]
pub fn write_single(answer: &Answer) -> Vec<u8> {
    Out::object(|out| {
        out.member("embedding", |out| {
            if let Some(vector) = answer.vectors.first() {
                vector.write(out, "values", Encoding::Floats);
            }
        });
    })
}
