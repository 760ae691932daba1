//! Signatures of one maker, carried by callers of a dialect that knows only another's.
//!
//! A model knows its own thoughts again by a signature that must come back unchanged. Where the caller's
//! dialect has one place for signatures and no word for whose they are, the maker is told inside: a
//! prefix that no maker uses. Reading takes it off again, so that each signature goes back to its maker
//! and to nobody else.

use super::part::{CLAUDE, Part};

/// The format of encrypted thoughts of OpenAI's Responses.
pub const OPENAI: &str = "openai-responses-v1";

/// The format of signatures by which Gemini knows its own thoughts and calls again.
pub const GOOGLE: &str = "google-gemini-v1";

/// What the carried text begins with.
const MARK: &str = "bursar:";

/// What a carried text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// The signature of the thought it stands at.
    Thought,
    /// A thought of its own that only its maker can read.
    Redacted,
    /// The signature of the part it stands behind, which has no place for one.
    Behind,
}

impl Sealed {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Thought, "t"), (Self::Redacted, "r"), (Self::Behind, "b")];

    const fn letter(self) -> &'static str {
        match self {
            Self::Thought => "t",
            Self::Redacted => "r",
            Self::Behind => "b",
        }
    }
}

/// What stands before the data, whose pieces may follow one by one.
pub(crate) fn prefix(sealed: Sealed, format: &str) -> String {
    let format: String = format.chars().filter(|letter| *letter != ':').collect();
    format!("{MARK}{}:{format}:", sealed.letter())
}

/// The data with its maker told.
pub(crate) fn seal(sealed: Sealed, format: &str, data: &str) -> String {
    prefix(sealed, format) + data
}

/// What a text stands for, its maker, and the data; `None` where nothing was carried.
pub(crate) fn unseal(text: &str) -> Option<(Sealed, &str, &str)> {
    let (letter, rest) = text.strip_prefix(MARK)?.split_once(':')?;
    let (format, data) = rest.split_once(':')?;
    let (sealed, _) = Sealed::ALL.into_iter().find(|(_, known)| *known == letter)?;
    Some((sealed, format, data))
}

/// Whether a signature of this format is one that Claude knows again.
pub(crate) fn is_claude(format: Option<&str>) -> bool {
    format == Some(CLAUDE)
}

/// Gives a part the signature that was carried behind it; says whether there was one to be given.
pub(crate) fn unseal_behind(parts: &mut [Part], text: &str) -> bool {
    let Some((Sealed::Behind, _, data)) = unseal(text) else { return false };
    if let Some(part) = parts.last_mut() {
        part.signature = Some(data.to_owned());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_unsealed_and_nothing_else() {
        for (sealed, _) in Sealed::ALL {
            let carried = seal(sealed, "a:b", "x:y=");
            assert_eq!(unseal(&carried), Some((sealed, "ab", "x:y=")));
        }
        for text in ["", "EqQBCgIYAhIM", "bursar:", "bursar:t:", "bursar:x:a:b"] {
            assert_eq!(unseal(text), None, "{text}");
        }
    }
}
