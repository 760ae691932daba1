//! Tools, and which of them to call.

use super::super::talk::DIALECT;
use super::super::think::Maker;
use super::super::write_block::write_cache;
use crate::chat::{Body, Losses, Request, Tool, ToolBody, ToolChoice};
use crate::json::Out;
use crate::refusal::Refusal;

/// The schema of a tool that has none.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

/// Tools as they will be written.
pub(super) struct Tools<'a> {
    own: bool,
    maker: Maker,
    tools: Vec<&'a Tool>,
    /// Names of tools that were called before and are not given any more.
    past: Vec<&'a str>,
    choice: Option<&'a ToolChoice>,
    one_at_a_time: bool,
    /// Whether none may be called although there are some.
    pub(super) forbidden: bool,
}

impl<'a> Tools<'a> {
    /// Decides what is said. A conversation with calls in it must come with tools, and there is no word
    /// for calling none of them.
    pub(super) fn of(
        request: &'a Request,
        own: bool,
        maker: Maker,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let said = |tool: &&Tool| own || matches!(tool.body, ToolBody::Function(_));
        let mut all = Self {
            own,
            maker,
            tools: request.tools.iter().filter(said).collect(),
            past: Vec::new(),
            choice: request.tool_choice.as_ref(),
            one_at_a_time: false,
            forbidden: false,
        };
        if own {
            return Ok(all);
        }
        let called = called(request);
        if matches!(all.choice, Some(ToolChoice::Never)) {
            losses.emulated("tool_choice");
            all.choice = None;
            all.forbidden = !called.is_empty();
            if called.is_empty() {
                all.tools.clear();
            }
        }
        if all.tools.is_empty() {
            all.choice = None;
            if !called.is_empty() {
                losses.emulated("tools");
                all.past = called;
            }
        } else if request.parallel_tools == Some(false) {
            match (maker, &request.tool_choice) {
                (Maker::Claude, _) => {}
                // One tool that must be called is called once.
                (_, Some(ToolChoice::Tool(_))) => losses.hint("parallel_tool_calls"),
                (_, Some(ToolChoice::Required)) if all.tools.len() == 1 => {
                    losses.hint("parallel_tool_calls");
                }
                (_, _) => losses.meaning("parallel_tool_calls", DIALECT)?,
            }
            all.one_at_a_time = maker == Maker::Claude && !all.forbidden;
        }
        Ok(all)
    }

    /// Writes the members of `toolConfig`.
    pub(super) fn write(&self, out: &mut Out) {
        if !self.tools.is_empty() || !self.past.is_empty() {
            out.list("tools", |out| {
                for tool in &self.tools {
                    self.tool(out, tool);
                }
                for name in &self.past {
                    out.item(|out| {
                        out.member("toolSpec", |out| write_spec(out, name, None, NO_ARGUMENTS));
                    });
                }
            });
        }
        let Some(choice) = self.choice else { return };
        match choice {
            ToolChoice::Auto => out.member("toolChoice", |out| out.member("auto", |_| {})),
            ToolChoice::Required => out.member("toolChoice", |out| out.member("any", |_| {})),
            ToolChoice::Tool(name) => out.member("toolChoice", |out| {
                out.member("tool", |out| out.text("name", name));
            }),
            // There is no word for it.
            ToolChoice::Never => {}
        }
    }

    /// Writes what Claude is told in a field of its own.
    pub(super) fn write_additional(&self, out: &mut Out) {
        if !self.one_at_a_time {
            return;
        }
        out.member("tool_choice", |out| {
            match self.choice {
                None | Some(ToolChoice::Auto | ToolChoice::Never) => out.text("type", "auto"),
                Some(ToolChoice::Required) => out.text("type", "any"),
                Some(ToolChoice::Tool(name)) => {
                    out.text("type", "tool");
                    out.text("name", name);
                }
            }
            out.boolean("disable_parallel_tool_use", true);
        });
    }

    fn tool(&self, out: &mut Out, tool: &Tool) {
        match &tool.body {
            ToolBody::Opaque { raw, .. } | ToolBody::Hosted(raw) => out.raw_item(raw.as_str()),
            ToolBody::Function(function) => out.item(|out| {
                out.member("toolSpec", |out| {
                    let schema = function.schema.as_ref().map_or(NO_ARGUMENTS, |raw| raw.as_str());
                    let description = function.description.as_deref();
                    write_spec(out, &function.name, description, schema);
                    if let Some(strict) = function.strict {
                        out.boolean("strict", strict);
                    }
                    if self.own {
                        out.extra(&tool.inner);
                    }
                });
                if self.own {
                    out.extra(&tool.extra);
                }
            }),
        }
        if let Some(cache) = tool.cache.as_ref().filter(|_| self.own || self.maker.caches()) {
            write_cache(out, cache);
        }
    }
}

fn write_spec(out: &mut Out, name: &str, description: Option<&str>, schema: &str) {
    out.text("name", name);
    // An empty one is refused.
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        out.text("description", description);
    }
    out.member("inputSchema", |out| out.raw("json", schema));
}

/// Names of the tools called in a conversation, each once.
fn called(request: &Request) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for part in request.turns.iter().flat_map(|turn| &turn.parts) {
        if let Body::ToolCall(call) = &part.body
            && part.is_client_call()
            && !names.contains(&call.name.as_str())
        {
            names.push(&call.name);
        }
    }
    names
}
