//! The log of the modelled cluster: one ledger, a round of consensus for each command, and nodes that
//! hear of it a little later, or not while they are cut off.

use cluster::allowance::{Allowances, Propose};
use futures_util::future::BoxFuture;
use ledger::command::Refill;
use ledger::{Change, Command, Entry, Ledger, Outcome, UnixMillis};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// The moment all clocks start from.
pub(crate) const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// A round of consensus over a network within a region.
const ROUND: Duration = Duration::from_millis(6);
/// From the leader's disk to a follower's ledger.
const FOLLOW: Duration = Duration::from_millis(2);

/// What followers are told: the ledger after an entry, and what the entry changed.
type Applied = (Arc<Ledger>, Vec<Change>);

struct State {
    ledger: Arc<Ledger>,
    followers: Vec<mpsc::UnboundedSender<Applied>>,
}

/// The log.
pub(crate) struct Log {
    state: Mutex<State>,
    /// Nobody leads: commands wait.
    pub(crate) leaderless: watch::Sender<bool>,
    /// Refills put into the log.
    pub(crate) refills: AtomicU64,
}

thread_local! {
    static CLOCK: Cell<Option<tokio::time::Instant>> = const { Cell::new(None) };
}

/// The present, by the clock of the model.
pub(crate) fn now() -> UnixMillis {
    let started = CLOCK.with(|clock| {
        let started = clock.get().unwrap_or_else(tokio::time::Instant::now);
        clock.set(Some(started));
        started
    });
    let since_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    UnixMillis(START.0 + since_ms)
}

/// Starts the model's clock anew, for the next run.
pub(crate) fn restart_clock() {
    CLOCK.with(|clock| clock.set(None));
}

impl Log {
    pub(crate) fn new() -> Arc<Log> {
        let state = State { ledger: Arc::new(Ledger::default()), followers: Vec::new() };
        Arc::new(Log {
            state: Mutex::new(state),
            leaderless: watch::Sender::new(false),
            refills: AtomicU64::new(0),
        })
    }

    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner).ledger)
    }

    /// Applies a command at once and tells the followers.
    pub(crate) fn apply(&self, command: Command) -> Outcome {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry { index: state.ledger.applied_index + 1, at: now(), command };
        let mut ledger = Ledger::clone(&state.ledger);
        let (outcome, changes) = ledger::apply(&mut ledger, &entry);
        state.ledger = Arc::new(ledger);
        let applied = (Arc::clone(&state.ledger), changes);
        state.followers.retain(|follower| follower.send(applied.clone()).is_ok());
        outcome
    }

    fn follow(&self) -> mpsc::UnboundedReceiver<Applied> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = (Arc::clone(&state.ledger), Vec::new());
        // The receiver is at hand.
        let _ = sender.send(first);
        state.followers.push(sender);
        receiver
    }
}

/// A node's way to the log, which may be cut.
pub(crate) struct Link {
    pub(crate) log: Arc<Log>,
    pub(crate) cut: watch::Sender<bool>,
    pub(crate) is_cut: AtomicBool,
}

impl Link {
    pub(crate) fn new(log: &Arc<Log>) -> Arc<Link> {
        let cut = watch::Sender::new(false);
        Arc::new(Link { log: Arc::clone(log), cut, is_cut: AtomicBool::new(false) })
    }

    pub(crate) fn set_cut(&self, cut: bool) {
        self.is_cut.store(cut, SeqCst);
        self.cut.send_replace(cut);
    }

    /// Tells a node of every entry, in order, as long as it lives.
    pub(crate) async fn feed(self: Arc<Self>, allowances: Arc<Allowances>) {
        let mut applied = self.log.follow();
        let mut cut = self.cut.subscribe();
        while let Some((ledger, changes)) = applied.recv().await {
            sleep(FOLLOW).await;
            if cut.wait_for(|cut| !*cut).await.is_err() {
                return;
            }
            allowances.applied(&ledger, &changes);
        }
    }
}

impl Propose for Link {
    fn propose(&self, refill: Refill) -> BoxFuture<'_, Option<Outcome>> {
        Box::pin(async move {
            let mut leaderless = self.log.leaderless.subscribe();
            let mut cut = self.cut.subscribe();
            leaderless.wait_for(|leaderless| !*leaderless).await.ok()?;
            cut.wait_for(|cut| !*cut).await.ok()?;
            sleep(ROUND).await;
            if self.is_cut.load(SeqCst) {
                return None;
            }
            self.log.refills.fetch_add(1, SeqCst);
            Some(self.log.apply(Command::Refill(refill)))
        })
    }
}
