//! Any server that speaks OpenAI's dialect: vLLM, llama.cpp, Ollama, and most clouds.

use super::{Provider, Quirks};
use crate::splice::OutputField;

/// A base URL that an operator names.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiCompatible;

impl Provider for OpenAiCompatible {
    fn name(&self) -> &'static str {
        "openai-compatible"
    }

    fn quirks(&self) -> Quirks {
        Quirks { ask_usage: true, output_field: OutputField::MaxTokens }
    }
}
