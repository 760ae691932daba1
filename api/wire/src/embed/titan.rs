//! Amazon's Titan on Bedrock: one text at a time.

use super::{
    Answer, Format, Input, Maker, Request, Vector, answered, asked, losses, none, only_text,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::Out;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// One text, one vector.
pub const FORMAT: Format = Format {
    name: "titan",
    inputs_max: Some(1),
    read_request,
    write_request,
    read_answer,
    write_answer,
};

fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = asked(body)?;
    let words = fields.text("inputText").ok_or_else(|| missing("inputText"))?;
    Ok(Request {
        maker: Maker::Titan,
        inputs: vec![Input::Text(words)],
        dimensions: fields.whole("dimensions"),
        extra: fields.rest(),
        ..Request::default()
    })
}

fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let losses = losses(request, Maker::Titan, target, &[])?;
    let text = only_text(request, "Titan")?;
    let body = Out::object(|out| {
        out.text("inputText", text);
        if let Some(length) = request.dimensions {
            out.number("dimensions", length);
        }
        if request.maker == Maker::Titan {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?;
    let vector = fields.get("embedding").and_then(Vector::read).ok_or_else(none)?;
    let input_tokens = fields.whole("inputTextTokenCount");
    Ok(Answer { vectors: vec![vector], input_tokens, ..Answer::default() })
}

fn write_answer(answer: &Answer, _request: &Request) -> Vec<u8> {
    Out::object(|out| {
        if let Some(vector) = answer.vectors.first() {
            vector.write(out, "embedding", super::Encoding::Floats);
        }
        out.number("inputTextTokenCount", answer.input_tokens.unwrap_or(0));
    })
}
