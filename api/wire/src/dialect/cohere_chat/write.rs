//! A request, written out of its meaning.

use super::NAME;
use super::request::DOCUMENTS;
use super::write_turn::Speech;
use crate::chat::{
    Body, Effort, Format, Losses, Part, Reasoning, Request, Role, Target, Thinks, Tool, ToolBody,
    ToolChoice, ToolResult, Turn, Written,
};
use crate::json::Out;
use crate::refusal::Refusal;

const DIALECT: &str = "Cohere chat";

/// Fields of other dialects that are understood, beside being kept.
const UNDERSTOOD: [&str; 4] = ["reasoning", "reasoning_effort", "thinking", "stream_options"];

/// Writes a request that was read from any dialect.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let own = request.dialect == NAME;
    let speech = Speech { own, answer: false };
    let mut losses = Losses::new(target.leniency);
    for turn in &request.turns {
        settle(turn, speech, &mut losses)?;
    }
    if !own {
        check(request, target, &mut losses)?;
    }
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.list("messages", |out| request.turns.iter().for_each(|turn| write(out, turn, speech)));
        write_documents(out, request, own);
        write_tools(out, request, own);
        write_format(out, request.format.as_ref());
        write_sampling(out, request, own);
        write_thinking(out, request, target, own);
        if let Some(stream) = request.stream {
            out.boolean("stream", stream);
        }
        if own {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// Reports what of a turn cannot be said.
fn settle(turn: &Turn, speech: Speech, losses: &mut Losses) -> Result<(), Refusal> {
    const KNOWN: [&str; 4] = ["reasoning", "reasoning_content", "reasoning_details", "content"];
    for part in &turn.parts {
        speech.fit(turn.role, part).settle(losses, DIALECT)?;
        if let Body::ToolResult(ToolResult { content, .. }) = &part.body {
            for inner in content {
                speech.fit(Role::Tool, inner).settle(losses, DIALECT)?;
            }
        }
    }
    if !speech.own {
        if turn.name.is_some() && turn.role != Role::Tool {
            losses.hint("messages.name");
        }
        for key in turn.extra.keys().filter(|key| !KNOWN.contains(key)) {
            losses.hint(&format!("messages.{key}"));
        }
    }
    Ok(())
}

/// Reports what of a foreign request has no counterpart here.
fn check(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Result<(), Refusal> {
    let refused = [
        ("n", request.answers.is_some_and(|answers| answers > 1)),
        ("tools", request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. }))),
        ("top_logprobs", request.logprobs.as_ref().is_some_and(|asked| asked.top.is_some())),
    ];
    for (field, _) in refused.into_iter().filter(|(_, given)| *given) {
        losses.meaning(field, DIALECT)?;
    }
    let hints = [
        ("parallel_tool_calls", request.parallel_tools == Some(false)),
        ("user", request.user.is_some()),
        ("cache_control", request.is_cached()),
    ];
    for (field, _) in hints.into_iter().filter(|(_, given)| *given) {
        losses.hint(field);
    }
    for (field, number) in penalties(request) {
        match number {
            number if number < 0.0 => losses.meaning(field, DIALECT)?,
            number if number > 1.0 => losses.emulated(field),
            _ => {}
        }
    }
    if matches!(request.tool_choice, Some(ToolChoice::Tool(_))) {
        losses.emulated("tool_choice");
    }
    if request.reasoning.is_some() {
        if target.reasons {
            losses.emulated("thinking");
        } else {
            losses.hint("thinking");
        }
    }
    losses.members(&request.extra, &UNDERSTOOD, DIALECT)?;
    for key in request.output_extra.keys() {
        losses.hint(&format!("output_config.{key}"));
    }
    Ok(())
}

/// The penalties that were given, as numbers: here they go from 0 to 1.
fn penalties(request: &Request) -> impl Iterator<Item = (&'static str, f64)> {
    let sampling = &request.sampling;
    let given = [
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
    ];
    given.into_iter().filter_map(|(field, raw)| Some((field, raw.as_ref()?.as_str().parse().ok()?)))
}

fn write(out: &mut Out, turn: &Turn, speech: Speech) {
    if speech.own && turn.extra.get(DOCUMENTS) == Some("null") {
        return;
    }
    let said = |part: &&Part| speech.fit(turn.role, part).is_said();
    let parts = turn.parts.iter().filter(said);
    if turn.role == Role::Assistant {
        let silent = |part: &Part| !speech.is_content(part) && !part.is_client_call();
        if !speech.own && parts.clone().all(silent) {
            return;
        }
        return out.item(|out| {
            out.text("role", "assistant");
            speech.assistant(out, parts.clone(), turn.plain);
            write_sources(out, turn, speech.own);
        });
    }
    let (results, content): (Vec<&Part>, Vec<&Part>) =
        parts.partition(|part| matches!(part.body, Body::ToolResult(_)));
    for part in &results {
        if let Body::ToolResult(result) = &part.body {
            out.item(|out| write_result(out, turn, result, speech));
        }
    }
    if turn.role != Role::Tool && (speech.own || !content.is_empty()) {
        let system = matches!(turn.role, Role::System | Role::Developer);
        out.item(|out| {
            out.text("role", if system { "system" } else { "user" });
            speech.content(out, &content, turn.plain);
            if speech.own {
                out.extra(&turn.extra);
            }
        });
    }
}

