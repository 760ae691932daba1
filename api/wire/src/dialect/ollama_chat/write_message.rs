//! Messages, written.

use super::NAME;
use crate::chat::{
    Body, Document, Fit, Losses, Media, Part, Request, Role, Source, ToolCall, ToolResult, Turn,
};
use crate::json::Out;
use crate::refusal::Refusal;

pub(super) const DIALECT: &str = "Ollama";

/// How parts are said: whether for the dialect they were read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls {
    pub(super) own: bool,
}

/// Whether a part can be said.
fn fit(role: Role, part: &Part, own: bool) -> Fit {
    if own {
        return Fit::Yes;
    }
    let no = |field: &str| Fit::No(format!("messages.content.{field}"));
    match &part.body {
        Body::Text(text) if text.text.is_empty() => Fit::Empty,
        Body::Text(text) if !text.citations.is_empty() => {
            Fit::Emulated("messages.content.citations")
        }
        Body::Text(_) => Fit::Yes,
        Body::Refusal(_) => Fit::Emulated("messages.refusal"),
        // Thoughts are taken from whomever; signatures have no place.
        Body::Thinking(_) if part.signature.is_some() => {
            Fit::Emulated("messages.reasoning_details")
        }
        Body::Thinking(_) => Fit::Yes,
        Body::Redacted(_) => Fit::Hint("messages.reasoning_details".to_owned()),
        Body::Image(Media { source: Source::Base64 { .. }, .. }) => Fit::Yes,
        Body::Image(_) => no("image_url"),
        Body::Audio(_) => no("input_audio"),
        Body::Video(_) => no("video_url"),
        Body::Document(Document { source: Source::Text { .. }, .. }) => {
            Fit::Emulated("messages.content.document")
        }
        Body::Document(_) => no("file"),
        Body::ToolCall(ToolCall { provider_kind: Some(kind), .. }) => {
            Fit::Hint(format!("messages.{kind}"))
        }
        Body::ToolCall(ToolCall { custom: true, .. }) => {
            Fit::Emulated("messages.tool_calls.custom")
        }
        Body::ToolResult(ToolResult { is_error: Some(true), .. }) => {
            Fit::Emulated("messages.content.tool_result.is_error")
        }
        Body::ToolCall(_) | Body::ToolResult(_) => Fit::Yes,
        Body::Opaque(opaque) if role == Role::Assistant => {
            Fit::Hint(format!("messages.content.{}", opaque.kind))
        }
        Body::Opaque(opaque) => no(&opaque.kind),
    }
}

/// Reports what of the conversation cannot be said.
pub(super) fn check(request: &Request, losses: &mut Losses) -> Result<(), Refusal> {
    let own = request.dialect == NAME;
    for turn in &request.turns {
        for part in &turn.parts {
            fit(turn.role, part, own).settle(losses, DIALECT)?;
            if let Body::ToolResult(result) = &part.body {
                for inner in &result.content {
                    fit(Role::Tool, inner, own).settle(losses, DIALECT)?;
                }
            }
        }
        if own {
            continue;
        }
        if turn.name.is_some() && turn.role != Role::Tool {
            losses.hint("messages.name");
        }
        for key in turn.extra.keys() {
            losses.hint(&format!("messages.{key}"));
        }
    }
    Ok(())
}

/// Writes the messages.
pub(super) fn write(out: &mut Out, request: &Request) {
    let own = request.dialect == NAME;
    let mut names: Vec<(&str, &str)> = Vec::new();
    for turn in &request.turns {
        message(out, turn, own, &mut names);
    }
}

/// A turn: the results in it each a message of their own, before what else it says.
fn message<'a>(out: &mut Out, turn: &'a Turn, own: bool, names: &mut Vec<(&'a str, &'a str)>) {
    let mut said = Said::default();
    let mut results = false;
    for part in turn.parts.iter().filter(|part| fit(turn.role, part, own).is_said()) {
        if let Body::ToolCall(call) = &part.body {
            names.push((&call.id, &call.name));
        }
        if let Body::ToolResult(result) = &part.body {
            results = true;
            let named = names.iter().rev().find(|(id, _)| *id == result.id);
            let name = result.name.as_deref().or(named.map(|(_, name)| *name));
            write_result(out, turn, result, name.filter(|_| !own || result.name.is_some()), own);
            continue;
        }
        said.add(part);
    }
    if (results || !own) && said.is_empty() {
        return;
    }
    out.item(|out| {
        out.text(
            "role",
            match turn.role {
                Role::System | Role::Developer => "system",
                Role::User | Role::Tool => "user",
                Role::Assistant => "assistant",
            },
        );
        said.write(out, own);
        if own {
            out.extra(&turn.extra);
        }
    });
}

