//! One event of a stream: what a gateway must know of it.

use super::reply::nested_usage;
use super::{read_error, read_usage};
use crate::json::{Kind, Malformed, Scanner};
use crate::provider_error::ProviderError;
use crate::usage::Usage;

/// Longer `data` or `url` texts are sound and pictures in base64, not words.
const MEDIA_BYTES_MIN: u64 = 256;

/// Base64 bytes of sound or picture for one token, at the least: 50 tokens a second of the tightest
/// codec.
const MEDIA_BYTES_PER_TOKEN: u64 = 64;

/// What one event says.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<ProviderError>,
    /// Entries of `choices`; `None` where there is no such array.
    pub(super) choices: Option<u32>,
    /// Choices that finish here, one bit for each of the first 64.
    pub(super) finished: u64,
    /// Bytes of generated text, arguments, reasoning: never less than their tokens.
    pub(super) output_bytes: u64,
}

impl Chunk {
    /// Reads the data of an event. Fails on what is no JSON object.
    pub(super) fn read(data: &[u8]) -> Result<Self, Malformed> {
        let mut chunk = Self::default();
        let mut scanner = Scanner::new(data);
        scanner.object(|scanner, member| chunk.member(scanner, &member.key))?;
        scanner.end()?;
        Ok(chunk)
    }

    /// Whether this is the chunk that a stream ends with when usage was asked for: counts, and nothing
    /// said.
    pub(super) const fn is_usage_only(&self) -> bool {
        self.usage.is_some()
            && self.error.is_none()
            && matches!(self.choices, None | Some(0))
            && self.output_bytes == 0
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Malformed> {
        match key {
            b"choices" if scanner.kind()? == Kind::Array => {
                let mut choices = 0;
                scanner.array(|scanner| {
                    choices += 1;
                    self.choice(scanner)
                })?;
                self.choices = Some(choices);
            }
            b"usage" => self.usage = merged(self.usage, read_usage(scanner)?),
            b"x_groq" => self.usage = merged(self.usage, nested_usage(scanner)?),
            b"error" if scanner.kind()? != Kind::Null => {
                let span = scanner.value()?;
                self.error = Some(read_error(scanner.slice(&span)));
            }
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn choice(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Malformed> {
        if scanner.kind()? != Kind::Object {
            return scanner.value().map(drop);
        }
        let mut index = 0;
        let mut finished = false;
        scanner.object(|scanner, member| {
            match &*member.key {
                b"delta" | b"text" => self.output_bytes += text_bytes(scanner)?,
                // Moonshot's older place.
                b"usage" => self.usage = merged(self.usage, read_usage(scanner)?),
                b"index" => {
                    let span = scanner.value()?;
                    let text = std::str::from_utf8(scanner.slice(&span)).unwrap_or_default();
                    index = text.parse::<u32>().unwrap_or(0);
                }
                b"finish_reason" => {
                    let span = scanner.value()?;
                    // Null, and Snowflake's empty text, finish nothing.
                    finished = span.len() > r#""""#.len() && scanner.slice(&span) != b"null";
                }
                _ => {
                    scanner.value()?;
                }
            }
            Ok::<(), Malformed>(())
        })?;
        if finished {
            self.finished |= 1 << index.min(63);
        }
        Ok(())
    }
}

fn merged(known: Option<Usage>, more: Option<Usage>) -> Option<Usage> {
    match (known, more) {
        (Some(known), Some(more)) => Some(known.max(more)),
        (known, more) => known.or(more),
    }
}

/// Bytes of all strings in the value that comes next but those that only frame it; media count by their
/// tokens. Escapes count as written, which is never less than what they mean.
fn text_bytes(scanner: &mut Scanner<'_>) -> Result<u64, Malformed> {
    match scanner.kind()? {
        Kind::String => Ok(scanner.value()?.len() as u64 - 2),
        Kind::Object => {
            let mut bytes = 0;
            scanner.object(|scanner, member| {
                if matches!(
                    &*member.key,
                    b"role" | b"type" | b"id" | b"refusal_id" | b"signature" | b"format"
                ) {
                    return scanner.value().map(drop);
                }
                let inner = text_bytes(scanner)?;
                let is_media = matches!(&*member.key, b"data" | b"url") && inner > MEDIA_BYTES_MIN;
                bytes += if is_media { inner / MEDIA_BYTES_PER_TOKEN } else { inner };
                Ok(())
            })?;
            Ok(bytes)
        }
        Kind::Array => {
            let mut bytes = 0;
            scanner.array::<Malformed>(|scanner| {
                bytes += text_bytes(scanner)?;
                Ok(())
            })?;
            Ok(bytes)
        }
        Kind::Number | Kind::True | Kind::False | Kind::Null => {
            scanner.value()?;
            Ok(0)
        }
    }
}
