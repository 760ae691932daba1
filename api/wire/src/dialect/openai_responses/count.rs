//! Counting the tokens of a request without answering it: `POST /v1/responses/input_tokens`.

use super::error::read_error;
use super::request::read_request;
use super::write::write_request;
use crate::count::{Count, only, told};
use crate::json::Out;

/// What is counted of a request; all else only matters for an answer.
const COUNTED: [&str; 10] = [
    "model",
    "input",
    "instructions",
    "conversation",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
];

/// A request without what only matters for an answer.
pub(super) const COUNT: Count = Count {
    read_request,
    write_request: |request, target| Ok(only(&COUNTED, write_request(request, target)?)),
    read_answer: |body| told(body, "input_tokens").ok_or_else(|| read_error(body)),
    write_answer: |tokens| {
        Out::object(|out| {
            out.text("object", "response.input_tokens");
            out.number("input_tokens", tokens);
        })
    },
};
