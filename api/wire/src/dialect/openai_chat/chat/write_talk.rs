//! The conversation: results of tools in messages of their own, calls beside the content.

use super::super::NAME;
use crate::chat::{
    Body, Cache, Document, Fit, Losses, Media, Part, Request, Role, Source, Text, ToolCall,
    ToolResult, Turn, is_public,
};
use crate::json::Out;
use crate::refusal::Refusal;

const DIALECT: &str = "OpenAI chat completions";

/// A conversation as it will be written.
pub(super) struct Talk<'a> {
    turns: &'a [Turn],
    speech: Speech,
}

/// How parts are said.
#[derive(Debug, Clone, Copy)]
struct Speech {
    /// Whether for the dialect they were read from.
    own: bool,
    /// Whether the model knows Claude's thoughts again.
    claude: bool,
}

impl<'a> Talk<'a> {
    /// Decides what can be said.
    pub(super) fn of(
        request: &'a Request,
        model: &str,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let own = request.dialect == NAME;
        let speech = Speech { own, claude: model.contains("claude") };
        for turn in &request.turns {
            for part in &turn.parts {
                speech.fit(turn.role, part).settle(losses, DIALECT)?;
                if let Body::ToolResult(result) = &part.body {
                    result.content.iter().try_for_each(|inner| {
                        speech.fit(Role::User, inner).settle(losses, DIALECT).map(drop)
                    })?;
                }
            }
            for key in turn.extra.keys().filter(|_| !own) {
                losses.hint(&format!("messages.{key}"));
            }
        }
        Ok(Self { turns: &request.turns, speech })
    }

    /// Writes the messages.
    pub(super) fn write(&self, out: &mut Out) {
        self.turns.iter().for_each(|turn| self.turn(out, turn));
    }

    fn turn(&self, out: &mut Out, turn: &Turn) {
        let mut left_over = Vec::new();
        let (mut content, mut calls, mut thoughts, mut refusals) = (vec![], vec![], vec![], vec![]);
        for part in &turn.parts {
            if !self.speech.fit(turn.role, part).is_said() {
                continue;
            }
            match &part.body {
                Body::ToolResult(result) => {
                    self.result(out, turn, result);
                    if !self.speech.own {
                        left_over.extend(result.content.iter().filter(|part| !is_words(part)));
                    }
                }
                Body::ToolCall(_) => calls.push(part),
                Body::Thinking(thinking) if thinking.inline => content.push(part),
                Body::Thinking(_) | Body::Redacted(_) => thoughts.push(part),
                Body::Refusal(_) if turn.role == Role::Assistant => refusals.push(part),
                Body::Opaque(opaque) if opaque.kind == "tool_calls" => calls.push(part),
                _ => content.push(part),
            }
        }
        let results = turn.parts.iter().any(|part| matches!(part.body, Body::ToolResult(_)));
        if results {
            // What tools showed beside words follows as if the user showed it.
            content.splice(
                0..0,
                left_over.into_iter().filter(|part| self.speech.fit(Role::User, part).is_said()),
            );
            if content.is_empty() {
                return;
            }
        }
        self.message(out, turn, &Pieces { content, calls, thoughts, refusals });
    }

    fn message(&self, out: &mut Out, turn: &Turn, pieces: &Pieces<'_>) {
        let speech = self.speech;
        let is_silent = pieces.content.is_empty() && pieces.refusals.is_empty();
        if !speech.own && is_silent && pieces.calls.is_empty() {
            return;
        }
        out.item(|out| {
            out.text("role", role(turn.role));
            speech.content(out, turn, &pieces.content);
            if let [Part { body: Body::Refusal(text), .. }, ..] = pieces.refusals[..] {
                out.text("refusal", text);
            }
            if !speech.own && !pieces.thoughts.is_empty() {
                write_thoughts(out, &pieces.thoughts);
            }
            if !pieces.calls.is_empty() {
                out.list("tool_calls", |out| {
                    pieces.calls.iter().for_each(|part| speech.call(out, part));
                });
            }
            speech.rest(out, turn);
        });
    }

    /// The message of one result.
    fn result(&self, out: &mut Out, turn: &Turn, result: &ToolResult) {
        let speech = self.speech;
        out.item(|out| {
            out.text("role", "tool");
            if !result.id.is_empty() {
                out.text("tool_call_id", &result.id);
            }
            let content: Vec<&Part> = result.content.iter().collect();
            if speech.own {
                speech.content_as(out, &content, result.plain);
                speech.rest(out, turn);
                return;
            }
            let words: Vec<&str> = content.iter().filter_map(|part| words(part)).collect();
            let shown = content.iter().any(|part| !is_words(part));
            let mut text = words.join("\n\n");
            if text.is_empty() && shown {
                text.push_str("(see the next message)");
            }
            // There is no field for it, and the model must not take a failure for a result.
            if result.is_error == Some(true) && !text.to_ascii_lowercase().contains("error") {
                text.insert_str(0, "Error: ");
            }
            out.text("content", &text);
        });
    }
}

