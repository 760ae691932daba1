//! How hard to think, said to Claude: older models take a budget, newer ones an effort.

use crate::chat::{Effort, Losses, Reasoning, Request, Thinks, ToolChoice};

/// Parts of the names of models that think by a budget only; those after them find their own.
const BUDGET_MODELS: [&str; 9] = [
    "claude-3",
    "opus-4-0",
    "sonnet-4-0",
    "opus-4-1",
    "opus-4-2025",
    "sonnet-4-2025",
    "opus-4-5",
    "sonnet-4-5",
    "haiku-4-5",
];

/// Least budget that Anthropic takes, in tokens.
const BUDGET_MIN: u64 = 1024;

/// How thinking is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Think {
    /// Not at all.
    Silent,
    /// By a budget, in tokens.
    Budget(u64),
    /// By an effort, the budget being the model's own.
    Effort(&'static str),
}

/// Decides for a request that was read from another dialect.
pub(crate) fn decide(
    request: &Request,
    model: &str,
    output_tokens_max: u64,
    losses: &mut Losses,
) -> Think {
    let Some(reasoning) = &request.reasoning else { return Think::Silent };
    let Some(effort) = effort(reasoning) else { return Think::Silent };
    let forced = matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Tool(_)));
    if forced {
        // Claude does not think where it must call a tool.
        losses.hint("reasoning_effort");
        return Think::Silent;
    }
    losses.emulated("reasoning_effort");
    if !BUDGET_MODELS.iter().any(|family| model.contains(family)) {
        return Think::Effort(word(&effort));
    }
    // The budget is part of the output limit and must leave room for the answer.
    let room = output_tokens_max.saturating_sub(1);
    let budget = reasoning.budget_tokens.unwrap_or_else(|| effort.budget_tokens()).min(room);
    if budget < BUDGET_MIN {
        losses.hint("reasoning_effort");
        return Think::Silent;
    }
    Think::Budget(budget)
}

fn effort(reasoning: &Reasoning) -> Option<Effort> {
    let asked = match (reasoning.thinks, &reasoning.effort, reasoning.budget_tokens) {
        (Some(Thinks::No), _, _) => return None,
        (_, Some(effort), _) => effort.clone(),
        (_, None, Some(budget)) => Effort::of_budget(budget),
        (Some(Thinks::Yes | Thinks::Adaptively), None, None) => Effort::Medium,
        (None, None, None) => return None,
    };
    (asked != Effort::None).then_some(asked)
}

const fn word(effort: &Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium | Effort::Other(_) => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
        Effort::Max => "max",
    }
}
