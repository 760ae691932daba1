//! A request body, scanned once.

use std::ops::Range;

use crate::call::{self, Call, Limit, Media, Operation, Says, Spans, StreamOptions};
use crate::json::{self, Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Reads a request in one pass, without building a tree.
///
/// Checks the whole body to be JSON and the fields a gateway acts on to be well-formed; everything else
/// is the provider's to judge. A field the gateway acts on may stand in the body only once and spelled
/// exactly: parsers disagree on which of two counts, and what is metered must be what is served.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(operation: Operation, body: &[u8]) -> Result<Call, Refusal> {
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(invalid_json(format!("request body is not UTF-8 at byte {at}")));
    }
    let mut scanner = Scanner::new(body);
    if scanner.kind().map_err(Stop::from)? != Kind::Object {
        return Err(invalid_json("request body is not a JSON object".to_owned()));
    }
    let mut reader = Reader::new(operation, body.len());
    let span = scanner.object(|scanner, member| reader.member(scanner, &member))?;
    scanner.end().map_err(Stop::from)?;
    reader.call.spans.open = span.start + 1;
    reader.finish()
}

/// Why reading stopped; text that is no JSON is said in words of its own.
enum Stop {
    Malformed(Malformed),
    Refused(Refusal),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Malformed(Malformed { at, what }) => {
                invalid_json(format!("request body is not valid JSON at byte {at}: {what}"))
            }
            Stop::Refused(refusal) => refusal,
        }
    }
}

fn invalid_json(say: String) -> Refusal {
    Refusal::invalid("invalid_json", None, say)
}

/// The fields a gateway acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Model,
    Messages,
    Prompt,
    Input,
    Stream,
    StreamOptions,
    MaxTokens,
    MaxCompletionTokens,
    N,
    BestOf,
    Fallbacks,
    Tools,
    Functions,
    ResponseFormat,
}

impl Field {
    const ALL: [(Self, &'static str); 14] = [
        (Self::Model, "model"),
        (Self::Messages, "messages"),
        (Self::Prompt, "prompt"),
        (Self::Input, "input"),
        (Self::Stream, "stream"),
        (Self::StreamOptions, "stream_options"),
        (Self::MaxTokens, "max_tokens"),
        (Self::MaxCompletionTokens, "max_completion_tokens"),
        (Self::N, "n"),
        (Self::BestOf, "best_of"),
        (Self::Fallbacks, "fallbacks"),
        (Self::Tools, "tools"),
        (Self::Functions, "functions"),
        (Self::ResponseFormat, "response_format"),
    ];

    /// The field a key names; a 400 for a key that only some parsers would take for it.
    fn named(key: &[u8]) -> Result<Option<(Self, &'static str)>, Refusal> {
        let exact = Self::ALL.into_iter().find(|(_, name)| name.as_bytes() == key);
        if exact.is_some() {
            return Ok(exact);
        }
        match Self::ALL.into_iter().find(|(_, name)| alike(key, name)) {
            None => Ok(None),
            Some((_, name)) => {
                let key = String::from_utf8_lossy(key);
                let say = format!("unknown field '{key}': write '{name}' in lower case");
                Err(Refusal::invalid("unknown_field", Some(&key), say))
            }
        }
    }
}

/// Whether a parser that folds case would take `key` for `name`. Go's does, and folds U+017F to s and
/// U+212A to k as well.
fn alike(key: &[u8], name: &str) -> bool {
    if key.is_ascii() {
        return key.eq_ignore_ascii_case(name.as_bytes());
    }
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.len() <= 3 * name.len() && String::from_utf8_lossy(key).chars().map(fold).eq(name.chars())
}

/// Fields that make the provider put more into the context than the caller sent.
const PROVIDER_TOOLS: [&[u8]; 4] =
    [b"web_search_options", b"search_parameters", b"plugins", b"compound_custom"];

struct Reader {
    call: Call,
    /// Fields met, one bit each.
    seen: u32,
    media_bytes: usize,
    n: u64,
    best_of: u64,
}

impl Reader {
    fn new(operation: Operation, body_bytes: usize) -> Self {
        let call = Call {
            operation,
            model: String::new(),
            stream: false,
            include_usage: false,
            output_tokens_max: None,
            answers: 1,
            choices: 1,
            fallbacks: Vec::new(),
            body_bytes: body_bytes as u64,
            input_bytes: 0,
            messages: 1,
            tools: 0,
            schema: false,
            media: Media::default(),
            spans: Spans::default(),
        };
        Self { call, seen: 0, media_bytes: 0, n: 1, best_of: 1 }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let Some((field, name)) = Field::named(&member.key)? else {
            return self.other_member(scanner, &member.key);
        };
        let bit = 1 << field as u32;
        if self.seen & bit != 0 {
            return Err(duplicate(name).into());
        }
        self.seen |= bit;
        match field {
            Field::Model => (self.call.model, self.call.spans.model) = string(scanner, name)?,
            Field::Messages => self.messages(scanner)?,
            Field::Prompt | Field::Input => self.text(scanner, name)?,
            Field::Stream => self.call.stream = boolean(scanner, name)?.unwrap_or(false),
            Field::StreamOptions => self.stream_options(scanner)?,
            Field::MaxTokens => self.call.spans.max_tokens = Some(limit(scanner, name)?),
            Field::MaxCompletionTokens => {
                self.call.spans.max_completion_tokens = Some(limit(scanner, name)?)
            }
            Field::N => self.n = limit(scanner, name)?.tokens().unwrap_or(1),
            Field::BestOf => self.best_of = limit(scanner, name)?.tokens().unwrap_or(1),
            Field::Fallbacks => self.fallbacks(scanner, member)?,
            Field::Tools => self.tools(scanner)?,
            Field::Functions => self.call.tools += count(scanner, name)?,
            Field::ResponseFormat => {
                let span = scanner.value()?;
                self.call.schema =
                    memchr::memmem::find(scanner.slice(&span), b"json_schema").is_some();
            }
        }
        Ok(())
    }

