//! Cohere's embed, of its second API, of its first, and on Bedrock.

use super::{
    Answer, Encoding, Format, Input, Request, Task, Vector, answered, asked, losses, none, texts,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, items, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

const NAME: &str = "cohere";

/// Reads all three, writes the second.
pub(super) const FORMAT: Format =
    Format { name: NAME, read_request, write_request, read_answer, write_answer };

/// Tasks and Cohere's words for them.
const TASKS: [(Task, &str); 4] = [
    (Task::Query, "search_query"),
    (Task::Document, "search_document"),
    (Task::Classification, "classification"),
    (Task::Clustering, "clustering"),
];

fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = asked(body)?;
    let texts = |value: &str| items(value)?.into_iter().map(text).collect::<Option<Vec<_>>>();
    let words = fields.take("texts", texts).ok_or_else(|| missing("texts"))?;
    Ok(Request {
        format: NAME,
        model: fields.text("model").unwrap_or_default(),
        inputs: words.into_iter().map(Input::Text).collect(),
        dimensions: fields.whole("output_dimension"),
        encoding: Encoding::Floats,
        task: fields.take("input_type", |value| Some(task(text(value)?))),
        user: None,
        extra: fields.rest(),
    })
}

fn task(word: String) -> Task {
    let known = TASKS.into_iter().find(|(_, name)| *name == word);
    known.map_or(Task::Other(word), |(task, _)| task)
}

fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let mut losses = losses(request, NAME, target, &["task"]);
    let own = request.format == NAME;
    let texts = texts(request, "Cohere")?;
    let known = TASKS.iter().find(|(task, _)| request.task.as_ref() == Some(task));
    let word = match (&request.task, known) {
        (_, Some((_, word))) => word,
        (Some(Task::Other(word)), None) if own => word.as_str(),
        (Some(_) | None, None) => {
            // There is no embedding without; what is stored is embedded most.
            losses.emulated("input_type");
            "search_document"
        }
    };
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.list("texts", |out| texts.iter().for_each(|text| out.text_item(text)));
        out.text("input_type", word);
        if let Some(length) = request.dimensions {
            out.number("output_dimension", length);
        }
        if own {
            out.extra(&request.extra);
        } else {
            out.list("embedding_types", |out| out.text_item("float"));
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?;
    let value = fields.get("embeddings").ok_or_else(none)?;
    // By type of number, or, in the first API, the vectors alone.
    let by_type = Fields::read(value).ok();
    let list = by_type.as_ref().map_or(Some(value), |types| types.get("float"));
    let list = list.and_then(items).ok_or_else(none)?;
    let vectors = list.into_iter().map(Vector::read).collect::<Option<Vec<_>>>();
    let billed = fields.object("meta").and_then(|mut meta| meta.object("billed_units"));
    let input_tokens = billed.and_then(|mut billed| billed.whole("input_tokens"));
    Ok(Answer {
        format: NAME,
        id: fields.text("id").unwrap_or_default(),
        model: String::new(),
        vectors: vectors.ok_or_else(none)?,
        input_tokens,
    })
}

fn write_answer(answer: &Answer, _encoding: Encoding) -> Vec<u8> {
    Out::object(|out| {
        out.text("id", &answer.id);
        out.member("embeddings", |out| {
            out.list("float", |out| {
                answer.vectors.iter().for_each(|vector| vector.write_item(out));
            });
        });
        out.list("texts", |_| {});
        out.member("meta", |out| {
            out.member("api_version", |out| out.text("version", "2"));
            out.member("billed_units", |out| {
                out.number("input_tokens", answer.input_tokens.unwrap_or(0));
            });
        });
        out.text("response_type", "embeddings_by_type");
    })
}
