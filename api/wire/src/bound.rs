//! How many tokens a call can have, known before it is sent and without a tokenizer.
//!
//! Every byte-level tokenizer gives each token at least one byte of the text, and JSON never writes a
//! text shorter than it is. So the bytes of the body bound the tokens of its text; what the provider's
//! template adds around messages and tools is bounded by constants, images by the dearest formula known.

use crate::call::{Call, Operation, Work};

/// Tokens a template adds to a request: begin marks, a default system line, the date.
const REQUEST_TOKENS: u64 = 64;

/// Families of models that are served with a prompt of their own, and the most tokens counted for it in
/// recorded traffic, with a margin. Hosts may add prompts to any model; see [`hidden_prompt_tokens`].
const HIDDEN_PROMPTS: &[(&str, u64)] = &[
    ("grok-3", 256),
    ("grok-4", 768),
    ("devstral", 1408),
    ("mistral-small", 448),
    ("magistral", 1408),
];

/// Tokens a template adds to a message beyond the bytes its JSON already counts (`{"role":…}`).
const MESSAGE_TOKENS: u64 = 8;

/// Tokens of the instructions that come with tools.
const TOOLS_TOKENS: u64 = 1024;

/// Tokens a template adds to a tool.
const TOOL_TOKENS: u64 = 32;

/// Tokens of a tool that the provider describes by itself, with a margin: Anthropic's for computers, files and
/// shells took 330 to 530 each in recorded traffic.
const DESCRIBED_TOOL_TOKENS: u64 = 1024;

/// Tokens of the instructions that come with a schema for the answer.
const SCHEMA_TOKENS: u64 = 512;

/// Most tokens of one image: gpt-4o-mini at high detail, 2,833 and 5,667 for each of eight tiles.
pub const IMAGE_TOKENS_MAX: u64 = 48_169;

/// Tokens around one audio clip. Its own tokens are fewer than its bytes: 32 a second at most, and no
/// codec takes less than 500 bytes for a second.
const AUDIO_TOKENS: u64 = 64;

/// Most tokens of a picture that is made: gpt-image-1 at high quality, 1,024 by 1,536.
const PICTURE_TOKENS: u64 = 6_240;

/// Tokens of a preview in a stream of pictures.
const PREVIEW_TOKENS: u64 = 100;

/// Pixels of the picture whose tokens are known.
const PICTURE_PIXELS: u64 = 1_024 * 1_536;

/// Most tokens of a second of sound: Gemini's. OpenAI counts 10, Mistral 13.
const SOUND_TOKENS_PER_S: u64 = 32;

/// Families of models whose reasoning is billed on top of the caller's output limit.
const REASONS_BEYOND_LIMIT: &[&str] = &["grok-3-mini", "grok-4", "grok-code"];

/// Tokens by which providers overstep an output limit: OpenRouter raises small ones to 16, and stop
/// marks are counted by some.
const OUTPUT_SLACK_TOKENS: u64 = 16;

/// A bound on the input tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputBound {
    /// Never more than this.
    Tokens(u64),
    /// Some content cannot be bounded from the body: only the model's context limit holds.
    Unknown,
}

impl InputBound {
    /// The bound, given the model's own limit where known. `None` if nothing bounds the input.
    #[must_use]
    pub fn within(self, context_tokens: Option<u64>) -> Option<u64> {
        match (self, context_tokens) {
            (Self::Tokens(tokens), Some(context)) => Some(tokens.min(context)),
            (Self::Tokens(tokens), None) => Some(tokens),
            (Self::Unknown, context) => context,
        }
    }
}

/// Tokens of the prompt that a model is known to be served with, unseen by the caller; 0 for most.
///
/// Add what a host puts before every model, where it is known.
#[must_use]
pub fn hidden_prompt_tokens(model: &str) -> u64 {
    let known = HIDDEN_PROMPTS.iter().find(|(family, _)| model.contains(family));
    known.map_or(0, |(_, tokens)| *tokens)
}