    fn other_member(&mut self, scanner: &mut Scanner<'_>, key: &[u8]) -> Result<(), Stop> {
        let given = scanner.kind()? != Kind::Null;
        scanner.value()?;
        if given && PROVIDER_TOOLS.contains(&key) {
            self.call.media.unbounded += 1;
        }
        Ok(())
    }

    fn tools(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Array {
            self.call.tools += count(scanner, "tools")?;
            return Ok(());
        }
        scanner.array(|scanner| {
            expect(scanner, Kind::Object, "tools")?;
            let mut ours = true;
            scanner.object::<Malformed>(|scanner, member| {
                let span = scanner.value()?;
                if &*member.key == b"type" {
                    ours = matches!(scanner.slice(&span), br#""function""# | br#""custom""#);
                }
                Ok(())
            })?;
            self.call.tools += 1;
            self.call.media.unbounded += u64::from(!ours);
            Ok::<(), Stop>(())
        })?;
        Ok(())
    }

    fn messages(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        expect(scanner, Kind::Array, "messages")?;
        let mut messages = 0;
        scanner.array(|scanner| {
            messages += 1;
            expect(scanner, Kind::Object, "messages")?;
            scanner.object(|scanner, member| self.message_member(scanner, &member)).map(drop)
        })?;
        self.call.messages = u64::max(messages, 1);
        Ok(())
    }

    fn message_member(
        &mut self,
        scanner: &mut Scanner<'_>,
        member: &Member<'_>,
    ) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        match &*member.key {
            b"content" if kind == Kind::Array => {
                scanner.array(|scanner| self.part(scanner))?;
            }
            // An earlier spoken answer, by reference.
            b"audio" if kind == Kind::Object => {
                self.call.media.unbounded += 1;
                scanner.value()?;
            }
            _ => {
                scanner.value()?;
            }
        }
        Ok(())
    }

