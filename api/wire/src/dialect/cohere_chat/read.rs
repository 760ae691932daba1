//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{Asked, Call, Cap, Vocabulary};
use crate::field_value::{Stop, boolean, count, expect, limit, missing, string};
use crate::front::texts::{self, Form};
use crate::front::{self, Met};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// What is embedded: one of them.
const EMBED: Form = Form { texts: &["texts", "inputs", "images"], each: false, by_path: false };

/// Fields a gateway acts on.
const FIELDS: [&str; 7] =
    ["model", "messages", "max_tokens", "stream", "tools", "fallbacks", "response_format"];

/// Kinds of parts whose text is in the body.
const TEXT: [&[u8]; 3] = [br#""text""#, br#""thinking""#, br#""document""#];

/// Reads a request in one pass, without building a tree. Everything but the fields that a gateway acts
/// on is the provider's to judge.
///
/// `body` is contiguous; a body that came in several frames must be joined first.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    match asked.operation.vocabulary() {
        Some(Vocabulary::Embed) => return texts::read(super::NAME, asked, body, &EMBED),
        Some(Vocabulary::Rerank) => return texts::read(super::NAME, asked, body, &texts::RERANK),
        Some(Vocabulary::Chat | Vocabulary::Count) | None => {}
    }
    let mut call = Call::new(super::NAME, asked, body.len());
    // The streams of this dialect always tell their usage.
    call.include_usage = true;
    call.spans.cap = Cap::Body("max_tokens");
    let mut reader = Reader { call, met: Met::default(), messages: 0, media_bytes: 0 };
    let open = front::members(body, |scanner, member| reader.member(scanner, member))?;
    reader.call.spans.open = open;
    reader.finish()
}

struct Reader {
    call: Call,
    met: Met,
    messages: u64,
    /// Bytes of the body taken by inline media.
    media_bytes: usize,
}

impl Reader {
    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some(name) = self.met.named(key, &FIELDS)? else {
            scanner.value()?;
            return Ok(());
        };
        match name {
            "model" => {
                let (model, span) = string(scanner, name)?;
                (self.call.model, self.call.spans.model) = (model, Some(span));
            }
            "messages" => self.messages(scanner)?,
            "max_tokens" => self.call.spans.max_tokens = Some(limit(scanner, "max_tokens")?),
            "stream" => self.call.stream = boolean(scanner, "stream")?.unwrap_or(false),
            "tools" => self.call.tools = count(scanner, "tools")?,
            "fallbacks" => front::read_fallbacks(&mut self.call, scanner, member)?,
            _ => {
                let span = scanner.value()?;
                let format = scanner.slice(&span);
                self.call.schema |= memchr::memmem::find(format, b"schema\"").is_some();
            }
        }
        Ok(())
    }

    fn messages(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Array, "messages")?;
        scanner.array(|scanner| {
            self.messages += 1;
            expect(scanner, Kind::Object, "messages")?;
            scanner.object(|scanner, member| {
                if &*member.key == b"content" && scanner.kind()? == Kind::Array {
                    return scanner.array(|scanner| self.part(scanner)).map(drop);
                }
                scanner.value()?;
                Ok::<(), Stop>(())
            })?;
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    fn part(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Object {
            scanner.value()?;
            return Ok(());
        }
        let (mut kind, mut image) = (0..0, None);
        scanner.object::<Malformed>(|scanner, member| {
            let span = scanner.value()?;
            match &*member.key {
                b"type" => kind = span,
                b"image_url" => image = Some(span.len()),
                _ => {}
            }
            Ok(())
        })?;
        if let Some(bytes) = image {
            self.call.media.images += 1;
            self.media_bytes += bytes;
        } else if !TEXT.contains(&scanner.slice(&kind)) {
            self.call.media.unbounded += 1;
        }
        Ok(())
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, met, messages, media_bytes } = self;
        for (bit, name) in (0..).zip(["model", "messages"]) {
            if !met.has(bit) {
                return Err(missing(name));
            }
        }
        front::measure(&mut call, messages, media_bytes);
        Ok(call)
    }
}
