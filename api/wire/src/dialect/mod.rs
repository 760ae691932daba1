//! One file per published format.

pub mod anthropic_messages;
pub mod openai_chat;

use bytes::Bytes;

use crate::call::{Call, Operation};
use crate::chat::{Answer, Identity, ReadStream, Request, Target, WriteStream, Written};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// A format callers speak: what its front door needs.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The name of its file here.
    pub name: &'static str,
    /// What can be asked in it.
    pub operations: &'static [Operation],
    /// Reads a request body.
    pub read: fn(Operation, &[u8]) -> Result<Call, Refusal>,
    /// A refusal as the body of an answer.
    pub error_body: fn(&Refusal) -> Bytes,
    /// A refusal as an event inside a stream that has begun.
    pub error_event: fn(&Refusal) -> Bytes,
    /// How chats are read for their meaning and written out of it.
    pub chat: Chat,
}

/// One side of a translation: any dialect's reading goes with any other's writing.
#[derive(Debug, Clone, Copy)]
pub struct Chat {
    /// Reads what a request means; the body has been checked by [`Dialect::read`] before.
    pub read_request: fn(&[u8]) -> Result<Request, Refusal>,
    /// Writes a request for a provider.
    pub write_request: fn(&Request, &Target<'_>) -> Result<Written, Refusal>,
    /// Reads a provider's answer under a success status.
    pub read_answer: fn(&[u8]) -> Result<Answer, ProviderError>,
    /// Writes an answer for a caller.
    pub write_answer: fn(&Answer, &Identity) -> Vec<u8>,
    /// Begins to read a provider's stream.
    pub read_stream: fn() -> Box<dyn ReadStream>,
    /// Begins to write a stream for a caller.
    pub write_stream: fn(Identity) -> Box<dyn WriteStream>,
}

/// Every dialect.
pub const ALL: &[Dialect] = &[openai_chat::DIALECT, anthropic_messages::DIALECT];
