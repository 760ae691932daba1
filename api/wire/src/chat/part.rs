//! The pieces that turns and answers are made of.

use std::borrow::Cow;

use super::raw::{Extra, Raw};

/// The format of signatures by which Claude knows its own thinking again.
pub const CLAUDE: &str = "anthropic-claude-v1";

/// One piece of a turn or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub body: Body,
    /// A prompt cache is to be written up to here.
    pub cache: Option<Cache>,
    /// A signature that must come back unchanged for the model to go on from here.
    pub signature: Option<String>,
    /// Members without a name here, beside the body.
    pub extra: Extra,
    /// Members without a name here, inside the object that the dialect wraps the body in.
    pub inner: Extra,
}

impl Part {
    /// A part and nothing beside it.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self {
            body,
            cache: None,
            signature: None,
            extra: Extra::default(),
            inner: Extra::default(),
        }
    }

    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Body::Text(Text { text: text.into(), citations: Vec::new() }))
    }

    /// Whether this is a call that the caller has to answer.
    #[must_use]
    pub const fn is_client_call(&self) -> bool {
        matches!(&self.body, Body::ToolCall(ToolCall { provider_kind: None, .. }))
    }
}

/// Kinds of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Words.
    Text(Text),
    /// Words by which the model declines.
    Refusal(String),
    /// What the model thought, or a summary of it.
    Thinking(Thinking),
    /// What the model thought, readable by its maker only.
    Redacted(Redacted),
    /// A picture.
    Image(Media),
    /// Sound.
    Audio(Media),
    /// Moving pictures.
    Video(Media),
    /// A file to be read.
    Document(Document),
    /// A tool is called.
    ToolCall(ToolCall),
    /// What a tool gave.
    ToolResult(ToolResult),
    /// Something only its own dialect knows.
    Opaque(Opaque),
}

/// Words, and where they are from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The words.
    pub text: String,
    /// Their sources.
    pub citations: Vec<Citation>,
}

/// A source of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Its address, where it has one.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The words quoted from it.
    pub quote: Option<String>,
    /// The whole as its dialect wrote it.
    pub raw: Raw,
}

/// What the model thought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thinking {
    /// The words; may be empty where only a signature is shown.
    pub text: String,
    /// Whether the words only sum up what was thought.
    pub summary: bool,
    /// Whether it stands inside the content, where its dialect also knows a place beside it.
    pub inline: bool,
    /// Whose signature it is, e.g. [`CLAUDE`]; `None` where nobody said.
    pub format: Option<String>,
}

/// What the model thought, encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The encrypted text.
    pub data: String,
    /// Who can read it, e.g. [`CLAUDE`]; `None` where nobody said.
    pub format: Option<String>,
}

/// A picture, sound, or film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where it is.
    pub source: Source,
    /// How closely to look: `low`, `high`, `auto`.
    pub detail: Option<String>,
}

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it is.
    pub source: Source,
    /// Its name.
    pub title: Option<String>,
    /// What to know about it, which is not to be cited.
    pub context: Option<String>,
    /// Whether the answer is to cite it.
    pub citations: Option<bool>,
}

/// Where a medium is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// At an address.
    Url(String),
    /// Here.
    Base64 {
        /// E.g. `image/png`.
        media_type: String,
        /// Base64 with the standard alphabet.
        data: String,
    },
    /// Here, as plain text.
    Text {
        /// E.g. `text/plain`.
        media_type: String,
        /// The text.
        data: String,
    },
    /// In the provider's store, under this id.
    File(String),
}

/// A tool is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// By which the result refers to it; empty where the dialect gave none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as text, as the model wrote them: JSON, unless the call is cut off or `custom`.
    pub arguments: String,
    /// Whether the tool takes free text in the place of JSON.
    pub custom: bool,
    /// The dialect's name for a call that the provider itself answers, e.g. `server_tool_use`.
    pub provider_kind: Option<String>,
    /// The group of tools that the tool is of, in dialects that have such.
    pub namespace: Option<String>,
}

impl ToolCall {
    /// The arguments as a JSON object: `{}` where they are none, because the model gave none or was cut
    /// off; free text as its only member `input`.
    #[must_use]
    pub fn arguments_object(&self) -> Cow<'_, str> {
        if self.custom {
            return Cow::Owned(serde_json::json!({ "input": self.arguments }).to_string());
        }
        let text = self.arguments.trim();
        let is_json = || serde_json::from_str::<serde_json::Value>(text).is_ok();
        Cow::Borrowed(if text.starts_with('{') && is_json() { text } else { "{}" })
    }
}

/// What a tool gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The id of the call.
    pub id: String,
    /// The tool's name, where the dialect repeats it.
    pub name: Option<String>,
    /// What it gave.
    pub content: Vec<Part>,
    /// Whether the content was a bare text and no list.
    pub plain: bool,
    /// Whether it failed.
    pub is_error: Option<bool>,
}

/// Something only its own dialect knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// The dialect's name for it; empty where it has none.
    pub kind: String,
    /// The whole as it was written.
    pub raw: Raw,
}

/// A prompt cache is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// How long it is to be kept, e.g. `5m`, `1h`; `None` for the provider's own time.
    pub ttl: Option<String>,
}
