//! Cohere's models of embeddings, by Bedrock's InvokeModel: the path names the model.

use super::bedrock_invoke;
use super::{Beside, Dialect};
use crate::call::{Asked, Call, Operation};
use crate::embed;
use crate::front::texts::{self, Form};
use crate::refusal::Refusal;

/// The name of the dialect.
pub const NAME: &str = "bedrock_cohere";

/// What is embedded, one of them.
const FORM: Form = Form { texts: &["texts", "inputs", "images"], each: false, by_path: false };

/// The dialect as data: all that is no embedding is as in its family.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::Embeddings],
    read,
    beside: Beside { embed: Some(&embed::COHERE_BEDROCK), ..Beside::NOTHING },
    ..bedrock_invoke::DIALECT
};

/// Reads a request as far as it must be known to be passed on.
fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    texts::read(NAME, asked, body, &FORM)
}
