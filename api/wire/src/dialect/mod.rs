//! One file per published format.

pub mod anthropic_messages;
pub mod openai_chat;

use bytes::Bytes;

use crate::call::{Call, Operation};
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
}

/// Every dialect.
pub const ALL: &[Dialect] = &[openai_chat::DIALECT, anthropic_messages::DIALECT];
