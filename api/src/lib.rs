//! api/src/lib.rs
