//! The conversation: results of tools in messages of their own, calls beside the content.

use super::super::NAME;
use super::write_part::{write_cache, write_thoughts};
use crate::chat::{
    Body, Document, Fit, Losses, Media, Part, Request, Role, Source, Text, ToolCall, ToolResult,
    Turn, is_public,
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
pub(super) struct Speech {
    /// Whether for the dialect they were read from.
    pub(super) own: bool,
    /// Whether the model knows Claude's thoughts again.
    claude: bool,
    /// Whether the model knows Gemini's calls again.
    pub(super) google: bool,
}

impl<'a> Talk<'a> {
    /// Decides what can be said.
    pub(super) fn of(
        request: &'a Request,
        model: &str,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let own = request.dialect == NAME;
        let speech =
            Speech { own, claude: model.contains("claude"), google: model.contains("gemini") };
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
                Body::Text(_)
                | Body::Refusal(_)
                | Body::Image(_)
                | Body::Audio(_)
                | Body::Video(_)
                | Body::Document(_)
                | Body::Opaque(_) => content.push(part),
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
}
