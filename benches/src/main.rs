//! What a request costs: CPU and added latency as ratios against nginx in the same run, and counts of
//! instructions, system calls and allocations. And what budgets cost: admission alone, and what the
//! allowances do under load.
//!
//! ```text
//! cargo build --release && cargo run --release -p benches            # ratios, about a minute
//! cargo run --release -p benches -- counts                           # counts: needs valgrind and strace
//! cargo run --release -p benches -- admission                        # holds and settlements, in ns
//! cargo run --release -p benches -- workloads [NAME]                 # overspend, stranded, refills
//! cargo run --release -p benches -- translation                      # ns per message and chunk, each pair
//! cargo run --release -p benches -- bounds                           # bounds on tokens, against traffic
//! ```
//!
//! Times move with the machine; ratios and counts hardly do. That is why the ceilings of
//! [`counts`] are on counts.

mod admission;
mod bounds;
mod counts;
mod gateway;
mod http;
mod load;
mod nginx;
mod proc_stat;
mod ratios;
mod scenario;
#[path = "../../api/wire/tests/it/traffic.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "tests ask more of it, and may fail loudly")]
mod traffic;
mod translation;
mod workloads;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mode = std::env::args().nth(1).unwrap_or_else(|| "ratios".to_owned());
    match mode.as_str() {
        "ratios" => runtime.block_on(ratios::run()),
        "counts" => runtime.block_on(counts::run()),
        "admission" => admission::run(),
        "translation" => translation::run(),
        "bounds" => bounds::run(),
        "workloads" => workloads::run(std::env::args().nth(2).as_deref()),
        other => {
            bail!(
                "no benchmark named {other}; there are: ratios, counts, admission, workloads, \
                 translation, bounds"
            )
        }
    }
}

/// Prints a line of the report.
#[expect(clippy::print_stdout, reason = "a benchmark's output is its report")]
fn say(line: &str) {
    println!("{line}");
}
