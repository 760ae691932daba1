//! The edits a gateway must make, spliced into the caller's own bytes.
//!
//! What is not edited is not copied: the pieces are slices of the body, in order, to be written vectored.

mod calls;
mod foreign;

use std::ops::Range;

use bytes::Bytes;

use crate::call::{Call, Cap, Operation, Says, StreamOptions};
use crate::json;

pub use calls::Calls;

/// A model's name as JSON text, prepared once per configuration and spliced without work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    text: String,
    quoted: Bytes,
}

impl ModelName {
    /// Prepares a name.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), quoted: Bytes::from(json::quote(text)) }
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The field a provider reads an output limit from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputField {
    /// `max_tokens`: all of the field but OpenAI's newer chat models.
    MaxTokens,
    /// `max_completion_tokens`: the only one OpenAI's reasoning models take.
    MaxCompletionTokens,
}

impl OutputField {
    const fn key(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// What must change for one provider. `fallbacks` is taken out always, whatever else is asked, and so
/// are thoughts of other makers, which a provider refuses ([`dropped`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edits<'a> {
    /// The name to send in the place of the caller's.
    pub model: Option<&'a ModelName>,
    /// Ask for the usage chunk of a stream, if the caller did not. Ignored unless the call streams.
    pub ask_usage: bool,
    /// An output limit not to be exceeded, in tokens per choice.
    pub output_cap: Option<OutputCap>,
}

/// An upper bound on output: lowers the caller's limits where they are higher, and is inserted where
/// the caller gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputCap {
    /// Tokens per choice, at least 1.
    pub tokens: u64,
    /// Which field to insert where the caller gave none. The caller's own choice is kept otherwise.
    pub field: OutputField,
}

impl Edits<'_> {
    /// Whether the usage chunk of this call's stream is there only because these edits ask for it, so
    /// that it must be hidden from the caller.
    #[must_use]
    pub const fn hides_usage(&self, call: &Call) -> bool {
        self.ask_usage && call.stream && !call.include_usage
    }
}

/// What is taken out of a body because another maker thought it; the field, if anything is.
#[must_use]
pub fn dropped(call: &Call, body: &[u8]) -> Option<&'static str> {
    let chats = call.operation == Operation::ChatCompletions;
    foreign::foreign(call.dialect, body).filter(|_| chats).map(|(_, field)| field)
}

/// The body with the edits made, as pieces to be written one after another.
///
/// `body` must be the bytes that `call` was read from.
#[must_use]
pub fn apply(call: &Call, edits: &Edits<'_>, body: &Bytes) -> Vec<Bytes> {
    let mut changes = changes(call, edits, body);
    if changes.is_empty() {
        return vec![body.clone()];
    }
    // What is put before a member comes before what becomes of the member.
    changes.sort_by_key(|(span, _)| (span.start, span.end));
    let mut pieces = Vec::with_capacity(2 * changes.len() + 1);
    let mut kept = 0;
    for (span, text) in changes {
        push(&mut pieces, body.slice(kept..span.start));
        push(&mut pieces, text);
        kept = span.end;
    }
    push(&mut pieces, body.slice(kept..));
    pieces
}

fn push(pieces: &mut Vec<Bytes>, piece: Bytes) {
    if !piece.is_empty() {
        pieces.push(piece);
    }
}

/// The spans to be replaced and their new text. They never overlap: each is a member of its own, or
/// the empty span behind an opening brace.
fn changes(call: &Call, edits: &Edits<'_>, body: &[u8]) -> Vec<(Range<usize>, Bytes)> {
    let spans = &call.spans;
    let mut changes = Vec::new();
    if let Some(model) = edits.model {
        changes.extend(model_change(call, model, body));
    }
    if let Some(model) = edits.model
        && !spans.model_paths.is_empty()
    {
        let path = Bytes::from(json::quote(&format!("models/{}", model.text)));
        let others = spans.model_paths.iter().filter(|span| body[(*span).clone()] != path[..]);
        changes.extend(others.map(|span| (span.clone(), path.clone())));
    }
    if let Some(member) = &spans.fallbacks {
        changes.push((removal(&member.whole, member.comma_before, body), Bytes::new()));
    }
    if call.operation == Operation::ChatCompletions
        && let Some((spans, _)) = foreign::foreign(call.dialect, body)
    {
        changes.extend(spans.into_iter().map(|span| (span, Bytes::new())));
    }
    if edits.hides_usage(call) {
        changes.push(usage_change(call));
    }
    if let Some(cap) = edits.output_cap
        && call.operation.generates()
    {
        cap_changes(call, cap, &mut changes);
    }
    changes
}

