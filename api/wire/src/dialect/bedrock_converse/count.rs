//! Counting the tokens of a request without answering it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::read_error;
use super::request::read_request;
use super::write::write_request;
use crate::call::{Asked, Call};
use crate::chat::{Request, Target, Written};
use crate::count::{Count, only, told};
use crate::dialect::bedrock_invoke;
use crate::field_value::{invalid_json, missing};
use crate::front::texts::{self, Form};
use crate::json::{Fields, Out};
use crate::refusal::Refusal;

/// What is counted of a request; all else only matters for an answer.
const COUNTED: [&str; 4] = ["messages", "system", "toolConfig", "additionalModelRequestFields"];

/// What is to be counted stands in it, as for Converse or as for InvokeModel.
const FORM: Form = Form { texts: &["input"], each: true, by_path: false };

/// A request as for Converse, or the bytes of one as for InvokeModel.
pub(super) const COUNT: Count = Count {
    read_request: read_count,
    write_request: write_count,
    read_answer: |body| told(body, "inputTokens").ok_or_else(|| read_error(body)),
    write_answer: |tokens| Out::object(|out| out.number("inputTokens", tokens)),
};

/// Reads the question as far as it must be known to be passed on.
pub(super) fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    texts::read(super::NAME, asked, body, &FORM)
}

fn read_count(body: &[u8]) -> Result<Request, Refusal> {
    let not_json = || invalid_json("request body is not a JSON object".to_owned());
    let text = std::str::from_utf8(body).map_err(|_| not_json())?;
    let mut input = Fields::read(text).map_err(|_| not_json())?.object("input");
    let input = input.as_mut().ok_or_else(|| missing("input"))?;
    if let Some(converse) = input.get("converse") {
        return read_request(converse.as_bytes());
    }
    let invoked = input.object("invokeModel").and_then(|mut inner| inner.text("body"));
    let invoked = invoked.ok_or_else(|| missing("input.converse"))?;
    let wrong = |_| {
        let say = "'input.invokeModel.body' is not base64";
        Refusal::invalid("invalid_value", Some("input.invokeModel.body"), say)
    };
    bedrock_invoke::read_request(&STANDARD.decode(invoked).map_err(wrong)?)
}

fn write_count(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let Written { body, dropped } = only(&COUNTED, write_request(request, target)?);
    let converse = String::from_utf8_lossy(&body);
    let body = Out::object(|out| {
        out.member("input", |out| out.raw("converse", &converse));
    });
    Ok(Written { body, dropped })
}
