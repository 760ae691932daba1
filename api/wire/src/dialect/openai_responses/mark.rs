//! Marks by which this dialect finds again where something stood. They are members without a value, kept
//! among those that have no name: other dialects neither write nor report them.

use crate::chat::{Extra, Raw};

/// The turn was given as `instructions`.
pub(super) const INSTRUCTIONS: &str = "instructions";
/// The turn was the whole `input`, a bare text.
pub(super) const INPUT: &str = "input";
/// The part was an item of its own and no content of a message.
pub(super) const ITEM: &str = "item";
/// The part was the whole content of its message, a bare text.
pub(super) const PLAIN: &str = "content";

/// A mark.
pub(super) fn mark(name: &str) -> Extra {
    [(name.to_owned(), Raw::new("null"))].into_iter().collect()
}

/// Whether the mark is there.
pub(super) fn is_marked(extra: &Extra, name: &str) -> bool {
    extra.get(name) == Some("null")
}
