//! Promises, proved with whole clusters: real processes of the real program, killed and restarted.
//!
//! Each proof prints its figures; `cargo nextest run --no-capture proof` shows them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![expect(clippy::print_stdout, reason = "the figures are for people to see")]

mod budget;
mod client;
mod cluster;
mod dev;
mod keys;
mod receipts;
mod rolling;
mod sdk;
mod webhooks;
