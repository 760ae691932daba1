//! storage/src/lib.rs
