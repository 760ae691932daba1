//! What must be true of the next life, from what the last one acknowledged.

use std::collections::BTreeMap;

/// Follows a store through its lives by what it says.
#[derive(Default)]
pub(crate) struct Checker {
    /// Term of each acknowledged entry that was not given up since.
    entries: BTreeMap<u64, u64>,
    /// Highest vote acknowledged.
    vote: u64,
    /// A purge up to here was begun.
    purged: u64,
    opened: bool,
    /// Runs of entries found at the last start: (term, from, to).
    runs: Vec<(u64, u64, u64)>,
    /// Entries acknowledged in all lives.
    pub(crate) acked: u64,
    votes: u64,
    cuts: u64,
    purges: u64,
}

impl Checker {
    /// Takes in one line of a life. The error is what it proves wrong.
    pub(crate) fn hear(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        let verb = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.clone().filter_map(|word| word.parse().ok()).collect();
        match (verb, numbers.as_slice()) {
            ("run", &[term, from, to]) => self.runs.push((term, from, to)),
            ("open", &[purged, vote]) => return self.check_opened(purged, vote),
            ("acked", &[term, from, to]) => {
                self.entries.extend((from..=to).map(|index| (index, term)));
                self.acked += to + 1 - from;
            }
            ("voted", &[vote]) => {
                self.vote = vote;
                self.votes += 1;
            }
            ("cutting", &[kept]) => {
                self.entries.split_off(&(kept + 1));
                self.cuts += 1;
            }
            ("purging", &[upto]) => {
                self.purged = upto;
                self.purges += 1;
            }
            _ => return Err(line.to_owned()),
        }
        Ok(())
    }

    /// A life that was killed before it said what it found proves nothing, but must have opened.
    pub(crate) fn life_ended(&mut self) -> Result<(), String> {
        self.runs.clear();
        if std::mem::take(&mut self.opened) { Ok(()) } else { Err("it did not open".to_owned()) }
    }

    pub(crate) fn summary(&self) -> String {
        let Checker { acked, votes, cuts, purges, .. } = self;
        format!("{acked} entries and {votes} votes acknowledged, {cuts} cuts, {purges} purges")
    }

    /// Entries acknowledged, for the sizes of the next life.
    pub(crate) fn acked_entries(&self) -> u64 {
        self.acked
    }

    fn check_opened(&mut self, purged: u64, vote: u64) -> Result<(), String> {
        self.opened = true;
        if purged > self.purged {
            return Err(format!("purged up to {purged}, only {} was asked", self.purged));
        }
        if vote < self.vote {
            return Err(format!("vote {vote} where {} was acknowledged", self.vote));
        }
        self.entries = self.entries.split_off(&(purged + 1));
        for (index, term) in &self.entries {
            let found = self.runs.iter().find(|(_, from, to)| (from..=to).contains(&index));
            match found {
                Some((there, _, _)) if there == term => {}
                Some((there, _, _)) => {
                    return Err(format!("entry {index} of term {term} is of term {there} now"));
                }
                None => return Err(format!("entry {index} of term {term} is lost")),
            }
        }
        Ok(())
    }
}
