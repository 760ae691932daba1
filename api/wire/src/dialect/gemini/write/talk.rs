//! The conversation: system prompts apart, contents of user and model by turns.

use super::super::NAME;
use super::super::write_part::{Names, Parts};
use super::DIALECT;
use crate::chat::{Body, Extra, Losses, Part, Request, Role, ToolResult, Turn};
use crate::json::Out;
use crate::refusal::Refusal;

/// A conversation as it will be written.
pub(super) struct Talk<'a> {
    parts: Parts<'a>,
    system: Vec<&'a Part>,
    system_extra: Option<&'a Extra>,
    contents: Vec<Content<'a>>,
}

struct Content<'a> {
    role: &'static str,
    pieces: Vec<&'a Part>,
    extra: Option<&'a Extra>,
}

impl<'a> Talk<'a> {
    /// Decides what is said where. Of a foreign request, system prompts are put together at the
    /// beginning, and turns of one role that follow each other are made one: the results of calls made
    /// at once must stand in one content.
    pub(super) fn of(
        request: &'a Request,
        model: &str,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let own = request.dialect == NAME;
        let parts = Parts { own, later: is_later(model), names: Names::of(request) };
        let mut talk = Self { parts, system: Vec::new(), system_extra: None, contents: Vec::new() };
        for (at, turn) in request.turns.iter().enumerate() {
            let pieces = talk.pieces(turn, losses)?;
            let is_system = matches!(turn.role, Role::System | Role::Developer);
            if is_system && (at == 0 || !own) {
                talk.system.extend(pieces);
                talk.system_extra = own.then_some(&turn.extra);
            } else if own || !pieces.is_empty() {
                talk.add(turn, pieces);
            }
        }
        if talk.contents.is_empty() && !own {
            // Nothing is answered without a content.
            let pieces = std::mem::take(&mut talk.system);
            talk.contents.push(Content { role: "user", pieces, extra: None });
        }
        Ok(talk)
    }

    /// The parts of a turn that are said.
    fn pieces(&self, turn: &'a Turn, losses: &mut Losses) -> Result<Vec<&'a Part>, Refusal> {
        let mut pieces = Vec::new();
        for part in &turn.parts {
            if self.parts.fit(turn.role, part).settle(losses, DIALECT)? {
                pieces.push(part);
            }
            if let Body::ToolResult(ToolResult { content, .. }) = &part.body {
                for inner in content {
                    self.parts.fit(Role::Tool, inner).settle(losses, DIALECT)?;
                }
            }
        }
        if !self.parts.own {
            if turn.name.is_some() && turn.role != Role::Tool {
                losses.hint("messages.name");
            }
            const UNDERSTOOD: [&str; 4] =
                ["reasoning", "reasoning_content", "reasoning_details", "content"];
            for key in turn.extra.keys().filter(|key| !UNDERSTOOD.contains(key)) {
                losses.hint(&format!("messages.{key}"));
            }
        }
        Ok(pieces)
    }

    fn add(&mut self, turn: &'a Turn, pieces: Vec<&'a Part>) {
        let own = self.parts.own;
        let role = match turn.role {
            Role::Assistant => "model",
            Role::User | Role::Tool | Role::Developer => "user",
            Role::System => "system",
        };
        match self.contents.last_mut() {
            Some(last) if !own && last.role == role => last.pieces.extend(pieces),
            Some(_) | None => {
                self.contents.push(Content { role, pieces, extra: own.then_some(&turn.extra) });
            }
        }
    }

    /// Writes the system prompt and the contents.
    pub(super) fn write(&self, out: &mut Out) {
        if !self.system.is_empty() {
            out.member("systemInstruction", |out| {
                out.list("parts", |out| {
                    self.system.iter().for_each(|part| self.parts.write(out, part, None));
                });
                if let Some(extra) = self.system_extra {
                    out.extra(extra);
                }
            });
        }
        out.list("contents", |out| {
            for content in &self.contents {
                out.item(|out| {
                    out.text("role", content.role);
                    out.list("parts", |out| self.parts.write_all(out, &content.pieces));
                    if let Some(extra) = content.extra {
                        out.extra(extra);
                    }
                });
            }
        });
    }
}

/// Whether a model refuses calls without signatures and takes pictures in results.
fn is_later(model: &str) -> bool {
    model.contains("gemini-") && !["gemini-1", "gemini-2"].iter().any(|old| model.contains(old))
}
