//! What stands between a command and an object: its index, its owner.

use crate::Denial;

/// Checks `If-Match`: `Some(0)` wants no object, `Some(n)` wants one last changed at `n`.
pub(crate) fn index(wanted: Option<u64>, present: Option<u64>) -> Result<(), Denial> {
    let present = present.unwrap_or(0);
    match wanted {
        Some(wanted) if wanted != present => Err(Denial::IndexMismatch { present }),
        Some(_) | None => Ok(()),
    }
}

/// Checks that what a file owns is changed only in the name of that file.
///
/// What the API owns may be changed by anybody, and so may pass into the ownership of a file.
pub(crate) fn owner(owner: &str, asker: &str) -> Result<(), Denial> {
    if owner.starts_with("file:") && owner != asker {
        return Err(Denial::ManagedBy(owner.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_zero_asks_that_nothing_is_there() {
        assert_eq!(index(Some(0), None), Ok(()));
        let denial = Err(Denial::IndexMismatch { present: 4 });
        assert_eq!(index(Some(0), Some(4)), denial);
        assert_eq!(index(Some(3), Some(4)), denial);
        assert_eq!(index(Some(4), Some(4)), Ok(()));
        assert_eq!(index(None, Some(4)), Ok(()));
    }

    #[test]
    fn what_a_file_owns_is_changed_only_in_its_name() {
        assert_eq!(owner("file:a", "file:a"), Ok(()));
        assert_eq!(owner("api:ann", "file:a"), Ok(()));
        assert_eq!(owner("file:a", "api:ann"), Err(Denial::ManagedBy("file:a".to_owned())));
        assert_eq!(owner("file:a", "file:b"), Err(Denial::ManagedBy("file:a".to_owned())));
    }
}
