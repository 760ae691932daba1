//! CPU per request and added latency against nginx, interleaved in one run.

use crate::gateway::Gateway;
use crate::nginx::Nginx;
use crate::scenario::{self, Scenario};
use crate::{load, proc_stat, say};
use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 32;
const STEADY_LENGTH: Duration = Duration::from_secs(3);

/// Where requests go: a proxy whose CPU is watched, or the provider itself.
struct Target<'a> {
    authority: &'a str,
    key: &'a str,
    pid: Option<u32>,
}

/// What one target came to, medians over the rounds.
struct Measured {
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
}

/// Runs all scenarios and prints the table.
pub(crate) async fn run() -> Result<()> {
    let gateway = Gateway::start().await?;
    let provider = gateway.provider.clone();
    let nginx = Nginx::start(&provider).await?;
    let key = gateway.facts.virtual_key.clone();
    let targets = [
        Target { authority: &provider, key: &key, pid: None },
        Target { authority: &nginx.authority, key: &key, pid: Some(nginx.pid()?) },
        Target { authority: gateway.authority(), key: &key, pid: Some(gateway.pid()) },
    ];
    say(&format!(
        "{ROUNDS} rounds, interleaved; CPU: saturated over {CONNECTIONS} connections; latency: at a steady rate for {} s",
        STEADY_LENGTH.as_secs()
    ));
    say(
        "scenario          proxy    CPU us/request   x nginx   added p50 us   added p99 us   p50 - nginx's",
    );
    for scenario in scenario::ALL {
        let [direct, nginx, bursar] = measure(scenario, &targets).await?;
        report(scenario.name, "nginx", &nginx, &nginx, &direct);
        report(scenario.name, "bursar", &bursar, &nginx, &direct);
    }
    Ok(())
}

fn report(scenario: &str, proxy: &str, measured: &Measured, nginx: &Measured, direct: &Measured) {
    say(&format!(
        "{scenario:<17} {proxy:<7} {:>15.1} {:>9.2} {:>14.0} {:>14.0} {:>15.0}",
        measured.cpu_us,
        measured.cpu_us / nginx.cpu_us,
        measured.p50_us - direct.p50_us,
        measured.p99_us - direct.p99_us,
        measured.p50_us - nginx.p50_us,
    ));
}

async fn measure(scenario: &Scenario, targets: &[Target<'_>; 3]) -> Result<[Measured; 3]> {
    let mut cpu: [Vec<f64>; 3] = Default::default();
    let mut p50: [Vec<f64>; 3] = Default::default();
    let mut p99: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (at, target) in targets.iter().enumerate() {
            let request: Arc<[u8]> = scenario.request(target.authority, target.key).into();
            load::saturate(target.authority, &request, CONNECTIONS, CONNECTIONS * 4).await?;
            if let Some(pid) = target.pid {
                let before = proc_stat::cpu_time(pid)?;
                load::saturate(target.authority, &request, CONNECTIONS, scenario.a_round).await?;
                let used = proc_stat::cpu_time(pid)?.saturating_sub(before);
                cpu[at].push(micros(used) / scenario.a_round as f64);
            }
            let latencies =
                load::steady(target.authority, &request, scenario.per_second, STEADY_LENGTH)
                    .await?;
            p50[at].push(micros(latencies[latencies.len() / 2]));
            p99[at].push(micros(latencies[latencies.len() * 99 / 100]));
        }
    }
    Ok([0, 1, 2].map(|at| Measured {
        cpu_us: median(&mut cpu[at]),
        p50_us: median(&mut p50[at]),
        p99_us: median(&mut p99[at]),
    }))
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
