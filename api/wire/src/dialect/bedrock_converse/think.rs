//! How hard to think, and other things that each maker has a field of its own for: what stands in
//! `additionalModelRequestFields`.

use crate::chat::{Effort, Losses, Raw, Reasoning, Request, Thinks};
use crate::dialect::anthropic_messages::{Think, decide};
use crate::json::{Fields, Out, text};

/// Makers, as far as their fields differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// Anthropic.
    Claude,
    /// Amazon.
    Nova,
    /// OpenAI's open models.
    Gpt,
    /// Any other whose name is told.
    Other,
    /// A profile whose name tells nothing.
    Unknown,
}

impl Maker {
    /// The maker of a model, by its id, profile or ARN.
    pub(super) fn of(model: &str) -> Self {
        let says = |word: &str| model.contains(word);
        if says("claude") || says("anthropic") {
            Self::Claude
        } else if says("nova") {
            Self::Nova
        } else if says("gpt-oss") {
            Self::Gpt
        } else if says("application-inference-profile") || says(":provisioned-model") {
            Self::Unknown
        } else {
            Self::Other
        }
    }

    /// Whether it takes cache points.
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Claude | Self::Nova)
    }

    /// Whether it may know Claude's thoughts again.
    pub(super) const fn knows_claude(self) -> bool {
        matches!(self, Self::Claude | Self::Unknown)
    }
}

/// What was understood of the additional fields.
#[derive(Default)]
pub(super) struct Additional<'a> {
    pub(super) top_k: Option<Raw>,
    pub(super) reasoning: Option<Reasoning>,
    /// What was not.
    pub(super) rest: Fields<'a>,
}

/// Reads the additional fields, whoever's model they are for.
pub(super) fn additional(mut fields: Fields<'_>) -> Additional<'_> {
    let mut asked = Reasoning::default();
    let effort = |value: &str| text(value).map(|name| Effort::named(&name));
    for key in ["thinking", "reasoning_config", "reasoningConfig"] {
        if let Some(found) = fields.take(key, thinking) {
            asked = Reasoning { effort: found.effort.clone().or(asked.effort), ..found };
        }
    }
    for key in ["reasoning_effort", "reasoning_config"] {
        asked.effort = fields.take(key, effort).or(asked.effort);
    }
    let config = fields.take("output_config", |value| {
        let mut inner = Fields::read(value).ok()?;
        let effort = inner.text("effort")?;
        inner.is_empty().then(|| Effort::named(&effort))
    });
    asked.effort = config.or(asked.effort);
    let top_k = fields.number("top_k").or_else(|| {
        fields.take("inferenceConfig", |value| {
            let mut inner = Fields::read(value).ok()?;
            let top_k = inner.number("topK")?;
            inner.is_empty().then_some(top_k)
        })
    });
    let reasoning = (asked != Reasoning::default()).then_some(asked);
    Additional { top_k, reasoning, rest: fields }
}

fn thinking(value: &str) -> Option<Reasoning> {
    let mut inner = Fields::read(value).ok()?;
    let kind = inner.text("type")?;
    let thinks = match kind.as_str() {
        "enabled" => Thinks::Yes,
        "disabled" => Thinks::No,
        "adaptive" => Thinks::Adaptively,
        _ => return None,
    };
    let asked = Reasoning {
        thinks: Some(thinks),
        effort: inner.text("maxReasoningEffort").map(|name| Effort::named(&name)),
        budget_tokens: inner.whole("budget_tokens"),
        display: inner.text("display"),
    };
    inner.is_empty().then_some(asked)
}

/// What a request says to the maker of its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Say {
    /// Nothing.
    Silent,
    /// To Claude, as Anthropic has it.
    Claude(Think),
    /// To Nova: how hard.
    Nova(&'static str),
    /// One word under a field.
    Word(&'static str, &'static str),
}

impl Say {
    /// Whether Claude is to think, and so takes no temperature.
    pub(super) fn is_claude_thinking(&self) -> bool {
        matches!(self, Self::Claude(think) if *think != Think::Silent)
    }
}

/// Decides for a request that was read from another dialect. `limit` is the most tokens of an answer.
pub(super) fn say(
    request: &Request,
    model: &str,
    maker: Maker,
    limit: u64,
    losses: &mut Losses,
) -> Say {
    let Some(reasoning) = &request.reasoning else { return Say::Silent };
    if maker == Maker::Claude {
        return Say::Claude(decide(request, model, limit, losses));
    }
    let Some(effort) = effort(reasoning) else { return Say::Silent };
    match maker {
        // Only the second generation thinks.
        Maker::Nova if model.contains("nova-2") => {
            losses.emulated("reasoning_effort");
            Say::Nova(word(&effort))
        }
        Maker::Gpt => {
            losses.emulated("reasoning_effort");
            Say::Word("reasoning_effort", word(&effort))
        }
        Maker::Claude | Maker::Nova | Maker::Other | Maker::Unknown => {
            losses.hint("reasoning_effort");
            Say::Silent
        }
    }
}

fn effort(reasoning: &Reasoning) -> Option<Effort> {
    let asked = match (reasoning.thinks, &reasoning.effort, reasoning.budget_tokens) {
        (Some(Thinks::No), _, _) | (None, None, None) => return None,
        (_, Some(effort), _) => effort.clone(),
        (_, None, Some(budget)) => Effort::of_budget(budget),
        (Some(Thinks::Yes | Thinks::Adaptively), None, None) => Effort::Medium,
    };
    (asked != Effort::None).then_some(asked)
}

const fn word(effort: &Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium | Effort::Other(_) => "medium",
        Effort::High | Effort::XHigh | Effort::Max => "high",
    }
}

/// Writes what is said to the maker for a foreign request.
pub(super) fn write(out: &mut Out, say: &Say) {
    match say {
        Say::Silent | Say::Claude(Think::Silent) => {}
        Say::Claude(Think::Budget(tokens)) => out.member("thinking", |out| {
            out.text("type", "enabled");
            out.number("budget_tokens", *tokens);
        }),
        Say::Claude(Think::Effort(word)) => {
            out.member("thinking", |out| out.text("type", "adaptive"));
            out.member("output_config", |out| out.text("effort", word));
        }
        Say::Nova(word) => out.member("reasoningConfig", |out| {
            out.text("type", "enabled");
            out.text("maxReasoningEffort", word);
        }),
        Say::Word(field, word) => out.text(field, word),
    }
}

/// Writes what a request of this dialect says, under the maker's field.
pub(super) fn write_own(out: &mut Out, maker: Maker, reasoning: &Reasoning) {
    let Reasoning { thinks, effort, budget_tokens, display } = reasoning;
    let nova = maker == Maker::Nova;
    let effort = effort.as_ref().map(Effort::name);
    if let Some(thinks) = thinks {
        out.member(if nova { "reasoningConfig" } else { "thinking" }, |out| {
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
            if let Some(effort) = effort.filter(|_| nova) {
                out.text("maxReasoningEffort", effort);
            }
        });
    }
    match (maker, effort) {
        (_, None) => {}
        (Maker::Nova, Some(_)) if thinks.is_some() => {}
        (Maker::Claude, Some(effort)) => {
            out.member("output_config", |out| out.text("effort", effort));
        }
        (Maker::Gpt, Some(effort)) => out.text("reasoning_effort", effort),
        (Maker::Nova | Maker::Other | Maker::Unknown, Some(effort)) => {
            out.text("reasoning_config", effort);
        }
    }
}
