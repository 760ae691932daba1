//! What the probes say: is the process alive, should it get traffic, has it started?

use cluster::{Check, Cluster};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Longest a probe waits for a log index.
const MIN_INDEX_WITHIN: Duration = Duration::from_secs(10);

/// All conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The conditions, each by name.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether every check holds.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    /// One line per check and a verdict, as Kubernetes' own probes do.
    #[must_use]
    pub fn verbose(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let sign = if check.ok { "[+]" } else { "[-]" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{sign}{}: {}", check.name, check.say);
        }
        text.push_str(if self.ok() { "ready\n" } else { "not ready\n" });
        text
    }
}

/// The node's health, shared by both listeners.
pub struct Health {
    cluster: Cluster,
    started: AtomicBool,
    draining: AtomicBool,
}

impl Health {
    /// Of a node that has not started yet.
    #[must_use]
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster, started: AtomicBool::new(false), draining: AtomicBool::new(false) }
    }

    /// Says that all listeners are up.
    pub fn set_started(&self) {
        self.started.store(true, Relaxed);
    }

    /// Says that the node is on its way out: readiness goes and does not come back.
    pub fn set_draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Whether the node is on its way out.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Whether the node has been ready once; what a start-up probe asks.
    #[must_use]
    pub fn started(&self) -> bool {
        self.started.load(Relaxed)
    }

    /// Whether the node should get traffic, and why not.
    #[must_use]
    pub fn ready(&self) -> Report {
        let status = self.cluster.status();
        let of_cluster =
            |check: cluster::Check| Check { name: check.name, ok: check.ok, say: check.say };
        let mut checks: Vec<Check> = status.checks.into_iter().map(of_cluster).collect();
        // The process hears of its leaving some time before its place in the cluster does.
        let leaving = checks.iter_mut().find(|check| check.name == "not_draining");
        if let Some(check) = leaving.filter(|_| self.draining()) {
            check.ok = false;
            "is on its way out".clone_into(&mut check.say);
        }
        let configured = self.cluster.ledger().key_pepper.is_some();
        // Until then it may not know keys that others know, and says so to each caller.
        let heard = self.cluster.stale_for() != Duration::MAX;
        checks.push(Check {
            name: "configuration",
            ok: configured && heard,
            say: match (configured, heard) {
                (true, true) => format!("at log index {}", self.cluster.ledger().config_index),
                (true, false) => "no leader has said yet whether it is the latest".to_owned(),
                (false, _) => "the cluster is not founded yet".to_owned(),
            },
        });
        Report { checks }
    }

    /// Answers `/readyz`: `verbose` names each check, `min_index=N` waits for a log index first.
    pub async fn readyz(&self, query: &str) -> (bool, String) {
        let mut verbose = false;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "verbose" => verbose = value != "false" && value != "0",
                "min_index" => {
                    let Ok(index) = value.parse() else {
                        return (false, format!("min_index is no number: {value}\n"));
                    };
                    if let Err(error) = self.cluster.wait_applied(index, MIN_INDEX_WITHIN).await {
                        return (false, format!("{error}\n"));
                    }
                }
                _ => {}
            }
        }
        let report = self.ready();
        let ok = report.ok();
        if verbose {
            return (ok, report.verbose());
        }
        (ok, if ok { "ok\n" } else { "not ready; see ?verbose\n" }.to_owned())
    }

    /// Answers `/livez`: the process runs and can answer.
    #[must_use]
    pub fn livez(&self) -> (bool, String) {
        (true, "ok\n".to_owned())
    }

    /// Answers `/startupz`.
    #[must_use]
    pub fn startupz(&self) -> (bool, String) {
        let ok = self.started();
        (ok, if ok { "ok\n" } else { "starting\n" }.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_each_check() {
        let check = |name, ok| Check { name, ok, say: "so".to_owned() };
        let report = Report { checks: vec![check("joined", true), check("caught_up", false)] };
        assert!(!report.ok());
        assert_eq!(report.verbose(), "[+]joined: so\n[-]caught_up: so\nnot ready\n");
    }
}
