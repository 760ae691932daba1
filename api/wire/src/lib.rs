//! api/wire/src/lib.rs
