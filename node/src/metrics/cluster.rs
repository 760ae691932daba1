//! What the cluster knows of itself, read at each scrape.

use super::{Kind, Metric, Metrics, labels};
use cluster::{Cluster, MemberState, Role};
use ledger::{AccountId, Ledger, Unit};
use metrics::Label;
use std::collections::HashMap;

const LEADER: &str = "bursar_cluster_leader";
const TERM: &str = "bursar_cluster_term";
const QUORUM: &str = "bursar_cluster_quorum";
const READY: &str = "bursar_ready";
const LAST_LOG: &str = "bursar_log_last_index";
const COMMITTED: &str = "bursar_log_committed_index";
const APPLIED: &str = "bursar_log_applied_index";
const COMMIT_LAG: &str = "bursar_log_commit_lag_entries";
const APPLY_LAG: &str = "bursar_log_apply_lag_entries";
const MEMBERS: &str = "bursar_cluster_members";
const NODE: &str = "bursar_cluster_node_info";
const FORMAT: &str = "bursar_cluster_format_version";
const AVAILABLE: &str = "bursar_allowance_available";
const HELD: &str = "bursar_allowance_held";
const UNREPORTED: &str = "bursar_allowance_unreported";
const OUTSTANDING: &str = "bursar_budget_outstanding";
const SPENT: &str = "bursar_budget_spent";
const LIMIT: &str = "bursar_budget_limit";
const SUSPENSE: &str = "bursar_budget_suspense";
const DEBT: &str = "bursar_budget_debt";
const OVERSPEND: &str = "bursar_budget_overspend_bound";
const REFILLS: &str = "bursar_allowance_refills_total";
const REFILLS_FAILED: &str = "bursar_allowance_refills_failed_total";
const WAITED: &str = "bursar_holds_waited_total";
const DROPPED: &str = "bursar_holds_dropped_total";
const EXCEEDED: &str = "bursar_holds_exceeded_total";

/// Accounts shown at most: a scrape of a million budgets helps nobody.
const ACCOUNTS_MAX: usize = 2_000;

/// The metrics of the cluster, in the order of the listing. Amounts are in the budget's unit, which is
/// a label: nano_usd, tokens or requests.
#[rustfmt::skip]
pub(super) const ALL: &[Metric] = &[
    Metric(LEADER, Kind::Gauge, None, "1 on the node that leads, else 0."),
    Metric(TERM, Kind::Gauge, None, "Term of consensus."),
    Metric(QUORUM, Kind::Gauge, None, "1 while a leader is known and more than half of the voters are live."),
    Metric(READY, Kind::Gauge, None, "1 while the node should get traffic."),
    Metric(LAST_LOG, Kind::Gauge, None, "Last log index on this node."),
    Metric(COMMITTED, Kind::Gauge, None, "Log index known to be committed."),
    Metric(APPLIED, Kind::Gauge, None, "Log index applied on this node."),
    Metric(COMMIT_LAG, Kind::Gauge, None, "Entries of the log that are not known to be committed."),
    Metric(APPLY_LAG, Kind::Gauge, None, "Entries committed and not applied on this node."),
    Metric(MEMBERS, Kind::Gauge, None, "Nodes of the cluster, by role and state."),
    Metric(NODE, Kind::Gauge, None, "Always 1; each node's name and version are labels."),
    Metric(FORMAT, Kind::Gauge, None, "Newest format that all members can read."),
    Metric(AVAILABLE, Kind::Gauge, None, "What this node may spend without asking."),
    Metric(HELD, Kind::Gauge, None, "What requests in flight on this node may cost at worst."),
    Metric(UNREPORTED, Kind::Gauge, None, "Spent on this node and not in the ledger yet."),
    Metric(OUTSTANDING, Kind::Gauge, None, "Granted to living nodes and not reported as spent."),
    Metric(SPENT, Kind::Gauge, None, "Reported as spent in the present period."),
    Metric(LIMIT, Kind::Gauge, None, "Limit of the present period."),
    Metric(SUSPENSE, Kind::Gauge, None, "Granted to nodes that are gone; counts as spent until the period ends."),
    Metric(DEBT, Kind::Gauge, None, "Billed by providers beyond what was held."),
    Metric(OVERSPEND, Kind::Gauge, None, "The most by which the limit can be exceeded, as far as is recorded."),
    Metric(REFILLS, Kind::Counter, None, "Refills of this node's allowances asked for."),
    Metric(REFILLS_FAILED, Kind::Counter, None, "Refills that were not answered in time."),
    Metric(WAITED, Kind::Counter, None, "Holds that waited for a refill."),
    Metric(DROPPED, Kind::Counter, None, "Holds that were dropped unsettled and charged in full; each is a bug."),
    Metric(EXCEEDED, Kind::Counter, None, "Attempts that cost more than was held, once per account."),
];

