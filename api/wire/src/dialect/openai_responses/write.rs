//! A request, written out of its meaning.

mod talk;

use super::NAME;
use super::request::LIKELY;
use super::tool::write_tools;
use crate::chat::{
    Effort, Format, Losses, Reasoning, Request, Schema, Target, Thinks, ToolBody, Written,
};
use crate::json::Out;
use crate::refusal::Refusal;
use talk::Talk;

const DIALECT: &str = "OpenAI Responses";

/// The name of a schema that has none in its own dialect.
const SCHEMA_NAME: &str = "answer";

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
        check(request, target, &mut losses)?;
    }
    let talk = Talk::of(request, &mut losses)?;
    let body = Out::object(|out| {
        out.text("model", target.model);
        talk.write(out);
        write_tools(out, request, own);
        write_text(out, request, own);
        write_sampling(out, request);
        if own {
            write_own_reasoning(out, request);
        } else {
            if target.reasons {
                write_reasoning(out, request, target);
            }
            write_include(out, request, target);
        }
        if let Some(stream) = request.stream {
            out.boolean("stream", stream);
        }
        if let Some(user) = &request.user {
            out.text("user", user);
        }
        if own {
            out.extra(&request.extra);
        } else {
            // Other dialects keep nothing of a conversation.
            out.boolean("store", false);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// Reports what of a foreign request has no counterpart here.
fn check(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let is_zero = |raw: &str| raw.parse::<f64>() == Ok(0.0);
    let penalties = [
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
    ];
    for (field, value) in penalties {
        if value.as_ref().is_some_and(|raw| !is_zero(raw.as_str())) {
            losses.meaning(field, DIALECT)?;
        }
    }
    let refused = [
        ("n", request.answers.is_some_and(|answers| answers > 1)),
        ("stop", !request.stop.is_empty()),
        ("tools", request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. }))),
    ];
    for (field, _) in refused.into_iter().filter(|(_, given)| *given) {
        losses.meaning(field, DIALECT)?;
    }
    let hints = [
        ("top_k", sampling.top_k.is_some()),
        ("seed", sampling.seed.is_some()),
        ("cache_control", request.is_cached()),
    ];
    for (field, _) in hints.into_iter().filter(|(_, given)| *given) {
        losses.hint(field);
    }
    if let Some(asked) = &request.reasoning {
        if effort(request, target).is_some() {
            losses.emulated("thinking");
        } else if asked.thinks != Some(Thinks::No) {
            losses.hint("thinking");
        }
    }
    losses.members(&request.extra, &UNDERSTOOD, DIALECT)?;
    for key in request.output_extra.keys() {
        losses.hint(&format!("output_config.{key}"));
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

/// Asks a model that thinks for its thoughts, also in the form that it knows again.
fn write_reasoning(out: &mut Out, request: &Request, target: &Target<'_>) {
    let effort = effort(request, target);
    let asked = request.reasoning.as_ref();
    // Who asks for thoughts in so many words wants to see them.
    let shown = asked.is_some_and(|asked| {
        matches!(asked.thinks, Some(Thinks::Yes | Thinks::Adaptively)) || asked.display.is_some()
    });
    if effort.is_some() || shown {
        out.member("reasoning", |out| {
            if let Some(effort) = effort {
                out.text("effort", effort);
            }
            if shown {
                out.text("summary", "auto");
            }
        });
    }
}

/// Asks for what is told to those only who ask for it.
fn write_include(out: &mut Out, request: &Request, target: &Target<'_>) {
    let likely = request.logprobs.as_ref().is_some_and(|asked| asked.on == Some(true));
    if !target.reasons && !likely {
        return;
    }
    out.list("include", |out| {
        if target.reasons {
            out.text_item("reasoning.encrypted_content");
        }
        if likely {
            out.text_item(LIKELY);
        }
    });
}

fn write_own_reasoning(out: &mut Out, request: &Request) {
    let Some(Reasoning { effort, display, .. }) = &request.reasoning else { return };
    if request.extra.get("reasoning").is_some() {
        return;
    }
    out.member("reasoning", |out| {
        if let Some(effort) = effort {
            out.text("effort", effort.name());
        }
        if let Some(display) = display {
            out.text("summary", display);
        }
    });
}

fn write_text(out: &mut Out, request: &Request, own: bool) {
    let kept = own && !request.output_extra.is_empty();
    if request.format.is_none() && !kept {
        return;
    }
    out.member("text", |out| {
        if let Some(format) = &request.format {
            out.member("format", |out| write_format(out, format));
        }
        if own {
            out.extra(&request.output_extra);
        }
    });
}

fn write_format(out: &mut Out, format: &Format) {
    match format {
        Format::Text => out.text("type", "text"),
        Format::Json => out.text("type", "json_object"),
        Format::Schema(Schema { name, description, schema, strict }) => {
            out.text("type", "json_schema");
            out.text("name", name.as_deref().unwrap_or(SCHEMA_NAME));
            if let Some(description) = description {
                out.text("description", description);
            }
            out.raw("schema", schema.as_str());
            if let Some(strict) = strict {
                out.boolean("strict", *strict);
            }
        }
    }
}

fn write_sampling(out: &mut Out, request: &Request) {
    let sampling = &request.sampling;
    for (key, value) in [("temperature", &sampling.temperature), ("top_p", &sampling.top_p)] {
        if let Some(value) = value {
            out.raw(key, value.as_str());
        }
    }
    if let Some(top) = request.logprobs.as_ref().and_then(|asked| asked.top) {
        out.number("top_logprobs", top);
    }
    if let Some(limit) = request.output_tokens_max {
        out.number("max_output_tokens", limit);
    }
}
