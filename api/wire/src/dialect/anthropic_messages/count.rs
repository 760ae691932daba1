//! Counting the tokens of a request without answering it.

use super::error::read_error;
use super::request::read_request;
use super::write::write_request;
use crate::count::{Count, only, told};
use crate::json::Out;

/// What is counted of a request; all else only matters for an answer, and is refused.
const COUNTED: [&str; 10] = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "cache_control",
    "context_management",
    "mcp_servers",
    "output_config",
];

/// A request without an output limit; an answer with the tokens of the cache included.
pub(super) const COUNT: Count = Count {
    read_request,
    write_request: |request, target| Ok(only(&COUNTED, write_request(request, target)?)),
    read_answer: |body| told(body, "input_tokens").ok_or_else(|| read_error(body)),
    write_answer: |tokens| Out::object(|out| out.number("input_tokens", tokens)),
};