/// Reads everything.
pub(super) fn collect(metrics: &Metrics, cluster: &Cluster) {
    consensus(metrics, cluster);
    members(metrics, cluster);
    let ledger = cluster.ledger();
    let names = Names::of(&ledger);
    allowances(metrics, cluster, &names);
    budgets(metrics, &ledger, &names);
}

fn consensus(metrics: &Metrics, cluster: &Cluster) {
    let status = cluster.status();
    let leads = status.raft_id.is_some() && status.leader == status.raft_id;
    let yes = |yes: bool| f64::from(u8::from(yes));
    for (name, value) in [
        (LEADER, yes(leads)),
        (QUORUM, yes(status.quorum_ok)),
        (READY, yes(status.ready())),
        (TERM, status.term as f64),
        (LAST_LOG, status.last_log as f64),
        (COMMITTED, status.committed as f64),
        (APPLIED, status.applied as f64),
        (COMMIT_LAG, status.last_log.saturating_sub(status.committed) as f64),
        (APPLY_LAG, status.committed.saturating_sub(status.applied) as f64),
        (FORMAT, f64::from(cluster.ledger().cluster_version)),
    ] {
        metrics.gauge(name, Vec::new(), value);
    }
}

fn members(metrics: &Metrics, cluster: &Cluster) {
    let members = cluster.members();
    for (role, role_name) in [
        (Role::Leader, "leader"),
        (Role::Voter, "voter"),
        (Role::Learner, "learner"),
        (Role::Unknown, "unknown"),
    ] {
        for (state, state_name) in [
            (MemberState::Live, "live"),
            (MemberState::Silent, "silent"),
            (MemberState::Draining, "draining"),
        ] {
            let such = |member: &&cluster::Member| member.role == role && member.state == state;
            let count = members.iter().filter(such).count();
            let with = labels(&[("role", role_name), ("state", state_name)]);
            metrics.gauge(MEMBERS, with, count as f64);
        }
    }
    for member in &members {
        let with = labels(&[("node", &member.label), ("version", &member.version)]);
        metrics.gauge(NODE, with, 1.0);
    }
}

fn allowances(metrics: &Metrics, cluster: &Cluster, names: &Names<'_>) {
    let counts = cluster.allowances().counts();
    for (name, total) in [
        (REFILLS, counts.refills),
        (REFILLS_FAILED, counts.failed_refills),
        (WAITED, counts.waited),
        (DROPPED, counts.dropped_holds),
        (EXCEEDED, counts.exceeded_holds),
    ] {
        metrics.counter(name, Vec::new(), total);
    }
    let mut purses = cluster.allowances().snapshot();
    purses.retain(|purse| {
        let account = names.ledger.accounts.get(&purse.account);
        account.is_some_and(|account| account.period == purse.period)
    });
    for purse in purses.iter().take(ACCOUNTS_MAX) {
        let Some(with) = names.labels(purse.account, purse.unit) else { continue };
        metrics.gauge(AVAILABLE, with.clone(), purse.available as f64);
        metrics.gauge(HELD, with.clone(), purse.held as f64);
        metrics.gauge(UNREPORTED, with, purse.unreported as f64);
    }
}

fn budgets(metrics: &Metrics, ledger: &Ledger, names: &Names<'_>) {
    for account in ledger.accounts.keys().take(ACCOUNTS_MAX) {
        let Some(books) = ledger::view::books(ledger, *account) else { continue };
        let Some(with) = names.labels(*account, books.unit) else { continue };
        for (name, value) in [
            (LIMIT, books.limit),
            (SPENT, books.closed_spend.saturating_add(books.reported)),
            (OUTSTANDING, books.outstanding),
            (SUSPENSE, books.suspense),
            (DEBT, books.debt),
            (OVERSPEND, books.overspend_bound),
        ] {
            metrics.gauge(name, with.clone(), value as f64);
        }
    }
}

/// Names of the budgets by handle: looked up for each account, so gathered once for each scrape.
struct Names<'a> {
    ledger: &'a Ledger,
    by_handle: HashMap<u64, &'a str>,
}

impl<'a> Names<'a> {
    fn of(ledger: &'a Ledger) -> Self {
        let named = ledger.budgets.values().map(|budget| (budget.handle, budget.name.as_str()));
        Self { ledger, by_handle: named.collect() }
    }

    /// Labels of an account; `None` once its budget is deleted.
    fn labels(&self, account: AccountId, unit: Unit) -> Option<Vec<Label>> {
        let unit = match unit {
            Unit::NanoUsd => "nano_usd",
            Unit::Tokens => "tokens",
            Unit::Requests => "requests",
        };
        let budget = self.by_handle.get(&account.budget)?;
        let window = account.window.to_string();
        Some(labels(&[("budget", budget), ("window", &window), ("unit", unit)]))
    }
}
