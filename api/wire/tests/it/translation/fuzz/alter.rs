//! Bodies altered: values put where they do not belong, events of streams dropped, doubled and swapped,
//! bytes torn out.

use serde_json::Value;
use wire::frame::{Found, Framing, Splitter, aws_event_stream};

/// Numbers that look random and are the same for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll()).unwrap() % end.max(1)
    }
}

/// Every place in a value, as a pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| places(item, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

/// Puts a value where it does not belong, takes one away, says one twice, or cuts one short.
fn alter(value: &mut Value, dice: &mut Dice) {
    let mut all = Vec::new();
    places(value, "", &mut all);
    let at = all[dice.below(all.len())].clone();
    let other = value.pointer(&all[dice.below(all.len())]).unwrap().clone();
    let Some(place) = value.pointer_mut(&at) else { return };
    match (dice.below(10), &mut *place) {
        (0, _) => *place = Value::Null,
        (1, _) => *place = other,
        (2, _) => *place = Value::from(vec![place.clone()]),
        (3, Value::Object(members)) if !members.is_empty() => {
            let key = members.keys().nth(dice.below(members.len())).unwrap().clone();
            members.remove(&key);
        }
        (4, Value::Object(members)) if !members.is_empty() => {
            let key = members.keys().nth(dice.below(members.len())).unwrap().clone();
            let moved = members.remove(&key).unwrap();
            members.insert(format!("{key}_"), moved);
        }
        (3, Value::Array(items)) if !items.is_empty() => {
            items.remove(dice.below(items.len()));
        }
        (4 | 5, Value::Array(items)) if !items.is_empty() => {
            let again = items[dice.below(items.len())].clone();
            items.push(again);
        }
        (5, Value::String(text)) => {
            let cut = (0..=dice.below(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(cut.unwrap_or(0));
        }
        (6, Value::String(text)) => text.push_str("\u{1f600}\"\\\n\u{0}<think>bursar:t:a:b"),
        (7, _) => *place = Value::from(u64::MAX - dice.roll() % 3),
        (8, _) => *place = Value::from(-1.5e308),
        _ => *place = Value::from(""),
    }
}

pub(super) fn altered_json(bytes: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    (0..=dice.below(3)).for_each(|_| alter(&mut value, dice));
    Some(value.to_string().into_bytes())
}

/// A body with something done to its bytes.
pub(super) fn torn(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = dice.below(bytes.len() + 1);
    match dice.below(4) {
        0 => bytes.truncate(at),
        1 if at < bytes.len() => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
        2 => bytes.insert(at, b"{}[]\",:\n\r\\\0\xff"[dice.below(12)]),
        _ => {
            let from = dice.below(at + 1);
            bytes.drain(from..at);
        }
    }
    bytes
}

/// Events of a stream taken apart, altered, and put together again.
pub(super) fn altered_stream(framing: Framing, body: &[u8], dice: &mut Dice) -> Vec<u8> {
    let (mut splitter, mut at, mut found) = (Splitter::new(framing), 0, Vec::new());
    while let Ok(Some(event)) = splitter.next(body, &mut at) {
        if let Found::Event { event, data, .. } = event {
            found.push((event.to_owned(), data.to_vec()));
        }
    }
    if found.is_empty() {
        return torn(body, dice);
    }
    for _ in 0..=dice.below(3) {
        let at = dice.below(found.len());
        match dice.below(5) {
            0 if found.len() > 1 => drop(found.remove(at)),
            1 => found.push(found[at].clone()),
            2 => {
                let other = dice.below(found.len());
                found.swap(at, other);
            }
            _ => {
                let data = altered_json(&found[at].1, dice);
                found[at].1 = data.unwrap_or_else(|| torn(&found[at].1, dice));
            }
        }
    }
    let mut body = Vec::new();
    for (at, (name, data)) in found.iter().enumerate() {
        match framing {
            Framing::AwsEventStream => aws_event_stream::event(&mut body, name, data),
            Framing::NdJson => body.extend([data, &b"\n"[..]].concat()),
            Framing::JsonArray => {
                body.extend([if at == 0 { b"[" } else { b"," }, &data[..]].concat());
            }
            Framing::Sse => {
                let kind = serde_json::from_slice::<Value>(data).unwrap_or_default();
                if let Some(kind) = kind["type"].as_str().filter(|kind| !kind.contains('\n')) {
                    body.extend(format!("event: {kind}\n").bytes());
                }
                body.extend([b"data: ", &data[..], b"\n\n"].concat());
            }
        }
    }
    body
}
