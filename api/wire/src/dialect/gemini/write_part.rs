//! Parts of contents, written.

use super::NAME;
use super::carried;
use super::ids::is_made_up;
use super::result;
use crate::chat::{
    Body, Document, Fit, GOOGLE, Media, Part, Redacted, Request, Role, Sealed, Source, Thinking,
    ToolCall, ToolResult, is_public,
};
use crate::json::Out;

/// What Google's documentation tells to send with calls that another model made.
const FOREIGN_CALL: &str = "skip_thought_signature_validator";

/// How parts are said.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// Whether for the dialect they were read from.
    pub(super) own: bool,
    /// Whether the model refuses calls without signatures and takes pictures in results.
    pub(super) later: bool,
    pub(super) names: Names<'a>,
}

/// The names of tools by the ids of their calls.
#[derive(Debug, Default)]
pub(super) struct Names<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Names<'a> {
    /// Those of a conversation.
    pub(super) fn of(request: &'a Request) -> Self {
        let parts = request.turns.iter().flat_map(|turn| &turn.parts);
        let calls = parts.filter_map(|part| match &part.body {
            Body::ToolCall(call) => Some((&*call.id, &*call.name)),
            Body::Text(_)
            | Body::Refusal(_)
            | Body::Thinking(_)
            | Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => None,
        });
        let mut names: Vec<_> = calls.collect();
        names.sort_unstable();
        Self(names)
    }

    fn get(&self, result: &'a ToolResult) -> &'a str {
        let known = self.0.binary_search_by_key(&&*result.id, |(id, _)| id).ok();
        let of_call = known.map(|at| self.0[at].1);
        of_call.or(result.name.as_deref()).unwrap_or("unknown")
    }
}

impl Parts<'_> {
    /// Whether a part of a turn can be said.
    pub(super) fn fit(&self, role: Role, part: &Part) -> Fit {
        if self.own {
            return Fit::Yes;
        }
        let no = |field: &str| Fit::No(format!("messages.content.{field}"));
        match &part.body {
            Body::Text(text) if text.text.is_empty() && part.signature.is_none() => Fit::Empty,
            Body::Text(_) | Body::ToolResult(_) => Fit::Yes,
            Body::Refusal(_) => Fit::Emulated("messages.refusal"),
            Body::Thinking(Thinking { format, .. }) | Body::Redacted(Redacted { format, .. }) => {
                if format.as_deref() == Some(GOOGLE) {
                    Fit::Yes
                } else {
                    // Thoughts are of use to the model that had them.
                    Fit::Hint("messages.reasoning_content".to_owned())
                }
            }
            Body::Image(Media { source, .. }) if is_there(source) => Fit::Yes,
            Body::Image(_) => no("image"),
            Body::Audio(Media { source, .. }) if is_there(source) => Fit::Yes,
            Body::Audio(_) => no("audio"),
            Body::Video(Media { source, .. }) if is_there(source) => Fit::Yes,
            Body::Video(_) => no("video"),
            Body::Document(Document { source: Source::Text { .. }, .. }) => {
                Fit::Emulated("messages.content.document")
            }
            Body::Document(Document { source, .. }) if is_there(source) => Fit::Yes,
            Body::Document(_) => no("document"),
            Body::ToolCall(ToolCall { provider_kind: Some(kind), .. }) => {
                Fit::Hint(format!("messages.{kind}"))
            }
            Body::ToolCall(ToolCall { custom: true, .. }) => {
                Fit::Emulated("messages.tool_calls.custom")
            }
            Body::ToolCall(_) => Fit::Yes,
            Body::Opaque(opaque) if role == Role::Assistant && opaque.kind != "compaction" => {
                Fit::Hint(format!("messages.content.{}", opaque.kind))
            }
            Body::Opaque(opaque) => no(&opaque.kind),
        }
    }

    /// Writes the parts of one content.
    ///
    /// Signatures that stood alone belong to calls: those are what Gemini checks.
    pub(super) fn write_all(&self, out: &mut Out, parts: &[&Part]) {
        let mut alone = parts.iter().filter_map(|part| self.signature_alone(part));
        let unsigned = |part: &Part| part.is_client_call() && part.signature.is_none();
        let has_calls = parts.iter().any(|part| unsigned(part));
        let mut first = true;
        for part in parts {
            if has_calls && self.signature_alone(part).is_some() {
                continue;
            }
            let mut signature = None;
            if unsigned(part) && !self.own {
                // Of calls made at once the first alone is signed.
                let unknown = (self.later && first).then_some(FOREIGN_CALL);
                signature = alone.next().or(unknown);
            }
            first &= !part.is_client_call();
            self.write(out, part, signature);
        }
    }

    /// The signature of a part that is nothing else.
    fn signature_alone<'p>(&self, part: &'p Part) -> Option<&'p str> {
        match &part.body {
            Body::Redacted(Redacted { data, format }) if format.as_deref() == Some(GOOGLE) => {
                Some(data)
            }
            Body::Thinking(thinking) if !self.own && thinking.text.is_empty() => {
                part.signature.as_deref()
            }
            Body::Thinking(_)
            | Body::Redacted(_)
            | Body::Text(_)
            | Body::Refusal(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => None,
        }
    }

    /// Writes a part, with `signature` where it has none of its own.
    pub(super) fn write(&self, out: &mut Out, part: &Part, signature: Option<&str>) {
        if let Body::Opaque(opaque) = &part.body {
            return out.raw_item(opaque.raw.as_str());
        }
        if let Body::ToolResult(result) = &part.body {
            return self.result(out, part, result);
        }
        out.item(|out| {
            write_body(out, part, self.own);
            let thought =
                if let Body::Thinking(thought) = &part.body { Some(thought) } else { None };
            let format = thought.map_or(Some(GOOGLE), |thought| thought.format.as_deref());
            if let Some(signature) = part.signature.as_deref().or(signature) {
                out.text("thoughtSignature", &carried::write(Sealed::Thought, format, signature));
            }
            if self.own {
                out.extra(&part.extra);
            }
        });
    }

    fn result(&self, out: &mut Out, part: &Part, result: &ToolResult) {
        let is_words = |part: &&Part| matches!(part.body, Body::Text(_));
        let shown = || result.content.iter().filter(|part| !is_words(part));
        let said = || shown().filter(|part| self.fit(Role::Tool, part).is_said());
        out.item(|out| {
            out.member("functionResponse", |out| {
                if !result.id.is_empty() && !is_made_up(&result.id) {
                    out.text("id", &result.id);
                }
                let name = result.name.as_deref().filter(|_| self.own);
                out.text("name", name.unwrap_or_else(|| self.names.get(result)));
                if self.own {
                    return out.extra(&part.inner);
                }
                result::write(out, result);
                if self.later && said().next().is_some() {
                    out.list("parts", |out| said().for_each(|part| self.write(out, part, None)));
                }
            });
            if self.own {
                out.extra(&part.extra);
            }
        });
        // Older models see what a tool showed as if the user showed it.
        if !self.own && !self.later {
            said().for_each(|part| self.write(out, part, None));
        }
    }
}

