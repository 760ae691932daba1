//! What the cluster knows of itself, read at each scrape.

use super::{Kind, Metric, Metrics, labels};
use cluster::{Cluster, MemberState, Role};
use ledger::{AccountId, Ledger};
use metrics::{Label, Unit};
use std::collections::BTreeMap;
use std::time::Duration;

const LEADER: &str = "bursar_cluster_leader";
const TERM: &str = "bursar_cluster_term";
const QUORUM: &str = "bursar_cluster_quorum";
const READY: &str = "bursar_ready";
const STALE: &str = "bursar_stale_seconds";
const JOURNAL: &str = "bursar_journal_works";
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

const EVENTS_WAITING: &str = "bursar_events_waiting";
const EVENTS_DROPPED: &str = "bursar_events_dropped_total";

/// Lines of each metric at most: a scrape of a million budgets helps nobody.
const PLACES_MAX: usize = 2_000;

/// The metrics of the cluster, in the order of the listing. Amounts are in the budget's unit, which is
/// a label: nano_usd, tokens or requests.
#[rustfmt::skip]
pub(super) const ALL: &[Metric] = &[
    Metric(LEADER, Kind::Gauge, None, "1 on the node that leads, else 0."),
    Metric(TERM, Kind::Gauge, None, "Term of consensus."),
    Metric(QUORUM, Kind::Gauge, None, "1 while a leader is known and more than half of the voters are live."),
    Metric(READY, Kind::Gauge, None, "1 while the node should get traffic."),
    Metric(STALE, Kind::Gauge, Some(Unit::Seconds), "For how long this node may have missed changes that others know; +Inf before it has heard once."),
    Metric(JOURNAL, Kind::Gauge, None, "1 while this node writes down what it spends; else a crash leaves it in suspense."),
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
    Metric(OVERSPEND, Kind::Gauge, None, "The most by which the limit can be exceeded now; +Inf where the budget lets any excess through."),
    Metric(REFILLS, Kind::Counter, None, "Refills of this node's allowances asked for."),
    Metric(REFILLS_FAILED, Kind::Counter, None, "Refills that were not answered in time."),
    Metric(WAITED, Kind::Counter, None, "Holds that waited for a refill."),
    Metric(DROPPED, Kind::Counter, None, "Holds that were dropped unsettled and charged in full; each is a bug."),
    Metric(EXCEEDED, Kind::Counter, None, "Attempts that cost more than was held, once per account."),
    Metric(EVENTS_WAITING, Kind::Gauge, None, "Events that a webhook has not taken yet."),
    Metric(EVENTS_DROPPED, Kind::Counter, None, "Events given up because too many waited."),
];

/// Reads everything.
pub(super) fn collect(metrics: &Metrics, cluster: &Cluster, tenant_labels: bool) {
    consensus(metrics, cluster);
    members(metrics, cluster);
    let ledger = cluster.ledger();
    let labeller = Labeller { ledger: &ledger, tenant_labels };
    allowances(metrics, cluster, &labeller);
    budgets(metrics, &labeller);
    events(metrics, &ledger);
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
        (STALE, seconds(cluster.stale_for())),
        (JOURNAL, yes(cluster.allowances().has_journal())),
    ] {
        metrics.gauge(name, Vec::new(), value);
    }
}

fn seconds(duration: Duration) -> f64 {
    if duration == Duration::MAX { f64::INFINITY } else { duration.as_secs_f64() }
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

fn allowances(metrics: &Metrics, cluster: &Cluster, labeller: &Labeller<'_>) {
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
    let mut sums: BTreeMap<Place<'_>, [i64; 3]> = BTreeMap::new();
    for purse in cluster.allowances().snapshot() {
        let account = labeller.ledger.accounts.get(&purse.account);
        let present = account.is_some_and(|account| account.period == purse.period);
        let Some(place) = labeller.place(purse.account).filter(|_| present) else { continue };
        let sum = sums.entry(place).or_default();
        add(sum, [purse.available, purse.held, purse.unreported]);
    }
    for (place, sum) in sums.iter().take(PLACES_MAX) {
        for (name, value) in [AVAILABLE, HELD, UNREPORTED].into_iter().zip(sum) {
            metrics.gauge(name, place.labels(), *value as f64);
        }
    }
}

fn budgets(metrics: &Metrics, labeller: &Labeller<'_>) {
    let ledger = labeller.ledger;
    let mut sums: BTreeMap<Place<'_>, [i64; 5]> = BTreeMap::new();
    let mut bounds: BTreeMap<Place<'_>, Option<i64>> = BTreeMap::new();
    for account in ledger.accounts.keys() {
        let Some(place) = labeller.place(*account) else { continue };
        let Some(books) = ledger::view::books(ledger, *account) else { continue };
        let spent = books.closed_spend.saturating_add(books.reported);
        let figures = [books.limit, spent, books.outstanding, books.suspense, books.debt];
        add(sums.entry(place).or_default(), figures);
        let at_most = ledger::view::overspend(ledger, *account).and_then(|bound| bound.at_most);
        let bound = bounds.entry(place).or_insert(Some(0));
        *bound = bound.zip(at_most).map(|(sum, more)| sum.saturating_add(more));
    }
    for (place, sum) in sums.iter().take(PLACES_MAX) {
        for (name, value) in [LIMIT, SPENT, OUTSTANDING, SUSPENSE, DEBT].into_iter().zip(sum) {
            metrics.gauge(name, place.labels(), *value as f64);
        }
    }
    for (place, bound) in bounds.iter().take(PLACES_MAX) {
        let bound = bound.map_or(f64::INFINITY, |bound| bound as f64);
        metrics.gauge(OVERSPEND, place.labels(), bound);
    }
}

fn events(metrics: &Metrics, ledger: &Ledger) {
    metrics.gauge(EVENTS_WAITING, Vec::new(), ledger.outbox.size() as f64);
    metrics.counter(EVENTS_DROPPED, Vec::new(), ledger.events_dropped);
}

fn add<const N: usize>(sum: &mut [i64; N], more: [i64; N]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.saturating_add(more);
    }
}

