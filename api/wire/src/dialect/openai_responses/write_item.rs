//! What a model said, written as items: one for each thought and call, and messages of words that follow
//! each other.

use super::mark::{ITEM, PLAIN, is_marked};
use super::write_part::{is_ours, write_spoken};
use crate::chat::{
    Body, Extra, GOOGLE, Part, Redacted, Sealed, Text, Thinking, Token, ToolCall, seal,
};
use crate::json::{self, Out};

/// How items are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'a> {
    /// Whether for the dialect they were read from.
    pub(super) own: bool,
    /// The id of the answer that they belong to, out of which they have theirs; `None` in requests,
    /// where items of other dialects have none.
    pub(super) answer: Option<&'a str>,
    /// Whether they are still in progress.
    pub(super) begins: bool,
    /// How likely the words of each part of a message are, where that is known.
    pub(super) likely: &'a [Vec<Token>],
}

impl<'a> Items<'a> {
    /// Items of an answer.
    pub(super) const fn of_answer(own: bool, id: &'a str) -> Self {
        Self { own, answer: Some(id), begins: false, likely: &[] }
    }
}

impl Items<'_> {
    /// Parts by the items they make. What has no place here is left out.
    pub(super) fn grouped<'p>(
        self,
        parts: impl IntoIterator<Item = &'p Part>,
    ) -> Vec<Vec<&'p Part>> {
        let mut groups: Vec<Vec<&Part>> = Vec::new();
        let mut speaks = false;
        for part in parts.into_iter().filter(|part| self.is_said(part)) {
            let words = self.is_words(part);
            let begins = self.own && !part.inner.is_empty();
            match groups.last_mut() {
                Some(last) if words && speaks && !begins => last.push(part),
                Some(_) | None => groups.push(vec![part]),
            }
            speaks = words;
        }
        groups
    }

    /// Whether a part is content of a message.
    pub(super) fn is_words(self, part: &Part) -> bool {
        match &part.body {
            Body::Text(_) | Body::Refusal(_) => true,
            Body::Thinking(_) | Body::Redacted(_) | Body::ToolCall(_) | Body::ToolResult(_) => {
                false
            }
            Body::Opaque(_) => self.own && !is_marked(&part.inner, ITEM),
            Body::Image(_) | Body::Audio(_) | Body::Video(_) | Body::Document(_) => self.own,
        }
    }

    /// Whether a part of the model's has a place here at all.
    pub(super) fn is_said(self, part: &Part) -> bool {
        match &part.body {
            Body::Text(Text { text, .. }) => self.own || !text.is_empty(),
            Body::Refusal(_) | Body::Thinking(_) | Body::Redacted(_) => true,
            // What the provider's own tools did shows in the words.
            Body::ToolCall(_) => self.own || part.is_client_call(),
            Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::Opaque(_) => self.own,
            Body::ToolResult(_) => false,
        }
    }

    /// Writes the item that some parts make, the `index`th of its answer.
    pub(super) fn write(self, out: &mut Out, index: usize, parts: &[&Part]) {
        let [first, ..] = parts else { return };
        match &first.body {
            Body::Opaque(opaque) if is_marked(&first.inner, ITEM) => {
                out.raw_item(opaque.raw.as_str());
            }
            Body::Thinking(_) | Body::Redacted(_) => {
                out.item(|out| self.thought(out, index, first));
            }
            Body::ToolCall(call) => out.item(|out| self.call(out, index, first, call)),
            Body::Text(_)
            | Body::Refusal(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::Opaque(_) => out.item(|out| self.message(out, index, parts)),
            Body::ToolResult(_) => {}
        }
    }

    /// The id of an item.
    pub(super) fn id(self, kind: &str, index: usize) -> String {
        let plain = |letter: &char| letter.is_ascii_alphanumeric();
        let answer: String = self.answer.unwrap_or_default().chars().filter(plain).collect();
        format!("{kind}_{answer}_{index}")
    }

    /// The id of the item that begins with a part.
    pub(super) fn id_of(self, index: usize, part: &Part) -> String {
        let own = [&part.inner, &part.extra].into_iter().find_map(|beside| beside.get("id"));
        let kind = match &part.body {
            Body::Thinking(_) | Body::Redacted(_) => "rs",
            Body::ToolCall(call) if call.custom => "ctc",
            Body::ToolCall(_) => "fc",
            Body::Text(_)
            | Body::Refusal(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => "msg",
        };
        own.filter(|_| self.own).and_then(json::text).unwrap_or_else(|| self.id(kind, index))
    }

    /// Writes the id and how far the item is, where the dialect it is from has not said them.
    fn named(self, out: &mut Out, kind: &str, index: usize, told: &Extra) {
        if self.answer.is_none() {
            return;
        }
        if !self.own || told.get("id").is_none() {
            out.text("id", &self.id(kind, index));
        }
        if kind != "rs" && (!self.own || told.get("status").is_none()) {
            out.text("status", if self.begins { "in_progress" } else { "completed" });
        }
    }

    fn message(self, out: &mut Out, index: usize, parts: &[&Part]) {
        let none = Extra::default();
        let beside = parts.first().map(|part| &part.inner).filter(|_| self.own).unwrap_or(&none);
        self.named(out, "msg", index, beside);
        if beside.get("role").is_none() {
            out.text("type", "message");
            out.text("role", "assistant");
        }
        for (key, value) in beside.iter().filter(|(key, _)| *key != PLAIN) {
            out.raw(key, value.as_str());
        }
        match parts {
            _ if self.begins => out.list("content", |_| {}),
            [Part { body: Body::Text(text), inner, .. }] if is_marked(inner, PLAIN) => {
                out.text("content", &text.text);
            }
            parts => out.list("content", |out| {
                for (at, part) in parts.iter().enumerate() {
                    let likely = self.likely.get(at).map(Vec::as_slice).unwrap_or_default();
                    write_spoken(out, part, likely, self.own);
                }
            }),
        }
    }

    fn thought(self, out: &mut Out, index: usize, part: &Part) {
        self.named(out, "rs", index, &part.extra);
        out.text("type", "reasoning");
        if !self.own || part.extra.get("summary").is_none() {
            let text = thoughts(part);
            out.list("summary", |out| {
                if !text.is_empty() {
                    out.item(|out| {
                        out.text("type", "summary_text");
                        out.text("text", text);
                    });
                }
            });
        }
        if let Some(encrypted) = encrypted(part, self.own) {
            out.text("encrypted_content", &encrypted);
        }
        if self.own {
            out.extra(&part.extra);
        }
    }

    fn call(self, out: &mut Out, index: usize, part: &Part, call: &ToolCall) {
        self.named(out, if call.custom { "ctc" } else { "fc" }, index, &part.extra);
        out.text("type", if call.custom { "custom_tool_call" } else { "function_call" });
        out.text("call_id", &call.id);
        out.text("name", &call.name);
        if call.custom {
            out.text("input", &call.arguments);
        } else if self.own || self.begins {
            out.text("arguments", &call.arguments);
        } else {
            out.text("arguments", given(&call.arguments));
        }
        if self.own {
            out.extra(&part.extra);
        } else if let Some(namespace) = &call.namespace {
            out.text("namespace", namespace);
        }
    }
}

/// Arguments that were given: none are an empty object.
pub(super) fn given(arguments: &str) -> &str {
    if matches!(arguments.trim(), "" | "null") { "{}" } else { arguments }
}

fn thoughts(part: &Part) -> &str {
    if let Body::Thinking(thinking) = &part.body { &thinking.text } else { "" }
}

/// The encrypted form of a thought; that of another maker with its maker told, so that it comes back to
/// that one.
pub(super) fn encrypted(part: &Part, own: bool) -> Option<String> {
    let said = |sealed, format: &Option<String>, data: &str| {
        let format = format.as_deref();
        if own || is_ours(format) {
            data.to_owned()
        } else {
            seal(sealed, format.unwrap_or("unknown"), data)
        }
    };
    if let Body::Redacted(Redacted { data, format }) = &part.body {
        return Some(said(Sealed::Redacted, format, data));
    }
    let signature = part.signature.as_deref().filter(|text| !text.is_empty())?;
    match &part.body {
        Body::Thinking(Thinking { format, .. }) => Some(said(Sealed::Thought, format, signature)),
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Redacted(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => None,
    }
}

/// Whether a part of a request of this dialect holds what another maker thought, shown to the caller as
/// if it were of this one.
pub(super) fn is_foreign(part: &Part) -> bool {
    let format = match &part.body {
        Body::Thinking(thinking) => thinking.format.as_deref(),
        Body::Redacted(redacted) => redacted.format.as_deref(),
        Body::Text(_)
        | Body::Refusal(_)
        | Body::Image(_)
        | Body::Audio(_)
        | Body::Video(_)
        | Body::Document(_)
        | Body::ToolCall(_)
        | Body::ToolResult(_)
        | Body::Opaque(_) => None,
    };
    // Some say in the item itself whose thoughts they hand through.
    format.is_some() && !is_ours(format) && part.extra.get("format").is_none()
}

/// The signature of a part that has no place for it here, as the encrypted content of a thought behind it.
pub(super) fn carried_behind(part: &Part) -> Option<String> {
    let signature = part.signature.as_deref().filter(|text| !text.is_empty())?;
    let elsewhere = !matches!(part.body, Body::Thinking(_) | Body::Redacted(_));
    elsewhere.then(|| seal(Sealed::Behind, GOOGLE, signature))
}
