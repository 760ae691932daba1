//! Splitters give the same events however the bytes are cut, and nothing that comes makes them panic.

use proptest::prelude::*;
use serde_json::Value;
use wire::frame::{EVENT_BYTES_MAX, Found, Framing, Splitter};

use crate::traffic;

const ALL: [Framing; 3] = [Framing::Sse, Framing::JsonArray, Framing::NdJson];

/// The data of every event of a body that comes in the given pieces, and what was none.
fn split<'a>(
    framing: Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut splitter = Splitter::new(framing);
    let mut events = Vec::new();
    for piece in pieces {
        let (mut at, mut behind) = (0, 0);
        while let Some(found) = splitter.next(piece, &mut at).unwrap() {
            let end = match found {
                Found::Event { end, data, .. } => {
                    events.push(data.to_vec());
                    end
                }
                Found::Idle { end } | Found::Tail { end } => end,
            };
            assert!(behind <= end && end <= piece.len(), "{behind} {end}");
            behind = end;
        }
    }
    events.extend(splitter.finish().map(|(_, data)| data.to_vec()));
    (events, splitter.junk().to_vec())
}

fn whole(framing: Framing, body: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    split(framing, [body])
}

fn in_pieces_of(framing: Framing, body: &[u8], size: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    split(framing, body.chunks(size))
}

