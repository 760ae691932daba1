//! The operators' side of a real node.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

pub(crate) mod child;
mod command_line;
mod configuration;
mod lifecycle;
mod moves;
mod people;
mod process;
mod providers;
mod restart;
mod solo;
mod spender;
mod usage;
mod webhooks;
mod write_offs;
