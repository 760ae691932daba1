//! Bedrock's InvokeModel: an envelope around the format of the model's maker. Claude's is Anthropic
//! Messages without the model; others' answers are read, and their requests pass as they are.

mod plain;
mod read;
mod stream_read;
mod stream_write;

pub use plain::{read_answer, reply, usage_of_headers};
pub use read::read;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;

use super::anthropic_messages::{self, Envelope};
use super::{Beside, Chat, Dialect, bedrock_converse};
use crate::call::Operation;
use crate::chat::Request;
use crate::frame::Framing;
use crate::refusal::Refusal;
use crate::relay::Metered;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "bedrock_invoke";

/// How Anthropic Messages are wrapped for Bedrock.
const ENVELOPE: Envelope = Envelope { version: "bedrock-2023-05-31", says_stream: false };

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::ChatCompletions, Operation::Embeddings],
    framing: Framing::AwsEventStream,
    read,
    error_body: bedrock_converse::error_body,
    error_event: bedrock_converse::error_event,
    provider_answer: bedrock_converse::provider_answer,
    reply,
    relay: |_| {
        let reading = Box::new(StreamReading::new());
        Box::new(Metered::new(reading, bedrock_converse::error_event))
    },
    chat: Chat {
        read_request,
        write_request: |request, target| {
            anthropic_messages::write_enveloped(request, target, &ENVELOPE)
        },
        read_answer,
        write_answer: anthropic_messages::write_answer,
        read_stream: || Box::new(StreamReading::new()),
        write_stream: |identity| Box::new(StreamWriting::new(identity)),
    },
    beside: Beside::NOTHING,
};

/// Reads what a request means: one to Claude. Nobody else speaks the formats of other makers.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    if read::is_messages(body) {
        return anthropic_messages::read_enveloped(body);
    }
    let say = "a body that is not in the format of Anthropic Messages ('anthropic_version', \
               'messages') can only be answered by Bedrock itself; use Converse for other models";
    Err(Refusal::invalid("unsupported_parameter", Some("body"), say))
}
