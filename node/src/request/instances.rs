//! Instances of budgets are opened on first use: one proposal for each, however many requests wait for it.

use super::terms::{Candidate, Terms};
use super::way::{NoWay, Way};
use crate::plane::core::{Core, wall_clock};
use api::inference::Hints;
use api::refusal::Reason;
use cluster::Cluster;
use ledger::command::OpenInstance;
use ledger::view::{Missing, PATH_ACCOUNTS_MAX};
use ledger::{Command, Denial, Outcome, calendar};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use wire::Refusal;

/// Longest a request waits for instances to be opened: as long as for money while a leader is elected.
const OPEN_WITHIN: Duration = Duration::from_secs(3);

/// What an opening came to; `None` while it goes on.
type Opened = Option<Result<(), String>>;

/// The instances being opened by this node. Shared by all threads; the control plane proposes.
pub(crate) struct Openings {
    runtime: Handle,
    going: Arc<Mutex<BTreeMap<Missing, watch::Receiver<Opened>>>>,
}

impl Openings {
    /// None yet; proposals will run on `runtime`.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, going: Arc::default() }
    }

    /// Opens an instance, or waits for who is at it already.
    async fn open(
        &self,
        cluster: &Cluster,
        missing: Missing,
        until: Instant,
    ) -> Result<(), Refusal> {
        let name = missing.budget.clone();
        let mut opened = self.begin(cluster, missing);
        let refuse = |why: String| {
            Reason::ClusterUnavailable
                .refuse(format!("budget {name} could not be opened for this request: {why}"))
        };
        match timeout_at(until, opened.wait_for(Option::is_some)).await {
            Err(_) => Err(refuse("the cluster did not agree in time; try again shortly".into())),
            Ok(Err(_)) => Err(refuse("this node is stopping".to_owned())),
            Ok(Ok(outcome)) => match &*outcome {
                Some(Err(why)) => Err(refuse(why.clone())),
                Some(Ok(())) | None => Ok(()),
            },
        }
    }

    fn begin(&self, cluster: &Cluster, missing: Missing) -> watch::Receiver<Opened> {
        let mut going = lock(&self.going);
        if let Some(opened) = going.get(&missing) {
            return opened.clone();
        }
        let (tell, opened) = watch::channel(None);
        going.insert(missing.clone(), opened.clone());
        let (cluster, all) = (cluster.clone(), Arc::clone(&self.going));
        self.runtime.spawn(async move {
            let outcome = propose(&cluster, &missing).await;
            // First out of the list: who comes now looks at the ledger again.
            lock(&all).remove(&missing);
            tell.send_replace(Some(outcome));
        });
        opened
    }
}

async fn propose(cluster: &Cluster, missing: &Missing) -> Result<(), String> {
    let periods = {
        let ledger = cluster.ledger();
        // Deleted meanwhile: there is nothing to open, and the next look at the path will show it.
        let Some(budget) = ledger.budgets.get(&missing.budget) else { return Ok(()) };
        calendar::first_periods(budget, wall_clock()).map_err(|error| error.to_string())?
    };
    let Missing { budget, subject } = missing.clone();
    let command = Command::OpenInstance(OpenInstance { budget, subject, periods });
    let committed = cluster.propose(command).await.map_err(|error| error.to_string())?;
    if let Outcome::Denied(denial) = committed.outcome {
        return Err(said(&denial));
    }
    let applied = cluster.wait_applied(committed.index, OPEN_WITHIN).await;
    applied.map_err(|error| error.to_string())
}

fn said(denial: &Denial) -> String {
    match denial {
        Denial::NotFound(kind, name) => format!("there is no {kind} {name}"),
        Denial::Invalid(field, reason) => format!("{field} {reason}"),
        Denial::InUse(by) => format!("in use by {by}"),
        Denial::IndexMismatch { .. }
        | Denial::ManagedBy(_)
        | Denial::Taken(..)
        | Denial::Revoked
        | Denial::StaleIncarnation { .. }
        | Denial::AlreadyInitialised(_) => format!("{denial:?}"),
    }
}

/// The way to a place; instances that are not open yet are opened first.
///
/// # Errors
///
/// Too many accounts, or a cluster that cannot agree.
pub(crate) async fn way(
    core: &Core,
    terms: &Terms,
    candidate: &Candidate,
    hints: &Hints,
) -> Result<Rc<Way>, Refusal> {
    let until = Instant::now() + OPEN_WITHIN;
    loop {
        let missing = match core.way(terms, candidate, hints) {
            Ok(way) => return Ok(way),
            Err(NoWay::TooMany(count)) => return Err(too_many(count)),
            Err(NoWay::Missing(missing)) => missing,
        };
        for missing in missing {
            core.shared.openings.open(&core.shared.cluster, missing, until).await?;
        }
        if Instant::now() >= until {
            let say = "the budgets of this request are closed as fast as they are opened";
            return Err(Reason::ClusterUnavailable.refuse(say));
        }
    }
}

fn too_many(count: usize) -> Refusal {
    Reason::TooManyBudgets.refuse(format!(
        "{count} accounts would be charged for this request, and {PATH_ACCOUNTS_MAX} is the most; send fewer tags, or have budgets taken off the key and those it belongs to"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The map holds no invariant that a panic elsewhere could have broken.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
