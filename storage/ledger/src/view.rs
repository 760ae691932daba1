//! The read-only questions a request asks.
