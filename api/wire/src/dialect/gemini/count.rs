//! Counting the tokens of a request without answering it.

use super::NAME;
use super::error::read_error;
use super::part::object;
use super::request::{read_request, request};
use super::write::write_request;
use crate::call::{Asked, Call};
use crate::chat::{Request, Target, Written};
use crate::count::{Count, only, told};
use crate::front::texts::{self, Form};
use crate::json::{Fields, Out};
use crate::refusal::Refusal;

/// What is to be counted stands in one of them: contents alone, or a whole request.
const FORM: Form = Form {
    texts: &["contents", "generateContentRequest", "generate_content_request"],
    each: false,
    by_path: true,
};

/// What Vertex counts of a request; all else only matters for an answer.
const COUNTED: [&str; 4] = ["contents", "systemInstruction", "tools", "generationConfig"];

/// As AI Studio is asked: what is more than contents stands in a request within the request.
pub(super) const STUDIO: Count = Count {
    read_request: read_count,
    write_request: write_nested,
    read_answer: |body| told(body, "totalTokens").ok_or_else(|| read_error(body)),
    write_answer: |tokens| Out::object(|out| out.number("totalTokens", tokens)),
};

/// As Vertex is asked.
pub(super) const VERTEX: Count = Count {
    write_request: |request, target| Ok(only(&COUNTED, write_request(request, target)?)),
    ..STUDIO
};

/// Reads the question as far as it must be known to be passed on.
pub(super) fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    texts::read(NAME, asked, body, &FORM)
}

fn read_count(body: &[u8]) -> Result<Request, Refusal> {
    let fields = std::str::from_utf8(body).ok().and_then(object);
    match fields.and_then(|mut fields| fields.object("generateContentRequest")) {
        Some(inner) => request(inner.camel()),
        None => read_request(body),
    }
}

fn write_nested(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let Written { body, dropped } = write_request(request, target)?;
    let text = String::from_utf8_lossy(&body);
    let inner = Fields::read(&text).unwrap_or_default().rest();
    let body = Out::object(|out| {
        out.member("generateContentRequest", |out| {
            out.text("model", &format!("models/{}", target.model));
            out.extra(&inner);
        });
    });
    Ok(Written { body, dropped })
}
