//! An object taken apart one level deep: what is known is taken out, what is left is kept as it was
//! written.

use std::borrow::Cow;

use super::{Kind, Malformed, Scanner, unescape};
use crate::chat::{Extra, Raw};

/// The members of an object, each value as its JSON text.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Fields<'a> {
    /// Takes an object apart; fails on anything else.
    pub(crate) fn read(object: &'a str) -> Result<Self, Malformed> {
        let mut members = Vec::new();
        let mut scanner = Scanner::new(object.as_bytes());
        scanner.object::<Malformed>(|scanner, member| {
            let span = scanner.value()?;
            members.push((key(member.key), &object[span]));
            Ok(())
        })?;
        scanner.end()?;
        Ok(Self { members })
    }

    /// The same members under names in camel case, for formats that take `snake_case` as well.
    pub(crate) fn camel(mut self) -> Self {
        for (name, _) in self.members.iter_mut().filter(|(name, _)| name.contains('_')) {
            *name = Cow::Owned(camel(name));
        }
        self
    }

    /// The JSON text of a member that is not null; it stays where it is.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        let found = self.members.iter().find(|(name, value)| name == key && *value != "null");
        found.map(|(_, value)| *value)
    }

    /// Takes a member out if `read` can make something of it. Null counts as absent and stays.
    pub(crate) fn take<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Option<T> {
        let at = self.members.iter().position(|(name, value)| name == key && *value != "null")?;
        let value = read(self.members[at].1)?;
        self.members.remove(at);
        Some(value)
    }

    /// Takes a string out.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key, text)
    }

    /// Takes a string out if it is the one given; says whether it was.
    pub(crate) fn tag(&mut self, key: &str, expected: &str) -> bool {
        self.take(key, |value| (text(value)? == expected).then_some(())).is_some()
    }

    /// Takes true or false out.
    pub(crate) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.take(key, |value| value.parse().ok())
    }

    /// Takes a number out that is whole and not negative.
    pub(crate) fn whole(&mut self, key: &str) -> Option<u64> {
        self.take(key, whole)
    }

    /// Takes a number out as it is written.
    pub(crate) fn number(&mut self, key: &str) -> Option<Raw> {
        let is_number = |value: &str| {
            value.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
        };
        self.take(key, |value| is_number(value).then(|| Raw::new(value)))
    }

    /// Takes any value out as it is written.
    pub(crate) fn raw(&mut self, key: &str) -> Option<Raw> {
        self.take(key, |value| Some(Raw::new(value)))
    }

    /// Takes the items of an array out.
    pub(crate) fn list(&mut self, key: &str) -> Option<Vec<&'a str>> {
        self.take(key, items)
    }

    /// Takes the items of an array out if there are any; an empty one stays what it is.
    pub(crate) fn filled(&mut self, key: &str) -> Vec<&'a str> {
        self.take(key, |value| items(value).filter(|items| !items.is_empty())).unwrap_or_default()
    }

    /// Takes an object out, itself taken apart.
    pub(crate) fn object(&mut self, key: &str) -> Option<Self> {
        self.take(key, |value| Self::read(value).ok())
    }

    /// Whether nothing is left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// What is left, as it was written.
    pub(crate) fn rest(self) -> Extra {
        let kept = self.members.into_iter();
        kept.map(|(key, value)| (key.into_owned(), Raw::new(value))).collect()
    }
}

fn key(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// The text of a JSON string; `None` for every other value. Halves of surrogate pairs, which a stream
/// may cut, become replacement characters.
pub(crate) fn text(value: &str) -> Option<String> {
    if !value.starts_with('"') {
        return None;
    }
    unescape(value.as_bytes()).or_else(|| Some(mended(value)))
}

/// A string whose escapes are no Unicode, with a replacement for each that is at fault.
fn mended(quoted: &str) -> String {
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let unit = if rest[at..].starts_with("\\u") { 6 } else { 2 };
        let end = (at + 2 * unit).min(rest.len());
        let pair = rest.get(at..end).filter(|_| unit == 6);
        let whole = |escape: &str| unescape(format!("\"{escape}\"").as_bytes());
        if let Some(both) = pair.filter(|pair| pair[6..].starts_with("\\u")).and_then(whole) {
            text.push_str(&both);
            rest = &rest[end..];
            continue;
        }
        let end = (at + unit).min(rest.len());
        text.push_str(&whole(&rest[at..end]).unwrap_or_else(|| '\u{fffd}'.to_string()));
        rest = &rest[end..];
    }
    text.push_str(rest);
    text
}

/// A whole number that is not negative, also where it is written as `7.0`.
pub(crate) fn whole(value: &str) -> Option<u64> {
    value.parse().ok().or_else(|| value.strip_suffix(".0")?.parse().ok())
}

/// The items of an array, each as its JSON text.
pub(crate) fn items(value: &str) -> Option<Vec<&str>> {
    let mut scanner = Scanner::new(value.as_bytes());
    if scanner.kind().ok()? != Kind::Array {
        return None;
    }
    let mut items = Vec::new();
    let read = scanner.array::<Malformed>(|scanner| {
        let span = scanner.value()?;
        items.push(&value[span]);
        Ok(())
    });
    read.ok().map(|_| items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_pairs_are_replaced_and_whole_pairs_are_kept() {
        assert_eq!(text(r#""a\ud83db""#).unwrap(), "a\u{fffd}b");
        assert_eq!(text(r#""\ud83d\ude00\ude00\n""#).unwrap(), "\u{1f600}\u{fffd}\n");
        assert_eq!(text(r#""\ud83d\"""#).unwrap(), "\u{fffd}\"");
        assert_eq!(text("7"), None);
    }

    #[test]
    fn names_are_put_into_camel_case() {
        let mut fields =
            Fields::read(r#"{"inline_data":1,"a_b_c":2,"fileUri":3}"#).unwrap().camel();
        assert_eq!((fields.whole("inlineData"), fields.whole("aBC")), (Some(1), Some(2)));
        assert_eq!(fields.whole("fileUri"), Some(3));
    }

    #[test]
    fn what_is_not_taken_is_kept_as_written() {
        let mut fields = Fields::read(r#"{"a":1e3,"b":"x","c":null,"d":[1, 2]}"#).unwrap();
        assert_eq!(fields.text("b").as_deref(), Some("x"));
        assert_eq!((fields.text("a"), fields.text("c")), (None, None));
        assert_eq!(fields.list("d"), Some(vec!["1", "2"]));
        let rest = fields.rest();
        assert_eq!(rest.get("a"), Some("1e3"));
        assert_eq!(rest.get("c"), Some("null"));
        assert_eq!(rest.iter().count(), 2);
    }
}
