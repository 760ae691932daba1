//! Bedrock's Converse: content in blocks whose one key tells their kind, streams of binary messages, the
//! model in the path.

mod answer;
mod block;
mod error;
mod media;
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
pub use error::{error_body, error_event, kind, read_error, read_refusal};
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub use write::write_request;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "bedrock_converse";
