//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use crate::call::{self, Asked, Call, Cap, Limit, Says};
use crate::field_value::{
    Stop, alike, duplicate, expect, invalid_json, limit, missing, string, wrong_type,
};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Fields a gateway acts on. They may stand in the body only once and spelled exactly: parsers disagree
/// on which of two counts, and what is metered must be what is served.
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
    /// Fields met, one bit each.
    seen: u32,
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
        Self { call, seen: 0, messages: 0, media_bytes: 0 }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let Some((bit, name)) = (0..).zip(FIELDS).find(|(_, name)| alike(key, name)) else {
            let given = scanner.kind()? != Kind::Null;
            // What a stored prompt holds is not to be seen here.
            self.call.media.unbounded += u64::from(given && key == b"promptVariables");
            scanner.value()?;
            return Ok(());
        };
        if self.seen & (1 << bit) != 0 || key != name.as_bytes() {
            return Err(duplicate(name).into());
        }
        self.seen |= 1 << bit;
        match name {
            "messages" => self.messages(scanner),
            "system" => self.content(scanner, "system"),
            "inferenceConfig" => self.limits(scanner),
            "toolConfig" => self.tool_config(scanner),
            "fallbacks" => self.fallbacks(scanner, member),
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
        if seen & 1 == 0 {
            return Err(missing("messages"));
        }
        if call.model.trim().is_empty() {
            return Err(missing("modelId"));
        }
        call.messages = messages.max(1);
        call.input_bytes = call.body_bytes - media_bytes as u64;
        call.output_tokens_max = call.spans.max_tokens.as_ref().and_then(Limit::tokens);
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