    /// One part of a message's content.
    fn part(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? != Kind::Object {
            scanner.value()?;
            return Ok(());
        }
        let mut part = Part::default();
        scanner.object::<Malformed>(|scanner, member| {
            let span = scanner.value()?;
            match &*member.key {
                b"type" => part.is_text = is_text(scanner.slice(&span)),
                b"image_url" => part.image = Some(span),
                b"input_audio" => part.audio = Some(span),
                _ => {}
            }
            Ok(())
        })?;
        let media = &mut self.call.media;
        match part {
            Part { image: Some(span), .. } => {
                media.images += 1;
                self.media_bytes += span.len();
            }
            Part { audio: Some(span), .. } => {
                media.audio += 1;
                media.audio_bytes += span.len() as u64;
                self.media_bytes += span.len();
            }
            Part { is_text: true, .. } => {}
            Part { .. } => media.unbounded += 1,
        }
        Ok(())
    }

    /// `prompt` or `input`: a text, a list of token ids, or a list of either.
    fn text(&mut self, scanner: &mut Scanner<'_>, name: &'static str) -> Result<(), Stop> {
        match scanner.kind()? {
            Kind::Array => {
                let mut texts = 0;
                scanner.array::<Malformed>(|scanner| {
                    texts += u64::from(scanner.kind()? != Kind::Number);
                    scanner.value().map(drop)
                })?;
                self.call.messages = u64::max(texts, 1);
            }
            Kind::String | Kind::Null => {
                scanner.value()?;
            }
            other @ (Kind::Object | Kind::Number | Kind::True | Kind::False) => {
                return Err(wrong_type(name, "a string or an array", other).into());
            }
        }
        Ok(())
    }

    fn stream_options(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        if kind == Kind::Null {
            self.call.spans.stream_options = StreamOptions::Null(scanner.value()?);
            return Ok(());
        }
        if kind != Kind::Object {
            return Err(wrong_type("stream_options", "an object", kind).into());
        }
        let name = "stream_options.include_usage";
        let mut members = 0;
        let mut include = None;
        let span = scanner.object::<Stop>(|scanner, member| {
            members += 1;
            if !alike(&member.key, "include_usage") {
                scanner.value()?;
                return Ok(());
            }
            if include.is_some() || &*member.key != b"include_usage" {
                return Err(duplicate(name).into());
            }
            let (value, on) = boolean_at(scanner, name)?;
            include = Some((value, on.unwrap_or(false)));
            Ok(())
        })?;
        self.call.spans.stream_options = match include {
            Some((value, on)) => StreamOptions::Named { value, on },
            None => StreamOptions::Open { open: span.start + 1, empty: members == 0 },
        };
        Ok(())
    }

    fn fallbacks(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let kind = scanner.kind()?;
        let span = match kind {
            Kind::Null => scanner.value()?,
            Kind::Array => scanner.array::<Stop>(|scanner| {
                self.call.fallbacks.push(string(scanner, "fallbacks")?.0);
                Ok(())
            })?,
            Kind::Object | Kind::String | Kind::Number | Kind::True | Kind::False => {
                return Err(wrong_type("fallbacks", "an array of strings", kind).into());
            }
        };
        self.call.spans.fallbacks =
            Some(call::Member { whole: member.at..span.end, comma_before: member.comma_before });
        Ok(())
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, seen, media_bytes, n, best_of } = self;
        let has = |field: Field| seen & (1 << field as u32) != 0;
        if !has(Field::Model) {
            return Err(missing("model"));
        }
        let required = match call.operation {
            Operation::ChatCompletions => Some((Field::Messages, "messages")),
            Operation::Embeddings => Some((Field::Input, "input")),
            // Completions start from nothing where no prompt is given.
            Operation::Completions | Operation::Models => None,
        };
        if let Some((field, name)) = required
            && !has(field)
        {
            return Err(missing(name));
        }
        let prompts = if call.operation == Operation::Completions { call.messages } else { 1 };
        call.answers = prompts.saturating_mul(n.max(1));
        call.choices = prompts.saturating_mul(n.max(best_of).max(1));
        call.input_bytes = call.body_bytes - media_bytes as u64;
        call.include_usage =
            matches!(call.spans.stream_options, StreamOptions::Named { on: true, .. });
        call.output_tokens_max = output_tokens_max(&call.spans);
        Ok(call)
    }
}

