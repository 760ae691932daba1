//! Usage objects, in all the spellings that OpenAI-shaped providers give them.

use crate::json::{Kind, Malformed, Scanner, unescape};
use crate::usage::{Service, Usage};

/// Counts as written; `None` where absent or no number.
#[derive(Default)]
struct Counts {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    audio_input: u64,
    audio_cached: u64,
    image_input: u64,
    reasoning: u64,
    audio_output: u64,
    image_output: u64,
    seconds: u64,
    web_searches: u64,
}

/// Reads the usage object that comes next. `None` for null and for objects without any count.
pub(crate) fn read_usage(scanner: &mut Scanner<'_>) -> Result<Option<Usage>, Malformed> {
    if scanner.kind()? != Kind::Object {
        scanner.value()?;
        return Ok(None);
    }
    let mut counts = Counts::default();
    scanner.object(|scanner, member| match &*member.key {
        b"prompt_tokens_details"
        | b"prompt_token_details"
        | b"input_tokens_details"
        | b"input_token_details" => input(scanner, &mut counts),
        b"completion_tokens_details" | b"output_tokens_details" | b"output_token_details" => {
            output(scanner, &mut counts)
        }
        b"server_tool_use" => details(scanner, |key, value| {
            if key == b"web_search_requests" {
                counts.web_searches = value;
            }
        }),
        b"cache_creation" => details(scanner, |key, value| {
            if key == b"ephemeral_1h_input_tokens" {
                counts.cache_write_1h = value;
            }
        }),
        key => number(scanner).map(|value| counts.add(key, value)),
    })?;
    Ok(counts.meaning())
}

/// Reads the class of service that comes next, where it is a word that names one.
pub(super) fn read_service(scanner: &mut Scanner<'_>) -> Result<Option<Service>, Malformed> {
    let kind = scanner.kind()?;
    let span = scanner.value()?;
    let word = unescape(scanner.slice(&span)).filter(|_| kind == Kind::String);
    Ok(word.and_then(|word| Service::named(&word)))
}

/// Counts with the class of service that stands beside them.
pub(super) fn served(usage: Option<Usage>, service: Option<Service>) -> Option<Usage> {
    usage.map(|usage| Usage { service: service.or(usage.service), ..usage })
}

fn input(scanner: &mut Scanner<'_>, counts: &mut Counts) -> Result<(), Malformed> {
    if scanner.kind()? != Kind::Object {
        return scanner.value().map(drop);
    }
    let read = scanner.object(|scanner, member| {
        if &*member.key == b"cached_tokens_details" {
            return details(scanner, |key, value| {
                if key == b"audio_tokens" {
                    counts.audio_cached = value;
                }
            });
        }
        let value = number(scanner)?.unwrap_or(0);
        match &*member.key {
            b"cached_tokens" => counts.cache_read = counts.cache_read.max(value),
            b"cache_write_tokens" => counts.cache_write = counts.cache_write.max(value),
            b"audio_tokens" => counts.audio_input = value,
            b"image_tokens" => counts.image_input = value,
            _ => {}
        }
        Ok(())
    });
    read.map(drop)
}

fn output(scanner: &mut Scanner<'_>, counts: &mut Counts) -> Result<(), Malformed> {
    details(scanner, |key, value| match key {
        b"reasoning_tokens" => counts.reasoning = counts.reasoning.max(value),
        b"audio_tokens" => counts.audio_output = value,
        b"image_tokens" => counts.image_output = value,
        _ => {}
    })
}

fn details(scanner: &mut Scanner<'_>, mut add: impl FnMut(&[u8], u64)) -> Result<(), Malformed> {
    if scanner.kind()? != Kind::Object {
        return scanner.value().map(drop);
    }
    let read = scanner.object(|scanner, member| {
        let value = number(scanner)?;
        add(&member.key, value.unwrap_or(0));
        Ok(())
    });
    read.map(drop)
}

/// A count; fractions are rounded up, negative numbers are 0, other kinds are none.
fn number(scanner: &mut Scanner<'_>) -> Result<Option<u64>, Malformed> {
    let kind = scanner.kind()?;
    let span = scanner.value()?;
    if kind != Kind::Number {
        return Ok(None);
    }
    let text = std::str::from_utf8(scanner.slice(&span)).unwrap_or_default();
    // Saturating: a count, not money, and no provider writes fractions of tokens on purpose.
    Ok(text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|value| value.ceil() as u64)))
}

impl Counts {
    fn add(&mut self, key: &[u8], value: Option<u64>) {
        let Some(value) = value else { return };
        match key {
            b"prompt_tokens" | b"input_tokens" => self.prompt = Some(value),
            b"completion_tokens" | b"output_tokens" => self.completion = Some(value),
            b"total_tokens" => self.total = Some(value),
            b"cached_tokens"
            | b"num_cached_tokens"
            | b"prompt_cache_hit_tokens"
            | b"cache_read_input_tokens" => {
                self.cache_read = self.cache_read.max(value);
            }
            b"cache_creation_input_tokens" => self.cache_write = self.cache_write.max(value),
            b"reasoning_tokens" => self.reasoning = self.reasoning.max(value),
            // A transcription billed by its length; and Mistral's, told beside the tokens.
            b"seconds" | b"prompt_audio_seconds" => self.seconds = value,
            // Perplexity's.
            b"num_search_queries" => self.web_searches = self.web_searches.max(value),
            _ => {}
        }
    }
}

impl Counts {
    /// The one meaning of the counts, whatever the provider leaves out of which sum.
    fn meaning(&self) -> Option<Usage> {
        let Self { prompt, completion, total, .. } = *self;
        if prompt.or(completion).or(total).is_none() && self.seconds == 0 {
            return None;
        }
        let mut output_tokens = completion.unwrap_or(0);
        let mut input_tokens =
            prompt.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(output_tokens));
        // More in the total than in its parts: audio left out of the prompt (Mistral), else reasoning
        // left out of the completion (xAI, Gemini).
        let gap = total.unwrap_or(0).saturating_sub(input_tokens.saturating_add(output_tokens));
        if gap > 0 && gap == self.audio_input && gap != self.reasoning {
            input_tokens += gap;
        } else {
            output_tokens += gap;
        }
        // Left out of the total as well (Vercel's gateway, by the cost it states). Where reasoning is
        // only a little more than the completion, it is an estimate of a part of it (OpenRouter, vLLM).
        if gap == 0 && self.reasoning / 2 > output_tokens {
            output_tokens = output_tokens.saturating_add(self.reasoning);
        }
        // Some counts of cached tokens exceed the prompt (Grok on Azure). Writing costs most, so it is
        // kept whole.
        let cache_write_tokens = self.cache_write.min(input_tokens);
        let cache_read_tokens = self.cache_read.min(input_tokens - cache_write_tokens);
        let audio_input_tokens = self.audio_input.min(input_tokens);
        Some(Usage {
            input_tokens,
            cache_read_tokens,
            cache_write_tokens,
            cache_write_1h_tokens: self.cache_write_1h.min(cache_write_tokens),
            audio_input_tokens,
            audio_cache_read_tokens: self
                .audio_cached
                .min(audio_input_tokens)
                .min(cache_read_tokens),
            image_input_tokens: self.image_input.min(input_tokens),
            output_tokens,
            reasoning_tokens: self.reasoning.min(output_tokens),
            audio_output_tokens: self.audio_output.min(output_tokens),
            image_output_tokens: self.image_output.min(output_tokens),
            input_ms: self.seconds.saturating_mul(1_000),
            web_searches: self.web_searches,
            ..Usage::default()
        })
    }
}
