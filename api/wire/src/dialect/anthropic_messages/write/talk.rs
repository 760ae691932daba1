//! The conversation: system prompts apart, turns of user and assistant by turns.

use super::super::write_block::Blocks;
use crate::chat::{Body, Cache, Extra, Losses, Part, Request, Role, ToolResult, Turn};
use crate::json::Out;
use crate::refusal::Refusal;

/// A conversation as it will be written.
pub(super) struct Talk<'a> {
    blocks: Blocks,
    system: Vec<Piece<'a>>,
    /// Whether the system prompt is one bare text.
    system_plain: bool,
    messages: Vec<Message<'a>>,
}

/// A part, and the cache marker that it bears.
type Piece<'a> = (&'a Part, Option<&'a Cache>);

struct Message<'a> {
    role: &'static str,
    pieces: Vec<Piece<'a>>,
    plain: bool,
    extra: Option<&'a Extra>,
}

impl<'a> Talk<'a> {
    /// Decides what is said where. Of a foreign request, system prompts are put together at the
    /// beginning, and turns of one role that follow each other are made one: the results of calls made
    /// at once must stand in one turn.
    pub(super) fn of(
        request: &'a Request,
        own: bool,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let blocks = Blocks { own };
        let mut talk =
            Self { blocks, system: Vec::new(), system_plain: true, messages: Vec::new() };
        for (at, turn) in request.turns.iter().enumerate() {
            let pieces = pieces(turn, blocks, losses)?;
            if !own {
                report(turn, losses);
            }
            let is_system = matches!(turn.role, Role::System | Role::Developer);
            if is_system && (at == 0 || !own) {
                talk.system_plain &= turn.plain && talk.system.is_empty();
                talk.system.extend(pieces);
            } else if own || !pieces.is_empty() {
                talk.add(turn, pieces, own);
            }
        }
        Ok(talk)
    }

    fn add(&mut self, turn: &'a Turn, pieces: Vec<Piece<'a>>, own: bool) {
        let role = match turn.role {
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
            Role::System | Role::Developer => "system",
        };
        match self.messages.last_mut() {
            Some(last) if !own && last.role == role => {
                last.pieces.extend(pieces);
                last.plain = false;
            }
            Some(_) | None => self.messages.push(Message {
                role,
                pieces,
                plain: turn.plain && turn.role != Role::Tool,
                extra: own.then_some(&turn.extra),
            }),
        }
    }

    /// Writes the system prompt, `note` behind it, and the messages.
    pub(super) fn write(&self, out: &mut Out, note: Option<&str>) {
        match (&self.system[..], note) {
            ([], None) => {}
            ([], Some(note)) => out.text("system", note),
            ([(Part { body: Body::Text(text), .. }, None)], None) if self.system_plain => {
                out.text("system", &text.text);
            }
            (pieces, note) => out.list("system", |out| {
                pieces.iter().for_each(|(part, cache)| self.blocks.write(out, part, *cache));
                if let Some(note) = note {
                    self.blocks.write(out, &Part::text(note), None);
                }
            }),
        }
        out.list("messages", |out| {
            self.messages.iter().for_each(|message| self.message(out, message));
        });
    }

    fn message(&self, out: &mut Out, message: &Message<'_>) {
        out.item(|out| {
            out.text("role", message.role);
            match &message.pieces[..] {
                [(Part { body: Body::Text(text), .. }, None)] if message.plain => {
                    out.text("content", &text.text);
                }
                pieces => out.list("content", |out| {
                    pieces.iter().for_each(|(part, cache)| self.blocks.write(out, part, *cache));
                }),
            }
            if let Some(extra) = message.extra {
                out.extra(extra);
            }
        });
    }
}

/// The parts that are said, the last with the marker of the turn.
fn pieces<'a>(
    turn: &'a Turn,
    blocks: Blocks,
    losses: &mut Losses,
) -> Result<Vec<Piece<'a>>, Refusal> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    for part in &turn.parts {
        if blocks.fit(turn.role, part).settle(losses, "Anthropic Messages")? {
            pieces.push((part, part.cache.as_ref()));
        }
        if let Body::ToolResult(ToolResult { content, .. }) = &part.body {
            for inner in content {
                blocks.fit(Role::Tool, inner).settle(losses, "Anthropic Messages")?;
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
