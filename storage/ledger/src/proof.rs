//! The ledger's proof: every short sequence of commands, and long random ones against a model.

mod model;
mod random;
mod walk;
