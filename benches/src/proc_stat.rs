//! CPU time of a process, from `/proc`.

use anyhow::{Context, Result};
use std::time::Duration;

/// User and system time the process has used so far.
///
/// The kernel counts in ticks of 10 ms; measure stretches of a second or more.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid}"))?;
    let after_name = stat.rsplit(") ").next().context("malformed stat")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks: u64 = [11, 12].iter().filter_map(|&at| fields.get(at)?.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}
