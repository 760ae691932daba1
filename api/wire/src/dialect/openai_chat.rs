//! OpenAI's chat completions, legacy completions, embeddings and what others put beside them, one family of
//! bodies and answers; and its pictures, sound and moderation.

pub mod chat;
mod chunk;
mod error;
mod media;
mod models;
mod read;
mod reply;
mod stream;
mod usage;

pub use error::{error_body, error_event, provider_answer};
pub use models::{Model, model_body, models_body};
pub use read::read;
pub use reply::reply;
pub use stream::{StreamEnd, StreamRelay, Trailer};

pub(crate) use error::read_error;
pub(crate) use usage::read_usage;
use usage::{read_service, served};

use super::{Beside, Chat, Dialect};
use crate::call::{Call, Operation};
use crate::embed;
use crate::frame::Framing;
use crate::relay::{Metered, Raw, Relay};
use crate::rerank::Shape;

/// The name by which what was read from this dialect is told from others.
pub const NAME: &str = "openai_chat";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[
        Operation::ChatCompletions,
        Operation::Completions,
        Operation::Embeddings,
        Operation::Models,
        Operation::Rerank,
        Operation::Moderations,
        Operation::Images,
        Operation::ImageEdits,
        Operation::ImageVariations,
        Operation::Speech,
        Operation::Transcriptions,
        Operation::Translations,
    ],
    framing: Framing::Sse,
    read,
    error_body,
    error_event,
    provider_answer,
    reply,
    relay: |options| Box::new(StreamRelay::new(*options)),
    chat: Chat {
        read_request: chat::read_request,
        write_request: chat::write_request,
        read_answer: chat::read_answer,
        write_answer: chat::write_answer,
        read_stream: || Box::new(chat::StreamReading::new()),
        write_stream: |identity| Box::new(chat::StreamWriting::new(identity)),
    },
    beside: Beside { embed: Some(&embed::OPENAI), rerank: Some(Shape::Jina), count: None },
};

/// Begins to pass on what is no text: sound as it comes, or events.
pub(super) fn relay_media(call: &Call) -> Box<dyn Relay> {
    if call.raw {
        return Box::new(Raw::default());
    }
    let reading = media::Events::new(call.operation, call.answers);
    Box::new(Metered::new(Box::new(reading), error_event))
}
