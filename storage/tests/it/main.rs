//! The storage crate from outside: as consensus uses it, and as a kill or a power cut leaves it.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]
#![expect(clippy::print_stdout, reason = "seeds, counts and skipped proofs are for people to see")]

mod corrupt;
mod crash;
mod format;
mod golden;
mod machine;
mod power;
mod raft;
mod receipts;
mod restart;
mod samples;
mod suite;
mod support;
