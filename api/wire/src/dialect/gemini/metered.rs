//! Answers passed on as they are: what they used, and whether they are any.

use super::answer::{content, is_blocked, read_answer};
use super::grounding::searches;
use crate::chat::{Body, Part};
use crate::json::{Fields, items};
use crate::relay::Reply;

/// Reads a body that came with a success status. The body goes on to the caller as it is.
#[must_use]
pub fn reply(body: &[u8]) -> Reply {
    match read_answer(body) {
        Err(fault) => Reply { fault: Some(fault), ..Reply::default() },
        Ok(answer) => {
            let parts = answer.choices.iter().flat_map(|choice| &choice.parts);
            Reply {
                usage: answer.counts,
                fault: None,
                output_bytes: parts.map(generated_bytes).sum(),
            }
        }
    }
}

/// What one chunk of a stream says.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Bytes that the model wrote.
    pub(super) output_bytes: u64,
    /// Candidates met, and whether each has its reason to end.
    pub(super) candidates: Vec<(u64, bool)>,
    /// Searches of the web that were made so far.
    pub(super) searches: u64,
}

/// Reads the candidates of a chunk.
pub(super) fn chunk(fields: &Fields<'_>) -> Chunk {
    let mut chunk = Chunk::default();
    let list = fields.get("candidates").and_then(items).unwrap_or_default();
    for (at, value) in (0..).zip(list) {
        let Ok(candidate) = Fields::read(value) else { continue };
        let mut candidate = candidate.camel();
        let index = candidate.whole("index").unwrap_or(at);
        chunk.searches = chunk.searches.max(searches(&candidate));
        let bytes = content(&mut candidate).iter().map(generated_bytes).sum::<u64>();
        chunk.output_bytes += bytes;
        chunk.candidates.push((index, candidate.get("finishReason").is_some()));
    }
    if chunk.candidates.is_empty() && is_blocked(fields) {
        chunk.candidates.push((0, true));
    }
    chunk
}

/// Bytes that the model wrote: never less than their tokens.
fn generated_bytes(part: &Part) -> u64 {
    let bytes = match &part.body {
        Body::Text(text) => text.text.len(),
        Body::Refusal(text) => text.len(),
        Body::Thinking(thinking) => thinking.text.len(),
        Body::Redacted(redacted) => redacted.data.len(),
        Body::ToolCall(call) => {
            let values = part.inner.get("partialArgs").map_or(0, str::len);
            call.name.len() + call.arguments.len() + values
        }
        // Code that it ran; results of it are counted too, for they are read by it.
        Body::Opaque(opaque) => opaque.raw.as_str().len(),
        Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolResult(_) => 0,
    };
    bytes as u64
}
