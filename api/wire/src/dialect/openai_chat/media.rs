//! Pictures, sound and moderation: JSON or forms in; JSON, text, sound or events out.

mod body;
mod counts;
mod events;
mod fields;
mod multipart;

pub(super) use counts::reply;
pub(super) use events::Events;

use crate::call::{Asked, Call, Matter, Operation};
use crate::refusal::Refusal;

/// Whether an operation is one of these.
pub(super) const fn covers(operation: Operation) -> bool {
    match operation.matter() {
        Matter::Pictures | Matter::Speech | Matter::Recordings => true,
        Matter::Text => matches!(operation, Operation::Moderations),
        Matter::Kept => false,
    }
}

/// Reads a request in one pass: JSON, or a form where its `content-type` says so.
///
/// # Errors
/// A 400 that names the field or the position.
pub(super) fn read(asked: &Asked<'_>, bytes: &[u8]) -> Result<Call, Refusal> {
    match asked.content_type.map(str::trim_start).filter(|kind| is_form(kind)) {
        Some(kind) => multipart::read(asked, kind, bytes),
        None => body::read(asked, bytes),
    }
}

fn is_form(content_type: &str) -> bool {
    content_type.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))
}

/// The model that is meant where a request of these names none, as OpenAI documents it.
const fn default_model(operation: Operation) -> Option<&'static str> {
    match operation.matter() {
        Matter::Text => Some("omni-moderation-latest"),
        Matter::Pictures => Some("dall-e-2"),
        Matter::Speech | Matter::Recordings | Matter::Kept => None,
    }
}
