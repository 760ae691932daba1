//! The courier: on the leader's node, from the ledger's outbox to the webhooks and back with their word.

use super::post::Address;
use super::{Letter, Post, purpose};
use crate::vault::Vault;
use cluster::Cluster;
use ledger::command::AckEvents;
use ledger::{Command, Ledger, Webhook};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// Letters of one webhook that are posted before what came of them is noted in the ledger.
const ROUND: usize = 32;
/// Most that is noted by one entry of the log, so that the entry stays short.
const NOTES_MAX: usize = 256;
/// Wait after the first failure; it doubles with each further one.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Wait before what could not be noted in the ledger is tried again.
const NOTE_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The running courier.
pub struct Courier {
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl Courier {
    /// Starts it; it works while its node leads.
    pub(crate) fn start(cluster: Cluster, vault: Vault, post: Post) -> Self {
        let (stop, stopped) = watch::channel(false);
        let rounds = Rounds {
            cluster,
            vault,
            post,
            on_the_way: BTreeSet::new(),
            failing: BTreeMap::new(),
            to_note: BTreeSet::new(),
            running: JoinSet::new(),
        };
        Self { stop, ended: tokio::spawn(rounds.run(stopped)) }
    }

    /// Ends it. What is on the way is posted again by whoever leads next, under the same id.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        // It cannot fail but by a panic, which has been reported.
        let _ = self.ended.await;
    }
}

/// A webhook that failed, and when it is tried again.
struct Failing {
    times: u32,
    again_at: Instant,
}

/// What came of a round to one webhook.
struct Came {
    webhook: String,
    taken: Vec<u64>,
    failed: Option<String>,
}

struct Rounds {
    cluster: Cluster,
    vault: Vault,
    post: Post,
    /// Webhooks that a round is running to.
    on_the_way: BTreeSet<String>,
    failing: BTreeMap<String, Failing>,
    /// Taken, and not known to be noted in the ledger.
    to_note: BTreeSet<(u64, String)>,
    running: JoinSet<Came>,
}

