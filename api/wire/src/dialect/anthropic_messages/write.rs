//! A request, written out of its meaning.

mod talk;

use super::NAME;
use super::think::{Think, decide};
use super::write_block::write_cache;
use crate::chat::{
    Format, Losses, Reasoning, Request, Target, Thinks, Tool, ToolBody, ToolChoice, Written,
};
use crate::json::Out;
use crate::refusal::Refusal;
use talk::Talk;

/// What models are told where any JSON object will do and no schema says which.
const JSON_ONLY: &str = "Answer with a single JSON object and nothing else.";

/// Fields of other dialects that are understood, beside being kept.
const UNDERSTOOD: [&str; 4] = ["reasoning", "reasoning_effort", "thinking", "stream_options"];

/// Writes a request that was read from any dialect.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    write(request, target, None)
}

/// What a cloud wraps Anthropic Messages in: the model stands in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope {
    /// What `anthropic_version` says.
    pub(crate) version: &'static str,
    /// Whether the body says that a stream is wanted.
    pub(crate) says_stream: bool,
}

/// Writes a request for a cloud that has the model in its path.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub(crate) fn write_enveloped(
    request: &Request,
    target: &Target<'_>,
    envelope: &Envelope,
) -> Result<Written, Refusal> {
    write(request, target, Some(envelope))
}

/// Members of a body that stand in headers where there is no envelope.
const ENVELOPED: [&str; 2] = ["anthropic_version", "anthropic_beta"];

fn write(
    request: &Request,
    target: &Target<'_>,
    envelope: Option<&Envelope>,
) -> Result<Written, Refusal> {
    let own = request.dialect == NAME;
    let mut losses = Losses::new(target.leniency);
    let limit = request.output_tokens_max;
    let limit = if own { limit } else { Some(limit.unwrap_or(target.output_tokens_default)) };
    let mut think = Think::Silent;
    if !own {
        think = decide(request, target.model, limit.unwrap_or(0), &mut losses);
        check(request, &think, &mut losses)?;
    }
    let talk = Talk::of(request, own, &mut losses)?;
    if own && envelope.is_none() && request.extra.get("anthropic_beta").is_some() {
        losses.hint("anthropic_beta");
    }
    let body = Out::object(|out| {
        match envelope {
            None => out.text("model", target.model),
            Some(envelope) => out.text("anthropic_version", envelope.version),
        }
        if let Some(limit) = limit {
            out.number("max_tokens", limit);
        }
        let note = matches!(request.format, Some(Format::Json)).then_some(JSON_ONLY);
        talk.write(out, note);
        write_tools(out, request, own);
        write_sampling(out, request, own, &think);
        if own {
            write_own_thinking(out, request.reasoning.as_ref());
        } else {
            write_thinking(out, &think);
        }
        write_output_config(out, request, &think, own);
        if let Some(stream) = request.stream
            && envelope.is_none_or(|envelope| envelope.says_stream && stream)
        {
            out.boolean("stream", stream);
        }
        if let Some(user) = &request.user {
            out.member("metadata", |out| out.text("user_id", user));
        }
        if let Some(cache) = &request.cache {
            write_cache(out, cache);
        }
        let kept = request.extra.iter().filter(|(key, _)| match envelope {
            None => !ENVELOPED.contains(key),
            Some(_) => *key != "anthropic_version",
        });
        if own {
            kept.for_each(|(key, value)| out.raw(key, value.as_str()));
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// Reports what of a foreign request has no counterpart here.
fn check(request: &Request, think: &Think, losses: &mut Losses) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let is_zero = |raw: &str| raw.parse::<f64>() == Ok(0.0);
    let penalties = [
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
    ];
    for (field, value) in penalties {
        if value.as_ref().is_some_and(|raw| !is_zero(raw.as_str())) {
            losses.meaning(field, "Anthropic Messages")?;
        }
    }
    if request.answers.is_some_and(|answers| answers > 1) {
        losses.meaning("n", "Anthropic Messages")?;
    }
    if request.logprobs.as_ref().is_some_and(|logprobs| logprobs.on == Some(true)) {
        losses.meaning("logprobs", "Anthropic Messages")?;
    }
    if request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. })) {
        losses.meaning("tools", "Anthropic Messages")?;
    }
    if sampling.seed.is_some() {
        losses.hint("seed");
    }
    match sampling.temperature.as_ref().map(|raw| raw.as_str().parse::<f64>()) {
        Some(_) if *think != Think::Silent => losses.hint("temperature"),
        Some(Ok(temperature)) if temperature > 1.0 => losses.emulated("temperature"),
        Some(_) | None => {}
    }
    if *think != Think::Silent && sampling.top_p.is_some() {
        losses.hint("top_p");
    }
    if matches!(request.format, Some(Format::Json)) {
        losses.emulated("response_format");
    }
    losses.members(&request.extra, &UNDERSTOOD, "Anthropic Messages")
}