/// Writes the members of a part but its signature.
pub(super) fn write_body(out: &mut Out, part: &Part, own: bool) {
    match &part.body {
        Body::Text(text) => out.text("text", &text.text),
        Body::Refusal(text) => out.text("text", text),
        Body::Thinking(thinking) => {
            out.text("text", &thinking.text);
            out.boolean("thought", true);
        }
        Body::Redacted(Redacted { data, format }) => {
            out.text("text", "");
            if format.as_deref() != Some(GOOGLE) {
                out.boolean("thought", true);
            }
            let signature = carried::write(Sealed::Redacted, format.as_deref(), data);
            out.text("thoughtSignature", &signature);
        }
        Body::Image(media) => write_source(out, part, &media.source, own, "image/jpeg"),
        Body::Audio(media) => write_source(out, part, &media.source, own, "audio/mpeg"),
        Body::Video(media) => write_source(out, part, &media.source, own, "video/mp4"),
        Body::Document(Document { source: Source::Text { data, .. }, title, .. }) => {
            let title = title.as_deref().unwrap_or("document");
            out.text("text", &format!("{title}:\n\n{data}"));
        }
        Body::Document(document) => {
            write_source(out, part, &document.source, own, "application/pdf");
        }
        Body::ToolCall(call) => out.member("functionCall", |out| {
            if !call.id.is_empty() && !is_made_up(&call.id) {
                out.text("id", &call.id);
            }
            out.text("name", &call.name);
            out.raw("args", &call.arguments_object());
            if own {
                out.extra(&part.inner);
            }
        }),
        // Written as a whole, elsewhere.
        Body::ToolResult(_) | Body::Opaque(_) => {}
    }
}

fn write_source(out: &mut Out, part: &Part, source: &Source, own: bool, usual: &str) {
    match source {
        Source::Base64 { media_type, data } | Source::Text { media_type, data } => {
            out.member("inlineData", |out| {
                out.text("mimeType", media_type);
                out.text("data", data);
                if own {
                    out.extra(&part.inner);
                }
            });
        }
        Source::Url(uri) | Source::File(uri) => out.member("fileData", |out| {
            out.text("fileUri", uri);
            if own {
                out.extra(&part.inner);
            } else {
                out.text("mimeType", by_ending(uri).unwrap_or(usual));
            }
        }),
    }
}

/// Whether Google can get at a medium: inline, at a public address, or in a store of its own.
fn is_there(source: &Source) -> bool {
    match source {
        Source::Base64 { .. } => true,
        Source::Text { .. } => false,
        Source::Url(url) => is_public(url),
        Source::File(id) => id.starts_with("gs://") || is_public(id),
    }
}

/// The type of what is at an address, by the ending of its path.
fn by_ending(uri: &str) -> Option<&'static str> {
    const TYPES: [(&str, &str); 16] = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("gif", "image/gif"),
        ("heic", "image/heic"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("ogg", "audio/ogg"),
        ("flac", "audio/flac"),
        ("mp4", "video/mp4"),
        ("webm", "video/webm"),
        ("mov", "video/quicktime"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("md", "text/markdown"),
    ];
    let path = uri.split(['?', '#']).next()?;
    let ending = path.rsplit_once('.')?.1.to_ascii_lowercase();
    TYPES.into_iter().find(|(known, _)| *known == ending).map(|(_, media_type)| media_type)
}

/// Whether what was read from `dialect` may be said here as it was written.
pub(super) fn is_own(dialect: &str) -> bool {
    dialect == NAME
}
