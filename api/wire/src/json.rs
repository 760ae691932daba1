//! One pass over JSON text: spans instead of trees.
//!
//! Checks the whole grammar and allocates nothing, except for keys written with escapes.

mod fields;
mod out;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use fields::{Fields, items, text};
pub(crate) use out::Out;

/// Nesting deeper than this is refused; the common parsers stop there too.
pub(crate) const DEPTH_MAX: u32 = 128;

/// The text is no JSON: where, and what was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// The kind of a value, told by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::True | Self::False => "a boolean",
            Self::Null => "null",
        }
    }
}

/// A member whose key has been read and whose value comes next.
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, [u8]>,
    /// The key's opening quote.
    pub(crate) at: usize,
    pub(crate) comma_before: Option<usize>,
}

/// A position in JSON text. Every method leaves it behind what it read.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    pub(crate) fn slice(&self, span: &Range<usize>) -> &'a [u8] {
        &self.bytes[span.clone()]
    }

    /// The kind of the value that comes next.
    pub(crate) fn kind(&mut self) -> Result<Kind, Malformed> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't') => Ok(Kind::True),
            Some(b'f') => Ok(Kind::False),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => Err(self.wrong("expected a value")),
            None => Err(self.wrong("unexpected end, expected a value")),
        }
    }

    /// Reads over one value of any kind.
    pub(crate) fn value(&mut self) -> Result<Range<usize>, Malformed> {
        let kind = self.kind()?;
        let start = self.at;
        match kind {
            Kind::Object => {
                self.object(|scanner, _| scanner.value().map(drop))?;
            }
            Kind::Array => {
                self.array(|scanner| scanner.value().map(drop))?;
            }
            Kind::String => {
                self.string()?;
            }
            Kind::Number => self.number()?,
            Kind::True => self.literal(b"true")?,
            Kind::False => self.literal(b"false")?,
            Kind::Null => self.literal(b"null")?,
        }
        Ok(start..self.at)
    }

    /// Reads an object; `member` must read exactly the value of each member it is given.
    pub(crate) fn object<E: From<Malformed>>(
        &mut self,
        mut member: impl FnMut(&mut Self, Member<'a>) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.skip_space();
        let start = self.at;
        self.enter(b'{', "expected an object")?;
        let mut comma_before = None;
        self.skip_space();
        if self.peek() != Some(b'}') {
            loop {
                self.skip_space();
                let at = self.at;
                let key = self.key()?;
                member(self, Member { key, at, comma_before })?;
                self.skip_space();
                comma_before = Some(self.at);
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    Some(_) => return Err(self.wrong("expected ',' or '}'").into()),
                    None => return Err(self.wrong("unexpected end inside an object").into()),
                }
            }
        }
        self.leave();
        Ok(start..self.at)
    }

    /// Reads an array; `item` must read exactly one value each time.
    pub(crate) fn array<E: From<Malformed>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.skip_space();
        let start = self.at;
        self.enter(b'[', "expected an array")?;
        self.skip_space();
        if self.peek() != Some(b']') {
            loop {
                item(self)?;
                self.skip_space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    Some(_) => return Err(self.wrong("expected ',' or ']'").into()),
                    None => return Err(self.wrong("unexpected end inside an array").into()),
                }
            }
        }
        self.leave();
        Ok(start..self.at)
    }

    /// Nothing but white space may be left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        self.skip_space();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(self.wrong("unexpected text after the value"))
        }
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a key in double quotes"));
        }
        let (quoted, escaped) = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.wrong("expected ':'"));
        }
        self.at += 1;
        let raw = &self.bytes[quoted.start + 1..quoted.end - 1];
        if escaped && let Some(key) = unescape(&self.bytes[quoted]) {
            return Ok(Cow::Owned(key.into_bytes()));
        }
        Ok(Cow::Borrowed(raw))
    }

    /// Reads a string; says where it is, quotes included, and whether it holds escapes.
    #[inline]
    fn string(&mut self) -> Result<(Range<usize>, bool), Malformed> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((start..self.at, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.wrong("control character inside a string")),
                None => return Err(self.wrong("unexpected end inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let hex = self.bytes.get(self.at + 2..self.at + 6).unwrap_or_default();
                if hex.len() == 4 && hex.iter().all(u8::is_ascii_hexdigit) {
                    self.at += 6;
                    return Ok(());
                }
                Err(self.wrong("expected four hexadecimal digits after \\u"))
            }
            Some(_) => Err(self.wrong("unknown escape")),
            None => Err(self.wrong("unexpected end inside a string")),
        }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Malformed> {
        let rest = &self.bytes[self.at..];
        let count = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        if count == 0 {
            return Err(self.wrong("expected a digit"));
        }
        self.at += count;
        Ok(())
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<(), Malformed> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.wrong("expected true, false or null"))
    }

    #[inline]
    fn enter(&mut self, bracket: u8, what: &'static str) -> Result<(), Malformed> {
        if self.peek() != Some(bracket) {
            return Err(self.wrong(what));
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("nested deeper than 128 levels"));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    const fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    #[inline]
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    const fn wrong(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }
}

