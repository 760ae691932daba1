//! Version 1 of the admin API: one file per resource.

pub mod aliases;
pub mod budgets;
pub mod cluster;
pub mod keys;
pub mod models;
pub mod nodes;
pub mod providers;
