//! Amazon's Titan on Bedrock: one text at a time.

use super::{
    Answer, Encoding, Format, Input, Request, Vector, answered, asked, losses, none, texts,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::Out;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

const NAME: &str = "titan";

/// One text, one vector.
pub(super) const FORMAT: Format =
    Format { name: NAME, read_request, write_request, read_answer, write_answer };

fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = asked(body)?;
    let words = fields.text("inputText").ok_or_else(|| missing("inputText"))?;
    Ok(Request {
        format: NAME,
        inputs: vec![Input::Text(words)],
        dimensions: fields.whole("dimensions"),
        extra: fields.rest(),
        ..Request::default()
    })
}

fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let losses = losses(request, NAME, target, &[]);
    let [text] = texts(request, "Titan")?[..] else {
        let count = request.inputs.len();
        let say = format!("'input' holds {count} texts; this model embeds one at a time");
        return Err(Refusal::invalid("unsupported_parameter", Some("input"), say));
    };
    let body = Out::object(|out| {
        out.text("inputText", text);
        if let Some(length) = request.dimensions {
            out.number("dimensions", length);
        }
        if request.format == NAME {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?;
    let vector = fields.get("embedding").and_then(Vector::read).ok_or_else(none)?;
    let input_tokens = fields.whole("inputTextTokenCount");
    Ok(Answer { format: NAME, vectors: vec![vector], input_tokens, ..Answer::default() })
}

fn write_answer(answer: &Answer, _encoding: Encoding) -> Vec<u8> {
    Out::object(|out| {
        if let Some(vector) = answer.vectors.first() {
            vector.write(out, "embedding", Encoding::Floats);
        }
        out.number("inputTextTokenCount", answer.input_tokens.unwrap_or(0));
    })
}
