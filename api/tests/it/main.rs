//! Tests of the whole surface, over stand-ins for the node.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admin;
