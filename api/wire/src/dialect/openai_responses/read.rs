//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

mod content;

use crate::call::{Asked, Call, Cap, Limit};
use crate::field_value::{Stop, boolean, expect, limit, missing, string};
use crate::front::{self, Met};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;
use content::Content;

/// Fields a gateway acts on.
const FIELDS: [&str; 8] =
    ["model", "input", "max_output_tokens", "stream", "tools", "fallbacks", "background", "text"];

/// Fields that make the provider put more into the context than the caller sent.
const PROVIDER_CONTEXT: [&[u8]; 3] = [b"previous_response_id", b"conversation", b"prompt"];

/// Tools whose description is in the body and that the caller runs.
const CLIENT_TOOLS: [&[u8]; 8] = [
    br#""function""#,
    br#""custom""#,
    br#""namespace""#,
    br#""tool_search""#,
    br#""local_shell""#,
    br#""apply_patch""#,
    br#""computer_use_preview""#,
    br#""computer""#,
];

/// Reads a request in one pass, without building a tree. Everything but the fields that a gateway acts
/// on is the provider's to judge.
///
/// `body` is contiguous; a body that came in several frames must be joined first.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    let mut call = Call::new(super::NAME, asked, body.len());
    // The streams of this dialect always tell their usage.
    call.include_usage = true;
    call.spans.cap = Cap::Body("max_output_tokens");
    let mut reader = Reader { call, met: Met::default(), content: Content::default() };
    let open = front::members(body, |scanner, member| reader.member(scanner, member))?;
    reader.call.spans.open = open;
    reader.finish()
}

struct Reader {
    call: Call,
    met: Met,
    content: Content,
}

impl Reader {
    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some(name) = self.met.named(key, &FIELDS)? else {
            let given = scanner.kind()? != Kind::Null;
            self.call.media.unbounded += u64::from(given && PROVIDER_CONTEXT.contains(&key));
            let span = scanner.value()?;
            let repeats = key == b"reasoning" && runs_often(scanner.slice(&span));
            self.call.media.unbounded += u64::from(repeats);
            return Ok(());
        };
        match name {
            "model" => {
                let (model, span) = string(scanner, name)?;
                (self.call.model, self.call.spans.model) = (model, Some(span));
            }
            "input" => self.content.input(scanner)?,
            "max_output_tokens" => {
                self.call.spans.max_tokens = Some(limit(scanner, "max_output_tokens")?);
            }
            "stream" => self.call.stream = boolean(scanner, "stream")?.unwrap_or(false),
            "background" => {
                self.call.background = boolean(scanner, "background")?.unwrap_or(false);
            }
            "tools" => self.tools(scanner)?,
            "fallbacks" => front::read_fallbacks(&mut self.call, scanner, member)?,
            _ => {
                let span = scanner.value()?;
                let text = scanner.slice(&span);
                self.call.schema |= memchr::memmem::find(text, b"json_schema").is_some();
            }
        }
        Ok(())
    }

    fn tools(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? == Kind::Null {
            scanner.value()?;
            return Ok(());
        }
        expect(scanner, Kind::Array, "tools")?;
        scanner.array(|scanner| {
            expect(scanner, Kind::Object, "tools")?;
            let mut ours = false;
            scanner.object::<Malformed>(|scanner, member| {
                let span = scanner.value()?;
                if &*member.key == b"type" {
                    ours = CLIENT_TOOLS.contains(&scanner.slice(&span));
                }
                Ok(())
            })?;
            self.call.tools += 1;
            self.call.media.unbounded += u64::from(!ours);
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, content, .. } = self;
        if call.model.is_empty() {
            return Err(missing("model"));
        }
        let Content { items, media, media_bytes } = content;
        call.messages = items.max(1);
        call.media.images = media.images;
        (call.media.audio, call.media.audio_bytes) = (media.audio, media.audio_bytes);
        call.media.unbounded += media.unbounded;
        call.input_bytes = call.body_bytes - media_bytes as u64;
        call.output_tokens_max = call.spans.max_tokens.as_ref().and_then(Limit::tokens);
        Ok(call)
    }
}

/// Whether the model may be run several times over the same input, each time billed: `mode` says so, which
/// may be spelled with escapes.
fn runs_often(reasoning: &[u8]) -> bool {
    memchr::memmem::find(reasoning, b"\"mode\"").is_some()
        || memchr::memchr(b'\\', reasoning).is_some()
}
