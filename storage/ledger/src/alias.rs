//! Model aliases: a name of the operator's for one or more models.

/// One model an alias may stand for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Provider's name.
    pub provider: String,
    /// Model's name there.
    pub model: String,
    /// Share among the targets. Zero: a fallback, in order, after the weighted ones.
    pub weight: u32,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alias {
    /// Unique name, without a slash.
    pub name: String,
    /// One to 32 targets.
    pub targets: Vec<Target>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}
