//! Server-sent events, found in a byte stream that may be cut anywhere.
//!
//! The splitter never owns what it can borrow: an event that lies whole in one chunk is read in place.

use std::ops::Range;

use super::{BYTE_ORDER_MARK, Junk};
pub use super::{EVENT_BYTES_MAX, EventTooLong, Found, Name};

/// Where the data of the current event stands.
#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    /// One line, in the chunk being read.
    Chunk(Range<usize>),
    /// In `Splitter::data`.
    Kept,
}

/// Finds events chunk by chunk. LF, CRLF and CR end lines, in any mixture.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The piece of a line that the chunks before ended in.
    line: Vec<u8>,
    /// Data of the current event that the chunks before held, or that has several lines.
    data: Vec<u8>,
    current: Data,
    name: Name,
    /// Whether the current event has any line that is not a comment.
    started: bool,
    /// Whether the last byte seen is a CR that ended a line.
    after_cr: bool,
    /// Whether that CR ended something already reported.
    reported: bool,
    /// Whether anything at all was read: a byte order mark may only come first.
    any: bool,
    junk: Junk,
}

/// What a line meant, without borrows.
enum Step {
    Nothing,
    Event,
    Idle,
}

impl Splitter {
    /// A splitter at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing in `chunk` from `*at` on; `None` when the chunk is used up.
    ///
    /// Call it with the same chunk until it says `None`, then with the next one and `at` 0.
    ///
    /// # Errors
    /// [`EventTooLong`] when an event exceeds [`EVENT_BYTES_MAX`]; the splitter is of no use afterwards.
    pub fn next<'a>(
        &'a mut self,
        chunk: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Found<'a>>, EventTooLong> {
        if matches!(self.current, Data::None) {
            self.data.clear();
        }
        if self.after_cr && *at < chunk.len() {
            self.after_cr = false;
            if chunk[*at] == b'\n' {
                *at += 1;
                if self.reported {
                    return Ok(Some(Found::Tail { end: *at }));
                }
            }
        }
        loop {
            let rest = &chunk[*at..];
            let Some(length) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.keep(chunk, rest)?;
                *at = chunk.len();
                return Ok(None);
            };
            let text = *at..*at + length;
            self.end_line(chunk, text.end, at);
            match self.line(chunk, text)? {
                Step::Nothing => self.reported = false,
                Step::Idle => {
                    self.reported = true;
                    return Ok(Some(Found::Idle { end: *at }));
                }
                Step::Event => {
                    self.reported = true;
                    let name = std::mem::take(&mut self.name);
                    let data = match std::mem::take(&mut self.current) {
                        Data::Chunk(span) => &chunk[span],
                        Data::Kept | Data::None => &self.data[..],
                    };
                    return Ok(Some(Found::Event { end: *at, name, event: "", data }));
                }
            }
        }
    }

    /// The stream has ended: the event that lacks its blank line, if there is one.
    pub fn finish(&mut self) -> Option<(Name, &[u8])> {
        if matches!(self.current, Data::None) {
            self.data.clear();
        }
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.field(&[], &line, None);
        }
        let has_data = !matches!(std::mem::take(&mut self.current), Data::None);
        has_data.then_some((self.name, &self.data[..]))
    }

    /// Whether the stream stands at the beginning of an event, so that another may be appended.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        self.line.is_empty() && !self.started
    }

    /// Lines that are no SSE at all, up to 1 MiB: some providers answer a stream with plain JSON.
    #[must_use]
    pub fn junk(&self) -> &[u8] {
        self.junk.bytes()
    }

    /// Moves behind the line end at `end`, as far as this chunk shows it.
    fn end_line(&mut self, chunk: &[u8], end: usize, at: &mut usize) {
        let cr = chunk[end] == b'\r';
        let crlf = cr && chunk.get(end + 1) == Some(&b'\n');
        self.after_cr = cr && end + 1 == chunk.len();
        *at = end + if crlf { 2 } else { 1 };
    }

    fn line(&mut self, chunk: &[u8], text: Range<usize>) -> Result<Step, EventTooLong> {
        if self.line.is_empty() {
            return Ok(self.whole_line(chunk, &chunk[text.clone()], Some(text.start)));
        }
        self.check(text.len())?;
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(&chunk[text]);
        let step = self.whole_line(chunk, &line, None);
        line.clear();
        self.line = line;
        Ok(step)
    }

    /// Reads a line; `at` is where it starts if it lies whole in the chunk.
    fn whole_line(&mut self, chunk: &[u8], line: &[u8], at: Option<usize>) -> Step {
        if line.is_empty() {
            self.started = false;
            if matches!(self.current, Data::None) {
                self.name = Name::None;
                return Step::Idle;
            }
            return Step::Event;
        }
        self.field(chunk, line, at);
        if self.started { Step::Nothing } else { Step::Idle }
    }

    fn field(&mut self, chunk: &[u8], line: &[u8], at: Option<usize>) {
        let mark = if self.any { 0 } else { byte_order_mark(line) };
        self.any = true;
        let line = &line[mark..];
        if line.first() == Some(&b':') {
            return;
        }
        self.started = true;
        let (field, skipped) = split_field(line);
        let value = &line[skipped..];
        match field {
            b"data" => self.add_data(chunk, value, at.map(|start| start + mark + skipped)),
            b"event" => self.name = if value == b"error" { Name::Error } else { Name::Other },
            b"id" | b"retry" => {}
            _ => self.junk.add_line(line),
        }
    }

    fn add_data(&mut self, chunk: &[u8], value: &[u8], at: Option<usize>) {
        match (std::mem::take(&mut self.current), at) {
            (Data::None, Some(start)) => {
                self.current = Data::Chunk(start..start + value.len());
                return;
            }
            (Data::None, None) => self.data.clear(),
            (Data::Chunk(first), _) => {
                self.data.clear();
                self.data.extend_from_slice(&chunk[first]);
                self.data.push(b'\n');
            }
            (Data::Kept, _) => self.data.push(b'\n'),
        }
        self.data.extend_from_slice(value);
        self.current = Data::Kept;
    }

    /// Copies what the next chunk will need of this one.
    fn keep(&mut self, chunk: &[u8], rest: &[u8]) -> Result<(), EventTooLong> {
        if let Data::Chunk(span) = &self.current {
            self.data.clear();
            self.data.extend_from_slice(&chunk[span.clone()]);
            self.current = Data::Kept;
        }
        self.check(rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn check(&self, more: usize) -> Result<(), EventTooLong> {
        let kept = if matches!(self.current, Data::None) { 0 } else { self.data.len() };
        if self.line.len() + kept + more > EVENT_BYTES_MAX { Err(EventTooLong) } else { Ok(()) }
    }
}

/// The field's name, and the offset of its value: behind the colon and one space.
fn split_field(line: &[u8]) -> (&[u8], usize) {
    let Some(colon) = memchr::memchr(b':', line) else {
        return (line, line.len());
    };
    let space = usize::from(line.get(colon + 1) == Some(&b' '));
    (&line[..colon], colon + 1 + space)
}

fn byte_order_mark(line: &[u8]) -> usize {
    if line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything found in `text`, cut into pieces of `size` bytes.
    fn events(text: &str, size: usize) -> Vec<(Name, String)> {
        let mut splitter = Splitter::new();
        let mut events = Vec::new();
        let mut add =
            |name, data: &[u8]| events.push((name, String::from_utf8(data.to_vec()).unwrap()));
        for chunk in text.as_bytes().chunks(size) {
            let mut at = 0;
            while let Some(found) = splitter.next(chunk, &mut at).unwrap() {
                if let Found::Event { name, data, .. } = found {
                    add(name, data);
                }
            }
        }
        if let Some((name, data)) = splitter.finish() {
            add(name, data);
        }
        events
    }

    #[test]
    fn events_are_the_same_for_every_line_end_and_cut() {
        let text = "\u{feff}: hi\n\ndata:{1}\nid: 7\n\nevent: error\ndata: two\ndata:  lines\n: note\ndata\n\n\nevent: x\n\ndata: \n\ndata: é";
        let expected = [
            (Name::None, "{1}".to_owned()),
            (Name::Error, "two\n lines\n".to_owned()),
            (Name::None, String::new()),
            (Name::None, "é".to_owned()),
        ];
        for line_end in ["\n", "\r", "\r\n"] {
            let text = text.replace('\n', line_end);
            for size in 1..=text.len() {
                assert_eq!(events(&text, size), expected, "{line_end:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn event_in_one_chunk_is_read_in_place() {
        let chunk = b"data: abc\n\n";
        let mut splitter = Splitter::new();
        let Ok(Some(Found::Event { end, data, .. })) = splitter.next(chunk, &mut 0) else {
            panic!("no event");
        };
        assert_eq!((end, data.as_ptr()), (chunk.len(), chunk[6..].as_ptr()));
    }

    #[test]
    fn lines_that_are_no_field_are_kept_as_junk() {
        let mut splitter = Splitter::new();
        let mut at = 0;
        while splitter.next(b"{\n \"error\": 1\n}\n", &mut at).unwrap().is_some() {}
        assert_eq!(splitter.finish(), None);
        assert_eq!(splitter.junk(), b"{\n \"error\": 1\n}\n");
    }
}