/// Bodies that once were thought of, each with its events.
fn corpus() -> Vec<(Framing, &'static str, Vec<&'static str>)> {
    use Framing::{JsonArray, NdJson};
    vec![
        (JsonArray, "", vec![]),
        (JsonArray, "[]", vec![]),
        (JsonArray, "[{}]", vec!["{}"]),
        (JsonArray, "\u{feff} [ {\"a\": [1, {}]}\r\n,\r\n{} ] ", vec!["{\"a\": [1, {}]}", "{}"]),
        (
            JsonArray,
            r#"[{"a":"}]\"{\\"},{"é":"[\\\""}]"#,
            vec![r#"{"a":"}]\"{\\"}"#, r#"{"é":"[\\\""}"#],
        ),
        // What is cut, no array, or goes on behind it is no event.
        (JsonArray, r#"[{"a":1},{"b":"#, vec![r#"{"a":1}"#]),
        (JsonArray, r#"{"error":{"code":404}}"#, vec![]),
        (JsonArray, r#"[{"a":1}] {"b":2}"#, vec![r#"{"a":1}"#]),
        (JsonArray, "[1,{}]", vec![]),
        (NdJson, "{}\n\n{\"a\":\"é\"}\r\n", vec!["{}", "{\"a\":\"é\"}"]),
        (NdJson, "{\"a\":1}\n{\"b\":2}", vec!["{\"a\":1}", "{\"b\":2}"]),
        (NdJson, "{\n \"error\": \"x\"\n}\n", vec![]),
        (NdJson, "{\"a\":1}\n{\"b\":", vec!["{\"a\":1}"]),
        (Framing::Sse, "data: {}\n\ndata:x\r\n\r\n", vec!["{}", "x"]),
    ]
}

#[test]
fn kept_bodies_have_their_events_however_they_are_cut() {
    for (framing, body, expected) in corpus() {
        let all = whole(framing, body.as_bytes());
        let events: Vec<&str> =
            all.0.iter().map(|event| std::str::from_utf8(event).unwrap()).collect();
        assert_eq!(events, expected, "{framing:?} {body}");
        for size in 1..=body.len() {
            assert_eq!(in_pieces_of(framing, body.as_bytes(), size), all, "{size} of {body}");
        }
    }
}

#[test]
fn what_is_no_event_is_kept() {
    let error = "{\n \"error\": {\"code\": 404}\n}\n";
    for framing in ALL {
        let (events, junk) = whole(framing, error.as_bytes());
        assert!(events.is_empty());
        let value: Value = serde_json::from_slice(&junk).unwrap();
        assert_eq!(value["error"]["code"], 404, "{framing:?}");
    }
    let behind = format!("[{{}}]{error}");
    assert_eq!(whole(Framing::JsonArray, behind.as_bytes()).1, error.as_bytes());
    let cut = br#"[{"a":1},{"b":"#;
    assert_eq!(whole(Framing::JsonArray, cut).1, br#"{"b":"#);
}

#[test]
fn recorded_arrays_and_lines_are_split_into_their_values() {
    let mut count = 0;
    traffic::each_of(&["gemini_stream", "ollama_chat_stream"], |record| {
        let body = record.response_body.as_bytes();
        let is_array = body.trim_ascii_start().starts_with(b"[");
        let framing = match record.operation.as_str() {
            "gemini_stream" if is_array => Framing::JsonArray,
            "ollama_chat_stream" => Framing::NdJson,
            _ => return,
        };
        count += 1;
        let (events, junk) = whole(framing, body);
        let values: Vec<Value> =
            events.iter().map(|event| serde_json::from_slice(event).unwrap()).collect();
        let expected: Vec<Value> = if is_array {
            serde_json::from_slice(body).unwrap()
        } else {
            serde_json::Deserializer::from_slice(body).into_iter().map(Result::unwrap).collect()
        };
        assert_eq!((values, junk.trim_ascii()), (expected, &b""[..]), "{}", record.id);
        for size in [1, 2, 7, 4093] {
            assert_eq!(in_pieces_of(framing, body, size).0, events, "{} {size}", record.id);
        }
    });
    println!("{count} streams");
    assert!(count > 10, "{count}");
}

#[test]
fn an_event_in_one_chunk_is_read_in_place() {
    let chunk = br#"[{"a":1},"#;
    let (mut splitter, mut at) = (Splitter::new(Framing::JsonArray), 0);
    while let Some(found) = splitter.next(chunk, &mut at).unwrap() {
        if let Found::Event { data, .. } = found {
            assert_eq!(data.as_ptr(), chunk[1..].as_ptr());
        }
    }
    let chunk = b"{\"a\":1}\n";
    let mut splitter = Splitter::new(Framing::NdJson);
    let Ok(Some(Found::Event { data, .. })) = splitter.next(chunk, &mut 0) else {
        panic!("no event");
    };
    assert_eq!(data.as_ptr(), chunk.as_ptr());
}

#[test]
fn an_event_without_end_is_refused() {
    let piece = vec![b'x'; 1 << 20];
    for (framing, start) in [
        (Framing::Sse, &b"data: "[..]),
        (Framing::JsonArray, b"[{\"a\":\""),
        (Framing::NdJson, b"{\"a\":\""),
    ] {
        let mut splitter = Splitter::new(framing);
        let mut taken = 0;
        let refused = std::iter::once(start).chain(std::iter::repeat(&piece[..])).any(|chunk| {
            taken += chunk.len();
            let mut at = 0;
            loop {
                match splitter.next(chunk, &mut at) {
                    Ok(Some(_)) => {}
                    Ok(None) => return false,
                    Err(_) => return true,
                }
            }
        });
        assert!(refused && taken <= EVENT_BYTES_MAX + 2 * piece.len(), "{framing:?} {taken}");
    }
}

/// Bytes that mean something to one of the framings, mostly.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"",
        "\\",
        "\\\"",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        " ",
        ":",
        "data:",
        "data: ",
        "event: error",
        "{}",
        "[{}]",
        "{\"a\":1}",
        "null",
        "é",
        "\u{1f600}",
        "\u{feff}",
        "x",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn cutting_anything_anywhere_changes_nothing(body in bodies(), cuts in prop::collection::vec(0_usize..200, 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.sort_unstable();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([body.len()]);
        let pieces: Vec<&[u8]> = starts.zip(ends).map(|(start, end)| &body[start..end]).collect();
        for framing in ALL {
            let expected = whole(framing, &body);
            prop_assert_eq!(split(framing, pieces.iter().copied()), expected.clone());
            prop_assert_eq!(in_pieces_of(framing, &body, 1), expected);
        }
    }
}
