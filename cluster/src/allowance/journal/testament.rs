//! What a life that is over left behind, and what the ledger is told of it.

use super::past::{Past, Read};
use super::{Ground, Machine, Owner, files};
use ledger::command::{Adopt, AdoptLine};
use ledger::{AccountId, Command, Lane, Ledger, NodeId, PastLife, UsageLine};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use storage::format::check_command;
use tracing::{info, warn};

/// Most lines of one part: a record of the log holds them.
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
                warn!(%file, why, "the journal of a life before this one is not used");
                return Ok(None);
            }
        }
        if own.is_empty() {
            return Ok(None);
        }
        let Reading { past, cut, .. } = reading;
        Ok(Some(Testament { owner: owner.clone(), past, cut }))
    }

    /// The commands that tell the ledger, in order, for this present life of the node: those that it does not
    /// have yet, with the last one at the end. None where the ledger will not hear of that life any more.
    ///
    /// Rows of usage come first, in the same parts each time the journal is read, so that none is told
    /// twice by lives that end in the middle of it. Lines may be: an amount that is known changes nothing.
    pub fn parts(&self, ledger: &Ledger, incarnation: u64) -> Vec<Adopt> {
        let node = ledger.nodes.get(&self.owner.node);
        let past = node.and_then(|node| node.past_life(self.owner.incarnation));
        let Some(past) = past else {
            return Vec::new();
        };
        let lines = self.lines(ledger);
        // After a power cut a hold may only seem to be in flight, its usage long counted: rather than count
        // it twice it is charged and belongs to no row.
        let usage = self.past.used_after(past.usage_batch, !self.cut);
        info!(
            life = past.incarnation,
            accounts = lines.len(),
            rows = usage.len(),
            in_flight = self.past.in_flight(),
            power_cut = self.cut,
            "a life before this one left a journal"
        );
        let first = nothing_left(self.owner.node, incarnation, past);
        let empty = Adopt { last: false, ..first.clone() };
        let mut parts: Vec<Adopt> = Vec::new();
        for line in usage {
            put(&mut parts, &empty, line);
        }
        let known = usize::try_from(past.adopted_parts).unwrap_or(usize::MAX);
        parts.drain(..known.min(parts.len()));
        for some in lines.chunks(LINES_MAX) {
            put_lines(&mut parts, &empty, some);
        }
        for (part, number) in parts.iter_mut().zip(past.adopted_parts..) {
            part.part = number;
        }
        match parts.last_mut() {
            Some(last) => last.last = true,
            None => parts.push(first),
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

    /// After a power cut whatever was opened counts as spent, but for what was given back of it, and whatever
    /// was to be let through beyond.
    fn spent(&self, known: i64, key: (AccountId, u64), lane: &Lane) -> i64 {
        if !self.cut {
            return known;
        }
        let opened = self.past.opened().get(&key).copied().unwrap_or(0);
        let beyond = self.past.beyond().get(&key).copied().unwrap_or(0);
        let granted = opened.min(lane.granted.saturating_sub(lane.returned));
        known.max(granted.saturating_add(beyond))
    }
}

/// By life what it let through beyond what it was granted, by account and period.
pub(in crate::allowance) type LivesBeyond = BTreeMap<u64, BTreeMap<(AccountId, u64), i64>>;

/// What each life before this one let through beyond what it was granted, or a little more, by account and
/// period: as far as its journal is there and can be believed.
pub(in crate::allowance) fn beyond_before(
    data_dir: &Path,
    owner: &Owner,
    on: &dyn Ground,
) -> io::Result<LivesBeyond> {
    let dir = super::folder(data_dir);
    if !dir.is_dir() {
        return Ok(BTreeMap::new());
    }
    let lives: BTreeSet<u64> = files::list(&dir)?.iter().map(|file| file.incarnation).collect();
    let mut beyond = BTreeMap::new();
    for life in lives.range(..owner.incarnation) {
        let owner = Owner { incarnation: *life, ..owner.clone() };
        if let Some(testament) = Testament::read_from(data_dir, &owner, on)? {
            beyond.insert(*life, testament.past.beyond().clone());
        }
    }
    Ok(beyond)
}

/// The command that tells the ledger that a life left nothing to tell: what it was granted and did not
/// report stays in suspense, and nothing is told of it after this.
pub fn nothing_left(node: NodeId, incarnation: u64, past: &PastLife) -> Adopt {
    Adopt {
        node,
        incarnation,
        past: past.incarnation,
        part: past.adopted_parts,
        last: true,
        lines: Vec::new(),
        usage: Vec::new(),
    }
}

/// Removes the journal of a life that is over from a data directory, once the ledger knows all it says.
///
/// # Errors
///
/// What the system says.
pub fn forget_life(data_dir: &Path, incarnation: u64) -> io::Result<()> {
    forget(data_dir, |life| life == incarnation)
}

/// Removes the journals of all lives before this one from a data directory, once the ledger knows what
/// they say or will never ask.
///
/// # Errors
///
/// What the system says.
pub fn forget_lives_before(data_dir: &Path, incarnation: u64) -> io::Result<()> {
    forget(data_dir, |life| life < incarnation)
}

fn forget(data_dir: &Path, which: impl Fn(u64) -> bool) -> io::Result<()> {
    let dir = super::folder(data_dir);
    if !dir.is_dir() {
        return Ok(());
    }
    let files = files::list(&dir)?;
    let old = files.iter().filter(|file| which(file.incarnation));
    files::remove(&dir, old.map(|file| &file.path), &Machine)
}

/// Adds lines to the last part, where that has none and room, or in a part of their own.
fn put_lines(parts: &mut Vec<Adopt>, empty: &Adopt, lines: &[AdoptLine]) {
    if let Some(last) = parts.last_mut().filter(|last| last.lines.is_empty()) {
        let whole = Adopt { lines: lines.to_vec(), ..last.clone() };
        if check_command(&Command::Adopt(whole.clone())).is_ok() {
            *last = whole;
            return;
        }
    }
    parts.push(Adopt { lines: lines.to_vec(), ..empty.clone() });
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
