//! A request as a form.

use super::fields::{FIELDS, PLAIN, Reader};
use crate::call::{Asked, Call, Matter};
use crate::form::{Form, Part, boundary};
use crate::front::Met;
use crate::json::Malformed;
use crate::refusal::Refusal;
use crate::sound;

pub(super) fn read(asked: &Asked<'_>, content_type: &str, body: &[u8]) -> Result<Call, Refusal> {
    let boundary = boundary(content_type).ok_or_else(|| {
        invalid(
            "the content type of a form must be multipart/form-data with one boundary".to_owned(),
        )
    })?;
    let form = Form::read(body, &boundary).map_err(|Malformed { at, what }| {
        invalid(format!("request body is not a valid form at byte {at}: {what}"))
    })?;
    let mut reader = Reader::new(asked, body.len());
    let mut met = Met::default();
    for part in &form.parts {
        // Lists are said with brackets by some, and by repetition by others.
        let name = part.name.strip_suffix("[]").unwrap_or(&part.name);
        if part.file.is_some() || name == "image" {
            file(&mut reader, part, body);
            continue;
        }
        if let Some(name) = met.named(name.as_bytes(), &FIELDS).map_err(Refusal::from)?
            && PLAIN.contains(&name)
        {
            reader.plain(name, text(name, part, body)?, part.value.clone())?;
        }
    }
    reader.call.spans.boundary = Some(boundary);
    reader.finish()
}

/// A file: a recording, or a picture.
fn file(reader: &mut Reader, part: &Part, body: &[u8]) {
    let file = &body[part.value.clone()];
    reader.media_bytes += file.len();
    match reader.call.operation.matter() {
        Matter::Recordings => {
            let work = &mut reader.call.work;
            let ms = sound::ms_max(file);
            let before = if work.audio_bytes == 0 { Some(0) } else { work.audio_ms_max };
            work.audio_ms_max = before.zip(ms).map(|(before, ms)| before.saturating_add(ms));
            work.audio_bytes += file.len() as u64;
        }
        Matter::Pictures | Matter::Text | Matter::Speech | Matter::Kept => {
            reader.call.media.images += 1
        }
    }
}

/// The value of a field that is acted on: bare text.
fn text<'a>(name: &'static str, part: &Part, body: &'a [u8]) -> Result<&'a str, Refusal> {
    let bare = std::str::from_utf8(&body[part.value.clone()]).ok();
    // In another alphabet it would mean something else.
    let plain = part.kind.as_deref().is_none_or(|kind| {
        let kind = kind.to_ascii_lowercase();
        !kind.contains("charset") || kind.contains("utf-8") || kind.contains("us-ascii")
    });
    bare.filter(|_| plain && !part.encoded).ok_or_else(|| {
        let say = format!("'{name}' must be plain text in UTF-8");
        Refusal::invalid("invalid_value", Some(name), say)
    })
}

fn invalid(say: String) -> Refusal {
    Refusal::invalid("invalid_form", None, say)
}
