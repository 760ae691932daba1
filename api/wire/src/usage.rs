//! What a provider says a call used.

/// Token counts of one answer, in one meaning for all providers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens, those read from or written to a prompt cache included.
    pub input_tokens: u64,
    /// Input tokens read from a prompt cache; part of `input_tokens`.
    pub cache_read_tokens: u64,
    /// Input tokens written to a prompt cache; part of `input_tokens`.
    pub cache_write_tokens: u64,
    /// All output tokens, reasoning included.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning; part of `output_tokens`.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// Field by field the larger of the two: usage repeated in a stream is cumulative, never a sum.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.max(other.input_tokens),
            cache_read_tokens: self.cache_read_tokens.max(other.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.max(other.cache_write_tokens),
            output_tokens: self.output_tokens.max(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.max(other.reasoning_tokens),
        }
    }
}
