//! OpenAI itself.

use super::{Provider, Quirks};
use crate::splice::OutputField;

/// `https://api.openai.com/v1`
#[derive(Debug, Clone, Copy)]
pub struct OpenAi;

impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn quirks(&self) -> Quirks {
        // Reasoning models refuse `max_tokens`; all chat models take the newer field.
        Quirks { ask_usage: true, output_field: OutputField::MaxCompletionTokens }
    }
}
