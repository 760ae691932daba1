//! What is asked, in whichever vocabulary: read in one dialect and written in another, answers as well.

use bytes::Bytes;

use crate::call::{Call, Operation, Vocabulary};
use crate::chat::{self, Identity, StandIns, Target, Written};
use crate::count::Count;
use crate::dialect::Dialect;
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::{self, Reply};
use crate::{count, embed, rerank};

/// What a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Talk that is to be answered.
    Chat(chat::Request),
    /// Texts that are to become vectors.
    Embed(embed::Request),
    /// Documents that are to be put in order.
    Rerank(rerank::Request),
    /// Talk that is to be counted.
    Count(chat::Request),
}

impl Meaning {
    /// Reads what a call means that was made in the dialect `face`.
    ///
    /// # Errors
    /// A 400 that names the field.
    pub fn read(face: &Dialect, call: &Call, body: &[u8]) -> Result<Self, Refusal> {
        match call.operation.vocabulary() {
            Some(Vocabulary::Chat) => face.request(call, body).map(Self::Chat),
            Some(Vocabulary::Embed) => {
                let mut request = (embeds(face)?.read_request)(body)?;
                request.model.clone_from(&call.model);
                Ok(Self::Embed(request))
            }
            Some(Vocabulary::Rerank) => {
                let mut request = rerank::read_request(reranks(face)?, body)?;
                request.model.clone_from(&call.model);
                Ok(Self::Rerank(request))
            }
            Some(Vocabulary::Count) => {
                let mut request = (counts(face)?.read_request)(body)?;
                request.model.clone_from(&call.model);
                Ok(Self::Count(request))
            }
            None => Err(unspoken(call.operation, face)),
        }
    }

    /// Writes it in the dialect `to`; an answer of text with at most so many tokens.
    ///
    /// # Errors
    /// A 400 that names what cannot be said there.
    pub fn write(
        &self,
        to: &Dialect,
        target: &Target<'_>,
        output_tokens_max: Option<u64>,
    ) -> Result<Written, Refusal> {
        match self {
            Self::Chat(request) if output_tokens_max == request.output_tokens_max => {
                to.write_request(request, target)
            }
            Self::Chat(request) => {
                let bounded = chat::Request { output_tokens_max, ..request.clone() };
                to.write_request(&bounded, target)
            }
            Self::Embed(request) => embeds(to)?.write(request, target),
            Self::Rerank(request) => rerank::write_request(request, reranks(to)?, target),
            Self::Count(request) => to.write_by(counts(to)?.write_request, request, target),
        }
    }

    /// The tools that stand in for others, whose calls are told back.
    #[must_use]
    pub fn stand_ins(&self) -> StandIns {
        match self {
            Self::Chat(request) => StandIns::of(request),
            Self::Embed(_) | Self::Rerank(_) | Self::Count(_) => StandIns::default(),
        }
    }

    /// A plain answer to it that came in the dialect `from`, told in the dialect `to`, and what it used.
    /// `about_tokens` is told where the provider does not say how much it read.
    ///
    /// # Errors
    /// A body that is no answer.
    pub fn answer(
        &self,
        (from, to): (&Dialect, &Dialect),
        (identity, about_tokens): (&Identity, u64),
        body: &[u8],
    ) -> Result<(Bytes, Reply), ProviderError> {
        let silent = |_| ProviderError::unreadable("the provider's answer cannot be read here");
        let (told, reply) = match self {
            Self::Chat(_) => return relay::answer(from, to, identity, body),
            Self::Embed(request) => {
                let mut answer = (embeds(from).map_err(silent)?.read_answer)(body)?;
                let reply = Reply { usage: answer.usage(), ..Reply::default() };
                if answer.vectors.len() != request.inputs.len() {
                    let (got, asked) = (answer.vectors.len(), request.inputs.len());
                    let say = format!("the provider answered {asked} texts with {got} vectors");
                    return Err(ProviderError::unreadable(say));
                }
                answer.input_tokens = answer.input_tokens.or(Some(about_tokens));
                if answer.model.is_empty() {
                    answer.model.clone_from(&request.model);
                }
                if answer.id.is_empty() {
                    answer.id.clone_from(&identity.id);
                }
                ((embeds(to).map_err(silent)?.write_answer)(&answer, request), reply)
            }
            Self::Rerank(request) => {
                let mut answer = rerank::read_answer(body)?;
                let reply = Reply { usage: answer.usage(), ..Reply::default() };
                if reply.usage.is_none() {
                    answer.tokens = Some(about_tokens);
                }
                (rerank::write_answer(&answer, request, &identity.id), reply)
            }
            Self::Count(_) => {
                let tokens = (counts(from).map_err(silent)?.read_answer)(body)?;
                let told = (counts(to).map_err(silent)?.write_answer)(tokens);
                (told, count::reply_of(Ok(tokens)))
            }
        };
        Ok((Bytes::from(told), reply))
    }
}

fn embeds(dialect: &Dialect) -> Result<&'static embed::Format, Refusal> {
    dialect.beside.embed.ok_or_else(|| unspoken(Operation::Embeddings, dialect))
}

fn reranks(dialect: &Dialect) -> Result<rerank::Shape, Refusal> {
    dialect.beside.rerank.ok_or_else(|| unspoken(Operation::Rerank, dialect))
}

fn counts(dialect: &Dialect) -> Result<&'static Count, Refusal> {
    dialect.beside.count.ok_or_else(|| unspoken(Operation::CountTokens, dialect))
}

/// What no table of providers lets happen: each of their dialects has words for what it is asked.
fn unspoken(operation: Operation, dialect: &Dialect) -> Refusal {
    let say = format!("{} cannot be said in {}", operation.name(), dialect.name);
    Refusal::invalid("unsupported_operation", None, say)
}
