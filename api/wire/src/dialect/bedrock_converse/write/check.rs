//! What of a foreign request has no counterpart here.

use super::super::talk::DIALECT;
use super::super::think::{Maker, Say};
use crate::chat::{Format, Losses, Request, ToolBody};
use crate::refusal::Refusal;

/// Fields of other dialects that are understood, beside being kept.
const UNDERSTOOD: [&str; 4] = ["reasoning", "reasoning_effort", "thinking", "stream_options"];

/// Reports or refuses what has none.
pub(super) fn check(
    request: &Request,
    maker: Maker,
    say: &Say,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    sampling(request, maker, say, losses)?;
    if request.answers.is_some_and(|answers| answers > 1) {
        losses.meaning("n", DIALECT)?;
    }
    if request.logprobs.as_ref().is_some_and(|logprobs| logprobs.on == Some(true)) {
        losses.meaning("logprobs", DIALECT)?;
    }
    if request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Opaque { .. })) {
        losses.meaning("tools", DIALECT)?;
    }
    if matches!(request.format, Some(Format::Json)) {
        losses.emulated("response_format");
    }
    if request.user.is_some() {
        losses.hint("user");
    }
    if request.cache.is_some() || (!maker.caches() && marks_cache(request)) {
        losses.hint("cache_control");
    }
    losses.members(&request.extra, &UNDERSTOOD, DIALECT)?;
    for key in request.output_extra.keys() {
        losses.hint(&format!("output_config.{key}"));
    }
    Ok(())
}

fn sampling(
    request: &Request,
    maker: Maker,
    say: &Say,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let penalties = [
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
    ];
    for (field, value) in penalties {
        let says = |raw: &str| raw.parse::<f64>() != Ok(0.0);
        if value.as_ref().is_some_and(|raw| says(raw.as_str())) {
            losses.meaning(field, DIALECT)?;
        }
    }
    if sampling.seed.is_some() {
        losses.hint("seed");
    }
    if sampling.top_k.is_some() && maker != Maker::Nova && !takes_top_k(maker, say) {
        losses.hint("top_k");
    }
    match sampling.temperature.as_ref().map(|raw| raw.as_str().parse::<f64>()) {
        Some(_) if say.is_claude_thinking() => losses.hint("temperature"),
        Some(Ok(temperature)) if temperature > 1.0 => losses.emulated("temperature"),
        Some(_) | None => {}
    }
    if say.is_claude_thinking() && sampling.top_p.is_some() {
        losses.hint("top_p");
    }
    Ok(())
}

/// Whether the maker's own field for the likeliest words is `top_k`. Claude takes none while it thinks.
pub(super) fn takes_top_k(maker: Maker, say: &Say) -> bool {
    maker == Maker::Claude && !say.is_claude_thinking()
}

fn marks_cache(request: &Request) -> bool {
    let marked = |turn: &crate::chat::Turn| {
        turn.cache.is_some() || turn.parts.iter().any(|part| part.cache.is_some())
    };
    request.turns.iter().any(marked) || request.tools.iter().any(|tool| tool.cache.is_some())
}
