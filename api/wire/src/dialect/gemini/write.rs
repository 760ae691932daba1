//! A request, written out of its meaning.

mod config;
mod talk;

use super::NAME;
use crate::chat::{Function, Losses, Request, Target, Tool, ToolBody, ToolChoice, Written};
use crate::json::Out;
use crate::refusal::Refusal;
use config::Config;
use talk::Talk;

/// What is said to a caller about this dialect.
pub(super) const DIALECT: &str = "Gemini";

/// Fields of other dialects that are understood, beside being kept.
const UNDERSTOOD: [&str; 4] = ["reasoning", "reasoning_effort", "thinking", "stream_options"];

/// Writes a request that was read from any dialect. Model and stream stand in the path.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let own = request.dialect == NAME;
    let mut losses = Losses::new(target.leniency);
    if !own {
        check(request, &mut losses)?;
    }
    let config = Config::of(request, target, own, &mut losses);
    let talk = Talk::of(request, target.model, &mut losses)?;
    let body = Out::object(|out| {
        talk.write(out);
        write_tools(out, request, own);
        config.write(out);
        if own {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// Reports what of a foreign request has no counterpart here.
fn check(request: &Request, losses: &mut Losses) -> Result<(), Refusal> {
    if request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. })) {
        losses.meaning("tools", DIALECT)?;
    }
    let strict =
        |tool: &Tool| matches!(&tool.body, ToolBody::Function(Function { strict: Some(true), .. }));
    if request.tools.iter().any(strict) {
        losses.hint("tools.strict");
    }
    if request.parallel_tools == Some(false) {
        losses.hint("parallel_tool_calls");
    }
    if request.user.is_some() {
        losses.hint("user");
    }
    let marked = request.cache.is_some()
        || request.tools.iter().any(|tool| tool.cache.is_some())
        || request
            .turns
            .iter()
            .any(|turn| turn.cache.is_some() || turn.parts.iter().any(|part| part.cache.is_some()));
    if marked {
        // Gemini keeps prompts that repeat by itself.
        losses.hint("cache_control");
    }
    losses.members(&request.extra, &UNDERSTOOD, DIALECT)?;
    for key in request.output_extra.keys() {
        losses.hint(key);
    }
    Ok(())
}

fn write_tools(out: &mut Out, request: &Request, own: bool) {
    let is_function = |tool: &&Tool| matches!(tool.body, ToolBody::Function(_));
    let functions: Vec<&Tool> = request.tools.iter().filter(is_function).collect();
    let others: Vec<&str> = request.tools.iter().filter_map(|tool| raw(tool, own)).collect();
    if !functions.is_empty() || !others.is_empty() {
        out.list("tools", |out| {
            if !functions.is_empty() {
                out.item(|out| {
                    out.list("functionDeclarations", |out| {
                        functions.iter().for_each(|tool| write_function(out, tool, own));
                    });
                });
            }
            others.iter().for_each(|raw| out.raw_item(raw));
        });
    }
    // A choice among no functions is refused.
    if (own || !functions.is_empty()) && request.extra.get("toolConfig").is_none() {
        write_choice(out, request.tool_choice.as_ref());
    }
}

fn raw(tool: &Tool, own: bool) -> Option<&str> {
    match &tool.body {
        ToolBody::Opaque { raw, .. } if own => Some(raw.as_str()),
        ToolBody::Hosted(raw) => Some(raw.as_str()),
        ToolBody::Opaque { .. } | ToolBody::Function(_) => None,
    }
}

fn write_function(out: &mut Out, tool: &Tool, own: bool) {
    let ToolBody::Function(Function { name, description, schema, strict: _ }) = &tool.body else {
        return;
    };
    out.item(|out| {
        out.text("name", name);
        if let Some(description) = description {
            out.text("description", description);
        }
        if let Some(schema) = schema {
            out.raw("parametersJsonSchema", schema.as_str());
        }
        if own {
            out.extra(&tool.extra);
        }
    });
}

fn write_choice(out: &mut Out, choice: Option<&ToolChoice>) {
    let (mode, name) = match choice {
        None => return,
        Some(ToolChoice::Auto) => ("AUTO", None),
        Some(ToolChoice::Never) => ("NONE", None),
        Some(ToolChoice::Required) => ("ANY", None),
        Some(ToolChoice::Tool(name)) => ("ANY", Some(name)),
    };
    out.member("toolConfig", |out| {
        out.member("functionCallingConfig", |out| {
            out.text("mode", mode);
            if let Some(name) = name {
                out.list("allowedFunctionNames", |out| out.text_item(name));
            }
        });
    });
}
