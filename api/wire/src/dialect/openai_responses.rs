//! OpenAI's Responses: a conversation as one list of items, an answer as another, and streams that tell
//! of every item when it begins and when it is done.

mod answer;
mod content;
mod error;
mod item;
mod mark;
mod request;
mod stream_read;
mod stream_write;
mod tool;
mod usage;
mod write;
mod write_item;
mod write_part;

pub use answer::{read_answer, write_answer};
pub use error::{error_body, error_event, read_error};
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub use write::write_request;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "openai_responses";
