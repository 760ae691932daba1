//! Full segments are added up, so that the files stay small.

use super::past::{Past, Read};
use super::{Journal, files};
use crate::allowance::desk::lock;
use ledger::Ledger;
use std::io;
use std::sync::Arc;

/// What the segments up to `through` add up to.
#[derive(Default)]
pub(super) struct Sums {
    through: u32,
    past: Past,
}

impl Journal {
    /// Whether the present segment is full.
    pub(in crate::allowance) fn is_full(&self) -> bool {
        self.works() && lock(&self.tape).bytes >= self.on.segment_bytes_max()
    }

    /// Begins another segment and adds the full one up with those before it; what the ledger has for good
    /// is left out. Blocks.
    pub(in crate::allowance) fn rotate(
        &self,
        ledger: &Ledger,
        batch_applied: u64,
    ) -> io::Result<()> {
        let mut sums = lock(&self.sums);
        if !self.works() {
            return Ok(());
        }
        let rotated = self.next_segment().and_then(|full| {
            self.add_up(&mut sums, full)?;
            sums.past.prune(ledger, batch_applied);
            self.put_sum(&sums)
        });
        rotated.inspect_err(|error| {
            self.fail(error);
        })
    }

    /// Has records go into a new segment from here on; returns the number of the one that is full.
    fn next_segment(&self) -> io::Result<u32> {
        let full = lock(&self.tape).segment;
        let next = files::create(&self.dir, &self.owner.head(full + 1, &self.ground), &*self.on)?;
        let mut tape = lock(&self.tape);
        // What waits was made while the full one was in use, and belongs into it.
        let wrote = self.write(&mut tape);
        wrote.map_err(|_| io::Error::other("the last records were not written"))?;
        tape.file = Arc::new(next);
        (tape.segment, tape.bytes) = (full + 1, 0);
        Ok(full)
    }

    fn add_up(&self, sums: &mut Sums, full: u32) -> io::Result<()> {
        let path = files::log_path(&self.dir, self.owner.incarnation, full);
        let opened = files::open(&path)?;
        let opened = opened.ok_or_else(|| io::Error::other("a segment has no head"))?;
        match sums.past.read(&opened.bytes[opened.begins..], false) {
            Read::Whole => {
                sums.through = full;
                Ok(())
            }
            other @ (Read::Sum | Read::Torn | Read::Odd(_)) => {
                Err(io::Error::other(format!("a segment does not read back: {other:?}")))
            }
        }
    }

    fn put_sum(&self, sums: &Sums) -> io::Result<()> {
        let (incarnation, through) = (self.owner.incarnation, sums.through);
        let head = self.owner.head(through, &self.ground);
        files::put_sum(&self.dir, &head, &*self.on, |head| sums.past.sum(head))?;
        let old = files::list(&self.dir)?;
        let old = old.iter().filter(|file| {
            file.incarnation == incarnation
                && (file.segment < through || file.segment == through && !file.is_sum)
        });
        files::remove(&self.dir, old.map(|file| &file.path), &*self.on)
    }
}
