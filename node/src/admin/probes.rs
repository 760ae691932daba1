//! Health and metrics, as the operators' listener tells them.

use super::Node;
use api::admin::{Answer, Check, Probes, Problem};
use std::sync::Arc;

impl Probes for Node {
    fn live(&self) -> Vec<Check> {
        // That this answers at all is what was asked.
        vec![check_out("process", true, "answers".to_owned())]
    }

    fn ready(&self) -> Vec<Check> {
        let report = self.parts.health.ready();
        report.checks.into_iter().map(|check| check_out(check.name, check.ok, check.say)).collect()
    }

    fn started(&self) -> Vec<Check> {
        let started = self.parts.health.started();
        let detail = if started { "all listeners are up" } else { "starting" };
        vec![check_out("started", started, detail.to_owned())]
    }

    async fn metrics(&self) -> Answer<String> {
        let metrics = Arc::clone(&self.parts.metrics);
        // It walks all accounts: not where the cluster's clocks tick.
        let text = tokio::task::spawn_blocking(move || metrics()).await;
        text.map_err(|error| Problem::unavailable(error.to_string()))
    }
}

pub(super) fn check_out(name: &str, ok: bool, detail: String) -> Check {
    Check { name: name.to_owned(), ok, detail }
}
