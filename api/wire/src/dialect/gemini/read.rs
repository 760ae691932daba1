//! A request body, scanned once: what a gateway must know to meter it and to pass it on.

use super::NAME;
use crate::call::{Asked, Call, Cap, Vocabulary};
use crate::field_value::{Stop, duplicate, expect, limit, missing};
use crate::front::texts::{self, Form};
use crate::front::{self, Met};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Texts to embed, each in a request of its own.
const BATCH: Form = Form { texts: &["requests"], each: true, by_path: true };

/// Fields a gateway acts on, in both spellings that Google takes.
const FIELDS: [(&str, &str); 6] = [
    ("contents", "contents"),
    ("systemInstruction", "system_instruction"),
    ("generationConfig", "generation_config"),
    ("tools", "tools"),
    ("cachedContent", "cached_content"),
    ("fallbacks", "fallbacks"),
];

/// The number of a field that stands in one of them: how many answers.
const ANSWERS: u32 = FIELDS.len() as u32;

/// The field of an output limit.
const LIMIT: &str = "maxOutputTokens";

/// Reads a request in one pass, without building a tree. Everything but the fields that a gateway acts
/// on is the provider's to judge.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    match asked.operation.vocabulary() {
        Some(Vocabulary::Embed) => return texts::read(NAME, asked, body, &BATCH),
        Some(Vocabulary::Count) => return super::count::read(asked, body),
        Some(Vocabulary::Chat | Vocabulary::Rerank) | None => {}
    }
    let mut call = Call::new(NAME, asked, body.len());
    // Gemini's streams always tell their usage.
    call.include_usage = true;
    call.spans.cap = Cap::Missing { object: "generationConfig", key: LIMIT };
    let mut reader = Reader { call, met: Met::default(), contents: 0, media_bytes: 0 };
    let open = front::members(body, |scanner, member| reader.member(scanner, member))?;
    reader.call.spans.open = open;
    reader.finish()
}

struct Reader {
    call: Call,
    met: Met,
    contents: u64,
    /// Bytes of the body taken by inline media.
    media_bytes: usize,
}

/// Whether a key is a field, in either spelling.
fn is(key: &[u8], camel: &str, snake: &str) -> bool {
    key == camel.as_bytes() || key == snake.as_bytes()
}

