//! A process that writes to a storage until it is killed, and says what was acknowledged.

use crate::support::{Dice, append_later, apply, log_id, normal, revoke, tuning, vote};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};
use storage::openraft::EntryPayload;
use storage::openraft::storage::{
    RaftLogReader, RaftLogStorage, RaftSnapshotBuilder, RaftStateMachine,
};
use storage::{Disk, LogId, LogStore, Machine, RaftEntry, Silent, Storage};
use tokio::sync::{mpsc, oneshot};

const DIR: &str = "BURSAR_TEST_CRASH_DIR";
const MODE: &str = "BURSAR_TEST_CRASH_MODE";
const SEED: &str = "BURSAR_TEST_CRASH_SEED";
/// Every line a child says begins with it: the test harness prints lines of its own.
const MARK: &str = "child: ";

pub(crate) type Lines = Vec<String>;

/// A running child.
pub(crate) struct Child {
    process: std::process::Child,
    said: Receiver<String>,
}

impl Child {
    pub(crate) fn start(dir: &Path, mode: &str, seed: u64) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["crash::child::lives_until_killed", "--exact", "--nocapture"])
            .env(DIR, dir)
            .env(MODE, mode)
            .env(SEED, seed.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || hear_all(out, &sender));
        Child { process, said }
    }

    /// Waits for the child to open, lets it run, does something to it, and returns all it said.
    pub(crate) fn run_then(&mut self, run: Duration, end: impl FnOnce(&mut Child)) -> Lines {
        let mut lines = Vec::new();
        while let Ok(line) = self.said.recv() {
            let opened = line.starts_with("open ");
            lines.push(line);
            if opened {
                break;
            }
        }
        let deadline = Instant::now() + run;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match self.said.recv_timeout(left) {
                Ok(line) => lines.push(line),
                Err(_) => break,
            }
        }
        end(self);
        lines.extend(self.said.iter());
        lines
    }

    /// The signal that ended it.
    pub(crate) fn signal(&mut self) -> Option<i32> {
        self.process.wait().unwrap().signal()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Passes on what a child says. What comes after the last newline was cut by its end: never said.
fn hear_all(mut out: impl BufRead, sender: &Sender<String>) {
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        if let Some(said) = heard(&line) {
            sender.send(said).unwrap();
        }
        line.clear();
    }
}

fn heard(line: &str) -> Option<String> {
    // The harness may have begun the line.
    let (_, said) = line.trim_end().split_once(MARK)?;
    Some(said.to_owned())
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{MARK}{line}").unwrap();
    out.flush().unwrap();
}

/// A disk that says yes and does nothing.
struct Liar;

impl Disk for Liar {
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that trusts the engine's own flush.
struct Trusting(Box<dyn Disk>);

impl Disk for Trusting {
    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        self.0.check()
    }
}

/// A disk that is gone.
struct Broken;

impl Disk for Broken {
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::Error::other("gone"))
    }

    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The other process of the crash tests; on its own it has nothing to do.
#[test]
fn lives_until_killed() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let mode = std::env::var(MODE).unwrap();
    let early = mode == "early";
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let opened = Storage::open_on(Path::new(&dir), Arc::new(Silent), &tuning(), |disk| match mode
        .as_str()
    {
        "liar" => Box::new(Liar),
        "trusting" => Box::new(Trusting(disk)),
        "broken" => Box::new(Broken),
        _ => disk,
    });
    let storage = match opened {
        Ok(storage) => storage,
        Err(error) => return say(&format!("refused: {error}")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut life = Life::begin(storage, seed, early).await;
        loop {
            life.step().await;
        }
    });
}

struct Life {
    log: LogStore,
    machine: Machine,
    applied: Option<LogId>,
    last: Option<LogId>,
    term: u64,
    dice: Dice,
    /// Acknowledges before it writes.
    early: bool,
    pending: mpsc::UnboundedSender<Pending>,
}

/// What the telling thread does next, in this order.
enum Pending {
    /// Wait for the callback, then say it.
    Ack(String, oneshot::Receiver<io::Result<()>>),
    /// Everything before was said: tell so.
    Drain(oneshot::Sender<()>),
}

fn say_acked(mut pending: mpsc::UnboundedReceiver<Pending>) {
    while let Some(next) = pending.blocking_recv() {
        match next {
            Pending::Ack(text, done) => {
                done.blocking_recv().unwrap().unwrap();
                say(&text);
            }
            Pending::Drain(done) => done.send(()).unwrap(),
        }
    }
}

/// A name that says which entry it belongs to.
fn payload(term: u64, index: u64, bytes: usize) -> String {
    format!("{term}/{index}/{:x<bytes$}", "")
}

