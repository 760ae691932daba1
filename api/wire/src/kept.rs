//! What providers keep between requests, and the paths under which they give it out.

use crate::call::Operation;

/// A kind of thing that a provider keeps for whoever has its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Answers of OpenAI's Responses.
    Responses,
    /// Chats that were asked for with `store`.
    Chats,
    /// Files.
    Files,
    /// Files that come in parts.
    Uploads,
    /// Batches of requests, in files.
    Batches,
    /// Anthropic's batches of messages.
    MessageBatches,
}

impl Kept {
    /// What asking for one is in logs and metrics.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Responses => Operation::StoredResponses,
            Self::Chats => Operation::StoredChats,
            Self::Files => Operation::Files,
            Self::Uploads => Operation::Uploads,
            Self::Batches | Self::MessageBatches => Operation::Batches,
        }
    }
}

/// One path, and what may be done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf {
    /// What is kept there.
    pub kept: Kept,
    /// Its segments; `*` stands for an id.
    path: &'static [&'static str],
    /// Methods, as in a header `allow`.
    pub allow: &'static str,
    /// A POST here makes the provider work, for a price that nobody knows before it is done.
    pub works: bool,
}

const fn shelf(kept: Kept, path: &'static [&'static str], allow: &'static str) -> Shelf {
    Shelf { kept, path, allow, works: false }
}

const fn working(kept: Kept, path: &'static [&'static str], allow: &'static str) -> Shelf {
    Shelf { works: true, ..shelf(kept, path, allow) }
}

const READ: &str = "GET, HEAD";
const READ_ADD: &str = "GET, HEAD, POST";
const READ_DELETE: &str = "GET, HEAD, DELETE";

const SHELVES: &[Shelf] = &[
    shelf(Kept::Responses, &["responses", "*"], READ_DELETE),
    shelf(Kept::Responses, &["responses", "*", "input_items"], READ),
    shelf(Kept::Responses, &["responses", "*", "cancel"], "POST"),
    shelf(Kept::Chats, &["chat", "completions"], READ),
    shelf(Kept::Chats, &["chat", "completions", "*"], "GET, HEAD, POST, DELETE"),
    shelf(Kept::Chats, &["chat", "completions", "*", "messages"], READ),
    shelf(Kept::Files, &["files"], READ_ADD),
    shelf(Kept::Files, &["files", "*"], READ_DELETE),
    shelf(Kept::Files, &["files", "*", "content"], READ),
    shelf(Kept::Uploads, &["uploads"], "POST"),
    shelf(Kept::Uploads, &["uploads", "*", "parts"], "POST"),
    shelf(Kept::Uploads, &["uploads", "*", "complete"], "POST"),
    shelf(Kept::Uploads, &["uploads", "*", "cancel"], "POST"),
    working(Kept::Batches, &["batches"], READ_ADD),
    shelf(Kept::Batches, &["batches", "*"], READ),
    shelf(Kept::Batches, &["batches", "*", "cancel"], "POST"),
    // xAI's, which are filled request by request.
    working(Kept::Batches, &["batches", "*", "requests"], READ_ADD),
    shelf(Kept::Batches, &["batches", "*", "results"], READ),
    working(Kept::MessageBatches, &["messages", "batches"], READ_ADD),
    shelf(Kept::MessageBatches, &["messages", "batches", "*"], READ_DELETE),
    shelf(Kept::MessageBatches, &["messages", "batches", "*", "cancel"], "POST"),
    shelf(Kept::MessageBatches, &["messages", "batches", "*", "results"], READ),
];

/// Shortest id that nobody guesses. OpenAI's have 24 random characters and more.
const ID_CHARACTERS_MIN: usize = 20;

/// A path on one of the shelves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Where.
    pub shelf: &'static Shelf,
    /// The path, behind the version.
    pub path: &'a str,
    /// It is about one stored answer, by an id that nobody guesses: who has it was given it.
    pub is_own: bool,
}

/// Finds the shelf of a path, what stands behind the version.
#[must_use]
pub fn find(path: &str) -> Option<Place<'_>> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if !segments.iter().all(|segment| is_plain(segment)) {
        return None;
    }
    let fits = |shelf: &&Shelf| {
        let mut pairs = shelf.path.iter().zip(&segments);
        shelf.path.len() == segments.len() && pairs.all(|(own, here)| *own == "*" || own == here)
    };
    let shelf = SHELVES.iter().find(fits)?;
    let id = shelf.path.iter().zip(&segments).find(|(own, _)| **own == "*").map(|(_, id)| *id);
    let is_answer = matches!(shelf.kept, Kept::Responses | Kept::Chats);
    let is_own = is_answer && id.is_some_and(|id| id.len() >= ID_CHARACTERS_MIN);
    Some(Place { shelf, path, is_own })
}

/// A segment that means the same to everybody.
fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:~".contains(&byte);
    !segment.is_empty() && segment.bytes().all(plain) && segment.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_shelves_and_ids_are_told_from_words() {
        let id = "resp_0850765c843cca5300699cc47d93c08190";
        let cases = [
            ("/files".to_owned(), Some((Kept::Files, false, READ_ADD))),
            ("/files/file-abc/content".to_owned(), Some((Kept::Files, false, READ))),
            (format!("/responses/{id}"), Some((Kept::Responses, true, READ_DELETE))),
            (format!("/responses/{id}/cancel"), Some((Kept::Responses, true, "POST"))),
            ("/responses/short".to_owned(), Some((Kept::Responses, false, READ_DELETE))),
            ("/chat/completions".to_owned(), Some((Kept::Chats, false, READ))),
            ("/messages/batches".to_owned(), Some((Kept::MessageBatches, false, READ_ADD))),
            ("/batches/batch_1/cancel".to_owned(), Some((Kept::Batches, false, "POST"))),
            ("/responses".to_owned(), None),
            (format!("/responses/{id}/compact"), None),
            ("/files/../keys".to_owned(), None),
            ("/files/a%2fb".to_owned(), None),
            ("/files//content".to_owned(), None),
            ("/files/".to_owned(), None),
        ];
        for (path, expected) in cases {
            let found =
                find(&path).map(|place| (place.shelf.kept, place.is_own, place.shelf.allow));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn only_batches_work_and_no_word_of_openais_is_an_id() {
        assert!(
            SHELVES
                .iter()
                .all(|shelf| !shelf.works || shelf.kept.operation() == Operation::Batches)
        );
        // `POST /responses/compact` and `/responses/input_tokens` are asked of a model.
        let posts = |path: &str| find(path).is_some_and(|place| place.shelf.allow.contains("POST"));
        assert!(!posts("/responses/compact") && !posts("/responses/input_tokens"));
    }
}
