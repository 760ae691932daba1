//! One node of a Bursar cluster: what it does with a request, and how operators steer it.
//!
//! It will never keep a setting that a tenant can feel anywhere but in the ledger.

pub mod admin;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod credential;
pub mod health;
pub mod metrics;
pub mod plane;
pub mod receipts;
mod request;
pub mod serve;
pub mod simulator;
pub mod telemetry;
pub mod vault;
pub mod virtual_key;
pub mod webhooks;
