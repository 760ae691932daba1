//! What we say: every byte across the front door, for callers and for operators.
//!
//! [`inference`] is the surface callers use, [`refusal`] the one table of why and how a request is
//! refused. The crate knows formats and manners; it will never know budgets, peers or providers, and
//! reaches the node only through its traits.

pub mod admin;
pub mod inference;
pub mod refusal;

pub use inference::Inference;
