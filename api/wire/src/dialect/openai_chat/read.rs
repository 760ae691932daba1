//! A request body, scanned once.

mod content;
mod field;

use content::Content;
use field::Field;

use super::media;

use crate::call::{Asked, Call, Limit, Operation, Says, Spans, StreamOptions};
use crate::field_value::{
    Stop, alike, boolean, boolean_at, count, duplicate, limit, missing, string, wrong_type,
};
use crate::front::{self, Met, texts};
use crate::json::{Kind, Member, Scanner};
use crate::refusal::Refusal;

/// Reads a request in one pass, without building a tree.
///
/// Checks the whole body to be JSON and the fields a gateway acts on to be well-formed; everything else
/// is the provider's to judge. A field the gateway acts on may stand in the body only once and spelled
/// exactly: parsers disagree on which of two counts, and what is metered must be what is served.
///
/// `body` is contiguous; a body that came in several frames must be joined first.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    if asked.operation == Operation::Rerank {
        return texts::read(super::NAME, asked, body, &texts::RERANK);
    }
    if media::covers(asked.operation) {
        return media::read(asked, body);
    }
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
    content: Content,
    n: u64,
    best_of: u64,
}

impl Reader {
    fn new(asked: &Asked<'_>, body_bytes: usize) -> Self {
        let call = Call::new(super::NAME, asked, body_bytes);
        let by_path = (asked.model.is_some(), asked.stream.is_some());
        Self { call, by_path, met: Met::default(), content: Content::default(), n: 1, best_of: 1 }
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

    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let Some(field) = Field::named(&member.key)? else {
            return self.content.other(scanner, &member.key);
        };
        let name = field.name();
        self.met.meet(field as u32, name)?;
        match field {
            Field::Model => self.model(scanner)?,
            Field::Messages => self.content.messages(scanner)?,
            Field::Prompt | Field::Input => self.content.text(scanner, name)?,
            Field::Stream => self.stream(boolean(scanner, name)?),
            Field::StreamOptions => self.stream_options(scanner)?,
            Field::MaxTokens => self.call.spans.max_tokens = Some(limit(scanner, name)?),
            Field::MaxCompletionTokens => {
                self.call.spans.max_completion_tokens = Some(limit(scanner, name)?)
            }
            Field::N => self.n = limit(scanner, name)?.tokens().unwrap_or(1),
            Field::BestOf => self.best_of = limit(scanner, name)?.tokens().unwrap_or(1),
            Field::Fallbacks => front::read_fallbacks(&mut self.call, scanner, member)?,
            Field::Tools => self.content.tools(scanner)?,
            Field::Functions => self.content.tools += count(scanner, name)?,
            Field::ResponseFormat => self.content.response_format(scanner)?,
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

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, met, content, n, best_of, .. } = self;
        let has = |field: Field| met.has(field as u32);
        if call.model.is_empty() && !has(Field::Model) {
            return Err(missing("model"));
        }
        let required = match call.operation {
            Operation::ChatCompletions => Some(Field::Messages),
            Operation::Embeddings => Some(Field::Input),
            // Completions start from nothing where no prompt is given.
            Operation::Completions
            | Operation::Models
            | Operation::CountTokens
            | Operation::Rerank
            | Operation::Moderations
            | Operation::Images
            | Operation::ImageEdits
            | Operation::ImageVariations
            | Operation::Speech
            | Operation::Transcriptions
            | Operation::Translations
            | Operation::StoredResponses
            | Operation::StoredChats
            | Operation::Files
            | Operation::Uploads
            | Operation::Batches => None,
        };
        if let Some(field) = required
            && !has(field)
        {
            return Err(missing(field.name()));
        }
        let Content { messages, tools, media, media_bytes, schema } = content;
        (call.messages, call.tools) = (messages.max(1), tools);
        (call.media, call.schema) = (media, schema);
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
