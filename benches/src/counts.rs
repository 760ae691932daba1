//! Counts per request: user-mode instructions and allocations (callgrind), system calls (strace).
//!
//! Only the threads that answer requests are counted. A count hardly depends on the machine's mood, so each
//! has a ceiling, a few percent above what is so today; going over one fails the run. The aim for a chat of
//! 200 bytes is 60,000 instructions, 20 allocations, 4.3 system calls.

mod callgrind;
mod strace;

use crate::gateway::Gateway;
use crate::scenario::{self, Scenario};
use crate::{load, say};
use anyhow::{Result, ensure};
use std::sync::Arc;

/// Requests counted, after a warm-up that fills caches and opens connections.
const REQUESTS: usize = 640;
const WARM_UP: usize = 128;
const CONNECTIONS: usize = 32;

/// What one request costs.
#[derive(Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) system_calls: f64,
}

/// Counts every scenario, prints the table and compares it with the ceilings.
pub(crate) async fn run() -> Result<()> {
    say("scenario          instructions   allocations   system calls   (ceilings in brackets)");
    let mut over = Vec::new();
    for scenario in scenario::ALL {
        let (instructions, allocations) = callgrind::count(scenario).await?;
        let system_calls = strace::count(scenario).await?;
        let counted = Counts { instructions, allocations, system_calls };
        report(scenario, counted);
        if exceeds(counted, scenario.ceiling) {
            over.push(scenario.name);
        }
    }
    ensure!(over.is_empty(), "over the ceiling: {}", over.join(", "));
    Ok(())
}

fn report(scenario: &Scenario, counted: Counts) {
    let ceiling = scenario.ceiling;
    say(&format!(
        "{:<17} {:>6.0} [{:>6.0}] {:>5.1} [{:>5.1}] {:>6.2} [{:>6.2}]",
        scenario.name,
        counted.instructions,
        ceiling.instructions,
        counted.allocations,
        ceiling.allocations,
        counted.system_calls,
        ceiling.system_calls,
    ));
}

fn exceeds(counted: Counts, ceiling: Counts) -> bool {
    counted.instructions > ceiling.instructions
        || counted.allocations > ceiling.allocations
        || counted.system_calls > ceiling.system_calls
}

/// Sends `total` requests over as many connections as keep the threads busy.
async fn send(gateway: &Gateway, scenario: &Scenario, total: usize) -> Result<()> {
    let authority = gateway.authority();
    let request: Arc<[u8]> = scenario.request(authority, &gateway.facts.virtual_key).into();
    load::saturate(authority, &request, CONNECTIONS, total).await
}
