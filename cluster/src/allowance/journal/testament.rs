//! What a life that is over left behind, and what the ledger is told of it.

use super::past::{Past, Read};
use super::{Ground, Machine, Owner, files};
use ledger::command::{Adopt, AdoptLine};
use ledger::{AccountId, Command, Lane, Ledger, UsageLine};
use std::io;
use std::path::Path;
use storage::format::check_command;
use tracing::{info, warn};

/// Most lines of one part: with the most bytes of usage beside them, a record of the log holds it.
const LINES_MAX: usize = 1_000;

/// The journal of a past life, read.
#[derive(Clone, Debug)]
pub struct Testament {
    owner: Owner,
    past: Past,
    /// The machine, or what the files were on, went down with it: only what was synced is sure to be there.
    cut: bool,
}

impl Testament {
    /// Reads the journal of that life, where there is one that can be believed: it is of this cluster and
    /// node, no copy, and whole as far as a life that died leaves it whole.
    ///
    /// # Errors
    ///
    /// The directory or a file cannot be read.
    pub fn read(data_dir: &Path, owner: &Owner) -> io::Result<Option<Testament>> {
        Testament::read_from(data_dir, owner, &Machine)
    }

    /// As [`Testament::read`], of files that stand on another ground than the machine's.
    ///
    /// # Errors
    ///
    /// The directory or a file cannot be read.
    pub fn read_from(
        data_dir: &Path,
        owner: &Owner,
        on: &dyn Ground,
    ) -> io::Result<Option<Testament>> {
        let dir = super::folder(data_dir);
        if !dir.is_dir() {
            return Ok(None);
        }
        Testament::read_on(&dir, owner, on.name(&dir))
    }

    /// As [`Testament::read`], of a folder of journals on the ground of that name.
    pub(super) fn read_on(
        dir: &Path,
        owner: &Owner,
        ground: String,
    ) -> io::Result<Option<Testament>> {
        let files = files::list(dir)?;
        let own: Vec<_> =
            files.into_iter().filter(|file| file.incarnation == owner.incarnation).collect();
        let sum = own.iter().rev().find(|file| file.is_sum);
        let summed = sum.map_or(0, |file| file.segment);
        let logs = own.iter().filter(|file| !file.is_sum && file.segment > summed);
        let mut reading = Reading {
            owner,
            ground,
            past: Past::default(),
            cut: false,
            segment: summed,
            torn: false,
        };
        for file in sum.into_iter().chain(logs) {
            if let Err(why) = reading.file(&file.path, file.is_sum)? {
                let file = file.path.display();
                warn!(%file, why, "the journal of the life before this one is not used");
                return Ok(None);
            }
        }
        if own.is_empty() {
            return Ok(None);
        }
        let Reading { past, cut, .. } = reading;
        Ok(Some(Testament { owner: owner.clone(), past, cut }))
    }

    /// The commands that tell the ledger, in order, for this present life of the node.
    pub fn parts(&self, ledger: &Ledger, incarnation: u64) -> Vec<Adopt> {
        let lines = self.lines(ledger);
        let node = ledger.nodes.get(&self.owner.node);
        let past = node.and_then(|node| node.past);
        let past = past.filter(|past| past.incarnation == self.owner.incarnation);
        let Some(past) = past else {
            return Vec::new();
        };
        // After a power cut a hold may only seem to be in flight, its usage long counted: rather than count
        // it twice it is charged and belongs to no row.
        let usage = self.past.used_after(past.usage_batch, !self.cut);
        info!(
            accounts = lines.len(),
            rows = usage.len(),
            in_flight = self.past.in_flight(),
            power_cut = self.cut,
            "the life before this one left a journal"
        );
        let empty = Adopt {
            node: self.owner.node,
            incarnation,
            past: self.owner.incarnation,
            part: 0,
            lines: Vec::new(),
            usage: Vec::new(),
        };
        let mut parts: Vec<Adopt> = lines
            .chunks(LINES_MAX)
            .map(|some| Adopt { lines: some.to_vec(), ..empty.clone() })
            .collect();
        for line in usage {
            put(&mut parts, &empty, line);
        }
        for (part, number) in parts.iter_mut().zip(0..) {
            part.part = number;
        }
        parts
    }

