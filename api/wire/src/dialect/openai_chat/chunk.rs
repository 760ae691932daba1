//! One event of a stream: what a gateway must know of it.
//!
//! Most events hold a few words and nothing else. They are recognised by four searches and only their
//! delta is read; every other event is read whole.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::reply::nested_usage;
use super::{read_error, read_service, read_usage, served};
use crate::json::{Kind, Malformed, Scanner};
use crate::provider_error::ProviderError;
use crate::usage::{Service, Usage};

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
    /// The class of service it was served at.
    pub(super) service: Option<Service>,
    /// Entries of `choices`; `None` where there is no such array.
    pub(super) choices: Option<u32>,
    /// Choices that finish here, one bit for each of the first 64.
    pub(super) finished: u64,
    /// Bytes of generated text, arguments, reasoning: never less than their tokens.
    pub(super) output_bytes: u64,
}

impl Chunk {
    /// Reads the data of an event. Fails on what is no JSON object; what is broken in an event that
    /// holds only words may pass.
    pub(super) fn read(data: &[u8]) -> Result<Self, Malformed> {
        match words(data) {
            Some(output_bytes) => Ok(Self { choices: Some(1), output_bytes, ..Self::default() }),
            None => Self::read_whole(data),
        }
    }

    /// Reads all of the data, whatever it holds.
    pub(super) fn read_whole(data: &[u8]) -> Result<Self, Malformed> {
        let mut chunk = Self::default();
        let mut scanner = Scanner::new(data);
        scanner.object(|scanner, member| chunk.member(scanner, &member.key))?;
        scanner.end()?;
        chunk.usage = served(chunk.usage, chunk.service);
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
            b"service_tier" => self.service = read_service(scanner)?.or(self.service),
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

/// Keys by which an event is told to hold only words. A quote inside a JSON string is escaped, so what
/// is found is a key or a whole string; only a key is followed by a colon.
struct Keys {
    usage: Finder<'static>,
    error: Finder<'static>,
    finish_reason: Finder<'static>,
    delta: Finder<'static>,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    usage: Finder::new(br#""usage""#),
    error: Finder::new(br#""error""#),
    finish_reason: Finder::new(br#""finish_reason""#),
    delta: Finder::new(br#""delta":"#),
});

/// The bytes of the deltas, if the event says nothing else that matters: no usage, no error, no reason
/// to finish but null.
fn words(data: &[u8]) -> Option<u64> {
    let keys = &*KEYS;
    let null_only = |key: &Finder<'_>| {
        let mut values = key.find_iter(data).map(|at| &data[at + key.needle().len()..]);
        values.all(|value| value.starts_with(b":null") || value.starts_with(b": null"))
    };
    if !null_only(&keys.usage) || !null_only(&keys.finish_reason) || !null_only(&keys.error) {
        return None;
    }
    let mut deltas = keys.delta.find_iter(data).peekable();
    deltas.peek()?;
    deltas.try_fold(0, |bytes, at| {
        let delta = &data[at + keys.delta.needle().len()..];
        Some(bytes + text_bytes(&mut Scanner::new(delta)).ok()?)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_words_are_read_like_all_others() {
        let cases = [
            (
                r#"{"choices":[{"index":0,"delta":{"content":"é\n"},"finish_reason":null}],"usage":null}"#,
                true,
            ),
            (r#"{"choices":[{"delta":{"role":"assistant","content":null,"refusal":"no"}}]}"#, true),
            (
                r#"{"choices":[{"delta":{"content":"a"}},{"index":1,"delta":{"content":"bc"}}]}"#,
                true,
            ),
            (r#"{"choices":[{"delta":{"content":" \"usage\":{ \"delta\":"}}]}"#, true),
            (
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"x","function":{"arguments":"{\"a\":1}"}}]}}]}"#,
                true,
            ),
            (r#"{"choices":[{"delta":{"content":"usage"}}]}"#, false),
            (r#"{"choices":[{"delta":{"content":"delta"},"finish_reason":"stop"}]}"#, false),
            (
                r#"{"choices":[{"delta":{"content":"a"}}],"x_groq":{"usage":{"prompt_tokens":1}}}"#,
                false,
            ),
            (r#"{"choices":[{"delta":{"content":"a"}}],"error":{"message":"x"}}"#, false),
            (r#"{"choices":[{"text":"a","finish_reason":null}]}"#, false),
            (r#"{"choices":[],"usage":{"prompt_tokens":1}}"#, false),
        ];
        for (data, only_words) in cases {
            let (quick, whole) = (Chunk::read(data.as_bytes()), Chunk::read_whole(data.as_bytes()));
            let (quick, whole) = (quick.unwrap(), whole.unwrap());
            assert_eq!(words(data.as_bytes()).is_some(), only_words, "{data}");
            assert_eq!(quick.output_bytes, whole.output_bytes, "{data}");
            assert_eq!((quick.usage, quick.finished), (whole.usage, whole.finished), "{data}");
            assert_eq!(
                (&quick.error, quick.is_usage_only()),
                (&whole.error, whole.is_usage_only()),
                "{data}"
            );
        }
    }

    #[test]
    fn sound_and_pictures_count_by_their_tokens() {
        let sound = "A".repeat(6400);
        let data = format!(
            r#"{{"choices":[{{"delta":{{"audio":{{"data":"{sound}","transcript":"hi"}}}}}}]}}"#
        );
        assert_eq!(Chunk::read(data.as_bytes()).unwrap().output_bytes, 102);
    }
}
