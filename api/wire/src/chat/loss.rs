//! What a dialect could not say of what was asked in another.

use super::raw::Extra;
use crate::refusal::Refusal;

/// What to do about a part of a request that changes the answer and cannot be said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leniency {
    /// Refuse the request.
    #[default]
    Strict,
    /// Leave it out and report it.
    Lenient,
}

/// Something of a request that did not go on as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The field in the caller's dialect, e.g. `response_format`, `messages.cache_control`.
    pub field: String,
    /// What became of it.
    pub how: How,
}

/// What became of a field that has no counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Said by other means that come close.
    Emulated,
    /// Left out.
    Dropped,
}

/// Members that have no name here, or were given in a form not known, and without which the answer is
/// another; of every dialect that has some.
const CHANGES_ANSWER: [&str; 25] = [
    "audio",
    "background",
    "cachedContent",
    "container",
    "conversation",
    "documents",
    "function_call",
    "functions",
    "input",
    "instructions",
    "logit_bias",
    "max_output_tokens",
    "max_tokens",
    "mcp_servers",
    "modalities",
    "output_config",
    "previous_response_id",
    "prompt",
    "response_format",
    "stop",
    "stop_sequences",
    "text",
    "tool_choice",
    "tools",
    "web_search_options",
];

/// Gathers what could not be said while a request is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    leniency: Leniency,
    dropped: Vec<Dropped>,
}

impl Losses {
    /// Nothing lost yet.
    #[must_use]
    pub const fn new(leniency: Leniency) -> Self {
        Self { leniency, dropped: Vec::new() }
    }

    /// Every field once, in the order met.
    #[must_use]
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    pub(crate) fn note(&mut self, field: impl Into<String>, how: How) {
        let entry = Dropped { field: field.into(), how };
        if !self.dropped.contains(&entry) {
            self.dropped.push(entry);
        }
    }

    /// The field is said by other means.
    pub(crate) fn emulated(&mut self, field: &str) {
        self.note(field, How::Emulated);
    }

    /// The field is left out and changes nothing of substance: a hint, an account, a cache.
    pub(crate) fn hint(&mut self, field: &str) {
        self.note(field, How::Dropped);
    }

    /// Members of a foreign request that have no name here: those that change the answer are refused, of
    /// the others those are left out that are not `understood` by other means.
    pub(crate) fn members(
        &mut self,
        extra: &Extra,
        understood: &[&str],
        target: &str,
    ) -> Result<(), Refusal> {
        for key in extra.keys() {
            // What is only asked not to happen is no loss.
            let idle = matches!(extra.get(key), Some("false" | r#"["text"]"#));
            if CHANGES_ANSWER.contains(&key) && !idle {
                self.meaning(key, target)?;
            } else if !understood.contains(&key) {
                self.hint(key);
            }
        }
        Ok(())
    }

    /// The field changes the answer and cannot be said: refused, or left out for the lenient.
    pub(crate) fn meaning(&mut self, field: &str, target: &str) -> Result<(), Refusal> {
        match self.leniency {
            Leniency::Lenient => {
                self.note(field, How::Dropped);
                Ok(())
            }
            Leniency::Strict => {
                let say =
                    format!("'{field}' cannot be expressed for this model, which speaks {target}");
                Err(Refusal::invalid("unsupported_parameter", Some(field), say))
            }
        }
    }
}