    #[cfg(test)]
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// A line for each account and period on which that life has something out, or has spent more than it
    /// told: without a quorum also where it was never granted anything.
    fn lines(&self, ledger: &Ledger) -> Vec<AdoptLine> {
        let known = self.past.spent();
        let mut lines = Vec::new();
        let life = (self.owner.node, self.owner.incarnation);
        for (&account, books) in &ledger.accounts {
            for (&period, books) in &books.periods {
                let lane = books.lane(life.0, life.1);
                let key = (account, period);
                let settled_cum = self.spent(known.get(&key).copied().unwrap_or(0), key, &lane);
                if lane.outstanding() != 0 || settled_cum > lane.reported {
                    lines.push(AdoptLine { account, period, settled_cum });
                }
            }
        }
        lines
    }

    /// After a power cut whatever was opened counts as spent, but for what was given back of it.
    fn spent(&self, known: i64, key: (AccountId, u64), lane: &Lane) -> i64 {
        if !self.cut {
            return known;
        }
        let opened = self.past.opened().get(&key).copied().unwrap_or(0);
        known.max(opened.min(lane.granted.saturating_sub(lane.returned)))
    }
}

/// Removes the journals of all lives before this one from a data directory, once the ledger knows what
/// they say or will never ask.
///
/// # Errors
///
/// What the system says.
pub fn forget_lives_before(data_dir: &Path, incarnation: u64) -> io::Result<()> {
    let dir = super::folder(data_dir);
    if !dir.is_dir() {
        return Ok(());
    }
    let files = files::list(&dir)?;
    let old = files.iter().filter(|file| file.incarnation < incarnation);
    files::remove(&dir, old.map(|file| &file.path), &Machine)
}

/// Adds a line of usage to the last part that has room.
fn put(parts: &mut Vec<Adopt>, empty: &Adopt, line: UsageLine) {
    if let Some(last) = parts.last_mut() {
        last.usage.push(line);
        if check_command(&Command::Adopt(last.clone())).is_ok() {
            return;
        }
        let Some(line) = last.usage.pop() else {
            return;
        };
        parts.push(Adopt { usage: vec![line], ..empty.clone() });
    } else {
        parts.push(Adopt { usage: vec![line], ..empty.clone() });
    }
}

struct Reading<'a> {
    owner: &'a Owner,
    ground: String,
    past: Past,
    cut: bool,
    /// The last one read.
    segment: u32,
    torn: bool,
}

impl Reading<'_> {
    /// Reads one file; the inner error says why the journal cannot be believed.
    fn file(&mut self, path: &Path, is_sum: bool) -> io::Result<Result<(), String>> {
        let Some(opened) = files::open(path)? else {
            return Ok(self.headless());
        };
        let head = &opened.head;
        let whose = (head.cluster_id.as_str(), head.node, head.incarnation);
        let owner = self.owner;
        if whose != (owner.cluster_id.as_str(), owner.node.0, owner.incarnation) {
            return Ok(Err(format!("it is of {whose:?}")));
        }
        if head.inode != opened.inode {
            return Ok(Err("it is a copy".to_owned()));
        }
        self.cut |= head.ground.is_empty() || head.ground != self.ground;
        let next = if is_sum { self.segment } else { self.segment + 1 };
        if head.segment != next || self.torn && !self.cut {
            return Ok(Err(format!("segment {next} is missing, or not whole")));
        }
        self.segment = next;
        let read = self.past.read(&opened.bytes[opened.begins..], self.cut);
        Ok(match read {
            Read::Whole if !is_sum => Ok(()),
            Read::Sum if is_sum => Ok(()),
            Read::Torn if !is_sum => {
                self.torn = true;
                Ok(())
            }
            Read::Whole | Read::Sum | Read::Torn => Err("it is not whole".to_owned()),
            Read::Odd(why) => Err(why),
        })
    }

    /// A file without a head is one whose life ended while it was made, if it is the last. Where it is the
    /// only one, the life may have gone on without a journal.
    fn headless(&mut self) -> Result<(), String> {
        if self.segment == 0 {
            return Err("it has no head".to_owned());
        }
        let first = std::mem::replace(&mut self.torn, true);
        if first { Err("two files have no head".to_owned()) } else { Ok(()) }
    }
}
