//! jepsen/src/lib.rs
