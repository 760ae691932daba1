//! Counts per request: user-mode instructions and allocations (callgrind), system calls (strace).
//!
//! Each is the difference of two runs that send different numbers of requests, so that starting and
//! stopping cancel out.

use crate::say;
use anyhow::Result;

pub(crate) async fn run() -> Result<()> {
    say("counts");
    Ok(())
}