fn check_payload(entry: &RaftEntry) {
    let id = entry.log_id;
    let EntryPayload::Normal(proposal) = &entry.payload else {
        panic!("{id} is not what was written");
    };
    let ledger::Command::RevokeKey(command) = &proposal.command else {
        panic!("{id} is not what was written");
    };
    let own = format!("{}/{}/", id.leader_id.term, id.index);
    assert!(command.name.starts_with(&own), "{id} holds another entry's payload");
}

impl Life {
    /// Says all that is there and begins the next term.
    async fn begin(storage: Storage, seed: u64, early: bool) -> Life {
        let (mut log, mut machine) = (storage.log, storage.machine);
        let (applied, _) = machine.applied_state().await.unwrap();
        let state = log.get_log_state().await.unwrap();
        let term = log.read_vote().await.unwrap().map_or(0, |vote| vote.leader_id.term);
        let entries = log.try_get_log_entries(..).await.unwrap();
        for run in entries.chunk_by(|a, b| a.log_id.leader_id == b.log_id.leader_id) {
            run.iter().for_each(check_payload);
            let (first, last) = (run[0].log_id, run[run.len() - 1].log_id);
            say(&format!("run {} {} {}", first.leader_id.term, first.index, last.index));
        }
        let purged = state.last_purged_log_id.map_or(0, |id| id.index);
        say(&format!("open {purged} {term}"));
        let (pending, acked) = mpsc::unbounded_channel();
        std::thread::spawn(move || say_acked(acked));
        let mut life = Life {
            log,
            machine,
            applied,
            last: state.last_log_id,
            term,
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            early,
            pending,
        };
        life.next_term().await;
        life
    }

    async fn step(&mut self) {
        match self.dice.below(100) {
            0 => self.next_term().await,
            1 => self.cut().await,
            2 => self.purge().await,
            _ => self.write().await,
        }
    }

    async fn next_term(&mut self) {
        self.term += 1;
        self.log.save_vote(&vote(self.term)).await.unwrap();
        say(&format!("voted {}", self.term));
    }

    /// Appends without waiting; now and then lets what is on its way arrive.
    async fn write(&mut self) {
        let from = self.last.map_or(0, |id| id.index + 1);
        let to = from + self.dice.below(8);
        let bytes = 10 + usize::try_from(self.dice.below(1_500)).unwrap();
        let entries: Vec<RaftEntry> = (from..=to)
            .map(|index| normal(self.term, index, revoke(&payload(self.term, index, bytes))))
            .collect();
        let acked = format!("acked {} {from} {to}", self.term);
        if self.early {
            say(&acked);
        }
        let done = append_later(&mut self.log, entries).await.unwrap();
        self.last = Some(log_id(self.term, to));
        self.tell(Pending::Ack(format!("acked {} {from} {to}", self.term), done));
        if self.dice.below(4) == 0 {
            self.drain().await;
            self.log.save_committed(self.last).await.unwrap();
        }
    }

    /// Cuts the tail back by a few, not behind what is applied, and goes on in the next term.
    async fn cut(&mut self) {
        let Some(last) = self.last else {
            return;
        };
        let floor = self.applied.map_or(0, |id| id.index);
        let kept = last.index.saturating_sub(1 + self.dice.below(6)).max(floor);
        let found = self.log.try_get_log_entries(kept..=kept).await.unwrap();
        let Some(kept) = found.first().map(|entry| entry.log_id) else {
            return;
        };
        // Appends on their way would be acknowledged after they were given up.
        self.drain().await;
        say(&format!("cutting {}", kept.index));
        self.log.truncate_after(Some(kept)).await.unwrap();
        self.last = Some(kept);
        self.next_term().await;
    }

    /// Applies, builds a snapshot and purges behind it.
    async fn purge(&mut self) {
        self.drain().await;
        let from = self.applied.map_or(0, |id| id.index + 1);
        let entries = self.log.try_get_log_entries(from..).await.unwrap();
        let Some(last) = entries.last().map(|entry| entry.log_id) else {
            return;
        };
        apply(&mut self.machine, entries).await.unwrap();
        self.applied = Some(last);
        self.machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
        let Some(upto) = last.index.checked_sub(20) else {
            return;
        };
        let entry = self.log.try_get_log_entries(upto..=upto).await.unwrap();
        if let Some(entry) = entry.first() {
            say(&format!("purging {upto}"));
            self.log.purge(entry.log_id).await.unwrap();
        }
    }

    /// Waits until all that was appended is acknowledged and said.
    async fn drain(&mut self) {
        let (drained, done) = oneshot::channel();
        self.tell(Pending::Drain(drained));
        done.await.unwrap();
    }

    fn tell(&self, next: Pending) {
        self.pending.send(next).ok().unwrap();
    }
}
