//! Bedrock's Converse: content in blocks whose one key tells their kind, streams of binary messages, the
//! model in the path.

mod answer;
mod block;
mod count;
mod error;
mod media;
mod read;
mod request;
mod source;
mod stream_read;
mod stream_write;
mod talk;
mod think;
mod usage;
mod write;
mod write_block;

pub use answer::{read_answer, write_answer};
pub(crate) use error::read_exception;
pub use error::{error_body, error_event, kind, provider_answer, read_error, read_refusal};
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
pub const NAME: &str = "bedrock_converse";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::ChatCompletions, Operation::CountTokens],
    framing: Framing::AwsEventStream,
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
