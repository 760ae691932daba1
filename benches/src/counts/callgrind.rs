//! Instructions and allocations by `valgrind --tool=callgrind`.

use super::{REQUESTS, WARM_UP, send};
use crate::gateway::Gateway;
use crate::scenario::Scenario;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use tokio::process::Command;

/// What the allocator's entry points are called; calls among themselves do not count.
const ALLOCATE: &[&str] = &["mi_malloc", "mi_zalloc", "mi_calloc", "mi_realloc", "mi_rezalloc"];

/// A function that only a thread of the data plane runs.
const MARK: &str = "bursar::plane::";

/// Instructions and allocations per request.
pub(super) async fn count(scenario: &Scenario) -> Result<(f64, f64)> {
    let dir = tempfile::tempdir()?;
    let out = format!("--callgrind-out-file={}/out", dir.path().display());
    let wrapper = [
        "valgrind --tool=callgrind --separate-threads=yes --compress-strings=no --compress-pos=no",
        &out,
    ]
    .join(" ");
    let gateway = Gateway::start_wrapped(&wrapper).await?;
    send(&gateway, scenario, WARM_UP).await?;
    dump(gateway.pid()).await?;
    remove_files(dir.path())?;
    send(&gateway, scenario, REQUESTS).await?;
    dump(gateway.pid()).await?;
    let (instructions, allocations) = read_dumps(dir.path())?;
    Ok((instructions as f64 / REQUESTS as f64, allocations as f64 / REQUESTS as f64))
}

/// Writes the counters out and starts them anew.
async fn dump(pid: u32) -> Result<()> {
    let done = Command::new("callgrind_control").args(["--dump", &pid.to_string()]).output().await;
    let done =
        done.context("cannot run callgrind_control: scripts/install-tools installs valgrind")?;
    ensure!(done.status.success(), "callgrind_control: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

fn remove_files(dir: &Path) -> Result<()> {
    for file in std::fs::read_dir(dir)? {
        std::fs::remove_file(file?.path())?;
    }
    Ok(())
}

/// Sums the threads that answered requests.
fn read_dumps(dir: &Path) -> Result<(u64, u64)> {
    let mut sums = (0, 0);
    for file in std::fs::read_dir(dir)? {
        let text = String::from_utf8_lossy(&std::fs::read(file?.path())?).into_owned();
        if text.contains(MARK) {
            let (instructions, allocations) = read(&text);
            sums = (sums.0 + instructions, sums.1 + allocations);
        }
    }
    ensure!(
        sums.0 > 0,
        "no thread of the data plane in the dumps: is the binary stripped of its symbols?"
    );
    Ok(sums)
}

/// Reads one dump: its total, and the calls into the allocator from outside it.
fn read(text: &str) -> (u64, u64) {
    let mut instructions = 0;
    let mut allocations = 0;
    let mut caller = "";
    let mut callee = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            caller = name;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if let Some(rest) = line.strip_prefix("totals: ") {
            instructions = rest.trim().parse().unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("calls=")
            && is_allocation(callee)
            && !caller.starts_with("mi_")
            && !caller.starts_with("_mi_")
        {
            allocations += rest.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    (instructions, allocations)
}

fn is_allocation(function: &str) -> bool {
    ALLOCATE.iter().any(|name| function.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn allocations_are_calls_into_the_allocator_from_outside_it() {
        let dump = "fn=bursar::plane::serve\n10 3\ncfn=mi_malloc_aligned\ncalls=7 1\n10 70\n\
                    fn=mi_malloc_aligned\ncfn=mi_malloc\ncalls=7 1\n1 5\ntotals: 1234\n";
        assert_eq!(read(dump), (1234, 7));
    }
}
