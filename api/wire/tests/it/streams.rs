//! Streams passed on: byte for byte, however they are cut.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use wire::dialect::openai_chat::{StreamEnd, StreamRelay, Trailer};
use wire::frame::Framing;
use wire::relay::StreamOptions;
use wire::{Refusal, Usage};

use crate::traffic::{self, Record};

pub(crate) fn options(hide_usage: bool) -> StreamOptions {
    StreamOptions { hide_usage, answers: 1, framing: Framing::Sse }
}

/// Relays `body` cut at the given offsets.
pub(crate) fn relay(
    body: &Bytes,
    cuts: impl IntoIterator<Item = usize>,
    options: StreamOptions,
) -> (Vec<u8>, StreamEnd) {
    let mut relay = StreamRelay::new(options);
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([body.len()]) {
        relay.push(&body.slice(from..cut), &mut out).unwrap();
        from = cut;
    }
    let end = relay.finish(&mut out);
    (out.concat(), end)
}

/// The stream without the events that hold nothing but usage, found the slow and plain way; what all
/// its usage comes to; and whether it says that it is whole.
fn plain(text: &str) -> (String, Option<Usage>, bool) {
    let (mut kept, mut event, mut data) = (String::new(), String::new(), String::new());
    let (mut usage, mut whole) = (None, false);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let line = &rest[..end];
        let feed = if rest[end..].starts_with("\r\n") { 2 } else { 1.min(rest.len() - end) };
        event.push_str(&rest[..end + feed]);
        rest = &rest[end + feed..];
        if let Some(value) = line.strip_prefix("data:") {
            data.push_str(value);
        }
        if !line.is_empty() && !rest.is_empty() {
            continue;
        }
        whole |= data.trim() == "[DONE]";
        let body: Value = serde_json::from_str(&data).unwrap_or_default();
        let found = traffic::plain_usage(&body);
        let choices = body["choices"].as_array().map_or(0, Vec::len);
        if found.is_none() || choices > 0 {
            kept.push_str(&event);
        }
        let reason = |choice: &Value| {
            choice["finish_reason"].as_str().is_some_and(|reason| !reason.is_empty())
        };
        whole |= body["choices"].as_array().is_some_and(|choices| choices.iter().any(reason));
        usage = [usage, found].into_iter().flatten().reduce(Usage::max);
        event.clear();
        data.clear();
    }
    (kept, usage, whole)
}

/// Cut points from a small generator, the same in every run.
fn random_cuts(length: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let count = 1 + next() % 12;
    let mut cuts: Vec<usize> = (0..count).map(|_| next() % (length + 1)).collect();
    cuts.sort_unstable();
    cuts
}

fn recorded_cuts(record: &Record) -> Vec<usize> {
    let lengths = record.response_chunks.iter().flatten();
    let mut cuts: Vec<usize> = lengths
        .scan(0, |sum, length| {
            *sum += length;
            Some(*sum)
        })
        .collect();
    cuts.retain(|cut| *cut <= record.response_body.len());
    cuts
}

#[test]
fn recorded_streams_pass_unchanged_and_are_counted_right() {
    let mut count = 0;
    let mut unfinished = Vec::new();
    traffic::each(|record| {
        if record.status != 200 || !record.is_stream() {
            return;
        }
        count += 1;
        let body = record.body();
        let (kept, usage, whole) = plain(&record.response_body);
        for cuts in [
            recorded_cuts(&record),
            random_cuts(body.len(), count),
            random_cuts(body.len(), !count),
        ] {
            let (out, end) = relay(&body, cuts.clone(), options(false));
            assert!(out == body, "{} {cuts:?}", record.id);
            assert_eq!(end.usage, usage, "{}", record.id);
            let (out, hiding) = relay(&body, cuts, options(true));
            assert_eq!(String::from_utf8(out).unwrap(), kept, "{}", record.id);
            assert_eq!(hiding.usage, usage, "{}", record.id);
            assert_eq!(end.complete, end.error.is_none() && whole, "{}", record.id);
            if !end.complete {
                unfinished.push(record.id.clone());
            }
        }
    });
    assert!(count > 850, "{count}");
    unfinished.dedup();
    // The first has `{"value":…}` events of another format; nothing in it says that it is whole. The
    // others report an error.
    unfinished.sort();
    let expected = [
        "groq-chat_stream-1529279dc2",
        "groq-chat_stream-50c92e1406",
        "openrouter-chat_stream-cbacdea9ec",
        "openrouter-chat_stream-f210722e40",
        "writer-completions_stream-c324bdfb89",
    ];
    assert_eq!(unfinished, expected);
}