/// What a message says, by where it stands.
#[derive(Default)]
struct Said<'a> {
    words: Vec<String>,
    thoughts: String,
    pictures: Vec<&'a str>,
    calls: Vec<&'a Part>,
}

impl<'a> Said<'a> {
    fn add(&mut self, part: &'a Part) {
        match &part.body {
            Body::Text(text) => self.words.push(text.text.clone()),
            Body::Refusal(text) => self.words.push(text.clone()),
            Body::Thinking(thinking) => self.thoughts.push_str(&thinking.text),
            Body::Image(Media { source: Source::Base64 { data, .. }, .. }) => {
                self.pictures.push(data);
            }
            Body::Document(Document { source: Source::Text { data, .. }, title, .. }) => {
                let title = title.as_deref().unwrap_or("document");
                self.words.push(format!("{title}:\n\n{data}"));
            }
            Body::ToolCall(_) => self.calls.push(part),
            // Refused before, or a message of its own.
            Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.pictures.is_empty() && self.calls.is_empty()
    }

    fn write(&self, out: &mut Out, own: bool) {
        out.text("content", &self.words.join("\n\n"));
        if !self.thoughts.is_empty() {
            out.text("thinking", &self.thoughts);
        }
        if !self.pictures.is_empty() {
            out.list("images", |out| self.pictures.iter().for_each(|data| out.text_item(data)));
        }
        if self.calls.is_empty() {
            return;
        }
        out.list("tool_calls", |out| {
            for part in &self.calls {
                if let Body::ToolCall(call) = &part.body {
                    out.item(|out| Calls { own }.call(out, call, Some(part)));
                }
            }
        });
    }
}

impl Calls {
    /// Writes calls that an answer holds.
    pub(super) fn list(self, out: &mut Out, calls: &[&ToolCall]) {
        if !calls.is_empty() {
            out.list("tool_calls", |out| {
                calls.iter().for_each(|call| out.item(|out| self.call(out, call, None)));
            });
        }
    }

    /// Writes the members of a call.
    pub(super) fn call(self, out: &mut Out, call: &ToolCall, part: Option<&Part>) {
        let kept = part.filter(|_| self.own);
        // Ids that were made up here stay here.
        if !self.own {
            out.text("id", &call.id);
        }
        out.member("function", |out| {
            out.text("name", &call.name);
            // Each object of a stream is one line.
            out.raw("arguments", &call.arguments_object().replace(['\n', '\r'], " "));
            if let Some(part) = kept {
                out.extra(&part.inner);
            }
        });
        if let Some(part) = kept {
            out.extra(&part.extra);
        }
    }
}

fn write_result(out: &mut Out, turn: &Turn, result: &ToolResult, name: Option<&str>, own: bool) {
    let words: Vec<&str> = result
        .content
        .iter()
        .filter_map(|part| match &part.body {
            Body::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
        .collect();
    let pictures = result.content.iter().filter_map(|part| match &part.body {
        Body::Image(Media { source: Source::Base64 { data, .. }, .. }) => Some(data),
        _ => None,
    });
    let pictures: Vec<&String> = pictures.collect();
    out.item(|out| {
        out.text("role", "tool");
        let mut text = words.join("\n\n");
        // There is no field for it, and the model must not take a failure for a result.
        if result.is_error == Some(true) && !text.to_ascii_lowercase().contains("error") {
            text.insert_str(0, "Error: ");
        }
        out.text("content", &text);
        if let Some(name) = name {
            out.text("tool_name", name);
        }
        if !pictures.is_empty() {
            out.list("images", |out| pictures.iter().for_each(|data| out.text_item(data)));
        }
        if own {
            out.extra(&turn.extra);
        }
    });
}
