//! A real node of one, in this process, against upstreams that behave well and badly.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![expect(clippy::large_futures, reason = "a test's buffers may lie in its future")]

mod background;
mod beside;
pub(crate) mod client;
mod faces;
mod happy;
mod hostile_caller;
mod hostile_upstream;
mod issued;
mod metrics;
pub(crate) mod node;
mod openings;
mod patience;
mod receipts;
mod scopes;
mod signature;
mod standing;
mod steps;
pub(crate) mod streams;
mod tls;
pub(crate) mod upstream;
