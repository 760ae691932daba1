//! The conversation: one list of items.

use super::super::NAME;
use super::super::mark::{INPUT, INSTRUCTIONS, ITEM, is_marked};
use super::super::write_item::{Items, is_foreign};
use super::super::write_part::{fit, write_part};
use super::DIALECT;
use crate::chat::{Body, Losses, Part, Request, Role, ToolResult, Turn};
use crate::json::Out;
use crate::refusal::Refusal;

/// A conversation as it will be written.
pub(super) struct Talk<'a> {
    turns: &'a [Turn],
    items: Items<'static>,
    /// Ids of calls of tools that take free text.
    custom: Vec<&'a str>,
}

impl<'a> Talk<'a> {
    /// Decides what can be said.
    pub(super) fn of(request: &'a Request, losses: &mut Losses) -> Result<Self, Refusal> {
        let own = request.dialect == NAME;
        let mut custom = Vec::new();
        if own && request.turns.iter().flat_map(|turn| &turn.parts).any(is_foreign) {
            losses.hint("input.reasoning");
        }
        for turn in request.turns.iter().filter(|_| !own) {
            for part in &turn.parts {
                fit(turn.role, part).settle(losses, DIALECT)?;
                match &part.body {
                    Body::ToolResult(result) => result.content.iter().try_for_each(|inner| {
                        fit(Role::User, inner).settle(losses, DIALECT).map(drop)
                    })?,
                    Body::ToolCall(call) if call.custom => custom.push(call.id.as_str()),
                    Body::ToolCall(_)
                    | Body::Text(_)
                    | Body::Refusal(_)
                    | Body::Thinking(_)
                    | Body::Redacted(_)
                    | Body::Image(_)
                    | Body::Audio(_)
                    | Body::Video(_)
                    | Body::Document(_)
                    | Body::Opaque(_) => {}
                }
            }
            report(turn, losses);
        }
        Ok(Self {
            turns: &request.turns,
            items: Items { own, answer: None, begins: false, likely: &[] },
            custom,
        })
    }

    /// Writes `instructions` and `input`.
    pub(super) fn write(&self, out: &mut Out) {
        let own = self.items.own;
        let (instructions, rest) = match self.turns {
            [first, rest @ ..] if own && is_marked(&first.extra, INSTRUCTIONS) => {
                (Some(first), rest)
            }
            turns => (None, turns),
        };
        if let Some(text) = instructions.and_then(words) {
            out.text("instructions", text);
        }
        match rest {
            [] if own => {}
            [one] if own && is_marked(&one.extra, INPUT) => {
                out.text("input", words(one).unwrap_or_default());
            }
            turns => out.list("input", |out| turns.iter().for_each(|turn| self.turn(out, turn))),
        }
    }

    fn turn(&self, out: &mut Out, turn: &Turn) {
        if turn.role == Role::Assistant {
            let own = self.items.own;
            let fits = |part: &&Part| {
                if own { !is_foreign(part) } else { fit(turn.role, part).is_said() }
            };
            for group in self.items.grouped(turn.parts.iter().filter(fits)) {
                self.items.write(out, 0, &group);
            }
            return;
        }
        let (results, content): (Vec<&Part>, Vec<&Part>) =
            turn.parts.iter().partition(|part| matches!(part.body, Body::ToolResult(_)));
        results.iter().for_each(|part| self.result(out, part));
        match &content[..] {
            [] if !results.is_empty() || turn.role == Role::Tool => {}
            [Part { body: Body::Opaque(opaque), inner, .. }] if is_marked(inner, ITEM) => {
                out.raw_item(opaque.raw.as_str());
            }
            content => self.message(out, turn, content),
        }
    }

    fn message(&self, out: &mut Out, turn: &Turn, content: &[&Part]) {
        let own = self.items.own;
        let said = |part: &&&Part| own || fit(turn.role, part).is_said();
        let content: Vec<&Part> = content.iter().filter(said).copied().collect();
        if !own && content.is_empty() {
            return;
        }
        out.item(|out| {
            out.text("role", role(turn.role));
            match &content[..] {
                [Part { body: Body::Text(text), .. }] if turn.plain => {
                    out.text("content", &text.text);
                }
                parts => out.list("content", |out| {
                    parts.iter().for_each(|part| write_part(out, part, "input_text", own));
                }),
            }
            if own {
                out.extra(&turn.extra);
            }
        });
    }

    fn result(&self, out: &mut Out, part: &Part) {
        let Body::ToolResult(result) = &part.body else { return };
        let own = self.items.own;
        out.item(|out| {
            if !own {
                let custom = self.custom.contains(&result.id.as_str());
                let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
                out.text("type", kind);
            }
            out.text("call_id", &result.id);
            output(out, result, own);
            if own {
                out.extra(&part.extra);
            }
        });
    }
}

fn output(out: &mut Out, result: &ToolResult, own: bool) {
    let said = |part: &&Part| own || fit(Role::User, part).is_said();
    let content: Vec<&Part> = result.content.iter().filter(said).collect();
    let texts = || content.iter().map(|part| text(part)).collect::<Option<Vec<&str>>>();
    // There is no field for it, and the model must not take a failure for a result.
    let failed = !own && result.is_error == Some(true);
    let note = |text: &str| {
        let told = !failed || text.to_ascii_lowercase().contains("error");
        if told { text.to_owned() } else { format!("Error: {text}") }
    };
    match (&content[..], texts()) {
        ([Part { body: Body::Text(text), .. }], _) if result.plain => {
            out.text("output", &note(&text.text));
        }
        (_, Some(texts)) if !own => out.text("output", &note(&texts.join("\n\n"))),
        (parts, _) => out.list("output", |out| {
            if failed {
                write_part(out, &Part::text("Error:"), "input_text", false);
            }
            parts.iter().for_each(|part| write_part(out, part, "input_text", own));
        }),
    }
}

fn text(part: &Part) -> Option<&str> {
    if let Body::Text(text) = &part.body { Some(&text.text) } else { None }
}

/// The words of a turn that is one bare text.
fn words(turn: &Turn) -> Option<&str> {
    turn.parts.first().and_then(text)
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User | Role::Tool => "user",
        Role::Assistant => "assistant",
    }
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
