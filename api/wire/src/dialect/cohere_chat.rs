//! Cohere's chat, second version: plans beside tool calls, documents beside messages, and two counts of
//! everything.

mod answer;
mod content;
mod error;
mod likely;
mod read;
mod request;
mod stream_read;
mod stream_write;
mod usage;
mod write;
mod write_turn;

pub use answer::{read_answer, write_answer};
pub use error::{error_body, error_event, provider_answer, read_error};
pub use read::read;
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub use write::write_request;

use super::{Beside, Chat, Dialect};
use crate::call::Operation;
use crate::embed;
use crate::frame::Framing;
use crate::relay::{Metered, reply_of};
use crate::rerank::Shape;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "cohere_chat";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::ChatCompletions, Operation::Embeddings, Operation::Rerank],
    framing: Framing::Sse,
    read,
    error_body,
    error_event,
    provider_answer,
    reply: |_, body| reply_of(read_answer(body)),
    relay: |_| Box::new(Metered::new(Box::new(StreamReading::new()), error_event)),
    chat: Chat {
        read_request,
        write_request,
        read_answer,
        write_answer,
        read_stream: || Box::new(StreamReading::new()),
        write_stream: |identity| Box::new(StreamWriting::new(identity)),
    },
    beside: Beside { embed: Some(&embed::COHERE), rerank: Some(Shape::Cohere), count: None },
};
