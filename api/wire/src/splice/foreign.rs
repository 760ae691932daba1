//! Thoughts of other makers that a caller brings back to one who cannot read them: they are taken out,
//! where a conversation that began elsewhere goes on in the caller's own dialect.

use std::ops::Range;

use memchr::memmem;

use crate::dialect::{anthropic_messages, cohere_chat, gemini, openai_responses};
use crate::json::{Kind, Malformed, Scanner};

/// What a member begins with that carries another maker's thoughts: as it is, or in base64.
const MARKS: [&[u8]; 2] = [b"\"bursar:", b"\"YnVyc2FyO"];

/// Members that carry them.
const CARRIERS: [&[u8]; 5] =
    [b"signature", b"data", b"encrypted_content", b"thoughtSignature", b"thought_signature"];

/// Where a dialect has what was said: the list of turns or items, in each of them that of its parts.
#[derive(Debug, Clone, Copy)]
struct Place {
    list: &'static [u8],
    parts: Option<&'static [u8]>,
    /// The field as it is reported.
    field: &'static str,
}

fn place(dialect: &str) -> Option<Place> {
    let (list, parts, field): (&[u8], Option<&[u8]>, _) = match dialect {
        anthropic_messages::NAME | cohere_chat::NAME => {
            (b"messages", Some(b"content"), "messages.content.thinking")
        }
        gemini::NAME => (b"contents", Some(b"parts"), "contents.parts.thoughtSignature"),
        openai_responses::NAME => (b"input", None, "input.reasoning"),
        _ => return None,
    };
    Some(Place { list, parts, field })
}

/// What is to be taken out of a body, and the field to report; nothing of nearly all.
pub(super) fn foreign(dialect: &str, body: &[u8]) -> Option<(Vec<Range<usize>>, &'static str)> {
    let place = place(dialect)?;
    MARKS.iter().find(|mark| memmem::find(body, mark).is_some())?;
    let mut out = Vec::new();
    Scanner::new(body)
        .object::<Malformed>(|scanner, member| {
            if &*member.key != place.list || scanner.kind()? != Kind::Array {
                return scanner.value().map(drop);
            }
            let items = items(scanner, |scanner| match place.parts {
                None => is_foreign(scanner),
                Some(parts) => turn(scanner, parts, &mut out),
            })?;
            out.extend(taken(&items));
            Ok(())
        })
        .ok()?;
    (!out.is_empty()).then_some((out, place.field))
}

/// The items of an array, and whether each is to be taken out.
fn items(
    scanner: &mut Scanner<'_>,
    mut goes: impl FnMut(&mut Scanner<'_>) -> Result<(Range<usize>, bool), Malformed>,
) -> Result<Vec<(Range<usize>, bool)>, Malformed> {
    let mut items = Vec::new();
    scanner.array::<Malformed>(|scanner| {
        items.push(goes(scanner)?);
        Ok(())
    })?;
    Ok(items)
}

/// One turn: it goes where nothing of it is left; else `out` gets the parts that go.
fn turn(
    scanner: &mut Scanner<'_>,
    parts: &[u8],
    out: &mut Vec<Range<usize>>,
) -> Result<(Range<usize>, bool), Malformed> {
    if scanner.kind()? != Kind::Object {
        return scanner.value().map(|span| (span, false));
    }
    let (mut empty, mut inner) = (false, Vec::new());
    let span = scanner.object::<Malformed>(|scanner, member| {
        if &*member.key != parts || scanner.kind()? != Kind::Array {
            return scanner.value().map(drop);
        }
        let found = items(scanner, is_foreign)?;
        empty = !found.is_empty() && found.iter().all(|(_, goes)| *goes);
        inner = taken(&found);
        Ok(())
    })?;
    if !empty {
        out.append(&mut inner);
    }
    Ok((span, empty))
}

/// Whether a part or an item carries the thoughts of another maker.
fn is_foreign(scanner: &mut Scanner<'_>) -> Result<(Range<usize>, bool), Malformed> {
    if scanner.kind()? != Kind::Object {
        return scanner.value().map(|span| (span, false));
    }
    let mut marked = false;
    let span = scanner.object::<Malformed>(|scanner, member| {
        let span = scanner.value()?;
        let value = scanner.slice(&span);
        marked |=
            CARRIERS.contains(&&*member.key) && MARKS.iter().any(|mark| value.starts_with(mark));
        Ok(())
    })?;
    Ok((span, marked))
}

/// The spans of items that go, each with the comma that goes with it.
fn taken(items: &[(Range<usize>, bool)]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut kept = false;
    for (at, (span, goes)) in items.iter().enumerate() {
        if !goes {
            kept = true;
        } else if kept {
            spans.push(items[at - 1].0.end..span.end);
        } else {
            let next = items.get(at + 1).map_or(span.end, |(next, _)| next.start);
            spans.push(span.start..next);
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(dialect: &str, body: &str) -> String {
        let mut rest = body.to_owned();
        let (mut spans, _) = foreign(dialect, body.as_bytes()).unwrap_or_default();
        spans.sort_by_key(|span| span.start);
        spans.into_iter().rev().for_each(|span| rest.replace_range(span, ""));
        rest
    }

    #[test]
    fn thoughts_of_others_go_and_every_other_byte_stays() {
        let mine = r#"{"type":"thinking","thinking":"a","signature":"EqQB"}"#;
        let theirs =
            r#"{"type":"thinking","thinking":"b","signature":"bursar:t:google-gemini-v1:Eq"}"#;
        let hidden = r#"{"type":"redacted_thinking", "data":"bursar:r:x:y"}"#;
        let text = r#"{"type":"text","text":"\"bursar:t:a:b"}"#;
        let body = |content: &str| {
            format!(
                r#"{{"n":1e3, "messages":[ {{"role":"assistant","content":[{content}]}} , {{"content":"hi"}}]}}"#
            )
        };
        let cases = [
            (format!("{theirs}, {text}"), text.to_owned()),
            (format!("{text}, {theirs}"), text.to_owned()),
            (format!("{hidden} ,{theirs},{mine} , {hidden},{text}"), format!("{mine},{text}")),
            (format!("{mine},{text}"), format!("{mine},{text}")),
        ];
        for (given, left) in cases {
            assert_eq!(without("anthropic_messages", &body(&given)), body(&left), "{given}");
        }
        let only = without("anthropic_messages", &body(&format!("{theirs},{hidden}")));
        assert_eq!(only, r#"{"n":1e3, "messages":[ {"content":"hi"}]}"#);
    }

    #[test]
    fn items_and_parts_go_where_they_stand_in_other_dialects() {
        let body = r#"{"input":[{"role":"user","content":"hi"},{"type":"reasoning","summary":[],"encrypted_content":"bursar:t:x:y"}]}"#;
        let left = r#"{"input":[{"role":"user","content":"hi"}]}"#;
        assert_eq!(without("openai_responses", body), left);
        assert_eq!(without("openai_chat", body), body);
        let body = r#"{"contents":[{"parts":[{"text":"a","thought":true,"thoughtSignature":"YnVyc2FyOnQ6eDp5"},{"text":"b"}]}]}"#;
        let left = r#"{"contents":[{"parts":[{"text":"b"}]}]}"#;
        assert_eq!(without("gemini", body), left);
    }
}
