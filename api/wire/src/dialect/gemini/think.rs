//! How hard to think, said to Gemini: the second generation takes a budget, later ones a level.

use crate::chat::{Effort, Losses, Request, Target, Thinks};

/// How thinking is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Think {
    /// Not at all.
    Silent,
    /// By a budget in tokens; 0 is no thought, and a negative one the model's own.
    Budget(i64),
    /// By a level.
    Level(&'static str),
}

/// Decides for a request that was read from another dialect.
pub(super) fn decide(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Think {
    let Some(asked) = &request.reasoning else { return Think::Silent };
    if asked.thinks.is_none() && asked.effort.is_none() && asked.budget_tokens.is_none() {
        return Think::Silent;
    }
    if !target.reasons {
        if asked.thinks != Some(Thinks::No) {
            losses.hint("reasoning_effort");
        }
        return Think::Silent;
    }
    let forbidden = asked.thinks == Some(Thinks::No) || asked.effort == Some(Effort::None);
    losses.emulated("reasoning_effort");
    if takes_budget(target.model) {
        let wanted = match (forbidden, asked.budget_tokens, &asked.effort) {
            (true, _, _) => 0,
            (false, Some(budget), _) => i64::try_from(budget).unwrap_or(i64::MAX),
            (false, None, Some(effort)) => {
                i64::try_from(effort.budget_tokens()).unwrap_or(i64::MAX)
            }
            (false, None, None) => -1,
        };
        return Think::Budget(within(target.model, wanted));
    }
    let effort = match (forbidden, &asked.effort, asked.budget_tokens) {
        (true, _, _) => Effort::None,
        (false, Some(effort), _) => effort.clone(),
        (false, None, Some(budget)) => Effort::of_budget(budget),
        // Its own measure is what the model does unasked; that thoughts are to be shown is new.
        (false, None, None) => Effort::High,
    };
    Think::Level(level(target.model, &effort))
}

/// Whether a model thinks by a budget.
fn takes_budget(model: &str) -> bool {
    model.contains("gemini-2")
}

/// A budget within what a model takes: <https://ai.google.dev/gemini-api/docs/thinking>.
fn within(model: &str, budget: i64) -> i64 {
    let (least, most) = if model.contains("lite") {
        (512, 24_576)
    } else if model.contains("flash") {
        (0, 24_576)
    } else {
        // Its thinking cannot be turned off.
        return if budget < 0 { budget } else { budget.clamp(128, 32_768) };
    };
    if budget <= 0 { budget } else { budget.clamp(least, most) }
}

/// The level that stands for an effort. Thinking cannot be turned off; Pro knows fewer levels.
fn level(model: &str, effort: &Effort) -> &'static str {
    let pro = model.contains("pro");
    match effort {
        Effort::None | Effort::Minimal if !pro => "minimal",
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium | Effort::Other(_) if !(pro && model.contains("gemini-3-")) => "medium",
        Effort::Medium | Effort::Other(_) | Effort::High | Effort::XHigh | Effort::Max => "high",
    }
}
