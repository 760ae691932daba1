//! What the tests of every dialect share.

use serde_json::Value;
use wire::chat::{Answer, Collector, Event, Leniency, ReadStream, StreamReader, Target};
use wire::dialect::{self, Dialect};
use wire::splice::OutputField;
use wire::{Asked, Operation};

/// A chat whose path says nothing else.
pub(super) const CHAT: Asked<'static> = Asked::of(Operation::ChatCompletions);

/// The dialects of chats.
pub(super) fn chats() -> Vec<&'static Dialect> {
    let talks = |dialect: &&Dialect| dialect.operations.contains(&Operation::ChatCompletions);
    dialect::ALL.iter().copied().filter(talks).collect()
}

/// A target that takes what it can get.
pub(super) fn target(model: &str, field: OutputField) -> Target<'_> {
    Target {
        model,
        output_tokens_default: 4096,
        output_field: field,
        ask_usage: true,
        reasons: true,
        leniency: Leniency::Lenient,
    }
}

/// The events of a body cut at the given offsets.
pub(super) fn events(
    dialect: Box<dyn ReadStream>,
    body: &[u8],
    cuts: impl IntoIterator<Item = usize>,
) -> Vec<Event> {
    let mut reader = StreamReader::new(dialect);
    let mut events = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([body.len()]) {
        reader.push(&body[from..cut], &mut events).unwrap();
        from = cut;
    }
    reader.finish(&mut events);
    events
}

/// The answer that events make, the failure they report, and whether they say that it is whole.
pub(super) fn collected(events: &[Event]) -> (Answer, Option<wire::ProviderError>, bool) {
    let mut collector = Collector::new();
    events.iter().for_each(|event| collector.push(event));
    let (failed, whole) = (collector.failed().cloned(), collector.is_whole());
    (collector.into_answer(), failed, whole)
}

/// Where two values differ first, as a path and both values.
pub(super) fn difference(left: &Value, right: &Value) -> Option<String> {
    fn walk(left: &Value, right: &Value, path: &str) -> Option<String> {
        match (left, right) {
            (Value::Object(one), Value::Object(two)) => {
                let keys = one.keys().chain(two.keys());
                let value = |map: &serde_json::Map<String, Value>, key: &str| {
                    map.get(key).cloned().unwrap_or_else(|| Value::from("(absent)"))
                };
                keys.into_iter().find_map(|key| {
                    walk(&value(one, key), &value(two, key), &format!("{path}.{key}"))
                })
            }
            (Value::Array(one), Value::Array(two)) if one.len() == two.len() => one
                .iter()
                .zip(two)
                .enumerate()
                .find_map(|(at, (one, two))| walk(one, two, &format!("{path}[{at}]"))),
            _ if left == right => None,
            _ => Some(format!("{path}: {left:.200} became {right:.200}")),
        }
    }
    walk(left, right, "")
}

/// Cut points that differ from seed to seed and are the same in every run.
pub(super) fn cuts(length: usize, seed: u64) -> Vec<usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let mut cuts: Vec<usize> = (0..1 + next() % 12).map(|_| next() % (length + 1)).collect();
    cuts.sort_unstable();
    cuts
}
