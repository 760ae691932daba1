//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{self, Asked, Call, Cap, Limit};
use crate::field_value::{
    Stop, alike, boolean, count, duplicate, expect, invalid_json, limit, missing, string,
    wrong_type,
};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on. They may stand in the body only once and spelled exactly: parsers disagree
/// on which of two counts, and what is metered must be what is served.
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
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(invalid_json(format!("request body is not UTF-8 at byte {at}")));
    }
    let mut scanner = Scanner::new(body);
    if scanner.kind().map_err(Stop::from)? != Kind::Object {
        return Err(invalid_json("request body is not a JSON object".to_owned()));
    }
    let mut call = Call::new(super::NAME, asked, body.len());
    // The streams of this dialect always tell their usage.
    call.include_usage = true;
    call.spans.cap = Cap::Body("max_tokens");
    let mut reader = Reader { call, seen: 0, messages: 0, media_bytes: 0 };
    let span = scanner.object(|scanner, member| reader.member(scanner, &member))?;
    scanner.end().map_err(Stop::from)?;
    reader.call.spans.open = span.start + 1;
    reader.finish()
}

struct Reader {
    call: Call,
    /// Fields met, one bit each.
    seen: u32,
    messages: u64,
    /// Bytes of the body taken by inline media.
    media_bytes: usize,
}

impl Reader {
    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some((bit, name)) = (0..).zip(FIELDS).find(|(_, name)| alike(key, name)) else {
            scanner.value()?;
            return Ok(());
        };
        if self.seen & (1 << bit) != 0 || key != name.as_bytes() {
            return Err(duplicate(name).into());
        }
        self.seen |= 1 << bit;
        match name {
            "model" => {
                let (model, span) = string(scanner, name)?;
                (self.call.model, self.call.spans.model) = (model, Some(span));
            }
            "messages" => self.messages(scanner)?,
            "max_tokens" => self.call.spans.max_tokens = Some(limit(scanner, "max_tokens")?),
            "stream" => self.call.stream = boolean(scanner, "stream")?.unwrap_or(false),
            "tools" => self.call.tools = count(scanner, "tools")?,
            "fallbacks" => self.fallbacks(scanner, member)?,
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

    fn fallbacks(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        if kind != Kind::Array && kind != Kind::Null {
            return Err(wrong_type("fallbacks", "an array of strings", kind).into());
        }
        let span = if kind == Kind::Null {
            scanner.value()?
        } else {
            scanner.array::<Stop>(|scanner| {
                self.call.fallbacks.push(string(scanner, "fallbacks")?.0);
                Ok(())
            })?
        };
        self.call.spans.fallbacks =
            Some(call::Member { whole: member.at..span.end, comma_before: member.comma_before });
        Ok(())
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, seen, messages, media_bytes } = self;
        for (bit, name) in (0..).zip(["model", "messages"]) {
            if seen & (1 << bit) == 0 {
                return Err(missing(name));
            }
        }
        call.messages = messages.max(1);
        call.input_bytes = call.body_bytes - media_bytes as u64;
        call.output_tokens_max = call.spans.max_tokens.as_ref().and_then(Limit::tokens);
        Ok(call)
    }
}
