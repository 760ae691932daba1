//! AWS event streams: binary messages with headers and two checksums, cut anywhere.
//!
//! A message is: its length and that of its headers (four bytes each, big-endian), the CRC-32 of these
//! eight, the headers, the payload, the CRC-32 of all before.

use std::ops::Range;

use super::{EVENT_BYTES_MAX, Found, Junk, Name};

/// What is told of a stream that cannot be read any further.
const DAMAGED: &str = r#"{"message":"the provider sent a damaged event stream"}"#;

/// Both lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;
/// A message without headers and payload.
const MESSAGE_BYTES_MIN: usize = PRELUDE_BYTES + CHECKSUM_BYTES;
/// The type of a header's value that is a text.
const STRING: u8 = 7;

/// The bytes are no event stream, or were damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The lengths do not fit together, or exceed [`EVENT_BYTES_MAX`].
    #[error("an event stream message says it has {total} bytes, {headers} of them headers")]
    Length {
        /// Of the message, in bytes.
        total: u32,
        /// Of its headers, in bytes.
        headers: u32,
    },
    /// A checksum is not that of its bytes.
    #[error("an event stream message has checksum {given:08x}, its bytes have {found:08x}")]
    Checksum {
        /// As sent.
        given: u32,
        /// As computed.
        found: u32,
    },
    /// The headers cannot be read.
    #[error("an event stream message has unreadable headers")]
    Headers,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of the answer.
    Event,
    /// A failure of a kind that the service declares.
    Exception,
    /// A failure of another kind.
    Error,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// The type of the event or exception, or the code of the error; empty where none is given.
    pub name: &'a str,
    /// The words of an [`Kind::Error`], which has them in a header.
    pub says: &'a str,
    /// The content, mostly JSON.
    pub payload: &'a [u8],
}

/// Finds the messages of a stream as events: an exception as one of the name [`Name::Error`].
///
/// A damaged stream ends with such an event, and what comes behind it is passed over. A body that is no
/// event stream from its first byte on is kept as junk.
#[derive(Debug, Default)]
pub struct AwsEventStream {
    splitter: Splitter,
    state: State,
    junk: Junk,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nothing has come.
    #[default]
    Start,
    Messages,
    Damaged,
    Junk,
}

impl AwsEventStream {
    /// A splitter at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing in `chunk` from `*at` on; see [`super::Splitter::next`].
    pub fn next<'a>(&'a mut self, chunk: &'a [u8], at: &mut usize) -> Option<Found<'a>> {
        let first = *chunk.get(*at)?;
        if self.state == State::Start {
            // No message is so long that the first byte of its length says anything.
            self.state = if first == 0 { State::Messages } else { State::Junk };
        }
        match self.state {
            State::Start | State::Messages => {}
            State::Damaged => {
                *at = chunk.len();
                return None;
            }
            State::Junk => {
                self.junk.add(&chunk[*at..]);
                *at = chunk.len();
                return None;
            }
        }
        let start = *at;
        let (name, event, data) = match self.splitter.next(chunk, at) {
            Ok(None) => return None,
            Ok(Some(Message { kind: Kind::Event, name, payload, .. })) => {
                (Name::Other, name, payload)
            }
            Ok(Some(Message { kind: Kind::Exception, name, payload, .. })) => {
                (Name::Error, name, payload)
            }
            Ok(Some(Message { kind: Kind::Error, name, says, .. })) => {
                (Name::Error, name, says.as_bytes())
            }
            Err(_) => {
                self.state = State::Damaged;
                *at = chunk.len();
                // Nothing of it can be passed on.
                let (name, event, data) = (Name::Error, "", DAMAGED.as_bytes());
                return Some(Found::Event { end: start, name, event, data });
            }
        };
        Some(Found::Event { end: *at, name, event, data })
    }

