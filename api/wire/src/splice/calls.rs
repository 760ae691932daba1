//! Calls of tools that come without a type, which clients of OpenAI's chats ask for: the member is put in,
//! every other byte stays.

use std::collections::BTreeMap;

use bytes::Bytes;
use memchr::memmem;

use crate::json::{Kind, Malformed, Scanner};

/// Completes the calls of a plain answer or of a stream's chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many calls each choice of a stream has begun.
    begun: BTreeMap<u64, u64>,
}

/// What is known of one call.
#[derive(Debug, Default)]
struct Call {
    /// Behind its opening brace.
    open: usize,
    empty: bool,
    typed: bool,
    numbered: bool,
    /// Whether it names the tool, as a call does where it begins.
    named: bool,
}

impl Calls {
    /// The answer with a type for each call that has none.
    #[must_use]
    pub fn answer(body: &Bytes) -> Bytes {
        Self::default().complete(body, b"message").unwrap_or_else(|| body.clone())
    }

    /// The same for a chunk of a stream, in which calls have a number as well; `None` where nothing is
    /// to be put in.
    #[must_use]
    pub fn chunk(&mut self, data: &[u8]) -> Option<Bytes> {
        self.complete(data, b"delta")
    }

    fn complete(&mut self, body: &[u8], within: &[u8]) -> Option<Bytes> {
        memmem::find(body, b"\"tool_calls\"")?;
        let mut inserts = Vec::new();
        each_choice(body, within, |index, calls| {
            for call in calls.iter().filter(|call| !call.empty) {
                let mut text = String::new();
                if !call.typed && call.named {
                    text.push_str("\"type\":\"function\",");
                }
                if within == b"delta" && call.named {
                    let number = self.begun.entry(index).or_default();
                    if !call.numbered {
                        text.push_str(&format!("\"index\":{number},"));
                    }
                    *number += 1;
                }
                if !text.is_empty() {
                    inserts.push((call.open, text));
                }
            }
        })
        .ok()?;
        if inserts.is_empty() {
            return None;
        }
        let added: usize = inserts.iter().map(|(_, text)| text.len()).sum();
        let mut whole = Vec::with_capacity(body.len() + added);
        let mut kept = 0;
        for (at, text) in inserts {
            whole.extend_from_slice(&body[kept..at]);
            whole.extend_from_slice(text.as_bytes());
            kept = at;
        }
        whole.extend_from_slice(&body[kept..]);
        Some(Bytes::from(whole))
    }
}

/// Gives the number of each choice and what is known of its calls.
fn each_choice(
    body: &[u8],
    within: &[u8],
    mut each: impl FnMut(u64, &[Call]),
) -> Result<(), Malformed> {
    members(&mut Scanner::new(body), |scanner, key| {
        if key != b"choices" || scanner.kind()? != Kind::Array {
            return scanner.value().map(drop);
        }
        scanner.array(|scanner| {
            let (mut index, mut calls) = (0, Vec::new());
            members(scanner, |scanner, key| match key {
                key if key == within => members(scanner, |scanner, key| {
                    if key != b"tool_calls" || scanner.kind()? != Kind::Array {
                        return scanner.value().map(drop);
                    }
                    scanner.array(|scanner| call(scanner).map(|call| calls.push(call))).map(drop)
                }),
                b"index" => {
                    let span = scanner.value()?;
                    let number = std::str::from_utf8(scanner.slice(&span)).unwrap_or_default();
                    index = number.parse().unwrap_or_default();
                    Ok(())
                }
                _ => scanner.value().map(drop),
            })?;
            each(index, &calls);
            Ok(())
        })?;
        Ok(())
    })
}

/// Reads an object member by member, or over what is none.
fn members(
    scanner: &mut Scanner<'_>,
    mut member: impl FnMut(&mut Scanner<'_>, &[u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    if scanner.kind()? != Kind::Object {
        return scanner.value().map(drop);
    }
    scanner.object(|scanner, found| member(scanner, &found.key)).map(drop)
}

fn call(scanner: &mut Scanner<'_>) -> Result<Call, Malformed> {
    let mut call = Call { empty: true, ..Call::default() };
    if scanner.kind()? != Kind::Object {
        return scanner.value().map(|_| call);
    }
    let span = scanner.object(|scanner, found| {
        call.empty = false;
        match &*found.key {
            b"type" => call.typed = true,
            b"index" => call.numbered = true,
            b"function" => {
                return members(scanner, |scanner, key| {
                    let told = scanner.kind()? == Kind::String;
                    call.named |= key == b"name" && told;
                    scanner.value().map(drop)
                });
            }
            _ => {}
        }
        scanner.value().map(drop)
    })?;
    call.open = span.start + 1;
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_begin_without_a_type_get_one() {
        let body = r#"{"choices": [ {"message":{"tool_calls":[ { "id":"a","function":{"name":"f","arguments":"\"type\""}},
            {"type":"function","function":{"name":"g"}},{},7]}}],"x":1e3}"#;
        let expected = body.replace("{ \"id\":\"a\"", "{\"type\":\"function\", \"id\":\"a\"");
        assert_eq!(Calls::answer(&Bytes::from(body)), expected);
        for same in ["", "{", "[]", r#"{"choices":[{"message":{"tool_calls":null}}]}"#] {
            assert_eq!(Calls::answer(&Bytes::from(same)), same);
        }
    }

    #[test]
    fn calls_of_a_stream_are_numbered_from_chunk_to_chunk() {
        let mut calls = Calls::default();
        let chunk =
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}}]},"index":1}]}"#;
        for number in 0..2 {
            let member = format!("[{{\"type\":\"function\",\"index\":{number},\"function\"");
            let expected = chunk.replace("[{\"function\"", &member);
            assert_eq!(calls.chunk(chunk.as_bytes()).unwrap(), expected);
        }
        let more =
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1"}}]}}]}"#;
        assert_eq!(calls.chunk(more.as_bytes()), None);
    }
}
