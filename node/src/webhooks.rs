//! Webhooks: what happened is posted, signed, to whoever asked to be told.
//!
//! An event happens once, in the ledger. From there the leader's node posts it until a webhook answers 2xx
//! and then notes that in the ledger: a receiver may hear of an event more than once, where an answer or
//! the note was lost, and always under the same id.

mod courier;
mod letter;
mod post;
mod sign;

pub use courier::Courier;
pub(crate) use courier::now_s;
pub(crate) use letter::Letter;
pub(crate) use post::Address;
pub use post::Post;
pub(crate) use sign::{check_secret, draw_secret, purpose};