/// Bounds the input tokens that a provider can count for this call, `hidden_tokens` being those of the
/// prompt that the model is served with.
///
/// Holds for what is in the request. A model that searches the web by itself puts more into its context
/// than the caller sent; for a request that asks for such tools the answer is [`InputBound::Unknown`].
#[must_use]
pub fn input_tokens(call: &Call, hidden_tokens: u64) -> InputBound {
    if call.media.unbounded > 0 {
        return InputBound::Unknown;
    }
    let tools = if call.tools == 0 { 0 } else { TOOLS_TOKENS + call.tools * TOOL_TOKENS };
    let tools = tools + call.described_tools * DESCRIBED_TOOL_TOKENS;
    let schema = if call.schema { SCHEMA_TOKENS } else { 0 };
    let media = call.media.images * IMAGE_TOKENS_MAX
        + call.media.audio_bytes
        + call.media.audio * AUDIO_TOKENS;
    // No sum overflows: every count is at most the length of the body.
    let text = call.input_bytes + call.messages * MESSAGE_TOKENS;
    InputBound::Tokens(REQUEST_TOKENS + hidden_tokens + text + tools + schema + media)
}

/// Bounds the search units a provider can bill for this call; none but for a reranking.
///
/// A unit is one question with up to a hundred documents. Cohere cuts documents into chunks of 500 tokens with
/// the question in them, of which at most half is the question, and counts each chunk as a document.
#[must_use]
pub fn search_units(call: &Call) -> u64 {
    if call.operation != Operation::Rerank {
        return 0;
    }
    let chunks = call.messages.saturating_add(call.input_bytes / 250);
    chunks.div_ceil(100)
}

/// What a request is made of beside text, in bytes, and how many of the rest there are for each ten tokens:
/// fitted to recorded prompts, half of which are then within 40 % of what was counted.
const REQUEST_BYTES: u64 = 120;
const MESSAGE_BYTES: u64 = 7;
const TOOL_BYTES: u64 = 67;
const BYTES_PER_TEN_TOKENS: u64 = 62;
/// Tokens around a message, and fewest of a request.
const MESSAGE_TOKENS_USUAL: u64 = 7;
const TOKENS_MIN: u64 = 8;

/// Tokens of an ordinary picture.
const IMAGE_TOKENS: u64 = 800;

/// Bytes of sound in base64 for each token.
const AUDIO_BYTES_PER_TOKEN: u64 = 400;

/// About how many input tokens a provider will count, to choose where a call goes; no bound.
#[must_use]
pub fn estimate(call: &Call, hidden_tokens: u64) -> u64 {
    let marks = REQUEST_BYTES + MESSAGE_BYTES * call.messages + TOOL_BYTES * call.tools;
    let text = call.input_bytes.saturating_sub(marks) * 10 / BYTES_PER_TEN_TOKENS;
    let media = call.media.images * IMAGE_TOKENS + call.media.audio_bytes / AUDIO_BYTES_PER_TOKEN;
    let talk = text + MESSAGE_TOKENS_USUAL * call.messages;
    hidden_tokens + media + talk.max(TOKENS_MIN)
}

/// Bounds the output tokens of the pictures that a call asks for. Larger ones than are documented count by
/// their pixels; where the provider chooses, as the largest that it is known to choose.
#[must_use]
pub fn picture_tokens(work: &Work) -> u64 {
    let pixels = u64::from(work.picture.width) * u64::from(work.picture.height);
    let larger = pixels.div_ceil(PICTURE_PIXELS).max(1);
    let each = PICTURE_TOKENS.saturating_mul(larger);
    let previews = PREVIEW_TOKENS.saturating_mul(work.previews);
    work.images.saturating_mul(each.saturating_add(previews))
}

/// Bounds the tokens of sound that lasts so long.
#[must_use]
pub const fn sound_tokens(ms: u64) -> u64 {
    ms.saturating_mul(SOUND_TOKENS_PER_S).div_ceil(1_000).saturating_add(AUDIO_TOKENS)
}

/// Bounds the output tokens a provider can count for one choice under the limit it was given. `None`
/// where the limit does not hold for what the model thinks: only the model's own maximum does.
#[must_use]
pub fn output_tokens(model: &str, limit: u64) -> Option<u64> {
    let beyond = REASONS_BEYOND_LIMIT.iter().any(|family| model.contains(family));
    if beyond { None } else { limit.checked_add(OUTPUT_SLACK_TOKENS) }
}
