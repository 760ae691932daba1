//! The wire crate against recorded traffic, hand-made cases and garbage.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod allocated;
mod bedrock;
mod bounds;
mod cases;
mod costs;
mod embed;
mod errors;
mod folders;
mod framing;
mod fronts;
mod growth;
mod media;
mod oddities;
mod passages;
mod replies;
mod requests;
mod rerank;
mod responses;
mod rows;
mod sign;
mod streams;
mod traffic;
mod translation;