/// Small streams with the habits that break naive readers.
const SAMPLE: &[&str] = &[
    "perplexity-chat_stream-e3d519f5c7",
    "openrouter-chat_stream-f210722e40",
    "huggingface-chat_stream-f19a780980",
    "doubleword-chat_stream-b3215456ec",
    "gpustack-chat_stream-d251f8df42",
    "groq-chat_stream-1529279dc2",
    "zai-chat_stream-e068fdd834",
    "openrouter-chat_stream-cbacdea9ec",
    "azure-chat_stream-16ebfdc216",
    "mistral-chat_stream-6890922b4d",
    "groq-chat_stream-074392a407",
    "xai-chat_stream-a89ef048c0",
    "groq-chat_stream-8c1f99f83e",
    "zai-chat_stream-5f3fdee256",
];

#[test]
fn sampled_streams_cut_at_every_byte_give_the_same() {
    for id in SAMPLE {
        let record = traffic::record(id);
        let whole = record.body();
        // The end of a long stream has all that matters: usage, reasons, the last events.
        let body = whole.slice(whole.len().saturating_sub(3000)..);
        for hide in [false, true] {
            let (expected, end) = relay(&body, [], options(hide));
            for cut in 0..=body.len() {
                let (out, cut_end) = relay(&body, [cut], options(hide));
                assert!(out == expected, "{id} cut at {cut}, hiding {hide}");
                assert_eq!(cut_end, end, "{id} cut at {cut}, hiding {hide}");
            }
            let (out, cut_end) = relay(&body, 0..body.len(), options(hide));
            assert!(out == expected, "{id} byte by byte, hiding {hide}");
            assert_eq!(cut_end, end, "{id} byte by byte, hiding {hide}");
        }
    }
}

#[test]
fn long_and_multibyte_streams_byte_by_byte_give_the_same() {
    for id in [
        "perplexity-chat_stream-f25056d747",
        "zai-chat_stream-e203a5f537",
        "openai-chat_stream-e80399c409",
    ] {
        let body = traffic::record(id).body();
        for hide in [false, true] {
            let (expected, end) = relay(&body, [], options(hide));
            let (out, cut_end) = relay(&body, 0..body.len(), options(hide));
            assert!(out == expected && cut_end == end, "{id}, hiding {hide}");
        }
    }
}

#[test]
fn nothing_is_held_back_when_nothing_is_hidden() {
    let mut relay = StreamRelay::new(options(false));
    let mut out = Vec::new();
    for piece in ["da", "ta: {\"choi", "ces\":[]}"] {
        relay.push(&Bytes::from(piece), &mut out).unwrap();
        assert_eq!(out.last().unwrap(), piece);
    }
}

#[test]
fn chunks_pass_without_being_copied() {
    let body = Bytes::from_static(b"data: {\"choices\":[{}]}\n\ndata: {\"choices\":[{}]}\n\n");
    for hide in [false, true] {
        let mut out = Vec::new();
        StreamRelay::new(options(hide)).push(&body, &mut out).unwrap();
        assert_eq!(out.len(), 1);
        assert_eq!(out[0].as_ptr(), body.as_ptr());
    }
}

#[test]
fn long_events_are_not_held_back() {
    let mut relay = StreamRelay::new(options(true));
    let mut out = Vec::new();
    relay
        .push(
            &Bytes::from(format!("data: {{\"choices\":[{{\"delta\":\"{}", "x".repeat(70_000))),
            &mut out,
        )
        .unwrap();
    assert_eq!(out.concat().len(), 70_000 + 28);
    relay.push(&Bytes::from("\"}]}\n\n"), &mut out).unwrap();
    let end = relay.finish(&mut out);
    assert_eq!((end.output_bytes, end.events), (70_000, 1));
    assert!(out.concat().ends_with(b"\"}]}\n\n"));
}

#[test]
fn endless_events_are_cut_off_with_an_error() {
    for hide in [false, true] {
        let mut relay = StreamRelay::new(options(hide));
        let chunk = Bytes::from(vec![b'x'; 1024 * 1024]);
        let mut out = Vec::new();
        let pushed = (0..17).map(|_| relay.push(&chunk, &mut out)).find(Result::is_err);
        let error = pushed.unwrap().unwrap_err();
        assert_eq!(error.status, 502);
        assert!(error.message.contains("event longer than 16777216 bytes"), "{}", error.message);
    }
}

fn trailer(body: &'static str, options: StreamOptions) -> Trailer {
    let (_, end) = relay(&Bytes::from_static(body.as_bytes()), [], options);
    end.trailer(&Refusal::provider(502, "stream_cut", "the provider's stream broke off"))
}

