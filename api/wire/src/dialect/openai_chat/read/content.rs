//! What the model is to read: messages, prompts, inputs, tools.

use std::ops::Range;

use crate::call::Media;
use crate::field_value::{Stop, count, expect, wrong_type};
use crate::json::{Kind, Malformed, Member, Scanner};

/// Fields that make the provider put more into the context than the caller sent.
const PROVIDER_TOOLS: [&[u8]; 4] =
    [b"web_search_options", b"search_parameters", b"plugins", b"compound_custom"];

/// Counts of the content, gathered while it is read over.
#[derive(Default)]
pub(super) struct Content {
    pub(super) messages: u64,
    pub(super) tools: u64,
    pub(super) media: Media,
    /// Bytes of the body taken by inline media.
    pub(super) media_bytes: usize,
    pub(super) schema: bool,
}

impl Content {
    /// `tools`, whoever runs them.
    pub(super) fn tools(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Array {
            self.tools += count(scanner, "tools")?;
            return Ok(());
        }
        scanner.array(|scanner| {
            expect(scanner, Kind::Object, "tools")?;
            let mut ours = true;
            scanner.object::<Malformed>(|scanner, member| {
                let span = scanner.value()?;
                if &*member.key == b"type" {
                    ours = matches!(scanner.slice(&span), br#""function""# | br#""custom""#);
                }
                Ok(())
            })?;
            self.tools += 1;
            self.media.unbounded += u64::from(!ours);
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    /// `messages` of a chat.
    pub(super) fn messages(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Array, "messages")?;
        let mut messages = 0;
        scanner.array(|scanner| {
            messages += 1;
            expect(scanner, Kind::Object, "messages")?;
            scanner.object(|scanner, member| self.message_member(scanner, &member)).map(drop)
        })?;
        self.messages = messages;
        Ok(())
    }

    fn message_member(
        &mut self,
        scanner: &mut Scanner<'_>,
        member: &Member<'_>,
    ) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        match &*member.key {
            b"content" if kind == Kind::Array => {
                scanner.array(|scanner| self.part(scanner))?;
            }
            // An earlier spoken answer, by reference.
            b"audio" if kind == Kind::Object => {
                self.media.unbounded += 1;
                scanner.value()?;
            }
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    /// One part of a message's content.
    fn part(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Object {
            scanner.value()?;
            return Ok(());
        }
        let mut part = Part::default();
        scanner.object::<Malformed>(|scanner, member| {
            let span = scanner.value()?;
            match &*member.key {
                b"type" => part.is_text = is_text(scanner.slice(&span)),
                b"image_url" => part.image = Some(span),
                b"input_audio" => part.audio = Some(span),
                _ => {}
            }
            Ok(())
        })?;
        let media = &mut self.media;
        match part {
            Part { image: Some(span), .. } => {
                media.images += 1;
                self.media_bytes += span.len();
            }
            Part { audio: Some(span), .. } => {
                media.audio += 1;
                media.audio_bytes += span.len() as u64;
                self.media_bytes += span.len();
            }
            Part { is_text: true, .. } => {}
            Part { .. } => media.unbounded += 1,
        }
        Ok(())
    }

    /// `prompt` or `input`: a text, a list of token ids, or a list of either.
    pub(super) fn text(
        &mut self,
        scanner: &mut Scanner<'_>,
        name: &'static str,
    ) -> Result<(), Stop> {
        match scanner.kind()? {
            Kind::Array => {
                let (mut texts, mut tokens) = (0, 0);
                let mut token_bytes = 0;
                scanner.array::<Malformed>(|scanner| {
                    let kind = scanner.kind()?;
                    texts += u64::from(kind != Kind::Number);
                    // Some models embed pictures, given as objects.
                    self.media.unbounded += u64::from(kind == Kind::Object);
                    let span = scanner.value()?;
                    if kind == Kind::Number {
                        (tokens, token_bytes) = (tokens + 1, token_bytes + span.len() + 1);
                    } else if kind == Kind::Array {
                        let list = scanner.slice(&span);
                        if list.iter().all(|byte| b"[], \n\r\t0123456789".contains(byte)) {
                            let commas = list.iter().filter(|byte| **byte == b',').count();
                            (tokens, token_bytes) = (tokens + commas + 1, token_bytes + list.len());
                        }
                    }
                    Ok(())
                })?;
                self.messages = texts;
                // A token is written in some bytes, and is one.
                self.media_bytes += token_bytes.saturating_sub(tokens);
            }
            Kind::String | Kind::Null => {
                scanner.value()?;
            }
            other @ (Kind::Object | Kind::Number | Kind::True | Kind::False) => {
                return Err(wrong_type(name, "a string or an array", other).into());
            }
        }
        Ok(())
    }

    /// `response_format`.
    pub(super) fn response_format(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let span = scanner.value()?;
        self.schema = memchr::memmem::find(scanner.slice(&span), b"json_schema").is_some();
        Ok(())
    }

    /// A field that nobody acts on, but that may name tools.
    pub(super) fn other(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Stop> {
        let given = scanner.kind()? != Kind::Null;
        scanner.value()?;
        if given && PROVIDER_TOOLS.contains(&key) {
            self.media.unbounded += 1;
        }
        Ok(())
    }
}

/// What a part of a message's content is made of.
#[derive(Default)]
struct Part {
    is_text: bool,
    image: Option<Range<usize>>,
    audio: Option<Range<usize>>,
}

/// Part types that are text and nothing else.
fn is_text(quoted: &[u8]) -> bool {
    const TEXT: [&[u8]; 4] = [br#""text""#, br#""refusal""#, br#""thinking""#, br#""reasoning""#];
    TEXT.contains(&quoted)
}
