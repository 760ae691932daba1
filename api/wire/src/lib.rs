//! Bytes in, meaning out: the published formats of model APIs.
//!
//! `wire` reads what a caller sends, says which bytes must change for a provider, and finds out of the
//! provider's answer what it used and whether it is whole. The same dialect in and out is lossless:
//! the caller's bytes go on with only the necessary spans spliced, the answer comes back untouched.
//!
//! It will never open a socket, read a clock, know a price or keep a budget. Whatever depends on time
//! takes the time as an argument.

pub mod bound;
mod call;
pub mod chat;
pub mod count;
mod date;
pub mod dialect;
pub mod embed;
mod field_value;
mod form;
pub mod frame;
mod front;
mod json;
pub mod kept;
mod meaning;
pub mod provider;
mod provider_error;
mod refusal;
pub mod relay;
pub mod rerank;
pub mod retry_after;
pub mod sign;
mod sound;
pub mod splice;
mod usage;
mod wishes;

pub use call::{Asked, Call, Matter, Media, Operation, Vocabulary, Work};
pub use frame::sse;
pub use meaning::Meaning;
pub use provider_error::ProviderError;
pub use refusal::{Fault, Refusal, Retry};
pub use usage::{Picture, Quality, Service, Usage};
pub use wishes::Wishes;
