//! A plain answer passed on as it is: what it used, and whether it is one.

use super::answer::read_answer;
use crate::chat::{Body, Part};
use crate::relay::Reply;

/// Reads a body that came with a success status. The body goes on to the caller as it is.
#[must_use]
pub fn reply(body: &[u8]) -> Reply {
    match read_answer(body) {
        Err(fault) => Reply { fault: Some(fault), ..Reply::default() },
        Ok(answer) => {
            let parts = answer.choices.iter().flat_map(|choice| &choice.parts);
            Reply {
                usage: answer.counts.map(|counts| counts.usage),
                fault: None,
                output_bytes: parts.map(generated_bytes).sum(),
            }
        }
    }
}

/// Bytes that the model wrote: never less than their tokens.
fn generated_bytes(part: &Part) -> u64 {
    let bytes = match &part.body {
        Body::Text(text) => text.text.len(),
        Body::Refusal(text) => text.len(),
        Body::Thinking(thinking) => thinking.text.len(),
        Body::Redacted(redacted) => redacted.data.len(),
        Body::ToolCall(call) => call.name.len() + call.arguments.len(),
        // What tools of the provider found is not the model's.
        Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => 0,
    };
    bytes as u64
}
