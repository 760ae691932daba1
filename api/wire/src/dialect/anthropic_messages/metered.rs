//! A plain answer passed on as it is: what it used, and whether it is one.

use super::answer::read_answer;
use crate::relay::{Reply, reply_of};

/// Reads a body that came with a success status. The body goes on to the caller as it is.
#[must_use]
pub fn reply(body: &[u8]) -> Reply {
    reply_of(read_answer(body))
}
