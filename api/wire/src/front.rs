//! What the front doors of all dialects share: a body scanned once for the fields a gateway acts on.

pub(crate) mod texts;

use crate::call::{Call, Limit, Member as Span};
use crate::field_value::{Stop, alike, duplicate, fallbacks, invalid_json};
use crate::json::{Kind, Member, Scanner};
use crate::refusal::Refusal;

/// Takes every member of a body, which is to be one JSON object and nothing beside it, without building a
/// tree. Returns where its first member would stand.
///
/// # Errors
/// A 400 that names the position, or what `member` says.
pub(crate) fn members<'a>(
    body: &'a [u8],
    mut member: impl FnMut(&mut Scanner<'a>, &Member<'a>) -> Result<(), Stop>,
) -> Result<usize, Refusal> {
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(invalid_json(format!("request body is not UTF-8 at byte {at}")));
    }
    let mut scanner = Scanner::new(body);
    if scanner.kind().map_err(Stop::from)? != Kind::Object {
        return Err(invalid_json("request body is not a JSON object".to_owned()));
    }
    let span = scanner.object(|scanner, found| member(scanner, &found))?;
    scanner.end().map_err(Stop::from)?;
    Ok(span.start + 1)
}

/// The fields met so far. A field that a gateway acts on may stand in a body only once: parsers disagree
/// on which of two counts, and what is metered must be what is served.
#[derive(Debug, Default)]
pub(crate) struct Met(u32);

impl Met {
    /// Which of these fields a key is, if any. It must be spelled exactly: some parsers fold case.
    ///
    /// # Errors
    /// A 400 where it was met before, or where a parser could take it for a field that it is not.
    pub(crate) fn named<const N: usize>(
        &mut self,
        key: &[u8],
        fields: &[&'static str; N],
    ) -> Result<Option<&'static str>, Stop> {
        let Some((bit, name)) = (0..).zip(fields).find(|(_, name)| alike(key, name)) else {
            return Ok(None);
        };
        if key != name.as_bytes() {
            return Err(duplicate(name).into());
        }
        self.meet(bit, name)?;
        Ok(Some(name))
    }

    /// The field of that number is met.
    ///
    /// # Errors
    /// A 400 where it was met before.
    pub(crate) fn meet(&mut self, number: u32, name: &str) -> Result<(), Stop> {
        if self.has(number) {
            return Err(duplicate(name).into());
        }
        self.0 |= 1 << number;
        Ok(())
    }

    /// Whether the field of that number was met.
    pub(crate) const fn has(&self, number: u32) -> bool {
        self.0 & (1 << number) != 0
    }
}

/// Reads the models to try when the first fails, and notes where they stand.
pub(crate) fn read_fallbacks(
    call: &mut Call,
    scanner: &mut Scanner<'_>,
    member: &Member<'_>,
) -> Result<(), Stop> {
    let (models, span) = fallbacks(scanner)?;
    call.fallbacks = models;
    let (whole, comma_before) = (member.at..span.end, member.comma_before);
    call.spans.fallbacks = Some(Span { whole, comma_before });
    Ok(())
}

/// Notes how much there is to read, inline media left out, and the one output limit there may be.
pub(crate) fn measure(call: &mut Call, messages: u64, media_bytes: usize) {
    call.messages = messages.max(1);
    call.input_bytes = call.body_bytes - media_bytes as u64;
    call.output_tokens_max = call.spans.max_tokens.as_ref().and_then(Limit::tokens);
}
