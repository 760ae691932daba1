//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{Asked, Call, Cap};
use crate::field_value::{Stop, alike, boolean, count, duplicate, expect, limit, missing, string};
use crate::front::{self, Met};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on. Ollama's parser folds case.
const FIELDS: [&str; 7] =
    ["model", "messages", "stream", "tools", "options", "fallbacks", "format"];

/// Reads a request in one pass, without building a tree. Without a word it asks for a stream.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    let mut call = Call::new(super::NAME, asked, body.len());
    call.stream = true;
    call.include_usage = true;
    call.framing = super::DIALECT.framing;
    call.spans.cap = Cap::Missing { object: "options", key: "num_predict" };
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
            "fallbacks" => front::read_fallbacks(&mut self.call, scanner, member),
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
