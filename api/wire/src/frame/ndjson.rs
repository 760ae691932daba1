//! One JSON object a line.

use super::{EVENT_BYTES_MAX, EventTooLong, Found, Junk, Name};

/// Finds lines that hold an object. LF and CRLF end lines; other lines are kept as junk.
#[derive(Debug, Default)]
pub struct NdJson {
    /// The piece of a line that the chunks before ended in.
    line: Vec<u8>,
    /// Whether `line` was handed out and is to be forgotten.
    used: bool,
    junk: Junk,
}

impl NdJson {
    /// A splitter at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing in `chunk` from `*at` on; see [`super::Splitter::next`].
    ///
    /// # Errors
    /// [`EventTooLong`] when a line exceeds [`EVENT_BYTES_MAX`].
    pub fn next<'a>(
        &'a mut self,
        chunk: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Found<'a>>, EventTooLong> {
        if std::mem::take(&mut self.used) {
            self.line.clear();
        }
        if *at >= chunk.len() {
            return Ok(None);
        }
        let rest = &chunk[*at..];
        let length = memchr::memchr(b'\n', rest);
        let piece = &rest[..length.unwrap_or(rest.len())];
        if self.line.len() + piece.len() > EVENT_BYTES_MAX {
            return Err(EventTooLong);
        }
        if length.is_none() {
            self.line.extend_from_slice(piece);
            *at = chunk.len();
            return Ok(None);
        }
        *at += piece.len() + 1;
        let line = if self.line.is_empty() {
            piece
        } else {
            self.line.extend_from_slice(piece);
            self.used = true;
            &self.line[..]
        };
        let data = line.trim_ascii();
        if !is_object(data) {
            if !data.is_empty() {
                self.junk.add_line(line);
            }
            return Ok(Some(Found::Idle { end: *at }));
        }
        Ok(Some(Found::Event { end: *at, name: Name::None, event: "", data }))
    }

    /// The stream has ended: the object of the last line, which may lack its end.
    pub fn finish(&mut self) -> Option<&[u8]> {
        if std::mem::take(&mut self.used) {
            self.line.clear();
        }
        let data = self.line.trim_ascii();
        // A line that was cut may well end in a brace; whether it is whole shows when it is read.
        if is_object(data) {
            return Some(data);
        }
        if !data.is_empty() {
            self.junk.add_line(data);
        }
        None
    }

    /// Whether the stream stands at the beginning of a line.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        self.used || self.line.is_empty()
    }

    /// Lines that are no objects, up to 1 MiB.
    #[must_use]
    pub fn junk(&self) -> &[u8] {
        self.junk.bytes()
    }
}

/// Whether a line may hold an object; a pretty-printed one has no line of its own.
fn is_object(line: &[u8]) -> bool {
    line.first() == Some(&b'{') && line.last() == Some(&b'}')
}