/// The model's name in the place of the caller's, or where there is none.
fn model_change(call: &Call, model: &ModelName, body: &[u8]) -> Option<(Range<usize>, Bytes)> {
    let spans = &call.spans;
    let text = match &spans.boundary {
        None => model.quoted.clone(),
        Some(_) => Bytes::copy_from_slice(model.text.as_bytes()),
    };
    if let Some(span) = &spans.model {
        return (body[span.clone()] != text[..]).then(|| (span.clone(), text));
    }
    let field = match &spans.boundary {
        _ if !spans.names_model => return None,
        // Never the only member: what is required stands behind it.
        None => format!("\"model\":{},", json::quote(&model.text)),
        Some(boundary) => {
            let head = "Content-Disposition: form-data; name=\"model\"";
            format!("--{boundary}\r\n{head}\r\n\r\n{}\r\n", model.text)
        }
    };
    Some((spans.open..spans.open, Bytes::from(field)))
}

/// The member with the one comma that goes with it: the one behind, or before the last member.
fn removal(member: &Range<usize>, comma_before: Option<usize>, body: &[u8]) -> Range<usize> {
    let space = body[member.end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let behind = member.end + space;
    if body.get(behind) == Some(&b',') {
        return member.start..behind + 1;
    }
    comma_before.unwrap_or(member.start)..member.end
}

fn usage_change(call: &Call) -> (Range<usize>, Bytes) {
    let at = |position: usize| position..position;
    match &call.spans.stream_options {
        // Never the only member: the model is one, too.
        StreamOptions::Absent => (
            at(call.spans.open),
            Bytes::from_static(br#""stream_options":{"include_usage":true},"#),
        ),
        StreamOptions::Null(span) => {
            (span.clone(), Bytes::from_static(br#"{"include_usage":true}"#))
        }
        StreamOptions::Open { open, empty: true } => {
            (at(*open), Bytes::from_static(br#""include_usage":true"#))
        }
        StreamOptions::Open { open, empty: false } => {
            (at(*open), Bytes::from_static(br#""include_usage":true,"#))
        }
        StreamOptions::Named { value, .. } => (value.clone(), Bytes::from_static(b"true")),
    }
}

/// Lowers every limit above the cap. Where none holds, fills the provider's own field if it is there,
/// else inserts it.
fn cap_changes(call: &Call, cap: OutputCap, changes: &mut Vec<(Range<usize>, Bytes)>) {
    // Legacy completions know no other field.
    let field =
        if call.operation == Operation::Completions { OutputField::MaxTokens } else { cap.field };
    let limits = [
        (OutputField::MaxCompletionTokens, &call.spans.max_completion_tokens),
        (OutputField::MaxTokens, &call.spans.max_tokens),
    ];
    let mut bounded = false;
    for (named, limit) in
        limits.into_iter().filter_map(|(named, limit)| Some((named, limit.as_ref()?)))
    {
        let lower = match limit.says {
            Says::Tokens(tokens) => tokens > cap.tokens,
            Says::Unlimited => true,
            Says::Nothing => {
                (named == field || call.spans.cap != Cap::Field) && call.output_tokens_max.is_none()
            }
        };
        bounded |= lower || limit.tokens().is_some();
        if lower {
            changes.push((limit.value.clone(), Bytes::from(cap.tokens.to_string())));
        }
    }
    if !bounded {
        changes.push(inserted(call, field, cap.tokens));
    }
}

/// The member that sets a limit where there is none. The body itself is never empty.
fn inserted(call: &Call, field: OutputField, tokens: u64) -> (Range<usize>, Bytes) {
    let body = call.spans.open;
    let (at, member) = match call.spans.cap {
        Cap::Field => (body, format!("\"{}\":{tokens},", field.key())),
        Cap::Body(key) => (body, format!("\"{key}\":{tokens},")),
        Cap::Inner { open, empty: true, key } => (open, format!("\"{key}\":{tokens}")),
        Cap::Inner { open, empty: false, key } => (open, format!("\"{key}\":{tokens},")),
        Cap::Null { start, end, key } => {
            return (start..end, Bytes::from(format!("{{\"{key}\":{tokens}}}")));
        }
        Cap::Missing { object, key } => (body, format!("\"{object}\":{{\"{key}\":{tokens}}},")),
    };
    (at..at, Bytes::from(member))
}
