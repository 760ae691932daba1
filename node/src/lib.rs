//! One node of a Bursar cluster: what it does with a request, and how operators steer it.
//!
//! It will never keep a setting that a tenant can feel anywhere but in the ledger.

pub mod catalog;
pub mod config;
pub mod simulator;
pub mod vault;
pub mod virtual_key;
