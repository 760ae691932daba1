//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{self, Asked, Call, Cap, Limit};
use crate::field_value::{
    Stop, alike, boolean, count, duplicate, expect, invalid_json, limit, missing, string,
    wrong_type,
};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on. They may stand in the body only once and spelled exactly: Ollama's parser
/// folds case, and what is metered must be what is served.
const FIELDS: [&str; 7] =
    ["model", "messages", "stream", "tools", "options", "fallbacks", "format"];

/// Reads a request in one pass, without building a tree. Without a word it asks for a stream.
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
    call.stream = true;
    call.include_usage = true;
    call.framing = super::DIALECT.framing;
    call.spans.cap = Cap::Missing { object: "options", key: "num_predict" };
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
                let (model, span) = string(scanner, "model")?;
                (self.call.model, self.call.spans.model) = (model, Some(span));
                Ok(())
            }
            "messages" => self.messages(scanner),
            "stream" => {
                self.call.stream = boolean(scanner, "stream")?.unwrap_or(true);
                Ok(())
            }
            "tools" => {
                self.call.tools = count(scanner, "tools")?;
                Ok(())
            }
            "options" => self.options(scanner),
            "fallbacks" => self.fallbacks(scanner, member),
            _ => {
                self.call.schema = scanner.kind()? == Kind::Object;
                scanner.value()?;
                Ok(())
            }
        }
    }

    fn messages(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Array, "messages")?;
        scanner.array(|scanner| {
            self.messages += 1;
            expect(scanner, Kind::Object, "messages")?;
            scanner.object::<Malformed>(|scanner, member| {
                let is_images = alike(&member.key, "images") && scanner.kind()? == Kind::Array;
                if !is_images {
                    return scanner.value().map(drop);
                }
                let span = scanner.array::<Malformed>(|scanner| {
                    self.call.media.images += 1;
                    scanner.value().map(drop)
                })?;
                self.media_bytes += span.len();
                Ok(())
            })?;
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    fn options(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Object, "options")?;
        let mut empty = true;
        let span = scanner.object::<Stop>(|scanner, member| {
            empty = false;
            if !alike(&member.key, "num_predict") {
                scanner.value()?;
                return Ok(());
            }
            if self.call.spans.max_tokens.is_some() || &*member.key != b"num_predict" {
                return Err(duplicate("options.num_predict").into());
            }
            self.call.spans.max_tokens = Some(limit(scanner, "options.num_predict")?);
            Ok(())
        })?;
        self.call.spans.cap = Cap::Inner { open: span.start + 1, empty, key: "num_predict" };
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
