//! Promises, proved with whole clusters: real processes of the real program, killed and restarted.
//!
//! Each proof prints its figures; `cargo nextest run --no-capture proof` shows them.

mod budget;
mod client;
mod cluster;
mod dev;
mod keys;
mod rolling;
mod sdk;
