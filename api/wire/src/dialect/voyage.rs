//! Voyage's embeddings and orderings: OpenAI's family, with names of its own for some fields.

use super::{Beside, Dialect, openai_chat};
use crate::call::{Asked, Call, Operation};
use crate::embed;
use crate::refusal::Refusal;
use crate::rerank::Shape;

/// The name of the dialect.
pub const NAME: &str = "voyage";

/// The dialect as data.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::Embeddings, Operation::Rerank],
    read,
    beside: Beside { embed: Some(&embed::VOYAGE), rerank: Some(Shape::Voyage), count: None },
    ..openai_chat::DIALECT
};

/// Reads a request as far as it must be known to be passed on.
fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    let mut call = openai_chat::read(asked, body)?;
    call.dialect = NAME;
    Ok(call)
}
