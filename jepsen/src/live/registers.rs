//! The limits of a few budgets, as registers: clients read, write and swap them at every node and write
//! down what they are told. After a while they go on to new ones, so that each history stays short enough
//! to be searched.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::shun::Shun;
use crate::cluster::{Cluster, Doors};
use crate::dice::Dice;
use crate::history::{Action, Answer, History, Outcome, Record};
use crate::http::{Call, Lost, Told};

/// Registers at a time: few, so that clients meet.
const KEYS: usize = 3;
/// How long they are used.
const EPOCH_NS: u64 = 20_000_000_000;
/// How long a client waits: longer than the answer to a write waits for silent nodes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest pause of a client between two operations, in milliseconds.
const THINK_MS_MAX: u64 = 50;

/// What clients share.
pub struct Registers {
    /// What they wrote down.
    pub history: Arc<History>,
    surprises: Mutex<Vec<String>>,
    over: AtomicBool,
    doors: Vec<Doors>,
    token: String,
    shun: Arc<Shun>,
    /// The last value written: each is written once.
    values: AtomicU64,
}

/// What a client knows of a register: a value and the log index that wrote it.
type Known = Option<(u64, u64)>;

impl Registers {
    /// Registers of a cluster; clients mostly leave alone whom `shun` says.
    pub fn of(cluster: &Cluster, history: Arc<History>, shun: Arc<Shun>) -> Arc<Registers> {
        Arc::new(Registers {
            history,
            surprises: Mutex::default(),
            over: AtomicBool::new(false),
            doors: cluster.doors(),
            token: cluster.admin_token().to_owned(),
            shun,
            values: AtomicU64::new(0),
        })
    }

    /// Answers that no client may get. A run with any of them has failed.
    pub fn surprises(&self) -> Vec<String> {
        self.surprises.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the clients to stop.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// One client, until all is over.
    pub async fn client(self: Arc<Registers>, client: usize, mut dice: Dice) {
        let mut known: [Known; KEYS] = [None; KEYS];
        let mut epoch = 0;
        while !self.over.load(Ordering::Relaxed) {
            let now_ns = self.history.now_ns();
            if now_ns / EPOCH_NS != epoch {
                (epoch, known) = (now_ns / EPOCH_NS, [None; KEYS]);
            }
            let nth = dice.below(KEYS);
            let node = self.shun.draw(now_ns, &mut dice);
            let action = self.draw(known[nth], &mut dice);
            let key = format!("register-{epoch}-{nth}");
            known[nth] = self.act((client, node), &key, action, known[nth]).await;
            sleep(Duration::from_millis(dice.within(1, THINK_MS_MAX))).await;
        }
    }

    fn draw(&self, known: Known, dice: &mut Dice) -> Action {
        if dice.chance(40) {
            return Action::Read;
        }
        let to = self.values.fetch_add(1, Ordering::Relaxed) + 1;
        match known.filter(|_| dice.chance(60)) {
            Some((from, _)) => Action::Swap { from, to },
            None => Action::Write(to),
        }
    }

    /// Does something at a node as a client, and keeps the record. Answers what the client knows then.
    async fn act(
        &self,
        (client, node): (usize, usize),
        key: &str,
        action: Action,
        known: Known,
    ) -> Known {
        let call = call(key, action, known).bearer(&self.token);
        let invoked_ns = self.history.now_ns();
        let asked = call.send(self.doors[node].admin, PATIENCE);
        let ended = self.shun.watch((node, invoked_ns), Duration::ZERO, asked).await;
        let returned_ns = self.history.now_ns();
        if ended.is_err() {
            self.shun.note(node, returned_ns);
        }
        let (outcome, known) = self.read(action, ended);
        let key = key.to_owned();
        self.history.push(Record { client, key, invoked_ns, returned_ns, action, outcome });
        known
    }

    fn read(&self, action: Action, ended: Result<Told, Lost>) -> (Outcome, Known) {
        let told = match ended {
            Ok(told) => told,
            Err(Lost::Unsent(_)) => return (Outcome::Failed, None),
            Err(Lost::Unknown(_)) => return (Outcome::Indeterminate, None),
        };
        match (action, told.status) {
            (Action::Read, 200) => {
                let value = told.body["windows"][0]["limit_nano_usd"].as_u64();
                (Outcome::Ok(Answer::Value(value)), value.zip(told.etag))
            }
            (Action::Read, 404) => (Outcome::Ok(Answer::Value(None)), None),
            (Action::Write(to) | Action::Swap { to, .. }, 200 | 201) => {
                // The tag may be a later writer's; the index of the write is its own.
                (Outcome::Ok(Answer::Done), Some(to).zip(told.body["log_index"].as_u64()))
            }
            (Action::Swap { .. }, 412) => (Outcome::Ok(Answer::Mismatch), None),
            // "Nothing was changed."
            (_, 503) => (Outcome::Failed, None),
            (_, 504) => (Outcome::Indeterminate, None),
            (_, status) => {
                let surprise = format!("{action:?} was answered {status}: {}", told.body);
                self.surprises.lock().unwrap_or_else(PoisonError::into_inner).push(surprise);
                (Outcome::Indeterminate, None)
            }
        }
    }

    /// Reads every register there was at these nodes, as one more client. Answers how many reads.
    pub async fn read_everywhere(&self, client: usize, nodes: &[usize]) -> usize {
        let records = self.history.records();
        let keys: BTreeSet<String> = records.into_iter().map(|record| record.key).collect();
        for node in nodes {
            for key in &keys {
                self.act((client, *node), key, Action::Read, None).await;
            }
        }
        keys.len() * nodes.len()
    }
}

fn call(key: &str, action: Action, known: Known) -> Call {
    let path = format!("/admin/v1/budgets/{key}");
    let put = |value: u64| Call::new("PUT", path.clone()).body(json!({"limit_nano_usd": value}));
    match (action, known) {
        (Action::Read, _) => Call::new("GET", format!("{path}?consistency=linearizable")),
        (Action::Swap { to, .. }, Some((_, index))) => put(to).if_match(index),
        (Action::Write(to) | Action::Swap { to, .. }, _) => put(to),
    }
}
