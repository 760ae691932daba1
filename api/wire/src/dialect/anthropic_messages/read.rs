//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{self, Asked, Call, Cap, Limit};
use crate::field_value::{
    Stop, alike, boolean, duplicate, expect, invalid_json, limit, missing, string, wrong_type,
};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on. They may stand in the body only once and spelled exactly: parsers disagree
/// on which of two counts, and what is metered must be what is served.
const FIELDS: [&str; 8] =
    ["model", "messages", "system", "max_tokens", "stream", "tools", "fallbacks", "output_config"];

/// Fields that make the provider put more into the context than the caller sent.
const PROVIDER_CONTEXT: [&[u8]; 2] = [b"mcp_servers", b"container"];

/// Tools that the caller runs although Anthropic describes them: the beginnings of their types.
const CLIENT_TOOLS: [&[u8]; 5] =
    [br#""custom""#, br#""bash_"#, br#""text_editor_"#, br#""computer_"#, br#""memory_"#];

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
    let mut reader = Reader::new(asked, body.len());
    let span = scanner.object(|scanner, member| reader.member(scanner, &member))?;
    scanner.end().map_err(Stop::from)?;
    reader.call.spans.open = span.start + 1;
    reader.finish()
}

struct Reader {
    call: Call,
    /// Whether the path says the model, and whether a stream is wanted.
    by_path: (bool, bool),
    /// Fields met, one bit each.
    seen: u32,
    messages: u64,
    /// Bytes of the body taken by inline media.
    media_bytes: usize,
}

impl Reader {
    fn new(asked: &Asked<'_>, body_bytes: usize) -> Self {
        let mut call = Call::new(super::NAME, asked, body_bytes);
        // Anthropic's streams always tell their usage.
        call.include_usage = true;
        call.spans.cap = Cap::Body("max_tokens");
        let by_path = (asked.model.is_some(), asked.stream.is_some());
        Self { call, by_path, seen: 0, messages: 0, media_bytes: 0 }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some((bit, name)) = (0..).zip(FIELDS).find(|(_, name)| alike(key, name)) else {
            let given = scanner.kind()? != Kind::Null;
            self.call.media.unbounded += u64::from(given && PROVIDER_CONTEXT.contains(&key));
            let span = scanner.value()?;
            self.call.schema |= key == b"output_format" && holds_schema(scanner.slice(&span));
            return Ok(());
        };
        if self.seen & (1 << bit) != 0 || key != name.as_bytes() {
            return Err(duplicate(name).into());
        }
        self.seen |= 1 << bit;
        match name {
            "model" => self.model(scanner)?,
            "messages" => self.messages(scanner)?,
            "system" => self.content(scanner)?,
            "max_tokens" => self.call.spans.max_tokens = Some(limit(scanner, "max_tokens")?),
            "stream" => self.stream(boolean(scanner, "stream")?),
            "tools" => self.tools(scanner)?,
            "fallbacks" => self.fallbacks(scanner, member)?,
            _ => {
                let span = scanner.value()?;
                self.call.schema |= holds_schema(scanner.slice(&span));
            }
        }
        Ok(())
    }

    fn model(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let (model, span) = string(scanner, "model")?;
        if !self.by_path.0 {
            self.call.model = model;
        }
        self.call.spans.model = Some(span);
        Ok(())
    }

    fn stream(&mut self, said: Option<bool>) {
        if !self.by_path.1 {
            self.call.stream = said.unwrap_or(false);
        }
    }

    fn messages(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Array, "messages")?;
        scanner.array(|scanner| {
            self.messages += 1;
            expect(scanner, Kind::Object, "messages")?;
            scanner.object(|scanner, member| {
                if &*member.key == b"content" {
                    return self.content(scanner);
                }
                scanner.value()?;
                Ok::<(), Stop>(())
            })?;
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    /// A text, or a list of blocks.
    fn content(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Array {
            scanner.value()?;
            return Ok(());
        }
        scanner.array(|scanner| self.block(scanner))?;
        Ok(())
    }

    fn block(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Object {
            scanner.value()?;
            return Ok(());
        }
        let (mut kind, mut source) = (0..0, 0);
        scanner.object::<Stop>(|scanner, member| {
            match &*member.key {
                b"type" => kind = scanner.value()?,
                // Results of tools hold blocks themselves.
                b"content" => self.content(scanner)?,
                b"source" => source = scanner.value()?.len(),
                _ => {
                    scanner.value()?;
                }
            }
            Ok(())
        })?;
        match scanner.slice(&kind) {
            br#""image""# => {
                self.call.media.images += 1;
                self.media_bytes += source;
            }
            br#""text""#
            | br#""thinking""#
            | br#""redacted_thinking""#
            | br#""tool_use""#
            | br#""tool_result""#
            | br#""tool_reference""# => {}
            // Documents count by their pages, and what a server tool once found may be stored elsewhere.
            _ => self.call.media.unbounded += 1,
        }
        Ok(())
    }

    fn tools(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        if kind == Kind::Null {
            scanner.value()?;
            return Ok(());
        }
        expect(scanner, Kind::Array, "tools")?;
        scanner.array(|scanner| {
            expect(scanner, Kind::Object, "tools")?;
            let mut ours = true;
            scanner.object::<Malformed>(|scanner, member| {
                let span = scanner.value()?;
                if &*member.key == b"type" {
                    let kind = scanner.slice(&span);
                    ours = CLIENT_TOOLS.iter().any(|known| kind.starts_with(known));
                }
                Ok(())
            })?;
            self.call.tools += 1;
            self.call.media.unbounded += u64::from(!ours);
            Ok::<(), Stop>(())
        })?;
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
        let Self { mut call, seen, messages, media_bytes, .. } = self;
        if call.model.is_empty() {
            return Err(missing("model"));
        }
        if seen & 0b10 == 0 {
            return Err(missing("messages"));
        }
        call.messages = messages.max(1);
        call.input_bytes = call.body_bytes - media_bytes as u64;
        call.output_tokens_max = call.spans.max_tokens.as_ref().and_then(Limit::tokens);
        Ok(call)
    }
}

fn holds_schema(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"json_schema").is_some()
}
