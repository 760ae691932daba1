//! One file per published format.

pub mod anthropic_messages;
pub mod anthropic_vertex;
pub mod bedrock_cohere;
pub mod bedrock_converse;
pub mod bedrock_invoke;
pub mod bedrock_titan;
pub mod cohere_chat;
pub mod gemini;
pub mod gemini_single;
pub mod ollama_chat;
pub mod openai_chat;
pub mod openai_responses;
pub mod vertex_predict;
pub mod voyage;

use bytes::Bytes;

use crate::call::{Asked, Call, Matter, Operation, Vocabulary};
use crate::chat::{
    Answer, Identity, Losses, ReadStream, Request, Target, WriteStream, Written, stand_in,
};
use crate::count::Count;
use crate::frame::Framing;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::{Relay, Reply, StreamOptions};
use crate::usage::Usage;
use crate::wishes::Wishes;
use crate::{count, embed, rerank};

/// A format that callers and providers speak.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The name of its file here.
    pub name: &'static str,
    /// What can be asked in it.
    pub operations: &'static [Operation],
    /// How its streams are framed where the caller has no choice, or makes none.
    pub framing: Framing,
    /// Reads a request as far as it must be known to be passed on.
    pub read: fn(&Asked<'_>, &[u8]) -> Result<Call, Refusal>,
    /// A refusal as the body of an answer.
    pub error_body: fn(&Refusal) -> Bytes,
    /// A refusal as an event inside a stream that has begun.
    pub error_event: fn(&Refusal) -> Bytes,
    /// Status and body for the caller out of a provider's error answer. A body that is of this dialect
    /// already goes on byte for byte; a refused credential is not shown.
    pub provider_answer: fn(&ProviderError, &Bytes) -> (u16, Bytes),
    /// Reads a body under a success status that goes on as it is.
    pub reply: fn(Operation, &[u8]) -> Reply,
    /// Begins to pass a stream on as it is.
    pub relay: fn(&StreamOptions) -> Box<dyn Relay>,
    /// How chats are read for their meaning and written out of it.
    pub chat: Chat,
    /// What else is translated.
    pub beside: Beside,
}

/// What can be said in a dialect beside chats; `None` where there are no words for it.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    /// How vectors of texts are asked for.
    pub embed: Option<&'static embed::Format>,
    /// How documents are put in order.
    pub rerank: Option<rerank::Shape>,
    /// How the tokens of a chat are counted.
    pub count: Option<&'static Count>,
}

impl Beside {
    /// Nothing.
    pub const NOTHING: Self = Self { embed: None, rerank: None, count: None };
}

/// One side of a translation: any dialect's reading goes with any other's writing.
#[derive(Debug, Clone, Copy)]
pub struct Chat {
    /// Reads what a request means; the body has been checked by [`Dialect::read`] before. What only the
    /// path says is filled in by [`Dialect::request`].
    pub read_request: fn(&[u8]) -> Result<Request, Refusal>,
    /// Writes a request for a provider. Model and stream are in it where the dialect has them there.
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

impl Dialect {
    /// Reads a request as far as it must be known to be passed on and paid for.
    ///
    /// # Errors
    /// A 400 that names the field.
    pub fn call(&self, asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
        let mut call = (self.read)(asked, body)?;
        call.wishes = Wishes::read(body);
        Ok(call)
    }

    /// Reads a body under a success status that goes on as it is.
    #[must_use]
    pub fn reply_to(&self, operation: Operation, body: &[u8]) -> Reply {
        let Beside { embed, rerank, count } = self.beside;
        match (operation.vocabulary(), embed, rerank, count) {
            // Long lists of numbers are read over where that suffices.
            (Some(Vocabulary::Embed), ..) if self.name == openai_chat::NAME => {
                (self.reply)(operation, body)
            }
            (Some(Vocabulary::Embed), Some(format), ..) => {
                embed::reply_of((format.read_answer)(body))
            }
            (Some(Vocabulary::Rerank), _, Some(_), _) => {
                rerank::reply_of(rerank::read_answer(body))
            }
            (Some(Vocabulary::Count), .., Some(format)) => {
                count::reply_of((format.read_answer)(body))
            }
            (Some(_) | None, ..) => (self.reply)(operation, body),
        }
    }

    /// What a request means, what its path says included.
    ///
    /// # Errors
    /// A 400 that names the field.
    pub fn request(&self, call: &Call, body: &[u8]) -> Result<Request, Refusal> {
        let mut request = (self.chat.read_request)(body)?;
        request.model.clone_from(&call.model);
        request.stream = Some(call.stream);
        Ok(request)
    }