/// The larger of the two limits, so that it holds whichever the provider reads; `None` if one says
/// that there is none.
fn output_tokens_max(spans: &Spans) -> Option<u64> {
    let limits = [&spans.max_completion_tokens, &spans.max_tokens];
    let limits = || limits.into_iter().flatten();
    if limits().any(|limit| limit.says == Says::Unlimited) {
        return None;
    }
    limits().filter_map(Limit::tokens).max()
}

/// What a part of a message's content is made of.
#[derive(Default)]
struct Part {
    is_text: bool,
    image: Option<Range<usize>>,
    audio: Option<Range<usize>>,
}

/// Part types that are text and nothing else.
fn is_text(quoted: &[u8]) -> bool {
    const TEXT: [&[u8]; 4] = [br#""text""#, br#""refusal""#, br#""thinking""#, br#""reasoning""#];
    TEXT.contains(&quoted)
}

fn expect(scanner: &mut Scanner<'_>, wanted: Kind, name: &'static str) -> Result<(), Stop> {
    let kind = scanner.kind()?;
    if kind == wanted { Ok(()) } else { Err(wrong_type(name, wanted.name(), kind).into()) }
}

fn string(scanner: &mut Scanner<'_>, name: &'static str) -> Result<(String, Range<usize>), Stop> {
    expect(scanner, Kind::String, name)?;
    let span = scanner.value()?;
    let text = json::unescape(scanner.slice(&span)).filter(|text| !text.trim().is_empty());
    let unusable = || {
        Refusal::invalid("invalid_value", Some(name), format!("'{name}' must hold a model name"))
    };
    Ok((text.ok_or_else(unusable)?, span))
}

fn boolean(scanner: &mut Scanner<'_>, name: &'static str) -> Result<Option<bool>, Stop> {
    boolean_at(scanner, name).map(|(_, value)| value)
}

/// A boolean or null, and where it stands.
fn boolean_at(
    scanner: &mut Scanner<'_>,
    name: &'static str,
) -> Result<(Range<usize>, Option<bool>), Stop> {
    let value = match scanner.kind()? {
        Kind::True => Some(true),
        Kind::False => Some(false),
        Kind::Null => None,
        other @ (Kind::Object | Kind::Array | Kind::String | Kind::Number) => {
            return Err(wrong_type(name, "a boolean", other).into());
        }
    };
    Ok((scanner.value()?, value))
}

/// A whole number or null, and where it stands.
fn limit(scanner: &mut Scanner<'_>, name: &'static str) -> Result<Limit, Stop> {
    let kind = scanner.kind()?;
    if kind != Kind::Number && kind != Kind::Null {
        return Err(wrong_type(name, "a whole number", kind).into());
    }
    let value = scanner.value()?;
    let text =
        std::str::from_utf8(scanner.slice(&value)).expect("the body was checked to be UTF-8");
    let says = if kind == Kind::Null {
        Says::Nothing
    } else if text.parse::<i64>().is_ok_and(|number| number < 0) {
        Says::Unlimited
    } else if let Ok(tokens) = text.parse() {
        Says::Tokens(tokens)
    } else {
        let say = format!("'{name}' must be a whole number below 2^64, got {text:.40}");
        return Err(Refusal::invalid("invalid_value", Some(name), say).into());
    };
    Ok(Limit { value, says })
}

/// Entries of an array; null counts as none.
fn count(scanner: &mut Scanner<'_>, name: &'static str) -> Result<u64, Stop> {
    let kind = scanner.kind()?;
    if kind == Kind::Null {
        scanner.value()?;
        return Ok(0);
    }
    expect(scanner, Kind::Array, name)?;
    let mut entries = 0;
    scanner.array::<Malformed>(|scanner| {
        entries += 1;
        scanner.value().map(drop)
    })?;
    Ok(entries)
}

fn wrong_type(name: &str, wanted: &str, got: Kind) -> Refusal {
    let say = format!("'{name}' must be {wanted}, got {}", got.name());
    Refusal::invalid("invalid_type", Some(name), say)
}

fn missing(name: &str) -> Refusal {
    Refusal::invalid(
        "missing_required_parameter",
        Some(name),
        format!("missing required parameter '{name}'"),
    )
}

fn duplicate(name: &str) -> Refusal {
    Refusal::invalid("duplicate_field", Some(name), format!("'{name}' is given more than once"))
}
