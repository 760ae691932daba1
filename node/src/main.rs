//! node/src/main.rs
fn main() {}
