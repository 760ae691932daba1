//! The limits of a few budgets, as registers: clients read, write and swap them and write down what
//! they are told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jepsen::cluster::{Cluster, Doors};
use jepsen::dice::Dice;
use jepsen::history::{Action, Answer, History, Outcome, Record};
use jepsen::http::{Call, Lost, Told};
use serde_json::json;
use tokio::time::sleep;

/// Registers: few, so that clients meet.
const KEYS: usize = 3;
/// How long a client waits: longer than the answer to a write waits for silent nodes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest pause of a client between two operations, in milliseconds.
const THINK_MS_MAX: u64 = 25;

/// What clients share.
pub(super) struct Registers {
    pub(super) history: History,
    /// Answers that no client may get. A run with any of them has failed.
    pub(super) surprises: Mutex<Vec<String>>,
    pub(super) over: AtomicBool,
    doors: Vec<Doors>,
    token: String,
    /// The last value written: each is written once.
    values: AtomicU64,
}

/// What a client knows of a register: a value and the log index that wrote it.
type Known = Option<(u64, u64)>;

impl Registers {
    pub(super) fn of(cluster: &Cluster) -> Arc<Registers> {
        Arc::new(Registers {
            history: History::default(),
            surprises: Mutex::default(),
            over: AtomicBool::new(false),
            doors: cluster.doors(),
            token: cluster.admin_token().to_owned(),
            values: AtomicU64::new(0),
        })
    }

    pub(super) fn keys() -> impl Iterator<Item = String> {
        (0..KEYS).map(|nth| format!("register-{nth}"))
    }

    /// One client, until all is over.
    pub(super) async fn client(self: Arc<Registers>, client: usize, mut dice: Dice) {
        let keys: Vec<String> = Registers::keys().collect();
        let mut known: [Known; KEYS] = [None; KEYS];
        while !self.over.load(Ordering::Relaxed) {
            let nth = dice.below(KEYS);
            let node = dice.below(self.doors.len());
            let action = self.draw(known[nth], &mut dice);
            known[nth] = self.act((client, node), &keys[nth], action, known[nth]).await;
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
    pub(super) async fn act(
        &self,
        (client, node): (usize, usize),
        key: &str,
        action: Action,
        known: Known,
    ) -> Known {
        let call = call(key, action, known).bearer(&self.token);
        let invoked_ns = self.history.now_ns();
        let ended = call.send(self.doors[node].admin, PATIENCE).await;
        let returned_ns = self.history.now_ns();
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
                self.surprises.lock().unwrap().push(surprise);
                (Outcome::Indeterminate, None)
            }
        }
    }

    /// Reads every register at every node, as one more client.
    pub(super) async fn read_everywhere(&self, client: usize) {
        for node in 0..self.doors.len() {
            for key in Registers::keys() {
                self.act((client, node), &key, Action::Read, None).await;
            }
        }
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

/// What a node knows, without what it only believes: as JSON, with the log index it shows. `None`
/// where the index moved meanwhile.
pub(super) async fn state_of(cluster: &Cluster, node: usize) -> Option<(u64, String)> {
    let mut indexes = Vec::new();
    let mut state = String::new();
    for kind in ["budgets", "keys", "providers", "aliases", "budgets"] {
        let path = format!("/admin/v1/{kind}?consistency=linearizable&limit=1000");
        let told = cluster.admin(node, Call::new("GET", path)).await.unwrap();
        indexes.push(told.log_index.unwrap());
        if indexes.len() < 5 {
            state.push_str(&told.body.to_string());
        }
    }
    indexes.iter().all(|index| *index == indexes[0]).then(|| (indexes[0], state))
}

/// Where the history of a run that failed is kept.
pub(super) fn save_history(cluster: &Cluster, records: &[Record]) -> std::path::PathBuf {
    let path = cluster.root().join("history.jsonl");
    jepsen::history::save(records, &path).unwrap();
    path
}
