//! A request, written out of its meaning.

use super::super::NAME;
use super::write_part::write_cache;
use super::write_talk::Talk;
use crate::chat::{
    Body, Effort, Format, Function, Losses, Reasoning, Request, Schema, Target, Thinks, Tool,
    ToolBody, ToolChoice, Written,
};
use crate::json::Out;
use crate::refusal::Refusal;
use crate::splice::OutputField;

/// The name of a schema that has none in its own dialect.
const SCHEMA_NAME: &str = "answer";

/// Writes a request that was read from any dialect.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let own = request.dialect == NAME;
    let mut losses = Losses::new(target.leniency);
    if !own {
        check(request, target, &mut losses)?;
    }
    let talk = Talk::of(request, target.model, &mut losses)?;
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.list("messages", |out| talk.write(out));
        write_tools(out, request, own);
        write_format(out, request.format.as_ref());
        write_sampling(out, request, own);
        write_limits(out, request, target);
        match effort(request, target) {
            Some(effort) if !own => out.text("reasoning_effort", effort),
            Some(_) | None => {}
        }
        if let Some(stream) = request.stream {
            out.boolean("stream", stream);
            if stream && !own && target.ask_usage {
                out.member("stream_options", |out| out.boolean("include_usage", true));
            }
        }
        if let Some(user) = &request.user {
            out.text("user", user);
        }
        if own {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// Reports what of a foreign request has no counterpart here.
fn check(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Result<(), Refusal> {
    if request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. })) {
        losses.meaning("tools", "OpenAI chat completions")?;
    }
    if request.sampling.top_k.is_some() {
        losses.hint("top_k");
    }
    if let Some(asked) = &request.reasoning {
        if effort(request, target).is_some() {
            losses.emulated("thinking");
        } else if asked.thinks != Some(Thinks::No) {
            losses.hint("thinking");
        }
    }
    if request.is_cached() {
        // The providers of this dialect keep caches by themselves.
        losses.hint("cache_control");
    }
    losses.members(&request.extra, &[], "OpenAI chat completions")?;
    for key in request.output_extra.keys() {
        losses.hint(&format!("output_config.{key}"));
    }
    let asks_to_cite =
        |body: &Body| matches!(body, Body::Document(document) if document.citations == Some(true));
    if request.turns.iter().flat_map(|turn| &turn.parts).any(|part| asks_to_cite(&part.body)) {
        losses.hint("messages.content.citations");
    }
    Ok(())
}

/// The word on how hard to think, for a request of another dialect.
fn effort<'a>(request: &'a Request, target: &Target<'_>) -> Option<&'a str> {
    let Reasoning { thinks, effort, budget_tokens, .. } = request.reasoning.as_ref()?;
    if !target.reasons || *thinks == Some(Thinks::No) {
        return None;
    }
    let of_budget = budget_tokens.map(|budget| match Effort::of_budget(budget) {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::XHigh | Effort::Max | Effort::Other(_) => "high",
    });
    match effort {
        // A word of Anthropic's alone.
        Some(Effort::Max) => Some("xhigh"),
        Some(effort) => Some(effort.name()),
        None => of_budget,
    }
}

fn write_tools(out: &mut Out, request: &Request, own: bool) {
    let said = |tool: &&Tool| own || matches!(tool.body, ToolBody::Function(_));
    let tools: Vec<&Tool> = request.tools.iter().filter(said).collect();
    if !tools.is_empty() {
        out.list("tools", |out| tools.iter().for_each(|tool| write_tool(out, tool, own)));
    }
    // A choice among no tools is refused.
    if !own && tools.is_empty() {
        return;
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => out.text("tool_choice", "auto"),
        Some(ToolChoice::Never) => out.text("tool_choice", "none"),
        Some(ToolChoice::Required) => out.text("tool_choice", "required"),
        Some(ToolChoice::Tool(name)) => out.member("tool_choice", |out| {
            out.text("type", "function");
            out.member("function", |out| out.text("name", name));
        }),
    }
    if let Some(parallel) = request.parallel_tools {
        out.boolean("parallel_tool_calls", parallel);
    }
}

fn write_tool(out: &mut Out, tool: &Tool, own: bool) {
    let function = match &tool.body {
        ToolBody::Opaque { raw, .. } | ToolBody::Hosted(raw) => return out.raw_item(raw.as_str()),
        ToolBody::Function(function) => function,
    };
    out.item(|out| {
        out.text("type", "function");
        out.member("function", |out| {
            let Function { name, description, schema, strict } = function;
            out.text("name", name);
            if let Some(description) = description {
                out.text("description", description);
            }
            if let Some(schema) = schema {
                out.raw("parameters", schema.as_str());
            }
            if let Some(strict) = strict {
                out.boolean("strict", *strict);
            }
            if own {
                out.extra(&tool.inner);
            }
        });
        if own {
            if let Some(cache) = &tool.cache {
                write_cache(out, cache);
            }
            out.extra(&tool.extra);
        }
    });
}

fn write_format(out: &mut Out, format: Option<&Format>) {
    let Some(format) = format else { return };
    out.member("response_format", |out| match format {
        Format::Text => out.text("type", "text"),
        Format::Json => out.text("type", "json_object"),
        Format::Schema(Schema { name, description, schema, strict }) => {
            out.text("type", "json_schema");
            out.member("json_schema", |out| {
                out.text("name", name.as_deref().unwrap_or(SCHEMA_NAME));
                if let Some(description) = description {
                    out.text("description", description);
                }
                out.raw("schema", schema.as_str());
                if let Some(strict) = strict {
                    out.boolean("strict", *strict);
                }
            });
        }
    });
}

fn write_sampling(out: &mut Out, request: &Request, own: bool) {
    let sampling = &request.sampling;
    let numbers = [
        ("temperature", &sampling.temperature),
        ("top_p", &sampling.top_p),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
        ("seed", &sampling.seed),
    ];
    let top_k = own.then_some(("top_k", &sampling.top_k));
    for (key, value) in numbers.into_iter().chain(top_k) {
        if let Some(value) = value {
            out.raw(key, value.as_str());
        }
    }
    if !request.stop.is_empty() {
        out.list("stop", |out| request.stop.iter().for_each(|text| out.text_item(text)));
    }
    if let Some(answers) = request.answers {
        out.number("n", answers);
    }
    if let Some(logprobs) = &request.logprobs {
        if let Some(on) = logprobs.on {
            out.boolean("logprobs", on);
        }
        if let Some(top) = logprobs.top {
            out.number("top_logprobs", top);
        }
    }
}

fn write_limits(out: &mut Out, request: &Request, target: &Target<'_>) {
    let Some(limit) = request.output_tokens_max else { return };
    let key = match target.output_field {
        OutputField::MaxTokens => "max_tokens",
        OutputField::MaxCompletionTokens => "max_completion_tokens",
    };
    // Where the caller gave both, the one that is kept among the rest must not be said twice.
    if request.extra.get(key).is_none_or(|value| value == "null") {
        out.number(key, limit);
    }
}
