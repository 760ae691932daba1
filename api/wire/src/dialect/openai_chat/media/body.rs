//! A request as JSON, scanned once.

use super::fields::{FIELDS, PLAIN, Reader};
use crate::call::{Asked, Call, Operation};
use crate::field_value::{Stop, invalid_json, missing, wrong_type};
use crate::front::{self, Met};
use crate::json::{self, Kind, Malformed, Member, Scanner};
use crate::refusal::Refusal;

pub(super) fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    let mut reader = Reader::new(asked, body.len());
    let mut met = Met::default();
    let mut members = 0;
    let open = front::members(body, |scanner, member| {
        members += 1;
        match met.named(&member.key, &FIELDS)? {
            Some(name) => field(&mut reader, scanner, (name, member)),
            None => scanner.value().map(drop).map_err(Stop::from),
        }
    })?;
    if members == 0 {
        return Err(missing(if reader.call.operation == Operation::Images {
            "prompt"
        } else {
            "input"
        }));
    }
    reader.call.spans.open = open;
    reader.finish()
}

fn field(
    reader: &mut Reader,
    scanner: &mut Scanner<'_>,
    (name, member): (&'static str, &Member<'_>),
) -> Result<(), Stop> {
    match name {
        name if PLAIN.contains(&name) => plain(reader, scanner, name),
        "input" => input(reader, scanner),
        "fallbacks" => front::read_fallbacks(&mut reader.call, scanner, member),
        "image" | "images" | "mask" => {
            let (span, items) = items(scanner)?;
            reader.media_bytes += span.len();
            reader.call.media.images += items;
            Ok(())
        }
        _ => {
            // A recording, by reference or as base64.
            let span = scanner.value()?;
            reader.media_bytes += span.len();
            reader.call.work.audio_bytes += span.len() as u64;
            Ok(())
        }
    }
}

fn plain(reader: &mut Reader, scanner: &mut Scanner<'_>, name: &'static str) -> Result<(), Stop> {
    let kind = scanner.kind()?;
    let span = scanner.value()?;
    let slice = scanner.slice(&span);
    let bare = || String::from_utf8_lossy(slice).into_owned();
    let value = match kind {
        Kind::Null => return Ok(()),
        Kind::String => json::unescape(slice).ok_or_else(|| unreadable(name))?,
        Kind::Number if name != "model" => bare(),
        Kind::True | Kind::False if name == "stream" => bare(),
        other @ (Kind::Object | Kind::Array | Kind::Number | Kind::True | Kind::False) => {
            return Err(wrong_type(name, "a string or a number", other).into());
        }
    };
    Ok(reader.plain(name, &value, span)?)
}

fn unreadable(name: &str) -> Stop {
    invalid_json(format!("'{name}' holds characters that are none")).into()
}

/// What is to be spoken, or looked at.
fn input(reader: &mut Reader, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    reader.input = true;
    if reader.call.operation == Operation::Speech {
        let kind = scanner.kind()?;
        if kind != Kind::String {
            return Err(wrong_type("input", "a string", kind).into());
        }
        let span = scanner.value()?;
        let text = json::unescape(scanner.slice(&span)).ok_or_else(|| unreadable("input"))?;
        reader.call.work.characters = text.chars().count() as u64;
        return Ok(());
    }
    if scanner.kind()? != Kind::Array {
        return scanner.value().map(drop).map_err(Stop::from);
    }
    let mut texts = 0;
    scanner.array::<Stop>(|scanner| {
        texts += 1;
        if scanner.kind()? != Kind::Object {
            return scanner.value().map(drop).map_err(Stop::from);
        }
        scanner.object::<Malformed>(|scanner, member| {
            let span = scanner.value()?;
            if &*member.key == b"image_url" {
                reader.media_bytes += span.len();
                reader.call.media.images += 1;
            }
            Ok(())
        })?;
        Ok(())
    })?;
    reader.call.messages = texts.max(1);
    Ok(())
}

/// A value, and how many entries it has; 1 where it is no list.
fn items(scanner: &mut Scanner<'_>) -> Result<(std::ops::Range<usize>, u64), Malformed> {
    match scanner.kind()? {
        Kind::Array => {
            let mut items = 0;
            let span = scanner.array::<Malformed>(|scanner| {
                items += 1;
                scanner.value().map(drop)
            })?;
            Ok((span, items))
        }
        Kind::Null => Ok((scanner.value()?, 0)),
        Kind::Object | Kind::String | Kind::Number | Kind::True | Kind::False => {
            Ok((scanner.value()?, 1))
        }
    }
}