/// Bytes up to the first quote, backslash or control character, eight at a time.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero_bytes(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_bytes(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let stop = quote | backslash | control;
        if stop != 0 {
            // Borrows run towards higher bytes only, so the lowest mark is a true one.
            return at + (stop.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    bytes[at..].iter().position(special).map_or(bytes.len(), |found| at + found)
}

/// The text of a quoted JSON string; `None` where its escapes make no Unicode text.
pub(crate) fn unescape(quoted: &[u8]) -> Option<String> {
    if let [b'"', plain @ .., b'"'] = quoted
        && memchr::memchr(b'\\', plain).is_none()
    {
        return std::str::from_utf8(plain).ok().map(str::to_owned);
    }
    serde_json::from_slice(quoted).ok()
}

/// Text as a quoted JSON string.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(text: &[u8]) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.value().is_ok() && scanner.end().is_ok()
    }

    #[test]
    fn grammar_is_that_of_the_reference_parser() {
        let cases: &[&str] = &[
            "",
            " ",
            "{",
            "}",
            "{}",
            "[]",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "[1 2]",
            "nul",
            "null",
            "nulls",
            "tru",
            "true",
            "-",
            "-0",
            "01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1E-7",
            "0.0",
            "NaN",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\u00e9\"",
            "\"\n\"",
            "\"",
            "\"\\",
            "\"abcdefg\\\"hij\\\\\"",
            "[[[]],{\"\":[{}]}]",
            "1 2",
            "\u{feff}{}",
            "'a'",
            "{\"a\":}",
            "{,}",
            "[,]",
            "\"\u{7f}\"",
            "\"0123456\u{1f}\"",
            "\"01234567\u{0}\"",
        ];
        for case in cases {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(case).is_ok();
            assert_eq!(accepts(case.as_bytes()), expected, "{case:?}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert!(accepts(&nested(128)));
        assert!(!accepts(&nested(129)));
        assert!(!accepts(&vec![b'['; 1_000_000]));
    }

    #[test]
    fn escaped_keys_are_read_as_what_they_mean() {
        let mut keys = Vec::new();
        let text = br#"{"mo\u0064el":1,"\ud800":2}"#;
        let read = Scanner::new(text).object::<Malformed>(|scanner, member| {
            keys.push(member.key.into_owned());
            scanner.value().map(drop)
        });
        assert_eq!(read.unwrap(), 0..text.len());
        assert_eq!(keys, [b"model".to_vec(), br"\ud800".to_vec()]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn garbage_never_panics_and_agrees_with_the_reference_parser(text in "[\\[\\]{}:,\"\\\\u0-9a-f.eE+ \\-tn\u{1}é]{0,24}") {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(accepts(text.as_bytes()), expected);
        }

        #[test]
        fn plain_prefix_stops_at_the_first_special_byte(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
            prop_assert_eq!(plain_prefix(&bytes), bytes.iter().position(special).unwrap_or(bytes.len()));
        }
    }
}
