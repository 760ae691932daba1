//! A whole answer out of the events of a stream.

use super::answer::{Answer, Choice};
use super::event::{Delta, Event};
use super::part::{Body, Part, Source, Text};
use crate::provider_error::ProviderError;
use crate::usage::Usage;

/// Gathers events.
#[derive(Debug, Default)]
pub struct Collector {
    answer: Answer,
    failed: Option<ProviderError>,
    whole: bool,
}

impl Collector {
    /// Nothing gathered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event.
    pub fn push(&mut self, event: &Event) {
        match event {
            Event::Start { dialect, id, model, created_s } => {
                self.answer.dialect = dialect;
                self.answer.id.clone_from(id);
                self.answer.model.clone_from(model);
                self.answer.created_s = *created_s;
            }
            Event::Begin { choice, body, .. } => {
                let body = (**body).clone();
                self.choice(*choice).parts.push(body);
            }
            Event::Delta { choice, part, delta } => {
                if let Some(part) = self.choice(*choice).parts.get_mut(*part as usize) {
                    append(part, delta);
                }
            }
            Event::Logprobs { choice, likely } => {
                self.choice(*choice).logprobs.push(likely.clone())
            }
            Event::Finish { choice, finish, stop_sequence } => {
                let choice = self.choice(*choice);
                choice.finish.clone_from(finish);
                choice.stop_sequence.clone_from(stop_sequence);
            }
            Event::Usage(counts) => {
                let known = self.answer.counts.unwrap_or_default();
                self.answer.counts = Some(Usage::max(known, *counts));
            }
            Event::Failed(error) => self.failed = Some((**error).clone()),
            Event::Whole => self.whole = true,
            Event::End { .. } | Event::Ping => {}
        }
    }

    /// Whether the stream said that it is whole.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The failure that the stream reported.
    #[must_use]
    pub const fn failed(&self) -> Option<&ProviderError> {
        self.failed.as_ref()
    }

    /// What was gathered.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        self.answer
    }

    fn choice(&mut self, index: u32) -> &mut Choice {
        let choices = &mut self.answer.choices;
        let at = choices.iter().position(|choice| choice.index == index).unwrap_or_else(|| {
            choices.push(Choice { index, ..Choice::default() });
            choices.len() - 1
        });
        &mut choices[at]
    }
}

/// Appends to a part; what does not fit its kind is no part of it.
pub(crate) fn append(part: &mut Part, delta: &Delta) {
    match (delta, &mut part.body) {
        (Delta::Text(more), Body::Text(Text { text, .. }) | Body::Refusal(text)) => {
            text.push_str(more)
        }
        (Delta::Text(more), Body::Thinking(thinking)) => thinking.text.push_str(more),
        (Delta::Arguments(more), Body::ToolCall(call)) => call.arguments.push_str(more),
        (Delta::Citation(more), Body::Text(text)) => text.citations.push(more.clone()),
        (Delta::Audio(more), Body::Audio(media)) => {
            if let Source::Base64 { data, .. } = &mut media.source {
                data.push_str(more);
            }
        }
        (Delta::Signature(more), _) => {
            part.signature.get_or_insert_default().push_str(more);
        }
        (
            Delta::Text(_) | Delta::Arguments(_) | Delta::Citation(_) | Delta::Audio(_),
            Body::Text(_)
            | Body::Refusal(_)
            | Body::Thinking(_)
            | Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_),
        ) => {}
    }
}
