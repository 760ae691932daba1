//! What the node may spend, tied to the log: grants come from applied entries, refills go to the leader.

use crate::allowance::{Allowances, Propose};
use crate::consensus::node::Node;
use crate::consensus::proposals;
use crate::consensus::route::Route;
use crate::rates::{AskShares, RateReport, RateShares, handle_rate_report};
use futures_util::future::BoxFuture;
use ledger::command::Refill;
use ledger::{Change, Command, Entry, Ledger, Outcome};
use std::sync::{Arc, Weak};
use std::time::Duration;
use storage::Observer;
use tokio::sync::watch;

/// Hears what is applied, on the apply path.
pub(crate) struct Hearing {
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) config_index: watch::Sender<u64>,
}

impl Hearing {
    fn tell_config(&self, ledger: &Ledger) {
        self.config_index.send_if_modified(|index| {
            let moved = *index != ledger.config_index;
            *index = ledger.config_index;
            moved
        });
    }
}

impl Observer for Hearing {
    fn applied(&self, ledger: &Arc<Ledger>, _: &Entry, changes: &[Change]) {
        self.allowances.applied(ledger, changes);
        self.tell_config(ledger);
    }

    fn installed(&self, ledger: &Arc<Ledger>) {
        self.allowances.installed(ledger);
        self.tell_config(ledger);
    }
}

/// Takes refills to the log, and reports on rates to the leader.
pub(crate) struct Till {
    pub(crate) node: Weak<Node>,
}

impl Propose for Till {
    fn propose(&self, refill: Refill) -> BoxFuture<'_, Option<Outcome>> {
        Box::pin(async move {
            let node = self.node.upgrade()?;
            let proposed = proposals::propose(&node, Command::Refill(refill)).await;
            match proposed {
                Ok(committed) => Some(committed.outcome),
                Err(error) => {
                    tracing::debug!(%error, "refill not applied, as far as is known");
                    None
                }
            }
        })
    }
}

/// How long the leader is given to answer a report on rates.
const SHARES_WITHIN: Duration = Duration::from_secs(1);

impl AskShares for Till {
    fn ask(&self, report: RateReport) -> BoxFuture<'_, Option<RateShares>> {
        Box::pin(async move {
            let node = self.node.upgrade()?;
            let leader = node.leader()?;
            if leader == node.id() {
                return handle_rate_report(&node.rate_desk, report, node.mono_ms()).await;
            }
            let to = node.member(leader);
            let answer = node.client.ask(Route::Rates, &to, &report, SHARES_WITHIN).await;
            answer.inspect_err(|error| tracing::debug!(%error, "no shares of rates")).ok()
        })
    }
}
