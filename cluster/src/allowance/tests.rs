//! Allowances against the real ledger: its `apply`, with a log that loses, doubles and delays.

mod alone;
mod cases;
mod dust;
mod journal;
pub(in crate::allowance) mod log;
mod many;
mod returns;
mod storms;
mod threads;
mod upkeep;
mod usage;
mod walk;
