//! The operators' side: `/admin/v1/...`, health and metrics.

mod suggest;

pub use suggest::suggest;
