//! One JSON array, whose objects come one after another.

use super::{BYTE_ORDER_MARK, EVENT_BYTES_MAX, EventTooLong, Found, Junk, Name};

/// Finds the objects of an array: brackets inside strings and inside objects are no ends of it.
///
/// A body that is no array is kept as junk, and so is what stands behind the array.
#[derive(Debug, Default)]
pub struct JsonArray {
    state: State,
    /// The piece of an object that the chunks before ended in, or the object handed out last.
    kept: Vec<u8>,
    /// Whether `kept` was handed out and is to be forgotten.
    used: bool,
    /// Bytes of a byte order mark seen.
    mark: usize,
    junk: Junk,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Nothing but space has come.
    #[default]
    Before,
    /// In the array, between its objects.
    Between,
    /// In an object, so many brackets deep.
    Inside { depth: u32, string: Text },
    /// Behind the array, or in a body that is none.
    Junk,
}

/// Whether a place is inside a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// Just behind a backslash.
    Escaped,
}

impl JsonArray {
    /// A splitter at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing in `chunk` from `*at` on; see [`super::Splitter::next`].
    ///
    /// # Errors
    /// [`EventTooLong`] when an object exceeds [`EVENT_BYTES_MAX`].
    pub fn next<'a>(
        &'a mut self,
        chunk: &'a [u8],
        at: &mut usize,
    ) -> Result<Option<Found<'a>>, EventTooLong> {
        if std::mem::take(&mut self.used) {
            self.kept.clear();
        }
        if *at >= chunk.len() {
            return Ok(None);
        }
        if !matches!(self.state, State::Inside { .. }) {
            let start = *at;
            self.between(chunk, at);
            if *at > start {
                return Ok(Some(Found::Idle { end: *at }));
            }
        }
        let start = *at;
        let whole = self.inside(chunk, at);
        let piece = &chunk[start..*at];
        if self.kept.len() + piece.len() > EVENT_BYTES_MAX {
            return Err(EventTooLong);
        }
        if whole && self.kept.is_empty() {
            return Ok(Some(event(*at, piece)));
        }
        self.kept.extend_from_slice(piece);
        if !whole {
            return Ok(None);
        }
        self.used = true;
        Ok(Some(event(*at, &self.kept)))
    }

    /// Reads over what is no object; stops at one.
    fn between(&mut self, chunk: &[u8], at: &mut usize) {
        while *at < chunk.len() && self.state != State::Junk {
            let byte = chunk[*at];
            let of_mark =
                self.state == State::Before && BYTE_ORDER_MARK.get(self.mark) == Some(&byte);
            match (self.state, byte) {
                (State::Between, b'{') => {
                    self.state = State::Inside { depth: 0, string: Text::Outside };
                    return;
                }
                (State::Before, b'[') => self.state = State::Between,
                (State::Between, b']') => self.state = State::Junk,
                (State::Between, b',') => {}
                (_, b' ' | b'\t' | b'\r' | b'\n') => {}
                _ if of_mark => self.mark += 1,
                _ => {
                    self.state = State::Junk;
                    break;
                }
            }
            *at += 1;
        }
        if self.state == State::Junk {
            self.junk.add(&chunk[*at..]);
            *at = chunk.len();
        }
    }

    /// Reads on in an object; says whether its end was found.
    fn inside(&mut self, chunk: &[u8], at: &mut usize) -> bool {
        let State::Inside { mut depth, mut string } = self.state else { return false };
        while *at < chunk.len() {
            if string == Text::Inside {
                // Most of a stream is text.
                let length = memchr::memchr2(b'"', b'\\', &chunk[*at..]);
                *at += length.unwrap_or(chunk.len() - *at);
                if *at == chunk.len() {
                    break;
                }
            }
            let byte = chunk[*at];
            *at += 1;
            match (string, byte) {
                (Text::Escaped, _) => string = Text::Inside,
                (Text::Inside, b'\\') => string = Text::Escaped,
                (Text::Inside, b'"') => string = Text::Outside,
                (Text::Outside, b'"') => string = Text::Inside,
                (Text::Outside, b'{' | b'[') => depth = depth.saturating_add(1),
                (Text::Outside, b'}' | b']') => {
                    depth -= 1;
                    if depth == 0 {
                        self.state = State::Between;
                        return true;
                    }
                }
                (Text::Inside | Text::Outside, _) => {}
            }
        }
        self.state = State::Inside { depth, string };
        false
    }

    /// The stream has ended: an object that was cut is junk.
    pub fn finish(&mut self) {
        if !std::mem::replace(&mut self.used, true) {
            self.junk.add(&self.kept);
        }
    }

    /// Whether the stream stands between two objects.
    #[must_use]
    pub const fn at_boundary(&self) -> bool {
        matches!(self.state, State::Before | State::Between)
    }

    /// What is no object of the array, up to 1 MiB.
    #[must_use]
    pub fn junk(&self) -> &[u8] {
        self.junk.bytes()
    }
}

const fn event(end: usize, data: &[u8]) -> Found<'_> {
    Found::Event { end, name: Name::None, event: "", data }
}