impl Reader {
    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let key = &*member.key;
        let field = (0..).zip(FIELDS).find(|(_, (camel, snake))| is(key, camel, snake));
        let Some((bit, (name, _))) = field else {
            scanner.value()?;
            return Ok(());
        };
        self.met.meet(bit, name)?;
        match name {
            "contents" => self.several(scanner, Self::content),
            "systemInstruction" => self.content(scanner),
            "generationConfig" => self.config(scanner),
            "tools" => self.several(scanner, Self::tool),
            "fallbacks" => front::read_fallbacks(&mut self.call, scanner, member),
            // What a cache holds comes on top of the request.
            _ => {
                self.call.media.unbounded += u64::from(scanner.kind()? != Kind::Null);
                Ok(scanner.value().map(drop)?)
            }
        }
    }

    /// The items of a list, or the one that stands alone.
    fn several(
        &mut self,
        scanner: &mut Scanner<'_>,
        item: impl Fn(&mut Self, &mut Scanner<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if scanner.kind()? == Kind::Array {
            return scanner.array(|scanner| item(self, scanner)).map(drop);
        }
        item(self, scanner)
    }

    fn content(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        self.contents += 1;
        if scanner.kind()? != Kind::Object {
            return Ok(scanner.value().map(drop)?);
        }
        scanner.object(|scanner, member| {
            if &*member.key == b"parts" {
                return self.several(scanner, Self::part);
            }
            Ok(scanner.value().map(drop)?)
        })?;
        Ok(())
    }

    fn part(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Object {
            return Ok(scanner.value().map(drop)?);
        }
        scanner.object(|scanner, member| {
            let key = &*member.key;
            if scanner.kind()? == Kind::Object {
                if is(key, "inlineData", "inline_data") {
                    return self.inline(scanner);
                }
                if is(key, "functionResponse", "function_response") {
                    return self.result(scanner);
                }
                let stored = is(key, "fileData", "file_data");
                self.call.media.unbounded += u64::from(stored);
            }
            Ok::<(), Stop>(scanner.value().map(drop)?)
        })?;
        Ok(())
    }

    /// Results of tools may hold media.
    fn result(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        scanner.object(|scanner, member| {
            if &*member.key == b"parts" {
                return self.several(scanner, Self::part);
            }
            Ok::<(), Stop>(scanner.value().map(drop)?)
        })?;
        Ok(())
    }

    fn inline(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let (mut kind, mut bytes) = (0..0, 0);
        scanner.object::<Malformed>(|scanner, member| {
            let span = scanner.value()?;
            match &*member.key {
                b"mimeType" | b"mime_type" => kind = span,
                b"data" => bytes = span.len(),
                _ => {}
            }
            Ok(())
        })?;
        self.media_bytes += bytes;
        let media = &mut self.call.media;
        match scanner.slice(&kind) {
            kind if kind.starts_with(b"\"image/") => media.images += 1,
            kind if kind.starts_with(b"\"audio/") => {
                media.audio += 1;
                media.audio_bytes += bytes as u64;
            }
            // Films count by their seconds, documents by their pages.
            _ => media.unbounded += 1,
        }
        Ok(())
    }

    fn tool(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Object {
            return Ok(scanner.value().map(drop)?);
        }
        scanner.object(|scanner, member| {
            let given = scanner.kind()? != Kind::Null;
            if is(&member.key, "functionDeclarations", "function_declarations") {
                return self.several(scanner, |reader, scanner| {
                    reader.call.tools += u64::from(given);
                    Ok(scanner.value().map(drop)?)
                });
            }
            // Google's own tools find what was not sent.
            self.call.media.unbounded += u64::from(given);
            Ok::<(), Stop>(scanner.value().map(drop)?)
        })?;
        Ok(())
    }

    fn config(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        if kind == Kind::Null {
            let span = scanner.value()?;
            self.call.spans.cap = Cap::Null { start: span.start, end: span.end, key: LIMIT };
            return Ok(());
        }
        expect(scanner, Kind::Object, "generationConfig")?;
        let mut empty = true;
        let span = scanner.object(|scanner, member| {
            empty = false;
            self.setting(scanner, &member.key)
        })?;
        self.call.spans.cap = Cap::Inner { open: span.start + 1, empty, key: LIMIT };
        Ok(())
    }

    fn setting(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Stop> {
        if is(key, LIMIT, "max_output_tokens") {
            if self.call.spans.max_tokens.is_some() {
                return Err(duplicate(LIMIT).into());
            }
            self.call.spans.max_tokens = Some(limit(scanner, LIMIT)?);
            return Ok(());
        }
        if is(key, "candidateCount", "candidate_count") {
            self.met.meet(ANSWERS, "candidateCount")?;
            let answers = limit(scanner, "candidateCount")?.tokens();
            self.call.answers = answers.unwrap_or(1).max(1);
            self.call.choices = self.call.answers;
            return Ok(());
        }
        let schemas = ["responseSchema", "responseJsonSchema"];
        let older = [("response_schema", schemas[0]), ("response_json_schema", schemas[1])];
        let given = scanner.kind()? != Kind::Null;
        self.call.schema |= given && older.iter().any(|(snake, camel)| is(key, camel, snake));
        Ok(scanner.value().map(drop)?)
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, met, contents, media_bytes } = self;
        if call.model.is_empty() {
            return Err(missing("model"));
        }
        if !met.has(0) {
            return Err(missing("contents"));
        }
        front::measure(&mut call, contents, media_bytes);
        Ok(call)
    }
}
