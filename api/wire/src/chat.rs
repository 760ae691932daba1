//! What a chat means, whatever dialect it is said in.
//!
//! Each dialect reads its requests, answers and streams into these types and writes them out of these
//! types; no dialect knows another. What a dialect says that has no name here is kept as it was written
//! ([`Extra`], [`Body::Opaque`]) and said again in the same dialect only.

mod answer;
mod collect;
mod event;
mod likely;
mod loss;
mod part;
mod raw;
mod replay;
mod request;
mod seal;
mod search;
mod serial;
mod stand_in;
mod stream;
mod target;
mod tool;

pub use answer::{Answer, Choice, Finish};
pub use collect::Collector;
pub(crate) use collect::append;
pub use event::{Delta, Event};
pub use likely::{Likely, Token};
pub(crate) use likely::{read_tokens, tokens, write_tokens};
pub use loss::{Dropped, How, Leniency, Losses};
pub use part::{
    Body, CLAUDE, Cache, Citation, Document, Media, Opaque, Part, Redacted, Source, Text, Thinking,
    ToolCall, ToolResult,
};
pub use raw::{Extra, Raw};
pub use replay::replay;
pub use request::{Effort, Logprobs, Reasoning, Request, Role, Sampling, Thinks, Turn};
pub use seal::{GOOGLE, OPENAI};
pub(crate) use seal::{Sealed, is_claude, prefix, seal, unseal, unseal_behind};
pub use serial::Serial;
pub use stand_in::StandIns;
pub(crate) use stand_in::{TellBack, stand_in};
pub use stream::{Frame, Identity, ReadStream, StreamReader, WriteStream};
pub(crate) use target::{Fit, is_public};
pub use target::{Target, Written};
pub use tool::{Format, Function, Schema, Tool, ToolBody, ToolChoice};
