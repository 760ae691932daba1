//! Ids of calls, which this dialect may do without: results find their calls by name and order.

use crate::chat::{Body, Turn};

/// What ids begin with that were made up for calls of a request.
const MADE_UP: &str = "gemini_call_";

/// Gives every call of a conversation an id, the same whenever the same conversation is read, and every
/// result the id of its call.
pub(super) fn give(turns: &mut [Turn]) {
    // Calls that still wait for their result: id and name.
    let mut waiting: Vec<(String, String)> = Vec::new();
    let mut calls = 0_u32;
    for part in turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        match &mut part.body {
            Body::ToolCall(call) => {
                if call.id.is_empty() {
                    call.id = format!("{MADE_UP}{calls}");
                }
                calls += 1;
                waiting.push((call.id.clone(), call.name.clone()));
            }
            Body::ToolResult(result) => {
                let name = result.name.as_deref();
                let known = if result.id.is_empty() {
                    let named = waiting.iter().position(|(_, called)| Some(&**called) == name);
                    named.or(if waiting.is_empty() { None } else { Some(0) })
                } else {
                    waiting.iter().position(|(id, _)| *id == result.id)
                };
                match known.map(|at| waiting.remove(at)) {
                    Some((id, _)) => result.id = id,
                    None if result.id.is_empty() => {
                        result.id = format!("{MADE_UP}{}", name.unwrap_or("unknown"));
                    }
                    None => {}
                }
            }
            Body::Text(_)
            | Body::Refusal(_)
            | Body::Thinking(_)
            | Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::Opaque(_) => {}
        }
    }
}

/// Whether an id was made up by [`give`].
pub(super) fn is_made_up(id: &str) -> bool {
    id.starts_with(MADE_UP)
}

/// An id for a call of an answer that has none: the same whenever the same answer is read.
pub(super) fn of_answer(answer: &str, choice: u32, part: u32) -> String {
    let plain: String = answer.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("call_{plain}_{choice}_{part}")
}
