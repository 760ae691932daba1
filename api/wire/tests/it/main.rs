//! The wire crate against recorded traffic, hand-made cases and garbage.

mod bounds;
mod cases;
mod errors;
mod folders;
mod oddities;
mod replies;
mod requests;
mod streams;
mod traffic;
