//! Version 1 of the admin API: one file per resource.

pub mod aliases;
pub mod audit;
pub mod budgets;
pub mod cluster;
pub mod keys;
pub mod models;
pub mod nodes;
pub mod profiles;
pub mod providers;
pub mod scopes;
pub mod selectors;
pub mod terms;
pub mod usage;
pub mod webhooks;
