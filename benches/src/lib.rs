//! benches/src/lib.rs
