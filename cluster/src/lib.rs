//! cluster/src/lib.rs
