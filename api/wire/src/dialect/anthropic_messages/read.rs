//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{Asked, Call, Cap};
use crate::field_value::{Stop, boolean, expect, limit, missing, string};
use crate::front::{self, Met};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on.
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
    let mut reader = Reader::new(asked, body.len());
    let open = front::members(body, |scanner, member| reader.member(scanner, member))?;
    reader.call.spans.open = open;
    reader.finish()
}

struct Reader {
    call: Call,
    /// Whether the path says the model, and whether a stream is wanted.
    by_path: (bool, bool),
    met: Met,
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
        Self { call, by_path, met: Met::default(), messages: 0, media_bytes: 0 }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some(name) = self.met.named(key, &FIELDS)? else {
            let given = scanner.kind()? != Kind::Null;
            self.call.media.unbounded += u64::from(given && PROVIDER_CONTEXT.contains(&key));
            let span = scanner.value()?;
            self.call.schema |= key == b"output_format" && holds_schema(scanner.slice(&span));
            return Ok(());
        };
        match name {
            "model" => self.model(scanner)?,
            "messages" => self.messages(scanner)?,
            "system" => self.content(scanner)?,
            "max_tokens" => self.call.spans.max_tokens = Some(limit(scanner, "max_tokens")?),
            "stream" => self.stream(boolean(scanner, "stream")?),
            "tools" => self.tools(scanner)?,
            "fallbacks" => front::read_fallbacks(&mut self.call, scanner, member)?,
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
            let (mut ours, mut described) = (true, false);
            scanner.object::<Malformed>(|scanner, member| {
                let span = scanner.value()?;
                if &*member.key == b"type" {
                    let kind = scanner.slice(&span);
                    ours = CLIENT_TOOLS.iter().any(|known| kind.starts_with(known));
                    described = ours && !kind.starts_with(CLIENT_TOOLS[0]);
                }
                Ok(())
            })?;
            self.call.tools += 1;
            self.call.described_tools += u64::from(described);
            self.call.media.unbounded += u64::from(!ours);
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, met, messages, media_bytes, .. } = self;
        if call.model.is_empty() {
            return Err(missing("model"));
        }
        if !met.has(1) {
            return Err(missing("messages"));
        }
        front::measure(&mut call, messages, media_bytes);
        Ok(call)
    }
}

fn holds_schema(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"json_schema").is_some()
}
