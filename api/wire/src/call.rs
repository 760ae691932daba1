//! What a caller asks for, as far as a gateway must understand it.

mod operation;

use std::ops::Range;

use crate::frame::Framing;
use crate::usage::Picture;
use crate::wishes::Wishes;

pub use operation::{Matter, Operation, Vocabulary};

/// What is known of a request before its body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The kind of call.
    pub operation: Operation,
    /// The model, in dialects whose path names it.
    pub model: Option<&'a str>,
    /// Whether a stream is wanted, in dialects whose path says so.
    pub stream: Option<bool>,
    /// How a stream is to be framed, in dialects whose path says so; else as the dialect does.
    pub framing: Option<Framing>,
    /// The `content-type` of the body, for operations that take forms.
    pub content_type: Option<&'a str>,
}

impl Asked<'_> {
    /// A call whose path says no more than what kind it is.
    #[must_use]
    pub const fn of(operation: Operation) -> Self {
        Self { operation, model: None, stream: None, framing: None, content_type: None }
    }
}

/// One request, read. Owns only short strings; everything long stays in the body it was read from.
///
/// The private spans point into exactly that body: [`crate::splice::apply`] must be given the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name of the dialect it is said in.
    pub dialect: &'static str,
    /// What kind of call this is.
    pub operation: Operation,
    /// The model as the caller wrote it, e.g. `openai/gpt-4o-mini`; never empty.
    pub model: String,
    /// Whether the caller wants a stream.
    pub stream: bool,
    /// How a stream is framed.
    pub framing: Framing,
    /// Whether the caller itself asked for the usage chunk of a stream.
    pub include_usage: bool,
    /// Most output tokens per choice the caller allows; the larger one where both
    /// `max_completion_tokens` and `max_tokens` are given, so that it bounds either reading.
    pub output_tokens_max: Option<u64>,
    /// Answers that come back: `n`, for each prompt where completions have several; at least 1.
    pub answers: u64,
    /// Answers generated and billed, each up to `output_tokens_max`: as many, or more where completions
    /// ask for the best of several.
    pub choices: u64,
    /// `fallbacks`: models to try in order when the first fails. Never forwarded.
    pub fallbacks: Vec<String>,
    /// Length of the whole body, in bytes.
    pub body_bytes: u64,
    /// Bytes of the body that may be text for the model: all of it but inline media.
    pub input_bytes: u64,
    /// Entries of `messages`, or texts in `prompt`/`input` where that is a list; at least 1.
    pub messages: u64,
    /// Entries of `tools` and `functions`.
    pub tools: u64,
    /// Of these, tools that the caller runs and the provider describes to the model by itself.
    pub described_tools: u64,
    /// Whether a JSON schema for the answer is given (`response_format`).
    pub schema: bool,
    /// What the messages hold beside text.
    pub media: Media,
    /// What is asked for that is counted in other units than tokens.
    pub work: Work,
    /// The provider works on when nobody listens, and may answer before it has begun.
    pub background: bool,
    /// The answer goes on as it comes, and is neither JSON nor a stream of events: sound.
    pub raw: bool,
    /// What is asked for that changes the price; see [`crate::dialect::Dialect::call`].
    pub wishes: Wishes,
    pub(crate) spans: Spans,
}

impl Call {
    /// Whether the body is a form, whose `content-type` belongs to it.
    #[must_use]
    pub const fn is_form(&self) -> bool {
        self.spans.boundary.is_some()
    }

    /// The content type to ask for.
    #[must_use]
    pub const fn accept(&self) -> &'static str {
        match self.operation.matter() {
            // Sound, text or JSON, as the body says.
            Matter::Speech | Matter::Recordings | Matter::Kept => "*/*",
            Matter::Text | Matter::Pictures if self.stream => self.framing.content_type(),
            Matter::Text | Matter::Pictures => "application/json",
        }
    }

    /// A call of which nothing is known but what its path says.
    pub(crate) fn new(dialect: &'static str, asked: &Asked<'_>, body_bytes: usize) -> Self {
        Self {
            dialect,
            operation: asked.operation,
            model: asked.model.unwrap_or_default().to_owned(),
            stream: asked.stream.unwrap_or(false),
            framing: asked.framing.unwrap_or_default(),
            include_usage: false,
            output_tokens_max: None,
            answers: 1,
            choices: 1,
            fallbacks: Vec::new(),
            body_bytes: body_bytes as u64,
            input_bytes: body_bytes as u64,
            messages: 1,
            tools: 0,
            described_tools: 0,
            schema: false,
            media: Media::default(),
            work: Work::default(),
            background: false,
            raw: false,
            wishes: Wishes::default(),
            spans: Spans::default(),
        }
    }
}

