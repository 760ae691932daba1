//! A body without a talk in it, scanned once: texts to embed, documents to order, a chat to be measured.

use super::{Met, measure, members, read_fallbacks};
use crate::call::{Asked, Call};
use crate::field_value::{Stop, alike, duplicate, missing, string};
use crate::json::{Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

/// Which members of a body hold what is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Their names.
    pub(crate) texts: &'static [&'static str],
    /// Whether each of them must be there, and not only one.
    pub(crate) each: bool,
    /// Whether the path names the model, and the body only repeats it, as `models/…`.
    pub(crate) by_path: bool,
}

/// Documents, and the question they are ordered by, in whatever shape that is.
pub(crate) const RERANK: Form = Form { texts: &["query", "documents"], each: true, by_path: false };

/// Numbers of the members that every body may have; those of a form follow.
const MODEL: u32 = 0;
const FALLBACKS: u32 = 1;
const TEXTS: u32 = 2;

/// What stands only where something else than text is to be read.
const MEDIA: [&[u8]; 6] = [
    b"\"inlineData\"",
    b"\"inline_data\"",
    b"\"fileData\"",
    b"\"file_data\"",
    b"\"image_url\"",
    b"\"image\"",
];

/// Reads a request in one pass, without building a tree. Everything but the fields that a gateway acts on
/// is the provider's to judge.
///
/// # Errors
/// A 400 that names the field or the position.
pub(crate) fn read(
    dialect: &'static str,
    asked: &Asked<'_>,
    body: &[u8],
    form: &Form,
) -> Result<Call, Refusal> {
    let call = Call::new(dialect, asked, body.len());
    let mut reader = Reader { call, form, met: Met::default(), items: 0, media_bytes: 0, query: 0 };
    let open = members(body, |scanner, member| reader.member(scanner, member))?;
    reader.call.spans.open = open;
    reader.finish()
}

struct Reader<'f> {
    call: Call,
    form: &'f Form,
    met: Met,
    /// Texts and documents.
    items: u64,
    /// Bytes of the body taken by media.
    media_bytes: usize,
    /// Bytes of the question that documents are ordered by.
    query: u64,
}

impl Reader<'_> {
    fn member(&mut self, scanner: &mut Scanner<'_>, member: &Member<'_>) -> Result<(), Stop> {
        let names = ["model", "fallbacks"].iter().chain(self.form.texts);
        let found = (0..).zip(names).find(|(_, name)| alike(&member.key, name));
        let Some((number, name)) = found else {
            scanner.value()?;
            return Ok(());
        };
        // Some parsers fold case: what is metered must be what is served.
        if *member.key != *name.as_bytes() {
            return Err(duplicate(name).into());
        }
        self.met.meet(number, name)?;
        match number {
            MODEL => self.model(scanner),
            FALLBACKS => read_fallbacks(&mut self.call, scanner, member),
            _ => self.text(scanner, name),
        }
    }

    fn model(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if self.form.by_path {
            return self.path(scanner);
        }
        let (model, span) = string(scanner, "model")?;
        if self.call.model.is_empty() {
            self.call.model = model;
        }
        self.call.spans.model = Some(span);
        Ok(())
    }

    /// The model again, as a path.
    fn path(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let is_text = scanner.kind()? == Kind::String;
        let span = scanner.value()?;
        if is_text {
            self.call.spans.model_paths.push(span);
        }
        Ok(())
    }

    fn text(&mut self, scanner: &mut Scanner<'_>, name: &str) -> Result<(), Stop> {
        let before = self.items;
        let span = match scanner.kind()? {
            Kind::Array => scanner.array(|scanner| {
                self.items += 1;
                self.item(scanner)
            })?,
            Kind::Object | Kind::String | Kind::Null | Kind::Number | Kind::True | Kind::False => {
                self.items += 1;
                self.value(scanner)?
            }
        };
        let length = span.len();
        if name == "query" {
            (self.query, self.items) = (length as u64, before);
        } else if name == "images" {
            self.call.media.images += self.items - before;
            self.media_bytes += length;
        } else {
            let text = scanner.slice(&span);
            let media = MEDIA.iter().any(|mark| memchr::memmem::find(text, mark).is_some());
            self.call.media.unbounded += u64::from(media);
        }
        Ok(())
    }

    fn item(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        self.value(scanner).map(drop)
    }

    /// A value; where models stand in it as paths, their places are noted.
    fn value(&mut self, scanner: &mut Scanner<'_>) -> Result<std::ops::Range<usize>, Stop> {
        if !self.form.by_path || scanner.kind()? != Kind::Object {
            return Ok(scanner.value()?);
        }
        scanner.object(|scanner, member| {
            if &*member.key == b"model" {
                return self.path(scanner);
            }
            scanner.value().map(drop).map_err(|malformed: Malformed| Stop::from(malformed))
        })
    }

    fn finish(self) -> Result<Call, Refusal> {
        let Self { mut call, form, met, items, media_bytes, query } = self;
        if call.model.trim().is_empty() {
            return Err(missing("model"));
        }
        let has = |(number, _): &(u32, &&str)| met.has(TEXTS + number);
        let mut texts = (0..).zip(form.texts);
        if form.each {
            if let Some((_, name)) = texts.find(|text| !has(text)) {
                return Err(missing(name));
            }
        } else if !texts.any(|text| has(&text)) {
            return Err(missing(form.texts[0]));
        }
        measure(&mut call, items, media_bytes);
        // The question is read anew with each document.
        call.input_bytes = call.input_bytes.saturating_add(query.saturating_mul(items));
        Ok(call)
    }
}
