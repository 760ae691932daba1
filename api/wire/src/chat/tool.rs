//! Tools, which of them to call, and the shape an answer must have.

use super::part::Cache;
use super::raw::{Extra, Raw};

/// A tool the model may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// What it is.
    pub body: ToolBody,
    /// A prompt cache is to be written up to here.
    pub cache: Option<Cache>,
    /// Members without a name here.
    pub extra: Extra,
    /// Members without a name here, inside the object that the dialect wraps the tool in.
    pub inner: Extra,
}

/// Kinds of tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolBody {
    /// Run by the caller.
    Function(Function),
    /// Run by the provider, or of a kind only its own dialect knows.
    Opaque {
        /// The dialect's name for the kind.
        kind: String,
        /// The whole as it was written.
        raw: Raw,
    },
    /// Run by the provider, written for the dialect that it speaks.
    Hosted(Raw),
}

/// A tool that the caller runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// By which it is called.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// The JSON schema of its arguments.
    pub schema: Option<Raw>,
    /// Whether arguments must keep to the schema.
    pub strict: Option<bool>,
}

/// Which tools to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// Whichever the model likes, or none.
    Auto,
    /// None.
    Never,
    /// At least one.
    Required,
    /// This one.
    Tool(String),
}

/// The shape an answer must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Any.
    Text,
    /// Some JSON object.
    Json,
    /// JSON that keeps to a schema.
    Schema(Schema),
}

/// A schema for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Its name, where the dialect gives it one.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The JSON schema.
    pub schema: Raw,
    /// Whether the answer must keep to it.
    pub strict: Option<bool>,
}
