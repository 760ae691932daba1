//! Claude on Vertex: Anthropic Messages with the model in the path and a version in the body.

use super::anthropic_messages::{self, Envelope};
use super::{Chat, Dialect};
use crate::call::{Asked, Call};
use crate::refusal::Refusal;

/// The name of the dialect. What is read from it is Anthropic Messages in everything else.
pub const NAME: &str = "anthropic_vertex";

/// How Anthropic Messages are wrapped for Vertex.
const ENVELOPE: Envelope = Envelope { version: "vertex-2023-10-16", says_stream: true };

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    read,
    chat: Chat {
        read_request: anthropic_messages::read_enveloped,
        write_request: |request, target| {
            anthropic_messages::write_enveloped(request, target, &ENVELOPE)
        },
        ..anthropic_messages::DIALECT.chat
    },
    ..anthropic_messages::DIALECT
};

/// Reads a request as far as it must be known to be passed on.
fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    let mut call = anthropic_messages::read(asked, body)?;
    call.dialect = NAME;
    Ok(call)
}
