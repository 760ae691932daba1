//! The read-only questions a request, an operator and the proposer of periods ask.

mod books;
mod key;
mod model;
mod path;
mod periods;
mod source;
mod steps;

pub(crate) use books::suspense;
pub use books::{Books, books};
pub use key::{KeyBlock, admissible, key_by_hash, model_allowed, provider_allowed};
pub use model::{Resolution, resolve_model};
pub(crate) use path::accounts_max;
pub use path::{
    AccountTerms, Asked, LimitTerms, Missing, PATH_ACCOUNTS_MAX, PathTerms, accounts_of, path_of,
};
pub use periods::{closable_periods, due_periods};
pub use source::{Lineage, lineage};
pub(crate) use source::{scopes_of, selects};
pub use steps::steps_reached;
