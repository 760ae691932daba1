//! OpenAI's embeddings, and Voyage's, which differ in the names of two fields.

use super::{
    Answer, Encoding, Format, Input, Request, Task, Vector, answered, asked, losses, none,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, items, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

const NAME: &str = "openai";
const VOYAGE_NAME: &str = "voyage";

/// OpenAI's and that of most others.
pub(super) const OPENAI: Format = Format {
    name: NAME,
    read_request: |body| read_request(body, NAME),
    write_request: |request, target| write_request(request, target, NAME),
    read_answer,
    write_answer,
};

/// Voyage's.
pub(super) const VOYAGE: Format = Format {
    name: VOYAGE_NAME,
    read_request: |body| read_request(body, VOYAGE_NAME),
    write_request: |request, target| write_request(request, target, VOYAGE_NAME),
    read_answer,
    write_answer,
};

fn dimensions(format: &str) -> &'static str {
    if format == VOYAGE_NAME { "output_dimension" } else { "dimensions" }
}

fn read_request(body: &[u8], format: &'static str) -> Result<Request, Refusal> {
    let mut fields = asked(body)?;
    let wrong = || {
        let say = "'input' must be a text, a list of texts, or tokens";
        Refusal::invalid("invalid_type", Some("input"), say)
    };
    let value = fields.get("input").ok_or_else(|| missing("input"))?;
    let inputs = inputs(value).ok_or_else(wrong)?;
    fields.raw("input");
    let base64 = fields.take("encoding_format", |value| match text(value)?.as_str() {
        "base64" => Some(Encoding::Base64),
        "float" => Some(Encoding::Floats),
        _ => None,
    });
    Ok(Request {
        format,
        model: fields.text("model").unwrap_or_default(),
        inputs,
        dimensions: fields.whole(dimensions(format)),
        encoding: base64.unwrap_or_default(),
        task: fields.take("input_type", |value| Some(task(text(value)?))),
        user: fields.text("user"),
        extra: fields.rest(),
    })
}

fn task(word: String) -> Task {
    match word.as_str() {
        "query" => Task::Query,
        "document" => Task::Document,
        _ => Task::Other(word),
    }
}

/// One text or list of tokens, or a list of either.
fn inputs(value: &str) -> Option<Vec<Input>> {
    if let Some(words) = text(value) {
        return Some(vec![Input::Text(words)]);
    }
    let list = items(value).filter(|list| !list.is_empty())?;
    if let Some(tokens) = tokens(&list) {
        return Some(vec![Input::Tokens(tokens)]);
    }
    let input = |value: &str| {
        let tokens = || Some(Input::Tokens(tokens(&items(value)?)?));
        text(value).map(Input::Text).or_else(tokens)
    };
    list.into_iter().map(input).collect()
}

fn tokens(list: &[&str]) -> Option<Vec<u64>> {
    list.iter().map(|token| token.parse().ok()).collect()
}

fn write_request(
    request: &Request,
    target: &Target<'_>,
    format: &'static str,
) -> Result<Written, Refusal> {
    let own = request.format == format;
    let voyage = format == VOYAGE_NAME;
    let known: &[&str] = if voyage { &["task"] } else { &["user"] };
    let losses = losses(request, format, target, known);
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.list("input", |out| request.inputs.iter().for_each(|input| write_input(out, input)));
        if let Some(length) = request.dimensions {
            out.number(dimensions(format), length);
        }
        if request.encoding == Encoding::Base64 {
            out.text("encoding_format", "base64");
        }
        match &request.task {
            Some(Task::Query) if voyage => out.text("input_type", "query"),
            Some(Task::Document) if voyage => out.text("input_type", "document"),
            Some(Task::Other(word)) if own => out.text("input_type", word),
            Some(_) | None => {}
        }
        if let Some(user) = request.user.as_ref().filter(|_| !voyage || own) {
            out.text("user", user);
        }
        if own {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn write_input(out: &mut Out, input: &Input) {
    match input {
        Input::Text(text) => out.text_item(text),
        Input::Tokens(tokens) => {
            let numbers: Vec<String> = tokens.iter().map(u64::to_string).collect();
            out.raw_item(&format!("[{}]", numbers.join(",")));
        }
    }
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?;
    let data = fields.list("data").ok_or_else(none)?;
    let vector = |value: &str| Vector::read(Fields::read(value).ok()?.get("embedding")?);
    let vectors = data.into_iter().map(vector).collect::<Option<Vec<_>>>().ok_or_else(none)?;
    let mut usage = fields.object("usage").unwrap_or_default();
    // Voyage gives the total alone.
    let input_tokens = usage.whole("prompt_tokens").or_else(|| usage.whole("total_tokens"));
    let (id, model) = (fields.text("id"), fields.text("model"));
    let (id, model) = (id.unwrap_or_default(), model.unwrap_or_default());
    Ok(Answer { format: NAME, id, model, vectors, input_tokens })
}

fn write_answer(answer: &Answer, encoding: Encoding) -> Vec<u8> {
    Out::object(|out| {
        out.text("object", "list");
        out.list("data", |out| {
            for (index, vector) in (0..).zip(&answer.vectors) {
                out.item(|out| {
                    out.text("object", "embedding");
                    out.number("index", index);
                    vector.write(out, "embedding", encoding);
                });
            }
        });
        out.text("model", &answer.model);
        let tokens = answer.input_tokens.unwrap_or(0);
        out.member("usage", |out| {
            out.number("prompt_tokens", tokens);
            out.number("total_tokens", tokens);
        });
    })
}
