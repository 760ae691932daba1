//! A request, written out of its meaning.

use super::NAME;
use super::write_message::{DIALECT, check, write};
use crate::chat::{
    Body, Effort, Format, Logprobs, Losses, Reasoning, Request, Target, Thinks, Tool, ToolBody,
    ToolChoice, Written,
};
use crate::json::{Fields, Out};
use crate::refusal::Refusal;

/// Fields of other dialects that are understood, beside being kept.
const UNDERSTOOD: [&str; 4] = ["reasoning", "reasoning_effort", "thinking", "stream_options"];

/// Writes a request that was read from any dialect.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let own = request.dialect == NAME;
    let mut losses = Losses::new(target.leniency);
    if !own {
        report(request, target, &mut losses)?;
    }
    check(request, &mut losses)?;
    let forbidden = matches!(request.tool_choice, Some(ToolChoice::Never));
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.list("messages", |out| write(out, request));
        let said = |tool: &&Tool| own || matches!(tool.body, ToolBody::Function(_));
        let tools: Vec<&Tool> =
            request.tools.iter().filter(said).filter(|_| own || !forbidden).collect();
        if !tools.is_empty() {
            out.list("tools", |out| tools.iter().for_each(|tool| write_tool(out, tool, own)));
        }
        match &request.format {
            None | Some(Format::Text) => {}
            Some(Format::Json) => out.text("format", "json"),
            Some(Format::Schema(schema)) => out.raw("format", schema.schema.as_str()),
        }
        write_options(out, request, own);
        if let Some(reasoning) = &request.reasoning {
            write_think(out, reasoning, target, own);
        }
        if let Some(Logprobs { on, top }) = &request.logprobs {
            on.iter().for_each(|on| out.boolean("logprobs", *on));
            top.iter().for_each(|top| out.number("top_logprobs", *top));
        }
        // Without a word it would be a stream.
        match request.stream {
            Some(stream) => out.boolean("stream", stream),
            None if own => {}
            None => out.boolean("stream", false),
        }
        if own {
            let rest = request.extra.iter().filter(|(key, _)| *key != "options");
            rest.for_each(|(key, value)| out.raw(key, value.as_str()));
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// Reports what of a foreign request has no counterpart here.
fn report(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Result<(), Refusal> {
    if request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. })) {
        losses.meaning("tools", DIALECT)?;
    }
    match request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Tool(_)) => {
            losses.meaning("tool_choice", DIALECT)?;
        }
        // None are given, then.
        Some(ToolChoice::Never) if !request.tools.is_empty() => losses.emulated("tool_choice"),
        Some(ToolChoice::Never | ToolChoice::Auto) | None => {}
    }
    if request.parallel_tools == Some(false) && !request.tools.is_empty() {
        losses.meaning("parallel_tool_calls", DIALECT)?;
    }
    if request.answers.is_some_and(|answers| answers > 1) {
        losses.meaning("n", DIALECT)?;
    }
    if let Some(asked) = &request.reasoning {
        let field = "reasoning_effort";
        if target.reasons {
            losses.emulated(field)
        } else if asked.thinks != Some(Thinks::No) {
            losses.hint(field)
        }
    }
    if request.user.is_some() {
        losses.hint("user");
    }
    let marked = |turn: &crate::chat::Turn| {
        turn.cache.is_some() || turn.parts.iter().any(|part| part.cache.is_some())
    };
    let tools = request.tools.iter().any(|tool| tool.cache.is_some());
    if request.cache.is_some() || tools || request.turns.iter().any(marked) {
        losses.hint("cache_control");
    }
    let asks_to_cite =
        |body: &Body| matches!(body, Body::Document(document) if document.citations == Some(true));
    if request.turns.iter().flat_map(|turn| &turn.parts).any(|part| asks_to_cite(&part.body)) {
        losses.hint("messages.content.citations");
    }
    losses.members(&request.extra, &UNDERSTOOD, DIALECT)?;
    for key in request.output_extra.keys() {
        losses.hint(&format!("output_config.{key}"));
    }
    Ok(())
}

fn write_tool(out: &mut Out, tool: &Tool, own: bool) {
    let function = match &tool.body {
        ToolBody::Opaque { raw, .. } | ToolBody::Hosted(raw) => return out.raw_item(raw.as_str()),
        ToolBody::Function(function) => function,
    };
    out.item(|out| {
        out.text("type", "function");
        out.member("function", |out| {
            out.text("name", &function.name);
            if let Some(description) = &function.description {
                out.text("description", description);
            }
            match &function.schema {
                Some(schema) => out.raw("parameters", schema.as_str()),
                None if own => {}
                None => out.raw("parameters", r#"{"type":"object","properties":{}}"#),
            }
            if own {
                if let Some(strict) = function.strict {
                    out.boolean("strict", strict);
                }
                out.extra(&tool.inner);
            }
        });
        if own {
            out.extra(&tool.extra);
        }
    });
}

fn write_options(out: &mut Out, request: &Request, own: bool) {
    let sampling = &request.sampling;
    let numbers = [
        ("temperature", &sampling.temperature),
        ("top_p", &sampling.top_p),
        ("top_k", &sampling.top_k),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
        ("seed", &sampling.seed),
    ];
    let left = request.extra.get("options").filter(|_| own);
    let rest = left.and_then(|left| Fields::read(left).ok()).unwrap_or_default().rest();
    let options = Out::object(|out| {
        for (key, value) in numbers {
            if let Some(value) = value {
                out.raw(key, value.as_str());
            }
        }
        if let Some(limit) = request.output_tokens_max {
            out.number("num_predict", limit);
        }
        if !request.stop.is_empty() {
            out.list("stop", |out| request.stop.iter().for_each(|text| out.text_item(text)));
        }
        out.extra(&rest);
    });
    if options != b"{}" {
        out.raw("options", &String::from_utf8_lossy(&options));
    }
}

fn write_think(out: &mut Out, reasoning: &Reasoning, target: &Target<'_>, own: bool) {
    let Reasoning { thinks, effort, budget_tokens, .. } = reasoning;
    if own {
        match (thinks, effort) {
            (Some(thinks), _) => out.boolean("think", *thinks != Thinks::No),
            (None, Some(effort)) => out.text("think", effort.name()),
            (None, None) => {}
        }
        return;
    }
    if !target.reasons {
        return;
    }
    let budget = budget_tokens.map(Effort::of_budget);
    let effort = effort.clone().or(budget).unwrap_or(Effort::Medium);
    let off = *thinks == Some(Thinks::No) || effort == Effort::None;
    // Only these models take a word, and they always think.
    if !target.model.contains("gpt-oss") {
        return out.boolean("think", !off);
    }
    out.text(
        "think",
        match effort {
            _ if off => "low",
            Effort::None | Effort::Minimal | Effort::Low => "low",
            Effort::Medium | Effort::Other(_) => "medium",
            Effort::High | Effort::XHigh | Effort::Max => "high",
        },
    );
}
