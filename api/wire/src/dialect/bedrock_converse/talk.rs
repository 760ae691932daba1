//! The conversation: system prompts apart, turns of user and assistant by turns.

use super::write_block::Blocks;
use crate::chat::{Body, Cache, Extra, Losses, Part, Request, Role, ToolResult, Turn};
use crate::json::Out;
use crate::refusal::Refusal;

pub(super) const DIALECT: &str = "Bedrock Converse";

/// A conversation as it will be written.
pub(super) struct Talk<'a> {
    blocks: Blocks,
    system: Vec<Piece<'a>>,
    messages: Vec<Message<'a>>,
}

/// A part, and the cache marker that it bears.
type Piece<'a> = (&'a Part, Option<&'a Cache>);

struct Message<'a> {
    role: &'static str,
    pieces: Vec<Piece<'a>>,
    extra: Option<&'a Extra>,
}

impl<'a> Talk<'a> {
    /// Decides what is said where. Of a foreign request, system prompts are put together at the
    /// beginning, and turns of one role that follow each other are made one.
    pub(super) fn of(
        request: &'a Request,
        blocks: Blocks,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let own = blocks.own;
        let mut talk = Self { blocks, system: Vec::new(), messages: Vec::new() };
        for (at, turn) in request.turns.iter().enumerate() {
            let pieces = pieces(turn, &talk.blocks, losses)?;
            if !own {
                report(turn, losses);
            }
            let is_system = matches!(turn.role, Role::System | Role::Developer);
            if is_system && (at == 0 || !own) {
                talk.system.extend(pieces);
            } else if own || !pieces.is_empty() {
                talk.add(turn, pieces);
            }
        }
        Ok(talk)
    }

    fn add(&mut self, turn: &'a Turn, pieces: Vec<Piece<'a>>) {
        let role = match turn.role {
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
            Role::System | Role::Developer => "system",
        };
        let own = self.blocks.own;
        match self.messages.last_mut() {
            Some(last) if !own && last.role == role => last.pieces.extend(pieces),
            Some(_) | None => {
                let extra = own.then_some(&turn.extra);
                self.messages.push(Message { role, pieces, extra });
            }
        }
    }

    /// Writes the messages, and the system prompt with `notes` behind it.
    pub(super) fn write(&self, out: &mut Out, notes: &[&str]) {
        out.list("messages", |out| {
            for message in &self.messages {
                out.item(|out| {
                    out.text("role", message.role);
                    out.list("content", |out| self.pieces(out, &message.pieces));
                    if let Some(extra) = message.extra {
                        out.extra(extra);
                    }
                });
            }
        });
        if self.system.is_empty() && notes.is_empty() {
            return;
        }
        out.list("system", |out| {
            self.pieces(out, &self.system);
            notes.iter().for_each(|note| out.item(|out| out.text("text", note)));
        });
    }

    fn pieces(&self, out: &mut Out, pieces: &[Piece<'_>]) {
        pieces.iter().for_each(|(part, cache)| self.blocks.write(out, part, *cache));
    }
}

/// The parts that are said, the last with the marker of the turn.
fn pieces<'a>(
    turn: &'a Turn,
    blocks: &Blocks,
    losses: &mut Losses,
) -> Result<Vec<Piece<'a>>, Refusal> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    for part in &turn.parts {
        if blocks.fit(turn.role, part).settle(losses, DIALECT)? {
            pieces.push((part, part.cache.as_ref()));
        }
        if let Body::ToolResult(ToolResult { content, .. }) = &part.body {
            for inner in content {
                blocks.fit(Role::Tool, inner).settle(losses, DIALECT)?;
            }
        }
    }
    if let Some((_, cache)) = pieces.last_mut() {
        *cache = cache.or(turn.cache.as_ref());
    }
    Ok(pieces)
}

/// Reports members of a foreign turn that have no counterpart.
fn report(turn: &Turn, losses: &mut Losses) {
    const UNDERSTOOD: [&str; 4] =
        ["reasoning", "reasoning_content", "reasoning_details", "content"];
    if turn.name.is_some() && turn.role != Role::Tool {
        losses.hint("messages.name");
    }
    for key in turn.extra.keys().filter(|key| !UNDERSTOOD.contains(key)) {
        losses.hint(&format!("messages.{key}"));
    }
}