fn write_tools(out: &mut Out, request: &Request, own: bool) {
    let said = |tool: &&Tool| own || !matches!(tool.body, ToolBody::Opaque { .. });
    let tools: Vec<&Tool> = request.tools.iter().filter(said).collect();
    if !tools.is_empty() {
        out.list("tools", |out| tools.iter().for_each(|tool| write_tool(out, tool, own)));
    }
    // A choice among no tools is refused.
    if own || !tools.is_empty() {
        write_tool_choice(out, request, own);
    }
}

fn write_tool(out: &mut Out, tool: &Tool, own: bool) {
    let function = match &tool.body {
        ToolBody::Opaque { raw, .. } | ToolBody::Hosted(raw) => return out.raw_item(raw.as_str()),
        ToolBody::Function(function) => function,
    };
    out.item(|out| {
        out.text("name", &function.name);
        if let Some(description) = &function.description {
            out.text("description", description);
        }
        match &function.schema {
            Some(schema) => out.raw("input_schema", schema.as_str()),
            None if own => {}
            None => out.raw("input_schema", r#"{"type":"object","properties":{}}"#),
        }
        if let Some(strict) = function.strict {
            out.boolean("strict", strict);
        }
        if let Some(cache) = &tool.cache {
            write_cache(out, cache);
        }
        if own {
            out.extra(&tool.extra);
        }
    });
}

fn write_tool_choice(out: &mut Out, request: &Request, own: bool) {
    let parallel = request.parallel_tools;
    // Several at once is what happens anyway; only the contrary needs a choice to say it in.
    let parallel = if own { parallel } else { parallel.filter(|parallel| !parallel) };
    let choice = match (&request.tool_choice, parallel) {
        (None, None) => return,
        (None, Some(_)) => &ToolChoice::Auto,
        (Some(choice), _) => choice,
    };
    out.member("tool_choice", |out| {
        match choice {
            ToolChoice::Auto => out.text("type", "auto"),
            ToolChoice::Never => out.text("type", "none"),
            ToolChoice::Required => out.text("type", "any"),
            ToolChoice::Tool(name) => {
                out.text("type", "tool");
                out.text("name", name);
            }
        }
        if let Some(parallel) = parallel
            && (own || *choice != ToolChoice::Never)
        {
            out.boolean("disable_parallel_tool_use", !parallel);
        }
    });
}

fn write_sampling(out: &mut Out, request: &Request, own: bool, think: &Think) {
    if *think == Think::Silent {
        let sampling = &request.sampling;
        if let Some(temperature) = &sampling.temperature {
            let above = !own && temperature.as_str().parse::<f64>().is_ok_and(|value| value > 1.0);
            out.raw("temperature", if above { "1" } else { temperature.as_str() });
        }
        if let Some(top_p) = &sampling.top_p {
            out.raw("top_p", top_p.as_str());
        }
        if let Some(top_k) = &sampling.top_k {
            out.raw("top_k", top_k.as_str());
        }
    }
    // Texts of nothing but space are refused as such.
    let stop: Vec<&String> =
        request.stop.iter().filter(|text| own || !text.trim().is_empty()).collect();
    if !stop.is_empty() {
        out.list("stop_sequences", |out| stop.iter().for_each(|text| out.text_item(text)));
    }
}

fn write_own_thinking(out: &mut Out, reasoning: Option<&Reasoning>) {
    let Some(Reasoning { thinks: Some(thinks), budget_tokens, display, .. }) = reasoning else {
        return;
    };
    out.member("thinking", |out| {
        out.text(
            "type",
            match thinks {
                Thinks::Yes => "enabled",
                Thinks::No => "disabled",
                Thinks::Adaptively => "adaptive",
            },
        );
        if let Some(budget) = budget_tokens {
            out.number("budget_tokens", *budget);
        }
        if let Some(display) = display {
            out.text("display", display);
        }
    });
}

fn write_thinking(out: &mut Out, think: &Think) {
    match think {
        Think::Silent => {}
        Think::Budget(tokens) => out.member("thinking", |out| {
            out.text("type", "enabled");
            out.number("budget_tokens", *tokens);
        }),
        Think::Effort(_) => out.member("thinking", |out| out.text("type", "adaptive")),
    }
}

fn write_output_config(out: &mut Out, request: &Request, think: &Think, own: bool) {
    let effort = match (own, think) {
        (true, _) => {
            request.reasoning.as_ref().and_then(|asked| asked.effort.as_ref()?.name().into())
        }
        (false, Think::Effort(word)) => Some(*word),
        (false, Think::Silent | Think::Budget(_)) => None,
    };
    let schema = match &request.format {
        Some(Format::Schema(schema)) => Some(&schema.schema),
        Some(Format::Text | Format::Json) | None => None,
    };
    let kept = own && !request.output_extra.is_empty();
    if effort.is_none() && schema.is_none() && !kept {
        return;
    }
    out.member("output_config", |out| {
        if let Some(effort) = effort {
            out.text("effort", effort);
        }
        if let Some(schema) = schema {
            out.member("format", |out| {
                out.text("type", "json_schema");
                out.raw("schema", schema.as_str());
            });
        }
        if own {
            out.extra(&request.output_extra);
        }
    });
}
