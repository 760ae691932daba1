//! JSON written straight into bytes, member by member.

use crate::chat::Extra;

/// A JSON value being written. Commas are its own business.
#[derive(Debug, Default)]
pub(crate) struct Out {
    bytes: Vec<u8>,
}

impl Out {
    /// An object, written by `body`.
    pub(crate) fn object(body: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut out = Self::default();
        out.braces(body);
        out.bytes
    }

    /// What was written.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.bytes).expect("only text was written")
    }

    fn braces(&mut self, body: impl FnOnce(&mut Self)) {
        self.bytes.push(b'{');
        body(self);
        self.bytes.push(b'}');
    }

    fn comma(&mut self) {
        if !matches!(self.bytes.last(), None | Some(b'{' | b'[')) {
            self.bytes.push(b',');
        }
    }

    fn quoted(&mut self, text: &str) {
        serde_json::to_writer(&mut self.bytes, text).expect("text is written to memory");
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.quoted(key);
        self.bytes.push(b':');
    }

    /// A member that is a string.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quoted(value);
    }

    /// A member that is a string, or null.
    pub(crate) fn text_or_null(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// A member whose value is JSON text already.
    pub(crate) fn raw(&mut self, key: &str, value: &str) {
        self.key(key);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// A member that is a whole number.
    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.raw(key, &value.to_string());
    }

    /// A member that is true or false.
    pub(crate) fn boolean(&mut self, key: &str, value: bool) {
        self.raw(key, if value { "true" } else { "false" });
    }

    /// A member that is an object.
    pub(crate) fn member(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.key(key);
        self.braces(body);
    }

    /// A member that is an array.
    pub(crate) fn list(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.key(key);
        self.bytes.push(b'[');
        body(self);
        self.bytes.push(b']');
    }

    /// An item that is an object.
    pub(crate) fn item(&mut self, body: impl FnOnce(&mut Self)) {
        self.comma();
        self.braces(body);
    }

    /// An item that is a string.
    pub(crate) fn text_item(&mut self, value: &str) {
        self.comma();
        self.quoted(value);
    }

    /// An item that is JSON text already.
    pub(crate) fn raw_item(&mut self, value: &str) {
        self.comma();
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Members kept as they were written.
    pub(crate) fn extra(&mut self, extra: &Extra) {
        for (key, value) in extra.iter() {
            self.raw(key, value.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_members_and_items_only() {
        let written = Out::object(|out| {
            out.text("a", "\"{");
            out.list("b", |out| {
                out.item(|_| {});
                out.raw_item("[]");
                out.text_item("{");
                out.item(|out| out.number("n", 1));
            });
            out.member("c", |out| out.boolean("d", true));
            out.text_or_null("e", None);
        });
        let expected = r#"{"a":"\"{","b":[{},[],"{",{"n":1}],"c":{"d":true},"e":null}"#;
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}
