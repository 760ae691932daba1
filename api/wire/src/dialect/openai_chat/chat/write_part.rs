//! Parts of messages, written.

use super::write_talk::Speech;
use crate::chat::{Body, Cache, Document, GOOGLE, Part, Redacted, Source, ToolCall};
use crate::json::Out;

impl Speech {
    /// Writes a part of content.
    pub(super) fn part(self, out: &mut Out, part: &Part) {
        if let Body::Opaque(opaque) = &part.body {
            return out.raw_item(opaque.raw.as_str());
        }
        out.item(|out| {
            self.part_members(out, part);
            if self.own {
                if let Some(cache) = &part.cache {
                    write_cache(out, cache);
                }
                out.extra(&part.extra);
            }
        });
    }

    fn part_members(self, out: &mut Out, part: &Part) {
        let mut wrapped = |kind: &str, body: &dyn Fn(&mut Out)| {
            out.text("type", kind);
            out.member(kind, |out| {
                body(out);
                if self.own {
                    out.extra(&part.inner);
                }
            });
        };
        match &part.body {
            Body::Text(text) => write_text(out, "text", &text.text),
            Body::Refusal(text) => write_text(out, "refusal", text),
            Body::Image(image) => wrapped("image_url", &|out| {
                out.text("url", &address(&image.source));
                if let Some(detail) = &image.detail {
                    out.text("detail", detail);
                }
            }),
            Body::Audio(sound) => wrapped("input_audio", &|out| {
                if let Source::Base64 { media_type, data } = &sound.source {
                    out.text("data", data);
                    let format = media_type.strip_prefix("audio/").unwrap_or(media_type);
                    out.text("format", if format == "mpeg" { "mp3" } else { format });
                }
            }),
            Body::Document(Document { source: Source::Text { data, .. }, title, .. }) => {
                let title = title.as_deref().unwrap_or("document");
                write_text(out, "text", &format!("{title}:\n\n{data}"));
            }
            Body::Document(document) => wrapped("file", &|out| write_file(out, document, self.own)),
            Body::Thinking(thinking) => {
                out.text("type", "thinking");
                out.list("thinking", |out| {
                    out.item(|out| write_text(out, "text", &thinking.text));
                });
            }
            // Written elsewhere, as a whole, or never: `fit` refuses what is foreign.
            Body::Redacted(_)
            | Body::Video(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }

    /// Writes a call.
    pub(super) fn call(self, out: &mut Out, part: &Part) {
        let call = match &part.body {
            Body::ToolCall(call) => call,
            Body::Opaque(opaque) => return out.raw_item(opaque.raw.as_str()),
            Body::Text(_)
            | Body::Refusal(_)
            | Body::Thinking(_)
            | Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_) => return,
        };
        out.item(|out| {
            write_call(out, call, |out| {
                if self.own {
                    out.extra(&part.inner);
                }
            });
            if self.own {
                if let Some(cache) = &part.cache {
                    write_cache(out, cache);
                }
                out.extra(&part.extra);
            } else if self.google {
                write_signature(out, part.signature.as_deref());
            }
        });
    }
}

/// Writes the signature of a call where Google's own endpoint of this dialect has it.
pub(super) fn write_signature(out: &mut Out, signature: Option<&str>) {
    if let Some(signature) = signature.filter(|text| !text.is_empty()) {
        out.member("extra_content", |out| {
            out.member("google", |out| out.text("thought_signature", signature));
        });
    }
}

/// The signature of words, as the encrypted thought that this dialect can carry.
pub(super) fn carried(part: &Part) -> Option<Part> {
    let data = part.signature.clone().filter(|text| !text.is_empty())?;
    let is_words = matches!(part.body, Body::Text(_) | Body::Refusal(_));
    let format = Some(GOOGLE.to_owned());
    is_words.then(|| Part::new(Body::Redacted(Redacted { data, format })))
}

/// Writes the members of a call, `inner` those beside its name and arguments.
pub(super) fn write_call(out: &mut Out, call: &ToolCall, inner: impl FnOnce(&mut Out)) {
    if !call.id.is_empty() {
        out.text("id", &call.id);
    }
    let (kind, arguments) =
        if call.custom { ("custom", "input") } else { ("function", "arguments") };
    out.text("type", kind);
    out.member(kind, |out| {
        out.text("name", &call.name);
        out.text(arguments, &call.arguments);
        inner(out);
    });
}

fn write_text(out: &mut Out, kind: &str, text: &str) {
    out.text("type", kind);
    out.text(kind, text);
}

fn write_file(out: &mut Out, document: &Document, own: bool) {
    let title = document.title.as_deref();
    // A name is demanded where the data is given.
    if let Some(title) = title.or_else(|| (!own).then_some("document.pdf")) {
        out.text("filename", title);
    }
    match &document.source {
        Source::File(id) => out.text("file_id", id),
        source => out.text("file_data", &address(source)),
    }
}

fn address(source: &Source) -> String {
    match source {
        Source::Url(url) => url.clone(),
        Source::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Text { data, .. } => data.clone(),
        Source::File(id) => id.clone(),
    }
}

/// Writes a cache marker, which some providers of this dialect hand through to Anthropic.
pub(super) fn write_cache(out: &mut Out, cache: &Cache) {
    out.member("cache_control", |out| {
        out.text("type", "ephemeral");
        if let Some(ttl) = &cache.ttl {
            out.text("ttl", ttl);
        }
    });
}

/// Writes typed thoughts, as OpenRouter takes and gives them.
pub(super) fn write_thoughts(out: &mut Out, thoughts: &[&Part]) {
    out.list("reasoning_details", |out| {
        for (index, part) in (0..).zip(thoughts) {
            out.item(|out| write_thought(out, part, index));
        }
    });
}

/// Writes the members of one typed thought.
pub(super) fn write_thought(out: &mut Out, part: &Part, index: u64) {
    let format = match &part.body {
        Body::Thinking(thinking) => {
            let kind = if thinking.summary { "summary" } else { "text" };
            out.text("type", &format!("reasoning.{kind}"));
            out.text(kind, &thinking.text);
            thinking.format.as_deref()
        }
        Body::Redacted(redacted) => {
            out.text("type", "reasoning.encrypted");
            out.text("data", &redacted.data);
            redacted.format.as_deref()
        }
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => None,
    };
    if let Some(signature) = &part.signature {
        out.text("signature", signature);
    }
    out.text("format", format.unwrap_or("unknown"));
    out.number("index", index);
}
