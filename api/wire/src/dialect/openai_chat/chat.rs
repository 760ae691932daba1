//! Chats of this dialect read for their meaning, and written out of it.

mod answer;
mod content;
mod reasoning;
mod request;
mod stream_read;
mod stream_write;
mod think;
mod tool;
mod usage;
mod write;
mod write_answer;
mod write_part;
mod write_talk;

pub use answer::read_answer;
pub use request::read_request;
pub use stream_read::StreamReading;
pub use stream_write::StreamWriting;
pub use write::write_request;
pub use write_answer::write_answer;
