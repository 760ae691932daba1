//! The node itself.

use super::Node;
use api::admin::Probes;
use api::admin::v1::cluster::Id;
use api::admin::v1::nodes::{self, Counts, Nodes};

impl Nodes for Node {
    fn node(&self) -> nodes::Node {
        let (status, checks) = (self.parts.cluster.status(), self.ready());
        let in_flight = (self.parts.in_flight)();
        nodes::Node {
            id: status.raft_id.map(Id),
            label: self.parts.label.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            incarnation: status.incarnation,
            base_url: self.parts.base_url.clone(),
            admin_url: self.parts.admin_url.clone(),
            ready: checks.iter().all(|check| check.ok),
            draining: self.parts.health.draining(),
            checks,
            requests_in_flight: in_flight.requests,
            streams_in_flight: in_flight.streams,
            applied_index: status.applied,
        }
    }

    fn doors(&self) -> Vec<nodes::ProviderDoor> {
        let doors = self.parts.doors.standing().into_iter();
        let out = doors.map(|door| nodes::ProviderDoor {
            provider: door.provider,
            credential: door.credential,
            passed_over: door.shut_for_ms > 0,
            passed_over_for_ms: door.shut_for_ms,
            failures_in_a_row: door.failures,
            times_passed_over: door.shut_ever,
        });
        out.collect()
    }

    fn counts(&self) -> Counts {
        let ledger = self.ledger();
        Counts {
            keys: ledger.keys_by_name.size(),
            budgets: ledger.budgets.size(),
            providers: ledger.providers.size(),
            aliases: ledger.aliases.size(),
        }
    }

    fn begin_drain(&self) {
        self.drain.notify_one();
    }
}
