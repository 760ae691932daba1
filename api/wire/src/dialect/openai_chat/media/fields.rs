//! The fields that a gateway acts on, whether they stand in JSON or in a form.

use std::ops::Range;

use super::default_model;
use crate::call::{Asked, Call, Matter, Operation};
use crate::field_value::missing;
use crate::refusal::Refusal;
use crate::usage::{Picture, Quality};

/// The fields, by their names. Those with pictures in them come last.
pub(super) const FIELDS: [&str; 14] = [
    "model",
    "input",
    "n",
    "size",
    "quality",
    "stream",
    "stream_format",
    "partial_images",
    "fallbacks",
    "file",
    "image",
    "images",
    "mask",
    "input_audio",
];

/// Fields of one value that is text, a number or a boolean.
pub(super) const PLAIN: [&str; 7] =
    ["model", "n", "size", "quality", "stream", "stream_format", "partial_images"];

/// A request as far as it is read.
pub(super) struct Reader {
    pub(super) call: Call,
    /// Whether there was an `input`.
    pub(super) input: bool,
    /// Bytes of the body that are no text for a model.
    pub(super) media_bytes: usize,
    /// Events are asked for by the field that speech has for it.
    spoken_events: bool,
}

impl Reader {
    pub(super) fn new(asked: &Asked<'_>, body_bytes: usize) -> Self {
        let mut call = Call::new(super::super::NAME, asked, body_bytes);
        // Counts are told where there are any, asked for or not.
        call.include_usage = true;
        Self { call, input: false, media_bytes: 0, spoken_events: false }
    }

    /// Takes a field of [`PLAIN`], as it stands there.
    pub(super) fn plain(
        &mut self,
        name: &'static str,
        value: &str,
        span: Range<usize>,
    ) -> Result<(), Refusal> {
        let call = &mut self.call;
        match name {
            "model" if value.trim().is_empty() => {
                let say = "'model' must hold a model name";
                return Err(Refusal::invalid("invalid_value", Some("model"), say));
            }
            "model" => (call.model, call.spans.model) = (value.to_owned(), Some(span)),
            "n" => call.answers = count(name, value)?.max(1),
            "partial_images" => call.work.previews = count(name, value)?,
            "size" => {
                let quality = call.work.picture.quality;
                call.work.picture = Picture { quality, ..Picture::named(value, "") };
            }
            "quality" => call.work.picture.quality = Quality::named(value),
            "stream" => call.stream = truth(value),
            _ => self.spoken_events = value == "sse",
        }
        Ok(())
    }

    /// What was read, complete.
    pub(super) fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, input, media_bytes, spoken_events } = self;
        let operation = call.operation;
        if !input && matches!(operation, Operation::Speech | Operation::Moderations) {
            return Err(missing("input"));
        }
        if call.model.is_empty() {
            call.model = default_model(operation).ok_or_else(|| missing("model"))?.to_owned();
            call.spans.names_model = true;
        }
        match operation.matter() {
            Matter::Pictures => call.work.images = call.answers,
            // Sound goes on as it comes, whether in events or bare.
            Matter::Speech => {
                (call.stream, call.raw, call.answers) = (true, !spoken_events, 1);
            }
            Matter::Text | Matter::Recordings | Matter::Kept => call.answers = 1,
        }
        call.choices = call.answers;
        call.input_bytes = call.body_bytes.saturating_sub(media_bytes as u64);
        Ok(call)
    }
}

fn count(name: &'static str, value: &str) -> Result<u64, Refusal> {
    value.trim().parse().map_err(|_| {
        let say = format!("'{name}' must be a whole number, got {value:.40}");
        Refusal::invalid("invalid_value", Some(name), say)
    })
}

/// All that some reader of forms takes for yes.
fn truth(value: &str) -> bool {
    const YES: [&str; 6] = ["true", "1", "on", "yes", "t", "y"];
    YES.iter().any(|yes| value.trim().eq_ignore_ascii_case(yes))
}
