//! Embeddings: what is asked and answered, whatever format it is said in.
//!
//! One file per format, as with chats: each reads and writes requests and answers, and none knows another.

mod cohere;
mod gemini;
mod openai;
mod titan;
mod vector;

use crate::chat::{Extra, Losses, Target, Written};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

pub use gemini::write_single;
pub use vector::{Encoding, Vector};

/// A request for vectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The name of the format it was read from.
    pub format: &'static str,
    /// The model as the caller wrote it; empty where the path says it.
    pub model: String,
    /// What is to be embedded, in order.
    pub inputs: Vec<Input>,
    /// How long the vectors are to be.
    pub dimensions: Option<u64>,
    /// How the caller wants them written.
    pub encoding: Encoding,
    /// What they are for.
    pub task: Option<Task>,
    /// Who asks, as the caller names its own users.
    pub user: Option<String>,
    /// Members without a name here.
    pub extra: Extra,
}

/// One thing to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Words.
    Text(String),
    /// Words as a model's own tokens.
    Tokens(Vec<u64>),
}

/// What vectors are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// To search with.
    Query,
    /// To be found.
    Document,
    /// To be compared.
    Similarity,
    /// To be sorted into classes.
    Classification,
    /// To be sorted into heaps.
    Clustering,
    /// A word that only some format knows.
    Other(String),
}

/// Vectors, one for each input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The name of the format it was read from.
    pub format: &'static str,
    /// The provider's id of it; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where the provider did not say.
    pub model: String,
    /// The vectors, in the order of the inputs.
    pub vectors: Vec<Vector>,
    /// Tokens of the inputs; `None` where the provider does not count them.
    pub input_tokens: Option<u64>,
}

/// A format of embeddings: any one's reading goes with any other's writing.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Reads what a request means.
    pub read_request: fn(&[u8]) -> Result<Request, Refusal>,
    /// Writes a request for a provider.
    pub write_request: fn(&Request, &Target<'_>) -> Result<Written, Refusal>,
    /// Reads a provider's answer under a success status.
    pub read_answer: fn(&[u8]) -> Result<Answer, ProviderError>,
    /// Writes an answer for a caller, in the encoding that it asked for.
    pub write_answer: fn(&Answer, Encoding) -> Vec<u8>,
}

/// Every format. Of Gemini's two the batch is written; both are read.
pub const ALL: &[Format] =
    &[openai::OPENAI, openai::VOYAGE, gemini::FORMAT, cohere::FORMAT, titan::FORMAT];

/// The format of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name)
}

/// The words of every input.
///
/// Tokens are those of one maker's models: no other can read them.
fn texts<'a>(request: &'a Request, format: &str) -> Result<Vec<&'a str>, Refusal> {
    let text = |input: &'a Input| match input {
        Input::Text(text) => Ok(text.as_str()),
        Input::Tokens(_) => {
            let say =
                format!("'input' holds tokens, which only their own model reads, not {format}");
            Err(Refusal::invalid("unsupported_parameter", Some("input"), say))
        }
    };
    request.inputs.iter().map(text).collect()
}

/// Reports what of a request of another format has no counterpart.
fn losses(request: &Request, format: &'static str, target: &Target<'_>, known: &[&str]) -> Losses {
    let mut losses = Losses::new(target.leniency);
    if request.format == format {
        return losses;
    }
    for key in request.extra.keys() {
        losses.hint(key);
    }
    if request.user.is_some() && !known.contains(&"user") {
        losses.hint("user");
    }
    if request.task.is_some() && !known.contains(&"task") {
        losses.hint("task");
    }
    losses
}

/// A body's members; the failure where it is no object.
fn asked(body: &[u8]) -> Result<crate::json::Fields<'_>, Refusal> {
    let not_json =
        || crate::field_value::invalid_json("request body is not a JSON object".to_owned());
    let text = std::str::from_utf8(body).map_err(|_| not_json())?;
    crate::json::Fields::read(text).map_err(|_| not_json())
}

/// An answer's members; the failure that it reports or is.
fn answered(body: &[u8]) -> Result<crate::json::Fields<'_>, ProviderError> {
    let unreadable = || ProviderError::unreadable("the provider's answer is not a JSON object");
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let fields = crate::json::Fields::read(text).map_err(|_| unreadable())?;
    match fields.get("error") {
        Some(_) => Err(crate::dialect::openai_chat::read_error(body)),
        None => Ok(fields),
    }
}

/// An answer without vectors is none.
fn none() -> ProviderError {
    ProviderError::unreadable("the provider's answer has no embeddings")
}
