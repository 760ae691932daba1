//! Anthropic's Messages: content in typed blocks, system prompts apart, thinking with signatures.

mod answer;
mod block;
mod count;
mod error;
mod metered;
mod read;
mod relay;
mod request;
mod stream_read;
mod stream_write;
mod think;
mod usage;
mod write;
mod write_block;

pub use answer::{read_answer, write_answer};
pub use error::{error_body, error_event, provider_answer, read_error};
pub use metered::reply;
pub use read::read;
pub use relay::StreamRelay;
pub(crate) use request::read_enveloped;
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub(crate) use think::{Think, decide};
pub use write::write_request;
pub(crate) use write::{Envelope, write_enveloped};

use super::{Beside, Chat, Dialect};
use crate::call::Operation;
use crate::frame::Framing;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "anthropic_messages";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::ChatCompletions, Operation::CountTokens],
    framing: Framing::Sse,
    read,
    error_body,
    error_event,
    provider_answer,
    reply: |_, body| reply(body),
    relay: |_| Box::new(StreamRelay::new()),
    chat: Chat {
        read_request,
        write_request,
        read_answer,
        write_answer,
        read_stream: || Box::new(StreamReading::new()),
        write_stream: |identity| Box::new(StreamWriting::new(identity)),
    },
    beside: Beside { count: Some(&count::COUNT), ..Beside::NOTHING },
};
