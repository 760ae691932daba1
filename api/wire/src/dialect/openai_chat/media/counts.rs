//! A plain answer: what it used. It goes on to the caller as it is.

use crate::call::{Matter, Operation};
use crate::dialect::openai_chat::{read_error, read_usage};
use crate::json::{Kind, Malformed, Scanner, text};
use crate::provider_error::ProviderError;
use crate::relay::Reply;
use crate::usage::{Picture, Usage};

/// Reads a body that came with a success status. A transcription may be bare text.
pub(in super::super) fn reply(operation: Operation, body: &[u8]) -> Reply {
    let matter = operation.matter();
    let bare = matter == Matter::Recordings && !body.trim_ascii_start().starts_with(b"{");
    if bare {
        return Reply { output_bytes: body.len() as u64, ..Reply::default() };
    }
    match Body::read(body) {
        Ok(parts) => parts.meaning(matter),
        Err(Malformed { at, .. }) => {
            let say =
                format!("the provider's answer is not a JSON object (byte {at} of {})", body.len());
            Reply { fault: Some(ProviderError::unreadable(say)), ..Reply::default() }
        }
    }
}

/// The members of an answer that matter here.
#[derive(Default)]
struct Body {
    usage: Option<Usage>,
    error: Option<ProviderError>,
    /// `data`, `results` or `text` is there.
    answers: bool,
    images: u64,
    size: String,
    quality: String,
    /// As the provider rounds it.
    duration_ms: u64,
    text_bytes: usize,
}

impl Body {
    fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut parts = Self::default();
        let mut scanner = Scanner::new(body);
        scanner.object(|scanner, member| parts.member(scanner, &member.key))?;
        scanner.end()?;
        Ok(parts)
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Malformed> {
        let kind = scanner.kind()?;
        match key {
            b"usage" => self.usage = read_usage(scanner)?,
            b"error" if kind != Kind::Null => {
                let span = scanner.value()?;
                self.error = Some(read_error(scanner.slice(&span)));
            }
            b"data" if kind == Kind::Array => {
                self.answers = true;
                scanner.array::<Malformed>(|scanner| {
                    self.images += 1;
                    scanner.value().map(drop)
                })?;
            }
            b"results" | b"text" | b"segments" | b"words" => {
                self.answers = true;
                self.text_bytes += scanner.value()?.len();
            }
            b"size" | b"quality" | b"duration" => {
                let span = scanner.value()?;
                let value = String::from_utf8_lossy(scanner.slice(&span)).into_owned();
                self.word(key, &value);
            }
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    fn word(&mut self, key: &[u8], value: &str) {
        let word = text(value);
        match key {
            b"size" => self.size = word.unwrap_or_default(),
            b"quality" => self.quality = word.unwrap_or_default(),
            // Older answers have the number as text. A length, not money.
            _ => self.duration_ms = ms(word.as_deref().unwrap_or(value)),
        }
    }

    fn meaning(self, matter: Matter) -> Reply {
        let fault = if self.answers { None } else { self.error };
        let said = self.usage;
        let usage = match matter {
            Matter::Text | Matter::Speech | Matter::Kept => said,
            Matter::Pictures if !self.answers => said,
            Matter::Pictures => Some(Usage {
                images: self.images,
                picture: Picture::named(&self.size, &self.quality),
                ..said.map(pictured).unwrap_or_default()
            }),
            Matter::Recordings => {
                let heard = Usage { input_ms: self.duration_ms, ..Usage::default() };
                said.map(|said| said.max(heard)).or((self.duration_ms > 0).then_some(heard))
            }
        };
        Reply { usage, fault, output_bytes: self.text_bytes as u64 }
    }
}

/// Tokens of which nothing else is said are those of the pictures.
pub(super) fn pictured(usage: Usage) -> Usage {
    match usage.image_output_tokens {
        0 => Usage { image_output_tokens: usage.output_tokens, ..usage },
        _ => usage,
    }
}

/// Milliseconds of seconds with a fraction, rounded up.
fn ms(seconds: &str) -> u64 {
    let (whole, part) = seconds.trim().split_once('.').unwrap_or((seconds.trim(), ""));
    let Ok(whole) = whole.parse::<u64>() else { return 0 };
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    let thousandths = format!("{:0<3.3}", &part[..digits]).parse().unwrap_or(0);
    let more = part[..digits].bytes().skip(3).any(|digit| digit != b'0');
    whole.saturating_mul(1_000).saturating_add(thousandths + u64::from(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_to_the_millisecond_and_never_rounded_down() {
        let cases = [
            ("4", 4_000),
            ("5.495999813079834", 5_496),
            ("0.1", 100),
            ("2.0000000", 2_000),
            ("x", 0),
            ("-1", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(ms(text), expected, "{text}");
        }
    }

    #[test]
    fn pictures_are_counted_and_measured_beside_their_tokens() {
        let body = br#"{"data":[{"url":"a"},{"url":"b"}],"size":"1024x1536","quality":"high","usage":{"input_tokens":22,"input_tokens_details":{"image_tokens":2},"output_tokens":9}}"#;
        let usage = reply(Operation::ImageEdits, body).usage.unwrap();
        assert_eq!((usage.images, usage.picture), (2, Picture::named("1024x1536", "high")));
        assert_eq!((usage.input_tokens, usage.image_input_tokens), (22, 2));
        assert_eq!((usage.output_tokens, usage.image_output_tokens), (9, 9));
        let bare =
            reply(Operation::Images, br#"{"created":1,"data":[{"url":"a"}]}"#).usage.unwrap();
        assert_eq!(bare, Usage { images: 1, ..Usage::default() });
    }

    #[test]
    fn a_transcription_tells_its_length_or_is_bare_text() {
        let of = |body: &str| reply(Operation::Transcriptions, body.as_bytes());
        let ms = |body: &str| of(body).usage.map(|usage| usage.input_ms);
        assert_eq!(ms(r#"{"text":"a","usage":{"type":"duration","seconds":4}}"#), Some(4_000));
        assert_eq!(ms(r#"{"text":"a","duration":"2.5"}"#), Some(2_500));
        assert_eq!(ms(r#"{"text":"a"}"#), None);
        let bare = of("WEBVTT\n\n");
        assert_eq!((bare.usage, bare.fault, bare.output_bytes), (None, None, 8));
        assert_eq!(of(r#"{"error":{"message":"no","code":429}}"#).fault.unwrap().status, 429);
        assert!(of(r#"{"text":"#).fault.is_some());
    }
}
