//! JSON kept as it was written: key order, spelling of numbers and all.

/// One JSON value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(Box<str>);

impl Raw {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Members of an object that have no name of their own here, in their order.
///
/// They belong to the dialect they were read from and are written in no other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extra(Vec<(String, Raw)>);

impl Extra {
    /// The JSON text of a member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every member, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Raw)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys of members that say anything: null and what is empty say nothing, nor does what an object
    /// is called or how far it is.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let empty = |value: &Raw| matches!(value.as_str(), "null" | "[]" | "{}" | "\"\"");
        let label = |key: &str| matches!(key, "id" | "type" | "status");
        let says = move |(key, value): &(&str, &Raw)| !empty(value) && !label(key);
        self.iter().filter(says).map(|(key, _)| key)
    }

    /// Leaves a member out.
    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Raw)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Raw)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}
