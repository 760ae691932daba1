//! What a request costs: CPU and added latency as ratios against nginx in the same run, and counts of
//! instructions, system calls and allocations.
//!
//! ```text
//! cargo build --release && cargo run --release -p benches            # ratios, about a minute
//! cargo run --release -p benches -- counts                           # counts: needs valgrind and strace
//! ```
//!
//! Times move with the machine; ratios and counts hardly do. That is why the ceilings of
//! [`counts`] are on counts.

mod counts;
mod gateway;
mod http;
mod load;
mod nginx;
mod proc_stat;
mod ratios;
mod scenario;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mode = std::env::args().nth(1).unwrap_or_else(|| "ratios".to_owned());
    runtime.block_on(async {
        match mode.as_str() {
            "ratios" => ratios::run().await,
            "counts" => counts::run().await,
            other => bail!("no benchmark named {other}; there are: ratios, counts"),
        }
    })
}

/// Prints a line of the report.
#[expect(clippy::print_stdout, reason = "a benchmark's output is its report")]
fn say(line: &str) {
    println!("{line}");
}
