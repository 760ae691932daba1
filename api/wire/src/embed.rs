//! Embeddings: what is asked and answered, whatever format it is said in.
//!
//! One file per format, as with chats: each reads and writes requests and answers, and none knows another.

mod cohere;
mod gemini;
mod openai;
mod titan;
mod vector;
mod vertex;

use crate::chat::{Extra, Losses, Target, Written};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::Reply;
use crate::usage::Usage;

pub use cohere::{BEDROCK as COHERE_BEDROCK, FORMAT as COHERE};
pub use gemini::{BATCH as GEMINI, SINGLE as GEMINI_SINGLE};
pub use openai::{OPENAI, VOYAGE};
pub use titan::FORMAT as TITAN;
pub use vector::{Encoding, Vector};
pub use vertex::FORMAT as VERTEX;

/// A request for vectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The maker whose words it was read in.
    pub maker: Maker,
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

/// Whose words a format is in: members without a name here are said again where they are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Maker {
    /// OpenAI, and all who took its format over.
    #[default]
    OpenAi,
    /// Voyage.
    Voyage,
    /// Google, of AI Studio and Vertex.
    Gemini,
    /// Google's older models on Vertex.
    Vertex,
    /// Cohere.
    Cohere,
    /// Amazon.
    Titan,
}

impl Maker {
    /// The field that holds what is to be embedded.
    const fn inputs(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Voyage => "input",
            Self::Gemini => "requests",
            Self::Vertex => "instances",
            Self::Cohere => "texts",
            Self::Titan => "inputText",
        }
    }

    /// The field that says what vectors are for.
    const fn task(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Voyage | Self::Cohere | Self::Titan => "input_type",
            Self::Gemini => "taskType",
            Self::Vertex => "task_type",
        }
    }
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
    /// The provider's id of it; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where the provider did not say.
    pub model: String,
    /// The vectors, in the order of the inputs.
    pub vectors: Vec<Vector>,
    /// Tokens of the inputs; `None` where the provider does not count them.
    pub input_tokens: Option<u64>,
}

/// Fields that say of which numbers vectors are to be, where they are read as others than 32-bit floats.
const NUMBERS: [&str; 4] = ["embedding_types", "encoding_format", "output_dtype", "embeddingTypes"];

/// A format of embeddings: any one's reading goes with any other's writing.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Most inputs that its makers take in one request.
    pub inputs_max: Option<usize>,
    /// Reads what a request means.
    pub read_request: fn(&[u8]) -> Result<Request, Refusal>,
    /// Writes a request for a provider.
    pub write_request: fn(&Request, &Target<'_>) -> Result<Written, Refusal>,
    /// Reads a provider's answer under a success status.
    pub read_answer: fn(&[u8]) -> Result<Answer, ProviderError>,
    /// Writes an answer for the caller of a request, in the encoding that it asked for.
    pub write_answer: fn(&Answer, &Request) -> Vec<u8>,
}

/// Every format.
pub const ALL: &[&Format] =
    &[&OPENAI, &VOYAGE, &GEMINI, &GEMINI_SINGLE, &VERTEX, &COHERE, &COHERE_BEDROCK, &TITAN];

/// The format of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| format.name == name)
}

impl Format {
    /// Writes a request for a provider, of no more inputs than it takes at once.
    ///
    /// # Errors
    /// A 400 that names the field: what cannot be said, or too many inputs.
    pub fn write(&self, request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
        let count = request.inputs.len();
        if let Some(most) = self.inputs_max.filter(|most| count > *most) {
            let field = request.maker.inputs();
            let say =
                format!("'{field}' holds {count} texts; this model takes at most {most} at once");
            return Err(Refusal::invalid("too_many_inputs", Some(field), say));
        }
        (self.write_request)(request, target)
    }
}

impl Answer {
    /// What it used, where the provider says so.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.input_tokens.map(|input_tokens| Usage { input_tokens, ..Usage::default() })
    }
}

/// What a body under a success status says that goes on as it is.
#[must_use]
pub fn reply_of(read: Result<Answer, ProviderError>) -> Reply {
    match read {
        Err(fault) => Reply { fault: Some(fault), ..Reply::default() },
        Ok(answer) => Reply { usage: answer.usage(), ..Reply::default() },
    }
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

/// The one text of a format that embeds no more.
fn only_text<'a>(request: &'a Request, format: &str) -> Result<&'a str, Refusal> {
    let field = request.maker.inputs();
    let none =
        || Refusal::invalid("invalid_value", Some(field), format!("'{field}' holds nothing"));
    texts(request, format)?.first().copied().ok_or_else(none)
}

/// Reports what of a request of another maker has no counterpart; `known` says what has one.
fn losses(
    request: &Request,
    maker: Maker,
    target: &Target<'_>,
    known: &[&str],
) -> Result<Losses, Refusal> {
    let mut losses = Losses::new(target.leniency);
    if request.maker == maker {
        return Ok(losses);
    }
    for key in request.extra.keys() {
        match request.extra.get(key) {
            Some("\"float\"") => {}
            Some(_) if NUMBERS.contains(&key) => losses.meaning(key, "another format")?,
            Some(_) | None => losses.hint(key),
        }
    }
    if request.user.is_some() && !known.contains(&"user") {
        losses.hint("user");
    }
    if request.task.is_some() && !known.contains(&"task") {
        losses.hint(request.maker.task());
    }
    Ok(losses)
}

/// What is neither text nor tokens, in a field of that name: only its own maker's models read it.
fn no_text(field: &str) -> Refusal {
    let say = format!("'{field}' holds what is no text, which cannot be asked of this model");
    Refusal::invalid("unsupported_parameter", Some(field), say)
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
