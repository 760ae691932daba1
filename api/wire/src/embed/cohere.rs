//! Cohere's embed, of its second API, of its first, and on Bedrock.

use super::{
    Answer, Encoding, Format, Input, Maker, Request, Task, Vector, answered, asked, losses,
    no_text, none, texts,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, items, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// Reads all three, writes the second.
pub const FORMAT: Format = Format {
    name: "cohere",
    inputs_max: Some(96),
    read_request,
    write_request: |request, target| write_request(request, target, true),
    read_answer,
    write_answer,
};

/// On Bedrock, where the path names the model and the body must not.
pub const BEDROCK: Format = Format {
    name: "cohere_bedrock",
    write_request: |request, target| write_request(request, target, false),
    ..FORMAT
};

/// Tasks and Cohere's words for them.
const TASKS: [(Task, &str); 4] = [
    (Task::Query, "search_query"),
    (Task::Document, "search_document"),
    (Task::Classification, "classification"),
    (Task::Clustering, "clustering"),
];

fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = asked(body)?;
    let encoding = fields.take("embedding_types", encoding);
    Ok(Request {
        maker: Maker::Cohere,
        model: fields.text("model").unwrap_or_default(),
        inputs: inputs(&mut fields)?.into_iter().map(Input::Text).collect(),
        dimensions: fields.whole("output_dimension"),
        encoding: encoding.unwrap_or_default(),
        task: fields.take("input_type", |value| Some(task(text(value)?))),
        user: None,
        extra: fields.rest(),
    })
}

/// Texts, or inputs of one text each.
fn inputs(fields: &mut Fields<'_>) -> Result<Vec<String>, Refusal> {
    let texts = |value: &str| items(value)?.into_iter().map(text).collect::<Option<Vec<_>>>();
    if let Some(words) = fields.take("texts", texts) {
        return Ok(words);
    }
    if fields.get("images").is_some() {
        return Err(no_text("images"));
    }
    let part = |value: &str| Fields::read(value).ok()?.text("text");
    let input = |value: &str| {
        let content = Fields::read(value).ok()?.list("content")?;
        content.into_iter().map(part).collect::<Option<String>>()
    };
    let list = fields.list("inputs").ok_or_else(|| missing("texts"))?;
    let words = list.into_iter().map(input).collect::<Option<Vec<_>>>();
    words.ok_or_else(|| no_text("inputs"))
}

/// How vectors are wanted, where it is in one way that others know as well.
fn encoding(value: &str) -> Option<Encoding> {
    match items(value)?.as_slice() {
        ["\"float\""] => Some(Encoding::Floats),
        ["\"base64\""] => Some(Encoding::Base64),
        _ => None,
    }
}

fn task(word: String) -> Task {
    let known = TASKS.into_iter().find(|(_, name)| *name == word);
    known.map_or(Task::Other(word), |(task, _)| task)
}

fn write_request(
    request: &Request,
    target: &Target<'_>,
    names_model: bool,
) -> Result<Written, Refusal> {
    let mut losses = losses(request, Maker::Cohere, target, &["task"])?;
    let own = request.maker == Maker::Cohere;
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
    // Other types than these two stand among what has no name here.
    let typed = request.extra.get("embedding_types").is_some();
    let body = Out::object(|out| {
        if names_model {
            out.text("model", target.model);
        }
        out.list("texts", |out| texts.iter().for_each(|text| out.text_item(text)));
        out.text("input_type", word);
        if let Some(length) = request.dimensions {
            out.number("output_dimension", length);
        }
        if own {
            out.extra(&request.extra);
        }
        if !(own && typed) {
            let base64 = own && request.encoding == Encoding::Base64;
            let word = if base64 { "base64" } else { "float" };
            out.list("embedding_types", |out| out.text_item(word));
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?;
    let value = fields.get("embeddings").ok_or_else(none)?;
    // By type of number, or, in the first API, the vectors alone.
    let by_type = Fields::read(value).ok();
    let list = match &by_type {
        Some(types) => types.get("float").or_else(|| types.get("base64")),
        None => Some(value),
    };
    let list = list.and_then(items).ok_or_else(none)?;
    let vectors = list.into_iter().map(Vector::read).collect::<Option<Vec<_>>>();
    Ok(Answer {
        id: fields.text("id").unwrap_or_default(),
        model: String::new(),
        vectors: vectors.ok_or_else(none)?,
        input_tokens: billed(&mut fields),
    })
}

/// Tokens of texts; pictures are counted apart.
fn billed(fields: &mut Fields<'_>) -> Option<u64> {
    let mut billed = fields.object("meta")?.object("billed_units")?;
    let (texts, images) = (billed.whole("input_tokens"), billed.whole("image_tokens"));
    texts.or(images)?;
    Some(texts.unwrap_or(0).saturating_add(images.unwrap_or(0)))
}

fn write_answer(answer: &Answer, request: &Request) -> Vec<u8> {
    Out::object(|out| {
        out.text("id", &answer.id);
        out.member("embeddings", |out| match request.encoding {
            Encoding::Floats => out.list("float", |out| {
                answer.vectors.iter().for_each(|vector| vector.write_item(out));
            }),
            Encoding::Base64 => out.list("base64", |out| {
                answer.vectors.iter().for_each(|vector| out.text_item(&vector.base64()));
            }),
        });
        out.list("texts", |out| {
            for input in &request.inputs {
                match input {
                    Input::Text(text) => out.text_item(text),
                    Input::Tokens(_) => {}
                }
            }
        });
        out.member("meta", |out| {
            out.member("api_version", |out| out.text("version", "2"));
            out.member("billed_units", |out| {
                out.number("input_tokens", answer.input_tokens.unwrap_or(0));
            });
        });
        out.text("response_type", "embeddings_by_type");
    })
}
