//! What of a caller's hints counts for its key. Pure.

use api::inference::Hints;
use api::refusal::Reason;
use ledger::VirtualKey;
use ledger::usage::TAGS_MAX;
use wire::Refusal;

/// The tags that the key does not have already, and the session where the key may open one: to any other
/// key a session is a hint that nothing follows from.
///
/// # Errors
///
/// More tags than a request may carry, those of the key included.
pub(crate) fn of_key(hints: Hints, key: &VirtualKey) -> Result<Hints, Refusal> {
    let Hints { mut tags, session } = hints;
    tags.retain(|tag| !key.tags.contains(tag));
    let count = tags.len() + key.tags.len();
    if !tags.is_empty() && count > TAGS_MAX {
        let own = key.tags.len();
        return Err(Reason::InvalidHeader.refuse(format!(
            "the request has {count} tags, {own} of them its key's; at most {TAGS_MAX} are taken"
        )));
    }
    Ok(Hints { tags, session: session.filter(|_| key.may_open_sessions) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(tags: usize) -> Hints {
        let tags = (0..tags).map(|tag| format!("t{tag:02}")).collect();
        Hints { tags, session: Some("run".to_owned()) }
    }

    #[test]
    fn a_session_is_nothing_to_a_key_that_may_not_open_one() {
        let mut key = VirtualKey::default();
        assert_eq!(of_key(hints(0), &key).unwrap(), Hints::default());
        key.may_open_sessions = true;
        assert_eq!(of_key(hints(0), &key).unwrap().session.as_deref(), Some("run"));
    }

    #[test]
    fn tags_of_the_key_count_and_are_not_counted_twice() {
        let key = VirtualKey { tags: vec!["t00".to_owned(), "own".to_owned()], ..<_>::default() };
        assert_eq!(of_key(hints(15), &key).unwrap().tags.len(), 14);
        let refused = of_key(hints(16), &key).unwrap_err();
        assert_eq!((refused.status, refused.code), (400, "invalid_headers"));
        assert!(refused.say.contains("17 tags"), "{}", refused.say);
    }

    #[test]
    fn the_front_door_takes_as_many_tags_as_the_ledger() {
        assert_eq!(api::inference::hints::TAGS_MAX, TAGS_MAX);
    }
}
