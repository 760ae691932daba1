//! What is asked, told in the dialect of the place that is asked: spliced where the caller speaks it,
//! written anew where it does not.

use super::open::Open;
use super::plan::Attempt;
use super::policy;
use super::terms::Candidate;
use crate::plane::pieces::Pieces;
use api::inference::Inbound;
use api::refusal::Reason;
use bytes::Bytes;
use cost::Quote;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use ledger::StreamUsage;
use std::borrow::Cow;
use std::cell::OnceCell;
use wire::chat::{How, Identity, Leniency, Target, Written};
use wire::dialect::Dialect;
use wire::relay::{Completed, Relay, Reply, Translated};
use wire::splice::{self, Calls, Edits, OutputCap};
use wire::{Call, Meaning, ProviderError, Refusal};

/// Output tokens asked for in a dialect that demands a limit, where nobody knows one.
const OUTPUT_TOKENS_DEFAULT: u64 = 8_192;
/// Says that what a place cannot be told is to be left out, and not refused.
const DROP_PARAMS: &str = "x-bursar-drop-params";

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) call: &'a Call,
    pub(super) inbound: &'a Inbound,
    /// What it means; read where the first place speaks another dialect.
    meaning: OnceCell<Meaning>,
}

/// What a place is told.
pub(super) struct Told<'a> {
    /// The call as it is bounded: with what the translation added.
    pub(super) call: Cow<'a, Call>,
    /// The body written anew; `None` where the caller's own goes on.
    written: Option<Written>,
}

/// What of a request did not go on as it was, as response headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses {
    /// Fields that were left out.
    pub(crate) dropped: Option<HeaderValue>,
    /// Fields that were said by other means.
    pub(crate) emulated: Option<HeaderValue>,
}

impl<'a> Question<'a> {
    pub(super) fn new(call: &'a Call, inbound: &'a Inbound) -> Self {
        Self { call, inbound, meaning: OnceCell::new() }
    }

    /// Whether the caller's bytes go on, and the provider's come back.
    pub(super) fn passes(&self, attempt: &Attempt) -> bool {
        let theirs = attempt.speech.dialect;
        theirs == self.inbound.dialect && (!self.call.stream || theirs.framing == self.call.framing)
    }

    /// The content type that is hoped for.
    pub(super) fn accept(&self, attempt: &Attempt) -> &'static str {
        match self.passes(attempt) {
            true => self.call.accept(),
            false if self.call.stream => attempt.speech.dialect.framing.content_type(),
            false => "application/json",
        }
    }

    /// The content type of the body, where it is no JSON.
    pub(super) fn content_type(&self) -> Option<&'a HeaderValue> {
        self.inbound.headers.get(CONTENT_TYPE).filter(|_| self.call.is_form())
    }

    /// What a place is to be told.
    ///
    /// # Errors
    ///
    /// Something that cannot be said there.
    pub(super) fn told(&self, attempt: &Attempt) -> Result<Told<'a>, Refusal> {
        if self.passes(attempt) {
            return Ok(Told { call: Cow::Borrowed(self.call), written: None });
        }
        let written = self.write(attempt, self.call.output_tokens_max)?;
        // Whatever the translation added may be text for the model.
        let more = (written.body.len() as u64).saturating_sub(self.call.body_bytes);
        let mut call = self.call.clone();
        call.input_bytes = call.input_bytes.saturating_add(more);
        Ok(Told { call: Cow::Owned(call), written: Some(written) })
    }

    /// The body for a place, within its quote; notes what did not go on as it was.
    ///
    /// # Errors
    ///
    /// Something that cannot be said there.
    pub(super) fn body(
        &self,
        told: Told<'_>,
        attempt: &Attempt,
        open: &mut Open,
    ) -> Result<Body<'_>, Refusal> {
        let Some(written) = told.written else {
            open.dropped = Losses::default();
            let thoughts = splice::dropped(self.call, &self.inbound.body);
            open.dropped.dropped = thoughts.map(HeaderValue::from_static);
            let edits = edits(&attempt.candidate, self.call, &open.quote);
            let hide_usage = edits.hides_usage(self.call);
            let pieces = splice::apply(self.call, &edits, &self.inbound.body);
            return Ok(Body { pieces, hide_usage, question: self });
        };
        let written = match open.quote.cap {
            None => written,
            Some(cap) => {
                let asked = self.call.output_tokens_max.unwrap_or(cap);
                self.write(attempt, Some(asked.min(cap)))?
            }
        };
        open.dropped = Losses::of(&written);
        Ok(Body { pieces: vec![Bytes::from(written.body)], hide_usage: false, question: self })
    }

    /// What is meant, read once.
    fn meaning(&self) -> Result<&Meaning, Refusal> {
        if let Some(meaning) = self.meaning.get() {
            return Ok(meaning);
        }
        let read = Meaning::read(self.inbound.dialect, self.call, &self.inbound.body)?;
        Ok(self.meaning.get_or_init(|| read))
    }

    fn write(&self, attempt: &Attempt, output_tokens_max: Option<u64>) -> Result<Written, Refusal> {
        let meaning = self.meaning()?;
        let terms = &attempt.candidate.terms;
        let target = Target {
            model: attempt.candidate.model.as_str(),
            output_tokens_default: terms.output_tokens_max.unwrap_or(OUTPUT_TOKENS_DEFAULT),
            output_field: attempt.candidate.upstream.wire.quirks.output_field,
            ask_usage: asks_usage(&attempt.candidate),
            reasons: terms.thinks,
            leniency: leniency(self.inbound)?,
        };
        meaning.write(attempt.speech.dialect, &target, output_tokens_max)
    }

    /// A place's plain answer as the caller hears it, and what it used.
    ///
    /// # Errors
    ///
    /// A body that is no answer.
    pub(super) fn answer(
        &self,
        attempt: &Attempt,
        open: &Open,
        body: &Bytes,
    ) -> Result<(Bytes, Reply), ProviderError> {
        let theirs = attempt.speech.dialect;
        if self.passes(attempt) {
            let bare = attempt.has_bare_calls() && self.call.operation.generates();
            let said = if bare { Calls::answer(body) } else { body.clone() };
            return Ok((said, theirs.reply_to(self.call.operation, body)));
        }
        let unread = |_| ProviderError::unreadable("the request cannot be read a second time");
        let dialects = (theirs, self.inbound.dialect);
        let unsaid = (&self.identity(open), policy::estimate(self.call));
        self.meaning().map_err(unread)?.answer(dialects, unsaid, body)
    }

    /// Who the caller is told has answered, where the provider does not say.
    fn identity(&self, open: &Open) -> Identity {
        Identity {
            id: open.receipt.header().to_str().unwrap_or_default().to_owned(),
            model: String::new(),
            created_s: open.at.0 / 1_000,
            include_usage: self.call.include_usage,
            framing: self.call.framing,
            stand_ins: self.meaning.get().map(Meaning::stand_ins).unwrap_or_default(),
        }
    }

    /// Begins to pass a place's stream on.
    pub(super) fn relay(&self, attempt: &Attempt, open: &Open, hide_usage: bool) -> Box<dyn Relay> {
        let theirs: &Dialect = attempt.speech.dialect;
        if self.passes(attempt) {
            let relay = theirs.passing(self.call, hide_usage);
            let bare = attempt.has_bare_calls();
            return if bare { Box::new(Completed::new(relay)) } else { relay };
        }
        Box::new(Translated::new(theirs, self.inbound.dialect, self.identity(open)))
    }
}