/// Writes the sources that the caller gave back, and what else it did.
fn write_sources(out: &mut Out, turn: &Turn, own: bool) {
    if !own {
        return;
    }
    let sources = turn.parts.iter().flat_map(|part| match &part.body {
        Body::Text(text) => &text.citations[..],
        Body::Refusal(_)
        | Body::Thinking(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => &[],
    });
    let sources: Vec<&str> = sources.map(|from| from.raw.as_str()).collect();
    if !sources.is_empty() {
        out.list("citations", |out| sources.iter().for_each(|raw| out.raw_item(raw)));
    }
    out.extra(&turn.extra);
}

fn write_result(out: &mut Out, turn: &Turn, result: &ToolResult, speech: Speech) {
    out.text("role", "tool");
    out.text("tool_call_id", &result.id);
    let said = |part: &&Part| speech.fit(Role::Tool, part).is_said();
    let mut content: Vec<&Part> = result.content.iter().filter(said).collect();
    // There is no field for it, and the model must not take a failure for a result.
    let note = Part::text("Error:");
    if !speech.own && result.is_error == Some(true) {
        content.insert(0, &note);
    }
    let plain = result.plain && content.len() == 1;
    if content.is_empty() && !speech.own {
        out.text("content", "");
    } else {
        speech.content(out, &content, plain);
    }
    if speech.own {
        out.extra(&turn.extra);
    }
}

fn write_documents(out: &mut Out, request: &Request, own: bool) {
    let given = |turn: &&Turn| own && turn.extra.get(DOCUMENTS) == Some("null");
    let Some(turn) = request.turns.iter().find(given) else { return };
    let documents = turn.parts.iter().filter_map(|part| part.extra.get("document"));
    out.list("documents", |out| documents.for_each(|raw| out.raw_item(raw)));
}

fn write_tools(out: &mut Out, request: &Request, own: bool) {
    // That one tool is to be called is said by giving no other.
    let only = match &request.tool_choice {
        Some(ToolChoice::Tool(name)) => Some(name),
        Some(ToolChoice::Auto | ToolChoice::Never | ToolChoice::Required) | None => None,
    };
    let said = |tool: &&Tool| match &tool.body {
        ToolBody::Function(function) => only.is_none_or(|name| *name == function.name),
        ToolBody::Opaque { .. } | ToolBody::Hosted(_) => own,
    };
    let tools: Vec<&Tool> = request.tools.iter().filter(said).collect();
    if !tools.is_empty() {
        out.list("tools", |out| tools.iter().for_each(|tool| write_tool(out, tool, own)));
    }
    if !own && tools.is_empty() {
        return;
    }
    match &request.tool_choice {
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::Never) => out.text("tool_choice", "NONE"),
        Some(ToolChoice::Required | ToolChoice::Tool(_)) => out.text("tool_choice", "REQUIRED"),
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
                out.extra(&tool.inner);
            }
        });
        if own {
            out.extra(&tool.extra);
        }
    });
}

fn write_format(out: &mut Out, format: Option<&Format>) {
    let Some(format) = format else { return };
    out.member("response_format", |out| match format {
        Format::Text => out.text("type", "text"),
        Format::Json => out.text("type", "json_object"),
        Format::Schema(schema) => {
            out.text("type", "json_object");
            out.raw("json_schema", schema.schema.as_str());
        }
    });
}

fn write_sampling(out: &mut Out, request: &Request, own: bool) {
    let sampling = &request.sampling;
    let numbers = [
        ("temperature", &sampling.temperature),
        ("p", &sampling.top_p),
        ("k", &sampling.top_k),
        ("seed", &sampling.seed),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
    ];
    let bounded = ["frequency_penalty", "presence_penalty"];
    for (key, value) in numbers.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    {
        let number = value.as_str().parse().unwrap_or(0.0);
        let is_penalty = !own && bounded.contains(&key);
        if is_penalty && number < 0.0 {
            continue;
        }
        out.raw(key, if is_penalty && number > 1.0 { "1" } else { value.as_str() });
    }
    if let Some(limit) = request.output_tokens_max {
        out.number("max_tokens", limit);
    }
    if !request.stop.is_empty() {
        out.list("stop_sequences", |out| request.stop.iter().for_each(|text| out.text_item(text)));
    }
    if let Some(on) = request.logprobs.as_ref().and_then(|asked| asked.on) {
        out.boolean("logprobs", on);
    }
}

fn write_thinking(out: &mut Out, request: &Request, target: &Target<'_>, own: bool) {
    let Some(asked) = request.reasoning.as_ref().filter(|_| own || target.reasons) else { return };
    let Reasoning { thinks, effort, budget_tokens, .. } = asked;
    let off = *thinks == Some(Thinks::No) || *effort == Some(Effort::None);
    out.member("thinking", |out| {
        out.text("type", if off { "disabled" } else { "enabled" });
        let budget = budget_tokens.or_else(|| effort.as_ref().map(Effort::budget_tokens));
        if let Some(budget) = budget.filter(|_| own || !off) {
            out.number("token_budget", budget);
        }
    });
}
