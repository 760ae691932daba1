//! OpenAI's Responses: a conversation as one list of items, an answer as another, and streams that tell
//! of every item when it begins and when it is done.

mod answer;
mod content;
mod count;
mod error;
mod item;
mod mark;
mod read;
mod request;
mod stream_read;
mod stream_write;
mod tool;
mod usage;
mod write;
mod write_item;
mod write_part;

pub use answer::{read_answer, write_answer};
pub use error::{error_body, error_event, provider_answer, read_error};
pub use read::read;
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub use write::write_request;

use super::{Beside, Chat, Dialect};
use crate::call::Operation;
use crate::frame::Framing;
use crate::relay::{Metered, reply_of};

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "openai_responses";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::ChatCompletions, Operation::CountTokens],
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
    beside: Beside { count: Some(&count::COUNT), ..Beside::NOTHING },
};