    /// Writes a request that was read from any dialect for a provider of this one.
    ///
    /// # Errors
    /// A 400 that names a field which cannot be said here, unless the target is lenient.
    pub fn write_request(
        &self,
        request: &Request,
        target: &Target<'_>,
    ) -> Result<Written, Refusal> {
        self.write_by(self.chat.write_request, request, target)
    }

    /// Writes a request by a writer of this dialect.
    pub(crate) fn write_by(
        &self,
        write: fn(&Request, &Target<'_>) -> Result<Written, Refusal>,
        request: &Request,
        target: &Target<'_>,
    ) -> Result<Written, Refusal> {
        // A cloud's envelope holds the same words.
        let envelope = [bedrock_invoke::NAME, anthropic_vertex::NAME].contains(&self.name);
        let own = envelope && request.dialect == anthropic_messages::NAME;
        if own || request.dialect == self.name {
            return write(request, target);
        }
        let mut losses = Losses::new(target.leniency);
        let request = stand_in(request, self.name, &mut losses);
        let mut written = write(&request, target)?;
        written.dropped.splice(0..0, losses.dropped().iter().cloned());
        Ok(written)
    }
}

impl Dialect {
    /// Begins to pass the answer to a call on as it is.
    #[must_use]
    pub fn passing(&self, call: &Call, hide_usage: bool) -> Box<dyn Relay> {
        if call.operation.matter() != Matter::Text {
            return openai_chat::relay_media(call);
        }
        let (answers, framing) = (call.answers, call.framing);
        (self.relay)(&StreamOptions { hide_usage, answers, framing })
    }
}

impl Dialect {
    /// Headers of a caller that are part of what it says: they go on where its dialect does.
    #[must_use]
    pub fn forwards(&self) -> &'static [&'static str] {
        match self.name {
            openai_chat::NAME | openai_responses::NAME => &["openai-beta"],
            anthropic_messages::NAME => &["anthropic-beta", "anthropic-version"],
            anthropic_vertex::NAME => &["anthropic-beta"],
            bedrock_invoke::NAME => &[
                "x-amzn-bedrock-guardrailidentifier",
                "x-amzn-bedrock-guardrailversion",
                "x-amzn-bedrock-trace",
                "x-amzn-bedrock-performanceconfig-latency",
                "x-amzn-bedrock-service-tier",
            ],
            _ => &[],
        }
    }
}

impl Dialect {
    /// A header that says what went wrong, beside the body of an error of this status.
    #[must_use]
    pub fn error_header(&self, status: u16) -> Option<(&'static str, &'static str)> {
        match self.name {
            bedrock_converse::NAME | bedrock_invoke::NAME => {
                Some(("x-amzn-errortype", bedrock_converse::kind(status)))
            }
            _ => None,
        }
    }

    /// Reads a provider's answer under an error status. `header` looks a response header up, in lower
    /// case; `now_ms` is milliseconds since 1970.
    #[must_use]
    pub fn read_refusal(
        &self,
        status: u16,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now_ms: u64,
    ) -> ProviderError {
        match self.name {
            bedrock_converse::NAME | bedrock_invoke::NAME => {
                bedrock_converse::read_refusal(status, header, body, now_ms)
            }
            _ => ProviderError::read(status, header, body, now_ms),
        }
    }
}

impl Dialect {
    /// What a plain answer used, where its headers tell it and its body may not. `header` looks a response
    /// header up, in lower case.
    #[must_use]
    pub fn usage_of_headers(&self, header: &dyn Fn(&str) -> Option<String>) -> Option<Usage> {
        match self.name {
            bedrock_invoke::NAME => bedrock_invoke::usage_of_headers(header),
            _ => None,
        }
    }
}

/// Two are the same where they are of one name.
impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}

/// Every dialect.
pub const ALL: &[&Dialect] = &[
    &openai_chat::DIALECT,
    &anthropic_messages::DIALECT,
    &anthropic_vertex::DIALECT,
    &bedrock_cohere::DIALECT,
    &bedrock_converse::DIALECT,
    &bedrock_invoke::DIALECT,
    &bedrock_titan::DIALECT,
    &ollama_chat::DIALECT,
    &openai_responses::DIALECT,
    &cohere_chat::DIALECT,
    &gemini::DIALECT,
    &gemini_single::DIALECT,
    &vertex_predict::DIALECT,
    &voyage::DIALECT,
];

/// The dialect of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name == name)
}