/// Content that is not text, counted by how its tokens can be bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Media {
    /// Images, inline or by URL.
    pub images: u64,
    /// Inline audio clips.
    pub audio: u64,
    /// Bytes of inline audio, as base64.
    pub audio_bytes: u64,
    /// What brings tokens that cannot be bounded from the body: files, videos, references to stored
    /// content, tools that the provider runs, kinds of content not known here.
    pub unbounded: u64,
}

impl Media {
    /// Whether there is nothing but text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.images == 0 && self.audio == 0 && self.unbounded == 0
    }
}

/// What is asked for that is counted in other units than tokens, as far as the body tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Pictures to be made.
    pub images: u64,
    /// Previews of each of them, in a stream.
    pub previews: u64,
    /// What each is to be.
    pub picture: Picture,
    /// Characters to be spoken.
    pub characters: u64,
    /// Bytes of recordings.
    pub audio_bytes: u64,
    /// Milliseconds that the recordings last at most; `None` where nothing bounds it.
    pub audio_ms_max: Option<u64>,
}

/// Where the fields that may be edited stand in the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    /// Just behind the `{` of the body.
    pub(crate) open: usize,
    /// `None` where the path names the model, or nothing does.
    pub(crate) model: Option<Range<usize>>,
    /// The body is a form: values stand in it bare. A field is put in at its beginning.
    pub(crate) boundary: Option<String>,
    /// The body names no model, and is to.
    pub(crate) names_model: bool,
    /// The dialect's limit of output tokens, whatever its name there.
    pub(crate) max_tokens: Option<Limit>,
    /// The other limit of output tokens, in dialects with two.
    pub(crate) max_completion_tokens: Option<Limit>,
    pub(crate) cap: Cap,
    pub(crate) stream_options: StreamOptions,
    /// Where the model that the path names stands again in the body, as `"models/…"`.
    pub(crate) model_paths: Vec<Range<usize>>,
    pub(crate) fallbacks: Option<Member>,
}

/// Where an output limit is put that the caller did not give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cap {
    /// Into the body, under the field that the provider reads.
    #[default]
    Field,
    /// Into the body, under this key.
    Body(&'static str),
    /// Into an object of the body that is there.
    Inner {
        /// Just behind its `{`.
        open: usize,
        /// Whether it has no members.
        empty: bool,
        key: &'static str,
    },
    /// Into an object in the place of a null.
    Null { start: usize, end: usize, key: &'static str },
    /// Into an object of the body that is not there.
    Missing { object: &'static str, key: &'static str },
}

/// An output limit: where its value stands, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) value: Range<usize>,
    pub(crate) says: Says,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// `null`: as if it were absent.
    Nothing,
    /// A negative number, which some local servers read as "no limit".
    Unlimited,
    Tokens(u64),
}

impl Limit {
    pub(crate) const fn tokens(&self) -> Option<u64> {
        match self.says {
            Says::Tokens(tokens) => Some(tokens),
            Says::Nothing | Says::Unlimited => None,
        }
    }
}

/// A member of the body to be taken out whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// From the key's quote to the end of the value.
    pub(crate) whole: Range<usize>,
    /// The comma before it, if it is not the first member.
    pub(crate) comma_before: Option<usize>,
}

/// `stream_options` as found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum StreamOptions {
    #[default]
    Absent,
    /// `null`, at this span.
    Null(Range<usize>),
    /// An object that does not name `include_usage`.
    Open {
        /// Just behind its `{`.
        open: usize,
        empty: bool,
    },
    /// An object that names it; the span of its value.
    Named { value: Range<usize>, on: bool },
}