/// The parts of one message, by where they stand.
struct Pieces<'a> {
    content: Vec<&'a Part>,
    calls: Vec<&'a Part>,
    thoughts: Vec<&'a Part>,
    refusals: Vec<&'a Part>,
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    }
}

fn words(part: &Part) -> Option<&str> {
    if let Body::Text(text) = &part.body { Some(&text.text) } else { None }
}

fn is_words(part: &Part) -> bool {
    words(part).is_some()
}

impl Speech {
    /// Whether a part of a turn can be said.
    fn fit(self, role: Role, part: &Part) -> Fit {
        if self.own {
            return Fit::Yes;
        }
        let no = |field: &str| Fit::No(format!("messages.content.{field}"));
        match &part.body {
            Body::Text(Text { text, .. }) if text.is_empty() => Fit::Empty,
            Body::Text(_) | Body::Refusal(_) => Fit::Yes,
            // Thoughts are of use to the model that had them.
            Body::Thinking(_) | Body::Redacted(_) if self.claude => Fit::Yes,
            Body::Thinking(_) => Fit::Hint("messages.content.thinking".to_owned()),
            Body::Redacted(_) => Fit::Hint("messages.content.redacted_thinking".to_owned()),
            Body::Image(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
            Body::Image(Media { source: Source::Url(url), .. }) if is_public(url) => Fit::Yes,
            Body::Image(_) => no("image"),
            Body::Audio(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
            Body::Audio(_) => no("audio"),
            Body::Video(_) => no("video"),
            Body::Document(Document { source: Source::Base64 { .. }, .. }) => Fit::Yes,
            Body::Document(Document { source: Source::Text { .. }, .. }) => {
                Fit::Emulated("messages.content.document")
            }
            Body::Document(_) => no("document"),
            Body::ToolCall(ToolCall { provider_kind: Some(kind), .. }) => {
                Fit::Hint(format!("messages.content.{kind}"))
            }
            Body::ToolCall(_) => Fit::Yes,
            Body::ToolResult(ToolResult { is_error: Some(true), .. }) => {
                Fit::Emulated("messages.content.tool_result.is_error")
            }
            Body::ToolResult(_) => Fit::Yes,
            // What a summary stands for is nowhere else.
            Body::Opaque(opaque) if role == Role::Assistant && opaque.kind != "compaction" => {
                Fit::Hint(format!("messages.content.{}", opaque.kind))
            }
            Body::Opaque(opaque) => no(&opaque.kind),
        }
    }

    fn content(self, out: &mut Out, turn: &Turn, content: &[&Part]) {
        if self.own {
            return self.content_as(out, content, turn.plain);
        }
        let all_words =
            content.iter().all(|part| is_words(part) || matches!(part.body, Body::Refusal(_)));
        let joined = matches!(turn.role, Role::System | Role::Developer | Role::Assistant);
        match content {
            [] => out.raw("content", "null"),
            [part] if is_words(part) => out.text("content", words(part).unwrap_or_default()),
            // Many servers take only a text here.
            parts if all_words && joined => {
                let words: Vec<&str> = parts.iter().filter_map(|part| words(part)).collect();
                // An answer's words were cut at their sources only.
                let between = if turn.role == Role::Assistant { "" } else { "\n\n" };
                out.text("content", &words.join(between));
            }
            parts => self.content_as(out, parts, false),
        }
    }

    /// Content as the same dialect gave it.
    fn content_as(self, out: &mut Out, content: &[&Part], plain: bool) {
        match content {
            [Part { body: Body::Text(text), .. }] if plain => out.text("content", &text.text),
            [] if plain => {}
            parts => out.list("content", |out| parts.iter().for_each(|part| self.part(out, part))),
        }
    }

    fn rest(self, out: &mut Out, turn: &Turn) {
        if let Some(name) = &turn.name {
            out.text("name", name);
        }
        if self.own {
            if let Some(cache) = &turn.cache {
                write_cache(out, cache);
            }
            out.extra(&turn.extra);
        }
    }

    fn part(self, out: &mut Out, part: &Part) {
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

    fn call(self, out: &mut Out, part: &Part) {
        let call = match &part.body {
            Body::ToolCall(call) => call,
            Body::Opaque(opaque) => return out.raw_item(opaque.raw.as_str()),
            _ => return,
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
            }
        });
    }
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
        _ => None,
    };
    if let Some(signature) = &part.signature {
        out.text("signature", signature);
    }
    out.text("format", format.unwrap_or("unknown"));
    out.number("index", index);
}
