//! The read-only questions a request, an operator and the proposer of periods ask.

mod books;
mod key;
mod model;
mod periods;

pub(crate) use books::suspense;
pub use books::{Books, books};
pub use key::{
    AccountTerms, KeyBlock, accounts_of, admissible, key_by_hash, model_allowed, provider_allowed,
};
pub use model::{Resolution, resolve_model};
pub use periods::{closable_periods, due_periods};
