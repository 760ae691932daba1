//! Rates and concurrency.