/// A body, ready to be sent.
pub(super) struct Body<'a> {
    pieces: Vec<Bytes>,
    /// Whether the usage of its stream is to be hidden.
    pub(super) hide_usage: bool,
    question: &'a Question<'a>,
}

impl Body<'_> {
    /// The pieces; they are sent a second time where the first went into a dead connection.
    pub(super) fn pieces(&self) -> Pieces {
        Pieces::new(self.pieces.clone())
    }

    /// Headers of the caller that go on with it.
    pub(super) fn forwards(&self, attempt: &Attempt) -> &'static [&'static str] {
        let same = attempt.speech.dialect == self.question.inbound.dialect;
        if same { attempt.speech.dialect.forwards() } else { &[] }
    }
}

impl Losses {
    fn of(written: &Written) -> Self {
        let fields = |how: How| {
            let fields = written.dropped.iter().filter(|lost| lost.how == how);
            let fields: Vec<&str> = fields.map(|lost| lost.field.as_str()).collect();
            let header = HeaderValue::from_str(&fields.join(", "));
            header.ok().filter(|_| !fields.is_empty())
        };
        Self { dropped: fields(How::Dropped), emulated: fields(How::Emulated) }
    }
}

/// What must change in the caller's bytes for this place.
fn edits<'a>(candidate: &'a Candidate, call: &Call, quote: &Quote) -> Edits<'a> {
    let field = candidate.upstream.wire.quirks.output_field;
    Edits {
        model: Some(&candidate.model),
        ask_usage: asks_usage(candidate) && call.operation.generates(),
        output_cap: quote.cap.map(|tokens| OutputCap { tokens, field }),
    }
}

/// Whether a stream has to be asked for its usage.
fn asks_usage(candidate: &Candidate) -> bool {
    match candidate.upstream.stream_usage {
        StreamUsage::Ask => candidate.upstream.wire.quirks.ask_usage,
        StreamUsage::Always | StreamUsage::Never => false,
    }
}

/// What the caller wants of what cannot be said.
fn leniency(inbound: &Inbound) -> Result<Leniency, Refusal> {
    let Some(value) = inbound.headers.get(DROP_PARAMS) else { return Ok(Leniency::Strict) };
    match value.as_bytes() {
        b"true" => Ok(Leniency::Lenient),
        b"false" => Ok(Leniency::Strict),
        _ => Err(Reason::InvalidHeader.refuse(format!("{DROP_PARAMS} must be true or false"))),
    }
}