    /// Whether something came that is no message: nothing can be read behind it.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.state == State::Damaged
    }

    /// Whether no message is begun, so that another may be appended.
    #[must_use]
    pub const fn at_boundary(&self) -> bool {
        self.splitter.at_boundary()
    }

    /// A body that was no event stream, up to 1 MiB.
    #[must_use]
    pub fn junk(&self) -> &[u8] {
        self.junk.bytes()
    }
}

/// Finds messages chunk by chunk; one that lies whole in a chunk is read in place.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The beginning of the message that the chunks before ended in.
    held: Vec<u8>,
    /// Whether `held` was handed out as a message and is to be forgotten.
    spent: bool,
}

impl Splitter {
    /// A splitter at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no message is begun.
    #[must_use]
    pub const fn at_boundary(&self) -> bool {
        self.spent || self.held.is_empty()
    }

    /// The next message in `chunk` from `*at` on; `None` when the chunk is used up. Afterwards `*at` is
    /// behind the message.
    ///
    /// # Errors
    /// [`Broken`]; the splitter is of no use afterwards.
    pub fn next<'a>(
        &'a mut self,
        chunk: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Message<'a>>, Broken> {
        if std::mem::take(&mut self.spent) {
            self.held.clear();
        }
        let rest = &chunk[*at..];
        if self.held.is_empty() {
            let Some(length) = length(rest)?.filter(|length| *length <= rest.len()) else {
                self.held.extend_from_slice(rest);
                *at = chunk.len();
                return Ok(None);
            };
            *at += length;
            return message(&rest[..length]).map(Some);
        }
        // Two steps: until the length is known, then until the message is whole.
        if !self.fill(PRELUDE_BYTES, chunk, at) {
            return Ok(None);
        }
        let length = length(&self.held)?.unwrap_or(PRELUDE_BYTES);
        if !self.fill(length, chunk, at) {
            return Ok(None);
        }
        self.spent = true;
        message(&self.held).map(Some)
    }

    /// Takes bytes until `wanted` are held; says whether they are.
    fn fill(&mut self, wanted: usize, chunk: &[u8], at: &mut usize) -> bool {
        let missing = wanted.saturating_sub(self.held.len()).min(chunk.len() - *at);
        self.held.extend_from_slice(&chunk[*at..*at + missing]);
        *at += missing;
        self.held.len() >= wanted
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |four| u32::from_be_bytes(*four))
}

fn check(bytes: &[u8], given: u32) -> Result<(), Broken> {
    let found = crc32fast::hash(bytes);
    if found == given { Ok(()) } else { Err(Broken::Checksum { given, found }) }
}

/// The length of the message that begins here; `None` while that cannot be told.
fn length(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    if bytes.len() < PRELUDE_BYTES {
        return Ok(None);
    }
    let (total, headers) = (number(bytes, 0), number(bytes, 4));
    let wrong = Broken::Length { total, headers };
    let length = usize::try_from(total).map_err(|_| wrong)?;
    let room = length.checked_sub(MESSAGE_BYTES_MIN).ok_or(wrong)?;
    if length > EVENT_BYTES_MAX || headers as usize > room {
        return Err(wrong);
    }
    check(&bytes[..8], number(bytes, 8))?;
    Ok(Some(length))
}

/// Reads a whole message whose prelude was checked.
fn message(bytes: &[u8]) -> Result<Message<'_>, Broken> {
    let end = bytes.len() - CHECKSUM_BYTES;
    check(&bytes[..end], number(bytes, end))?;
    let body = PRELUDE_BYTES + number(bytes, 4) as usize;
    let mut message = Message { kind: Kind::Event, name: "", says: "", payload: &bytes[body..end] };
    let mut headers = &bytes[PRELUDE_BYTES..body];
    while !headers.is_empty() {
        let (name, value, rest) = header(headers).ok_or(Broken::Headers)?;
        headers = rest;
        let Some(value) = value else { continue };
        match name {
            b":message-type" if value == "exception" => message.kind = Kind::Exception,
            b":message-type" if value == "error" => message.kind = Kind::Error,
            b":event-type" | b":exception-type" | b":error-code" => message.name = value,
            b":error-message" => message.says = value,
            _ => {}
        }
    }
    Ok(message)
}

