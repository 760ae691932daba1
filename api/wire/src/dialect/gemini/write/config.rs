//! `generationConfig`, written.

use super::super::config::HIDDEN;
use super::super::think::{Think, decide};
use crate::chat::{Format, Losses, Request, Target};
use crate::json::Out;

/// The configuration of a request as it will be written.
pub(super) struct Config<'a> {
    request: &'a Request,
    own: bool,
    think: Think,
}

impl<'a> Config<'a> {
    /// Decides how hard to think.
    pub(super) fn of(
        request: &'a Request,
        target: &Target<'_>,
        own: bool,
        losses: &mut Losses,
    ) -> Self {
        let think = if own { Think::Silent } else { decide(request, target, losses) };
        Self { request, own, think }
    }

    /// Writes the configuration if there is any.
    pub(super) fn write(&self, out: &mut Out) {
        let members = Out::object(|out| self.members(out));
        if members != b"{}" {
            out.raw("generationConfig", &String::from_utf8_lossy(&members));
        }
    }

    fn members(&self, out: &mut Out) {
        let request = self.request;
        let sampling = &request.sampling;
        let numbers = [
            ("temperature", &sampling.temperature),
            ("topP", &sampling.top_p),
            ("topK", &sampling.top_k),
            ("frequencyPenalty", &sampling.frequency_penalty),
            ("presencePenalty", &sampling.presence_penalty),
            ("seed", &sampling.seed),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                out.raw(key, value.as_str());
            }
        }
        if let Some(limit) = request.output_tokens_max {
            out.number("maxOutputTokens", limit);
        }
        if !request.stop.is_empty() {
            out.list("stopSequences", |out| {
                request.stop.iter().for_each(|text| out.text_item(text));
            });
        }
        if let Some(answers) = request.answers {
            out.number("candidateCount", answers);
        }
        if let Some(logprobs) = &request.logprobs {
            if let Some(on) = logprobs.on {
                out.boolean("responseLogprobs", on);
            }
            if let Some(top) = logprobs.top {
                out.number("logprobs", top);
            }
        }
        self.format(out);
        self.thinking(out);
        if self.own {
            out.extra(&request.output_extra);
        }
    }

    fn format(&self, out: &mut Out) {
        match &self.request.format {
            None => {}
            Some(Format::Text) => out.text("responseMimeType", "text/plain"),
            Some(Format::Json) => out.text("responseMimeType", "application/json"),
            Some(Format::Schema(schema)) => {
                out.text("responseMimeType", "application/json");
                out.raw("responseJsonSchema", schema.schema.as_str());
            }
        }
    }

    fn thinking(&self, out: &mut Out) {
        if self.own {
            return self.own_thinking(out);
        }
        let Some(asked) = &self.request.reasoning else { return };
        let shown = asked.display.as_deref() != Some(HIDDEN);
        match &self.think {
            Think::Silent => {}
            Think::Budget(tokens) => out.member("thinkingConfig", |out| {
                out.raw("thinkingBudget", &tokens.to_string());
                out.boolean("includeThoughts", shown && *tokens != 0);
            }),
            Think::Level(level) => out.member("thinkingConfig", |out| {
                out.text("thinkingLevel", level);
                out.boolean("includeThoughts", shown);
            }),
        }
    }

    fn own_thinking(&self, out: &mut Out) {
        use crate::chat::Thinks;
        let Some(asked) = &self.request.reasoning else { return };
        out.member("thinkingConfig", |out| {
            match (asked.thinks, asked.budget_tokens) {
                (Some(Thinks::No), _) => out.number("thinkingBudget", 0),
                (Some(Thinks::Adaptively), _) => out.raw("thinkingBudget", "-1"),
                (_, Some(budget)) => out.number("thinkingBudget", budget),
                (Some(Thinks::Yes) | None, None) => {}
            }
            if let Some(effort) = &asked.effort {
                out.text("thinkingLevel", effort.name());
            }
            if let Some(display) = &asked.display {
                out.boolean("includeThoughts", display != HIDDEN);
            }
        });
    }
}
