//! One of the answers of a stream, as far as it was said.

use super::super::carried;
use super::super::grounding;
use super::super::write_answer::write_part;
use crate::chat::{Body, Delta, Finish, GOOGLE, Part, Sealed, Text, Thinking, Token};
use crate::json::Out;

/// One of the answers.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) finish: Option<Finish>,
    /// How likely the words are.
    pub(super) likely: Vec<Token>,
    own: bool,
    parts: Vec<Said>,
}

/// A part, as far as it was said.
#[derive(Debug)]
enum Said {
    /// Words with their sources, and the signature as far as it has come.
    Words(Text, String),
    /// Thoughts of a maker.
    Thought(Option<String>, String),
    /// Said when it is whole, and those before it are.
    Call(Box<Part>),
    /// Whole, and waiting for those before it.
    WholeCall(Box<Part>),
    /// Nothing more is to be said.
    Done,
}

impl Choice {
    pub(super) const fn new(index: u32, own: bool) -> Self {
        Self { index, finish: None, likely: Vec::new(), own, parts: Vec::new() }
    }

    /// Takes a part that begins; gives what is to be said of it now.
    pub(super) fn begin(&mut self, part: &Part) -> Vec<String> {
        let signature = part.signature.clone().unwrap_or_default();
        let (said, now) = match &part.body {
            Body::Text(text) => (Said::Words(text.clone(), signature), words(&text.text, false)),
            Body::Refusal(text) => (Said::Words(Text::default(), signature), words(text, false)),
            Body::Thinking(Thinking { text, format, .. }) => {
                (Said::Thought(format.clone(), signature), words(text, true))
            }
            Body::ToolCall(_) if part.is_client_call() => {
                (Said::Call(Box::new(part.clone())), None)
            }
            Body::Redacted(_)
            | Body::Image(_)
            | Body::Audio(_)
            | Body::Video(_)
            | Body::Document(_)
            | Body::ToolCall(_)
            | Body::ToolResult(_)
            | Body::Opaque(_) => (Said::Done, self.written(part)),
        };
        self.parts.push(said);
        now.into_iter().collect()
    }

    fn written(&self, part: &Part) -> Option<String> {
        let mut out = Out::default();
        write_part(&mut out, part, self.own);
        Some(out.into_text()).filter(|text| !text.is_empty())
    }

    /// Takes more of a part; gives what is to be said of it now.
    pub(super) fn delta(&mut self, part: u32, delta: &Delta) -> Vec<String> {
        let Some(said) = self.parts.get_mut(part as usize) else { return Vec::new() };
        let now = match (said, delta) {
            (Said::Words(known, _), Delta::Text(text)) => {
                known.text.push_str(text);
                words(text, false)
            }
            (Said::Thought(..), Delta::Text(text)) => words(text, true),
            (Said::Words(known, _), Delta::Citation(from)) => {
                known.citations.push(from.clone());
                None
            }
            (Said::Words(_, known) | Said::Thought(_, known), Delta::Signature(more)) => {
                known.push_str(more);
                None
            }
            (Said::Call(call), Delta::Signature(more)) => {
                call.signature.get_or_insert_default().push_str(more);
                None
            }
            (Said::Call(call), Delta::Arguments(more)) => {
                if let Body::ToolCall(call) = &mut call.body {
                    call.arguments.push_str(more);
                }
                None
            }
            // What does not fit the part has no place.
            (
                Said::Words(..)
                | Said::Thought(..)
                | Said::Call(_)
                | Said::WholeCall(_)
                | Said::Done,
                Delta::Text(_)
                | Delta::Arguments(_)
                | Delta::Signature(_)
                | Delta::Citation(_)
                | Delta::Audio(_),
            ) => None,
        };
        now.into_iter().collect()
    }

    /// A part has ended; gives what is still to be said of it.
    pub(super) fn end(&mut self, part: u32) -> Vec<String> {
        let Some(said) = self.parts.get_mut(part as usize) else { return Vec::new() };
        let now = match said {
            Said::Words(_, signature) => signed(std::mem::take(signature), Some(GOOGLE), false),
            Said::Thought(format, signature) => {
                signed(std::mem::take(signature), format.as_deref(), true)
            }
            Said::Call(call) => {
                *said = Said::WholeCall(call.clone());
                return self.whole_calls();
            }
            Said::WholeCall(_) | Said::Done => None,
        };
        now.into_iter().collect()
    }

    /// The calls whose turn it is: they are said in the order in which they began.
    fn whole_calls(&mut self) -> Vec<String> {
        let mut whole = Vec::new();
        for said in &mut self.parts {
            match said {
                Said::Call(_) => break,
                Said::WholeCall(call) => {
                    whole.push(call.clone());
                    *said = Said::Done;
                }
                Said::Words(..) | Said::Thought(..) | Said::Done => {}
            }
        }
        whole.iter().filter_map(|call| self.written(call)).collect()
    }

    /// Writes where the words are from.
    pub(super) fn sources(&self, out: &mut Out) {
        let texts = self.parts.iter().filter_map(|said| match said {
            Said::Words(text, _) => Some(text),
            Said::Thought(..) | Said::Call(_) | Said::WholeCall(_) | Said::Done => None,
        });
        grounding::write(out, &texts.collect::<Vec<_>>());
    }
}

fn words(text: &str, thought: bool) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let part = Out::object(|out| {
        out.text("text", text);
        if thought {
            out.boolean("thought", true);
        }
    });
    String::from_utf8(part).ok()
}

/// An empty text with a signature, as Gemini itself ends what it signs.
fn signed(signature: String, format: Option<&str>, thought: bool) -> Option<String> {
    if signature.is_empty() {
        return None;
    }
    let part = Out::object(|out| {
        out.text("text", "");
        if thought {
            out.boolean("thought", true);
        }
        out.text("thoughtSignature", &carried::write(Sealed::Thought, format, &signature));
    });
    String::from_utf8(part).ok()
}
