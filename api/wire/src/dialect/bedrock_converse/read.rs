//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{Asked, Call, Cap, Operation, Says};
use crate::field_value::{Stop, alike, duplicate, expect, limit, missing};
use crate::front::{self, Met};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on.
const FIELDS: [&str; 7] = [
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "outputConfig",
    "fallbacks",
    "additionalModelRequestFields",
];

/// Other names that makers have for a limit of output. Beside ours, nobody knows which one counts.
const OTHER_LIMITS: [&str; 6] = [
    "max_tokens",
    "maxTokens",
    "max_new_tokens",
    "max_gen_len",
    "max_completion_tokens",
    "max_tokens_to_sample",
];

/// Where the limit stands.
const LIMIT: &str = "inferenceConfig.maxTokens";

/// Reads a request in one pass, without building a tree. Its model, and whether it is to be a stream,
/// stand in the path.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    if asked.operation == Operation::CountTokens {
        return super::count::read(asked, body);
    }
    let mut reader = Reader::new(asked, body.len());
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
    fn new(asked: &Asked<'_>, body_bytes: usize) -> Self {
        let mut call = Call::new(super::NAME, asked, body_bytes);
        // Streams always tell their usage.
        call.include_usage = true;
        call.framing = super::DIALECT.framing;
        call.spans.cap = Cap::Missing { object: "inferenceConfig", key: "maxTokens" };
        Self { call, met: Met::default(), messages: 0, media_bytes: 0 }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some(name) = self.met.named(key, &FIELDS)? else {
            let given = scanner.kind()? != Kind::Null;
            // What a stored prompt holds is not to be seen here.
            self.call.media.unbounded += u64::from(given && key == b"promptVariables");
            scanner.value()?;
            return Ok(());
        };
        match name {
            "messages" => self.messages(scanner),
            "system" => self.content(scanner, "system"),
            "inferenceConfig" => self.limits(scanner),
            "toolConfig" => self.tool_config(scanner),
            "fallbacks" => front::read_fallbacks(&mut self.call, scanner, member),
            "additionalModelRequestFields" => additional(scanner),
            _ => {
                let span = scanner.value()?;
                let config = scanner.slice(&span);
                self.call.schema |= memchr::memmem::find(config, b"jsonSchema").is_some();
                Ok(())
            }
        }
    }

    fn messages(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Array, "messages")?;
        scanner.array(|scanner| {
            self.messages += 1;
            expect(scanner, Kind::Object, "messages")?;
            scanner.object(|scanner, member| {
                if &*member.key == b"content" {
                    return self.content(scanner, "messages.content");
                }
                scanner.value()?;
                Ok::<(), Stop>(())
            })?;
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    /// A list of blocks.
    fn content(&mut self, scanner: &mut Scanner<'_>, name: &'static str) -> Result<(), Stop> {
        if scanner.kind()? == Kind::Null {
            scanner.value()?;
            return Ok(());
        }
        expect(scanner, Kind::Array, name)?;
        scanner.array(|scanner| {
            expect(scanner, Kind::Object, name)?;
            scanner.object(|scanner, member| self.block(scanner, &member.key)).map(drop)
        })?;
        Ok(())
    }

    fn block(&mut self, scanner: &mut Scanner<'_>, kind: &[u8]) -> Result<(), Stop> {
        if kind == b"toolResult" && scanner.kind()? == Kind::Object {
            // Results of tools hold blocks themselves.
            scanner.object(|scanner, member| {
                if &*member.key == b"content" {
                    return self.content(scanner, "messages.content.toolResult.content");
                }
                scanner.value()?;
                Ok::<(), Stop>(())
            })?;
            return Ok(());
        }
        let span = scanner.value()?;
        let holds = |what: &[u8]| memchr::memmem::find(scanner.slice(&span), what).is_some();
        match kind {
            // One in a bucket has no other bound than one that is here.
            b"image" => {
                self.call.media.images += 1;
                self.media_bytes += span.len();
            }
            b"guardContent" if holds(b"\"image\"") => {
                self.call.media.images += 1;
                self.media_bytes += span.len();
            }
            b"text" | b"json" | b"type" | b"toolUse" | b"toolResult" | b"guardContent"
            | b"reasoningContent" | b"citationsContent" | b"searchResult" | b"cachePoint" => {}
            // Documents count by their pages, films by their frames.
            _ => self.call.media.unbounded += 1,
        }
        Ok(())
    }

    fn limits(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Object, "inferenceConfig")?;
        let mut empty = true;
        let span = scanner.object::<Stop>(|scanner, member| {
            empty = false;
            if !alike(&member.key, "maxTokens") {
                scanner.value()?;
                return Ok(());
            }
            if self.call.spans.max_tokens.is_some() || &*member.key != b"maxTokens" {
                return Err(duplicate(LIMIT).into());
            }
            let given = limit(scanner, LIMIT)?;
            if given.says == Says::Unlimited {
                let say = format!("'{LIMIT}' must not be negative");
                return Err(Refusal::invalid("invalid_value", Some(LIMIT), say).into());
            }
            self.call.spans.max_tokens = Some(given);
            Ok(())
        })?;
        self.call.spans.cap = Cap::Inner { open: span.start + 1, empty, key: "maxTokens" };
        Ok(())
    }

    fn tool_config(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? == Kind::Null {
            scanner.value()?;
            return Ok(());
        }
        expect(scanner, Kind::Object, "toolConfig")?;
        scanner.object(|scanner, member| {
            if &*member.key != b"tools" {
                scanner.value()?;
                return Ok(());
            }
            expect(scanner, Kind::Array, "toolConfig.tools")?;
            scanner.array(|scanner| self.tool(scanner))?;
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    fn tool(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Object, "toolConfig.tools")?;
        scanner.object::<Malformed>(|scanner, member| {
            match &*member.key {
                b"toolSpec" => self.call.tools += 1,
                b"cachePoint" => {}
                // What the provider's own tools find goes into the context.
                _ => self.call.media.unbounded += 1,
            }
            scanner.value().map(drop)
        })?;
        Ok(())
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, met, messages, media_bytes } = self;
        if !met.has(0) {
            return Err(missing("messages"));
        }
        if call.model.trim().is_empty() {
            return Err(missing("modelId"));
        }
        front::measure(&mut call, messages, media_bytes);
        Ok(call)
    }
}

/// What goes to the maker of the model as it is: a limit in there would not be metered.
fn additional(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    if scanner.kind()? != Kind::Object {
        scanner.value()?;
        return Ok(());
    }
    scanner.object::<Stop>(|scanner, member| {
        let key = &*member.key;
        if let Some(name) = OTHER_LIMITS.iter().find(|name| alike(key, name)) {
            let field = format!("additionalModelRequestFields.{name}");
            let say = format!("'{field}' is not taken; use '{LIMIT}'");
            return Err(Refusal::invalid("invalid_value", Some(&field), say).into());
        }
        // Nova's own settings, and generation settings of others, stand one level deeper.
        if scanner.kind()? == Kind::Object && key.to_ascii_lowercase().ends_with(b"config") {
            return additional(scanner);
        }
        scanner.value()?;
        Ok(())
    })?;
    Ok(())
}
