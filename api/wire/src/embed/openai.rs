//! OpenAI's embeddings, and Voyage's, which differ in the names of two fields.

use super::{
    Answer, Encoding, Format, Input, Maker, Request, Task, Vector, answered, asked, losses, none,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, items, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// OpenAI's and that of most others.
pub const OPENAI: Format = Format {
    name: "openai",
    inputs_max: None,
    read_request: |body| read_request(body, Maker::OpenAi),
    write_request: |request, target| write_request(request, target, Maker::OpenAi),
    read_answer,
    write_answer,
};

/// Voyage's.
pub const VOYAGE: Format = Format {
    name: "voyage",
    inputs_max: Some(1_000),
    read_request: |body| read_request(body, Maker::Voyage),
    write_request: |request, target| write_request(request, target, Maker::Voyage),
    ..OPENAI
};

fn dimensions(maker: Maker) -> &'static str {
    if maker == Maker::Voyage { "output_dimension" } else { "dimensions" }
}

fn read_request(body: &[u8], maker: Maker) -> Result<Request, Refusal> {
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
        maker,
        model: fields.text("model").unwrap_or_default(),
        inputs,
        dimensions: fields.whole(dimensions(maker)),
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

fn write_request(request: &Request, target: &Target<'_>, maker: Maker) -> Result<Written, Refusal> {
    let own = request.maker == maker;
    let voyage = maker == Maker::Voyage;
    let known: &[&str] = if voyage { &["task"] } else { &["user"] };
    let losses = losses(request, maker, target, known)?;
    if voyage {
        // It takes no tokens.
        super::texts(request, "Voyage")?;
    }
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.list("input", |out| request.inputs.iter().for_each(|input| write_input(out, input)));
        if let Some(length) = request.dimensions {
            out.number(dimensions(maker), length);
        }
        if request.encoding == Encoding::Base64 {
            out.text("encoding_format", "base64");
        }
        match &request.task {
            Some(Task::Query) if voyage || own => out.text("input_type", "query"),
            Some(Task::Document) if voyage || own => out.text("input_type", "document"),
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
    let vector = |(at, value): (u64, &str)| {
        let mut fields = Fields::read(value).ok()?;
        let vector = Vector::read(fields.get("embedding")?)?;
        Some((fields.whole("index").unwrap_or(at), vector))
    };
    let vectors = (0..).zip(data).map(vector).collect::<Option<Vec<_>>>();
    let mut vectors = vectors.ok_or_else(none)?;
    vectors.sort_by_key(|(index, _)| *index);
    let vectors = vectors.into_iter().map(|(_, vector)| vector).collect();
    let mut usage = fields.object("usage").unwrap_or_default();
    // Voyage gives the total alone.
    let input_tokens = usage.whole("prompt_tokens").or_else(|| usage.whole("total_tokens"));
    let (id, model) = (fields.text("id"), fields.text("model"));
    let (id, model) = (id.unwrap_or_default(), model.unwrap_or_default());
    Ok(Answer { id, model, vectors, input_tokens })
}

fn write_answer(answer: &Answer, request: &Request) -> Vec<u8> {
    Out::object(|out| {
        out.text("object", "list");
        out.list("data", |out| {
            for (index, vector) in (0..).zip(&answer.vectors) {
                out.item(|out| {
                    out.text("object", "embedding");
                    out.number("index", index);
                    vector.write(out, "embedding", request.encoding);
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
