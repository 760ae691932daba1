//! Amazon's Titan for embeddings, by InvokeModel.

use super::bedrock_invoke;
use super::{Beside, Dialect};
use crate::call::{Asked, Call, Operation};
use crate::embed;
use crate::front::texts::{self, Form};
use crate::refusal::Refusal;

/// The name of the dialect.
pub const NAME: &str = "bedrock_titan";

/// One text.
const FORM: Form = Form { texts: &["inputText"], each: true, by_path: false };

/// The dialect as data: all that is no embedding is as in its family.
pub const DIALECT: Dialect = Dialect {
    name: NAME,
    operations: &[Operation::Embeddings],
    read,
    beside: Beside { embed: Some(&embed::TITAN), ..Beside::NOTHING },
    ..bedrock_invoke::DIALECT
};

/// Reads a request as far as it must be known to be passed on.
fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    texts::read(NAME, asked, body, &FORM)
}