/// Where an account's figures are shown: summed over the subjects of a budget, or for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    budget: &'a str,
    window: u8,
    unit: &'static str,
    /// `None`: all subjects together.
    subject: Option<&'a str>,
}

impl Place<'_> {
    fn labels(&self) -> Vec<Label> {
        let window = self.window.to_string();
        let mut pairs = vec![("budget", self.budget), ("window", &window), ("unit", self.unit)];
        pairs.extend(self.subject.map(|subject| ("subject", subject)));
        labels(&pairs)
    }
}

/// Says where an account is shown.
struct Labeller<'a> {
    ledger: &'a Ledger,
    tenant_labels: bool,
}

impl<'a> Labeller<'a> {
    /// `None` once the account's budget, or its subject's part of it, is gone.
    fn place(&self, id: AccountId) -> Option<Place<'a>> {
        let account = self.ledger.accounts.get(&id)?;
        if account.deleted_at.is_some() {
            return None;
        }
        let unit = match account.unit {
            ledger::Unit::NanoUsd => "nano_usd",
            ledger::Unit::Tokens => "tokens",
            ledger::Unit::Requests => "requests",
        };
        let subject = Some(account.subject.as_str());
        let subject = subject.filter(|subject| self.tenant_labels && !subject.is_empty());
        Some(Place { budget: &account.budget, window: id.window, unit, subject })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::command::{Command, Entry, OpenInstance, PutBudget, apply};
    use ledger::{Budget, BudgetWindow, Outcome, Per, UnixMillis, Window};

    /// A budget of 100 requests for each tag, two of which have been used.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        let budget = Budget {
            name: "each".to_owned(),
            unit: ledger::Unit::Requests,
            per: Per::Tag,
            windows: vec![BudgetWindow { window: Window::Never, limit: 100 }],
            managed_by: "api:admin".to_owned(),
            ..Budget::default()
        };
        let periods = vec![(UnixMillis(1), None)];
        let put = PutBudget { budget, if_index: None, periods: periods.clone() };
        let mut commands = vec![Command::PutBudget(put)];
        for subject in ["batch", "eval"] {
            let (budget, subject) = ("each".to_owned(), subject.to_owned());
            let open = OpenInstance { budget, subject, periods: periods.clone() };
            commands.push(Command::OpenInstance(open));
        }
        for (index, command) in (1..).zip(commands) {
            let (outcome, _) = apply(&mut ledger, &Entry { index, at: UnixMillis(1), command });
            assert_eq!(outcome, Outcome::Done);
        }
        ledger
    }

    fn limits(tenant_labels: bool) -> Vec<String> {
        let (metrics, ledger) = (Metrics::new(), ledger());
        budgets(&metrics, &Labeller { ledger: &ledger, tenant_labels });
        let text = metrics.handle.render();
        let lines = text.lines().filter(|line| line.starts_with(LIMIT));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn subjects_are_summed_unless_they_are_asked_for() {
        let sum = r#"bursar_budget_limit{budget="each",window="0",unit="requests"} 200"#;
        assert_eq!(limits(false), [sum]);
        let each = limits(true);
        assert_eq!(each.len(), 2);
        assert!(
            each.iter().all(|line| line.contains("subject=") && line.ends_with(" 100")),
            "{each:?}"
        );
    }
}
