//! Allowances against the real ledger: its `apply`, with a log that loses, doubles and delays.

mod cases;
mod dust;
mod log;
mod many;
mod storms;
mod threads;
mod walk;