/// One header: its name, its value if that is a text, and what follows.
fn header(bytes: &[u8]) -> Option<(&[u8], Option<&str>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let prefixed = || Some(2 + usize::from(u16::from_be_bytes(*rest.first_chunk()?)));
    let size = match kind {
        // True and false.
        0 | 1 => 0,
        // Whole numbers of one, two, four and eight bytes.
        2 => 1,
        3 => 2,
        4 => 4,
        // A time in milliseconds has eight, too.
        5 | 8 => 8,
        6 | 7 => prefixed()?,
        // An UUID.
        9 => 16,
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(size)?;
    let text = (*kind == STRING).then(|| std::str::from_utf8(&value[2..]).ok()).flatten();
    Some((name, text, rest))
}

/// Appends an event with a JSON payload.
pub fn event(out: &mut Vec<u8>, name: &str, payload: &[u8]) {
    let headers =
        [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    encode(out, &headers, payload);
}

/// Appends an exception with a JSON payload.
pub fn exception(out: &mut Vec<u8>, name: &str, payload: &[u8]) {
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    encode(out, &headers, payload);
}

/// Appends a message whose headers are texts. Names of headers have at most 255 bytes, values 65,535,
/// the message less than 4 GiB.
pub fn encode(out: &mut Vec<u8>, headers: &[(&str, &str)], payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; PRELUDE_BYTES]);
    for (name, value) in headers {
        let (name_bytes, value_bytes) = (name.len() as u8, value.len() as u16);
        debug_assert!(usize::from(name_bytes) == name.len());
        debug_assert!(usize::from(value_bytes) == value.len());
        out.push(name_bytes);
        out.extend_from_slice(name.as_bytes());
        out.push(STRING);
        out.extend_from_slice(&value_bytes.to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    let headers_bytes = out.len() - start - PRELUDE_BYTES;
    out.extend_from_slice(payload);
    let total = out.len() - start + CHECKSUM_BYTES;
    let mut put = |span: Range<usize>, value: u32| {
        out[start + span.start..start + span.end].copy_from_slice(&value.to_be_bytes());
    };
    put(0..4, total as u32);
    put(4..8, headers_bytes as u32);
    let prelude = crc32fast::hash(&out[start..start + 8]);
    out[start + 8..start + PRELUDE_BYTES].copy_from_slice(&prelude.to_be_bytes());
    let whole = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&whole.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = (Kind, String, String, Vec<u8>);

    fn seen(stream: &[u8], size: usize) -> Result<Vec<Seen>, Broken> {
        let mut splitter = Splitter::new();
        let mut all = Vec::new();
        for chunk in stream.chunks(size) {
            let mut at = 0;
            while let Some(Message { kind, name, says, payload }) = splitter.next(chunk, &mut at)? {
                all.push((kind, name.to_owned(), says.to_owned(), payload.to_vec()));
            }
        }
        assert!(splitter.at_boundary() || size < stream.len() || all.is_empty());
        Ok(all)
    }

    fn sample() -> Vec<u8> {
        let mut stream = Vec::new();
        event(&mut stream, "messageStart", br#"{"role":"assistant"}"#);
        encode(&mut stream, &[], b"");
        exception(&mut stream, "throttlingException", br#"{"message":"slow"}"#);
        let error = [(":message-type", "error"), (":error-code", "X"), (":error-message", "why")];
        encode(&mut stream, &error, &[0; 300]);
        stream
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let stream = sample();
        let whole = seen(&stream, stream.len()).unwrap();
        assert_eq!(whole.len(), 4);
        assert_eq!(whole[0].0, Kind::Event);
        assert_eq!(whole[2].1, "throttlingException");
        assert_eq!((whole[3].0, whole[3].2.as_str()), (Kind::Error, "why"));
        for size in 1..stream.len() {
            assert_eq!(seen(&stream, size).unwrap(), whole, "{size}");
        }
    }

    /// A message from AWS' own description of the format.
    #[test]
    fn a_published_message_is_read_and_written_alike() {
        let published = [
            0x00, 0x00, 0x00, 0x1d, 0x00, 0x00, 0x00, 0x00, 0xfd, 0x52, 0x8c, 0x5a, 0x7b, 0x27,
            0x66, 0x6f, 0x6f, 0x27, 0x3a, 0x27, 0x62, 0x61, 0x72, 0x27, 0x7d, 0xc3, 0x65, 0x39,
            0x36,
        ];
        let mut written = Vec::new();
        encode(&mut written, &[], b"{'foo':'bar'}");
        assert_eq!(written, published);
        assert_eq!(seen(&published, 29).unwrap()[0].3, b"{'foo':'bar'}");
    }

    #[test]
    fn a_changed_bit_is_noticed_wherever_it_is() {
        let stream = sample();
        let first = number(&stream, 0) as usize;
        for at in 0..first * 8 {
            let mut damaged = stream[..first].to_vec();
            damaged[at / 8] ^= 1 << (at % 8);
            let mut splitter = Splitter::new();
            let read = splitter.next(&damaged, &mut 0);
            assert!(read.is_err() || read == Ok(None), "bit {at}");
        }
    }

    #[test]
    fn headers_of_every_type_are_passed_over_and_unknown_ones_refused() {
        let with = |kind: u8, value: &[u8]| {
            let mut headers = vec![1, b'h', kind];
            headers.extend_from_slice(value);
            headers.extend_from_slice(&[11]);
            headers.extend_from_slice(b":event-type\x07\x00\x01e");
            let mut bytes = (16 + headers.len() as u32).to_be_bytes().to_vec();
            bytes.extend_from_slice(&(headers.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
            bytes.extend_from_slice(&headers);
            bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
            seen(&bytes, bytes.len()).map(|all| all[0].1.clone())
        };
        let values: [(u8, &[u8]); 10] = [
            (0, b""),
            (1, b""),
            (2, b"1"),
            (3, b"22"),
            (4, b"4444"),
            (5, b"88888888"),
            (6, b"\x00\x02bb"),
            (7, b"\x00\x00"),
            (8, b"88888888"),
            (9, b"0123456789abcdef"),
        ];
        for (kind, value) in values {
            assert_eq!(with(kind, value).unwrap(), "e", "{kind}");
        }
        assert_eq!(with(10, b""), Err(Broken::Headers));
        assert_eq!(with(7, b"\xff\xff"), Err(Broken::Headers));
    }

    #[test]
    fn a_damaged_stream_ends_with_an_error_and_another_body_is_kept() {
        let mut stream = sample();
        let second = number(&stream, 0) as usize;
        stream[second + 13] ^= 1;
        let mut events = AwsEventStream::new();
        let mut found = Vec::new();
        for chunk in stream.chunks(7) {
            let mut at = 0;
            while let Some(Found::Event { name, event, .. }) = events.next(chunk, &mut at) {
                found.push((name, event.to_owned()));
            }
        }
        let expected = [(Name::Other, "messageStart".to_owned()), (Name::Error, String::new())];
        assert_eq!(found, expected);
        let mut plain = AwsEventStream::new();
        assert_eq!(plain.next(b" {\"message\":", &mut 0), None);
        assert_eq!(plain.next(b"\"no\"}", &mut 0), None);
        assert_eq!(plain.junk(), b" {\"message\":\"no\"}");
    }

    #[test]
    fn lengths_that_cannot_be_are_refused_at_once() {
        for (total, headers) in [(15, 0), (16, 1), (u32::MAX, 0), (0, 0)] {
            let mut bytes = total.to_be_bytes().to_vec();
            bytes.extend_from_slice(&u32::to_be_bytes(headers));
            bytes.extend_from_slice(&[0; 4]);
            assert_eq!(seen(&bytes, 12), Err(Broken::Length { total, headers }));
        }
    }
}