const CUT: &str = "data: {\"error\":{\"message\":\"the provider's stream broke off\",\"type\":\"server_error\",\
    \"param\":null,\"code\":\"stream_cut\"}}\n\n";

#[test]
fn cut_streams_end_with_an_error_event_and_never_with_done() {
    let delta = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    assert_eq!(trailer(delta, options(false)), Trailer::Cut(Bytes::from(CUT)));
    assert_eq!(
        trailer("data: {\"choi", options(false)),
        Trailer::Cut(Bytes::from(format!("\n\n{CUT}")))
    );
    // What is held back breaks off unseen.
    assert_eq!(trailer("data: {\"choi", options(true)), Trailer::Cut(Bytes::from(CUT)));
    assert_eq!(trailer("", options(true)), Trailer::Cut(Bytes::from(CUT)));
    // One of two choices has finished.
    let half = "data: {\"choices\":[{\"index\":1,\"finish_reason\":\"stop\"}]}\n\n";
    let two = StreamOptions { hide_usage: false, answers: 2, framing: Framing::Sse };
    assert_eq!(trailer(half, two), Trailer::Cut(Bytes::from(CUT)));
}

#[test]
fn whole_streams_without_done_get_one() {
    let finished = "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\n\n";
    assert_eq!(trailer(finished, options(true)), Trailer::Done(Bytes::from("data: [DONE]\n\n")));
    let open = "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}";
    assert_eq!(trailer(open, options(true)), Trailer::Done(Bytes::from("\n\ndata: [DONE]\n\n")));
    assert_eq!(trailer("data: [DONE]\n\n", options(true)), Trailer::None);
    assert_eq!(trailer("data:[DONE]", options(true)), Trailer::None);
}

#[test]
fn plain_json_in_the_place_of_a_stream_is_understood() {
    let body =
        Bytes::from_static(b"{\n \"error\": {\"message\": \"no such model\", \"code\": 404}\n}");
    let (out, end) = relay(&body, [10], options(true));
    assert_eq!(out, body);
    assert_eq!(end.error.unwrap().message, "no such model");
    assert_eq!(end.error_body.unwrap().trim_ascii(), body);
    let body = Bytes::from_static(
        b"{\"choices\":[{}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
    );
    let (_, end) = relay(&body, [], options(true));
    assert_eq!(end.usage.unwrap().output_tokens, 2);
    assert!(end.complete);
    assert_eq!(end.trailer(&Refusal::provider(502, "stream_cut", "cut")), Trailer::None);
}

/// A stream out of pieces that matter, with every kind of line end and defect.
fn messy() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é😀\"}}]}"),
        Just("data:{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}"),
        Just(
            "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3}}"
        ),
        Just("data: {\"error\":{\"message\":\"x\"}}"),
        Just("event: error"),
        Just("data: [DONE]"),
        Just("data: {\"cut\":"),
        Just("data:"),
        Just(": comment"),
        Just("id: 7"),
        Just("junk"),
        Just("\u{feff}"),
        Just(""),
    ];
    let line_end = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("\n\n"),
        Just("\r\n\r\n"),
        Just("\r\r"),
        Just("")
    ];
    proptest::collection::vec((piece, line_end), 0..12)
        .prop_map(|parts| parts.into_iter().map(|(piece, end)| format!("{piece}{end}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn cutting_anywhere_changes_nothing(text in messy(), seed in any::<u64>()) {
        let body = Bytes::from(text.clone().into_bytes());
        for hide in [false, true] {
            let (expected, end) = relay(&body, [], options(hide));
            let (out, cut_end) = relay(&body, random_cuts(body.len(), seed), options(hide));
            prop_assert_eq!(&String::from_utf8(out).unwrap(), &String::from_utf8(expected.clone()).unwrap());
            prop_assert_eq!(&cut_end, &end);
            let (out, cut_end) = relay(&body, 0..body.len(), options(hide));
            prop_assert_eq!(&String::from_utf8(out).unwrap(), &String::from_utf8(expected.clone()).unwrap());
            prop_assert_eq!(&cut_end, &end);
            prop_assert!(hide || expected == text.as_bytes());
        }
    }

    #[test]
    fn garbage_streams_pass_unchanged_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), seed in any::<u64>()) {
        let body = Bytes::from(bytes);
        let (out, _) = relay(&body, random_cuts(body.len(), seed), options(false));
        prop_assert!(out == body);
        let (out, _) = relay(&body, random_cuts(body.len(), seed), options(true));
        prop_assert!(out == body);
    }
}
