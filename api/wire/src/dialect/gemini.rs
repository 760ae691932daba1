//! Gemini's generateContent, of Google AI Studio and Vertex alike: contents of parts, model and stream
//! named by the path.

mod answer;
mod carried;
mod config;
mod count;
mod error;
mod grounding;
mod ids;
mod likely;
mod metered;
mod part;
mod partial;
mod read;
mod relay;
mod request;
mod result;
mod schema;
mod stream_read;
mod stream_write;
mod think;
mod tool;
mod usage;
mod write;
mod write_answer;
mod write_part;

pub use answer::read_answer;
pub use error::{error_body, error_event, provider_answer, read_error};
pub use metered::reply;
pub use read::read;
pub use relay::StreamRelay;
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub use write::write_request;
pub use write_answer::write_answer;

use super::{Beside, Chat, Dialect};
use crate::call::Operation;
use crate::embed;
use crate::frame::Framing;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "gemini";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::ChatCompletions, Operation::Embeddings, Operation::CountTokens],
    framing: Framing::Sse,
    read,
    error_body,
    error_event,
    provider_answer,
    reply: |_, body| reply(body),
    relay: |options| Box::new(StreamRelay::new(options)),
    chat: Chat {
        read_request,
        write_request,
        read_answer,
        write_answer,
        read_stream: || Box::new(StreamReading::new()),
        write_stream: |identity| Box::new(StreamWriting::new(identity)),
    },
    beside: Beside { embed: Some(&embed::GEMINI), rerank: None, count: Some(&count::STUDIO) },
};

/// The same on Vertex, which is asked for counts in a way of its own.
pub const ON_VERTEX: Dialect =
    Dialect { beside: Beside { count: Some(&count::VERTEX), ..DIALECT.beside }, ..DIALECT };
