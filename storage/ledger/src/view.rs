//! The read-only questions a request, an operator and the proposer of periods ask.

mod books;
mod due;
mod key;
mod model;
mod path;
mod source;
mod steps;
mod usage;

pub(crate) use books::suspense;
pub use books::{Books, Overspend, Reason, books, overspend};
pub use due::due;
#[cfg(test)]
pub(crate) use due::due_periods;
pub use key::{KeyBlock, admissible, key_by_hash, model_allowed, provider_allowed};
pub use model::{Resolution, resolve_model};
pub(crate) use path::accounts_max;
pub use path::{
    AccountTerms, Asked, LimitTerms, Missing, PATH_ACCOUNTS_MAX, PathTerms, accounts_of, path_of,
};
pub use source::{Lineage, lineage};
pub(crate) use source::{scopes_of, selects};
pub use steps::steps_reached;
pub use usage::{usage_of_key, usage_rows};