impl Rounds {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut changes = self.cluster.changes();
        let mut applied = self.cluster.applied();
        let mut seen = (0, 0);
        loop {
            let leads = self.leads();
            if leads {
                self.note(&self.cluster.ledger()).await;
                let ledger = self.cluster.ledger();
                seen = (ledger.events_ever, ledger.config_index);
                self.set_out(&ledger);
            } else {
                // Another node's task from here on; what it has noted will be gone from the outbox.
                self.to_note.clear();
                self.failing.clear();
            }
            let again_at = self.again_at();
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                Some(came) = self.running.join_next() => match came {
                    Ok(came) => self.came(came),
                    Err(error) => tracing::error!(%error, "a round of the courier failed"),
                },
                changed = changes.changed() => if changed.is_err() { return },
                () = news(&self.cluster, &mut applied, seen), if leads => {}
                () = sleep_until(again_at.unwrap_or_else(Instant::now)), if again_at.is_some() => {}
            }
        }
    }

    fn leads(&self) -> bool {
        let status = self.cluster.status();
        status.raft_id.is_some() && status.leader == status.raft_id
    }

    /// When the next one is to be tried again, by itself.
    fn again_at(&self) -> Option<Instant> {
        let idle = self.failing.iter().filter(|(webhook, _)| !self.on_the_way.contains(*webhook));
        let again = idle.map(|(_, failing)| failing.again_at).min();
        match self.to_note.is_empty() {
            true => again,
            false => Some(Instant::now() + NOTE_AGAIN_AFTER),
        }
    }

    /// Notes in the ledger what was taken.
    async fn note(&mut self, ledger: &Ledger) {
        self.to_note.retain(|taken| waits(ledger, taken));
        if self.to_note.is_empty() {
            return;
        }
        let acks = self.to_note.iter().take(NOTES_MAX).cloned().collect();
        match self.cluster.propose(Command::AckEvents(AckEvents { acks })).await {
            Ok(_) => {
                let ledger = self.cluster.ledger();
                self.to_note.retain(|taken| waits(&ledger, taken));
            }
            Err(error) => tracing::info!(%error, "events taken are noted later"),
        }
    }

    /// Begins a round to each webhook that something waits for.
    fn set_out(&mut self, ledger: &Ledger) {
        let waiting = self.waiting(ledger);
        self.failing.retain(|webhook, _| waiting.contains_key(webhook));
        for (name, waiting) in waiting {
            let Some(webhook) = ledger.webhooks.get(&name).filter(|webhook| webhook.enabled) else {
                // Nobody is there to be told any more.
                self.to_note.extend(waiting.into_iter().map(|id| (id, name.clone())));
                continue;
            };
            let too_early = |failing: &Failing| failing.again_at > Instant::now();
            if self.on_the_way.contains(&name) || self.failing.get(&name).is_some_and(too_early) {
                continue;
            }
            self.on_the_way.insert(name);
            let letters = waiting.iter().take(ROUND).filter_map(|id| {
                let event = ledger.outbox.get(id)?;
                Some((*id, Letter::of(ledger, event)))
            });
            let (post, vault) = (self.post.clone(), self.vault.clone());
            self.running.spawn(round(post, vault, webhook.clone(), letters.collect()));
        }
    }

    /// Events that wait, oldest first, by webhook; without those already taken.
    fn waiting(&self, ledger: &Ledger) -> BTreeMap<String, Vec<u64>> {
        let mut waiting: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (id, event) in &ledger.outbox {
            for webhook in &event.waiting {
                if !self.to_note.contains(&(*id, webhook.clone())) {
                    waiting.entry(webhook.clone()).or_default().push(*id);
                }
            }
        }
        waiting
    }

    fn came(&mut self, came: Came) {
        let Came { webhook, taken, failed } = came;
        self.on_the_way.remove(&webhook);
        // Who takes some and refuses others now and then is not given up for longer and longer.
        if !taken.is_empty() || failed.is_none() {
            self.failing.remove(&webhook);
        }
        self.to_note.extend(taken.into_iter().map(|id| (id, webhook.clone())));
        let Some(why) = failed else { return };
        let times = self.failing.get(&webhook).map_or(1, |failing| failing.times + 1);
        let wait = WAIT_MIN.saturating_mul(1 << times.min(16).saturating_sub(1)).min(WAIT_MAX);
        tracing::warn!(webhook, why, wait_s = wait.as_secs(), "an event was not delivered");
        self.failing.insert(webhook, Failing { times, again_at: Instant::now() + wait });
    }
}

/// Whether the ledger still waits for the webhook to take the event.
fn waits(ledger: &Ledger, (id, webhook): &(u64, String)) -> bool {
    ledger.outbox.get(id).is_some_and(|event| event.waiting.contains(webhook))
}

/// Waits until there are other events or other webhooks than were seen.
async fn news(cluster: &Cluster, applied: &mut watch::Receiver<u64>, seen: (u64, u64)) {
    loop {
        let ledger = cluster.ledger();
        if (ledger.events_ever, ledger.config_index) != seen {
            return;
        }
        if applied.changed().await.is_err() {
            // The node stops; whoever waits here besides hears of it.
            return std::future::pending().await;
        }
    }
}

/// Posts letters to one webhook, one after the other, up to the first that is not taken.
async fn round(post: Post, vault: Vault, webhook: Webhook, letters: Vec<(u64, Letter)>) -> Came {
    let mut came = Came { webhook: webhook.name.clone(), taken: Vec::new(), failed: None };
    let secret = match vault.open(&purpose(&webhook.name), &webhook.secret) {
        Ok(secret) => secret,
        Err(error) => {
            came.failed = Some(error.to_string());
            return came;
        }
    };
    let (url, allow_private) = (webhook.url.as_str(), webhook.allow_private_network);
    let to = Address { url, allow_private, secret: &secret };
    for (id, letter) in letters {
        match post.send(&to, &letter, now_s()).await {
            Ok(200..=299) => came.taken.push(id),
            Ok(status) => came.failed = Some(format!("the answer was {status}")),
            Err(why) => came.failed = Some(why),
        }
        if came.failed.is_some() {
            break;
        }
    }
    came
}

/// Seconds since 1970, by this node's clock.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
