//! Who objects: sees every entry on every node and every bill of the provider.

mod log;
mod money;

pub(crate) use log::LogBook;
pub(crate) use money::{Beyond, Exposure, MoneyBook, Place, within_grant};

use super::life::lock;
use super::types::{LogId, RaftEntry};
use super::world::World;
use ledger::Ledger;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

/// Of so many entries the ledgers that they lead to are compared once: what differs stays different.
const COMPARED_EVERY: u64 = 8;
/// Of so many entries the invariants of the whole ledger are checked once, and at every rest; of what an
/// entry touched they are checked after each.
const CHECKED_EVERY: u64 = 16;

/// The judge of one run.
#[derive(Default)]
pub(crate) struct Judge {
    pub(crate) log: LogBook,
    pub(crate) money: MoneyBook,
    applied: Mutex<Applied>,
    /// Index of the revocation, by key.
    revoked: Mutex<BTreeMap<u8, u64>>,
}

#[derive(Default)]
struct Applied {
    ids: BTreeMap<u64, LogId>,
    states: BTreeMap<u64, u64>,
    acked: u64,
}

impl Judge {
    /// Hears of an entry applied, on any node.
    pub(crate) fn applied(
        &self,
        world: &World,
        entry: &RaftEntry,
        before: &Ledger,
        after: &Ledger,
    ) {
        let index = entry.log_id.index;
        match self.note_applied(entry.log_id) {
            Ok(true) => self.first(world, entry, before, after),
            Ok(false) => {}
            Err(what) => world.fail("one entry per index", what),
        }
        if index.is_multiple_of(COMPARED_EVERY) {
            world.must("one ledger per index", self.compare(index, after));
        }
    }

    /// Whether this is the first node that applies this index.
    fn note_applied(&self, id: LogId) -> Result<bool, String> {
        let mut applied = lock(&self.applied);
        match applied.ids.get(&id.index) {
            Some(other) if *other == id => Ok(false),
            Some(other) => Err(format!("{other} was applied, and now {id}")),
            None => {
                applied.ids.insert(id.index, id);
                Ok(true)
            }
        }
    }

    fn first(&self, world: &World, entry: &RaftEntry, before: &Ledger, after: &Ledger) {
        let index = entry.log_id.index;
        self.money.follow(before, after);
        world.must("periods open in time", money::in_time(world.now(), before, after));
        let touched = ledger::invariant::check_touched(before, after);
        world.must("the ledger's invariants after every entry", touched);
        if index.is_multiple_of(CHECKED_EVERY) {
            world.must("the ledger's invariants", ledger::invariant::check(after));
        }
    }

    /// Compares a ledger with what others came to at the same index.
    pub(crate) fn compare(&self, index: u64, ledger: &Ledger) -> Result<(), String> {
        let mut hasher = DefaultHasher::new();
        ledger.hash(&mut hasher);
        let hash = hasher.finish();
        let mut applied = lock(&self.applied);
        let known = *applied.states.entry(index).or_insert(hash);
        if known == hash {
            return Ok(());
        }
        Err(format!("at {index} one node's ledger is {known:x}, another's {hash:x}"))
    }

    /// Hears of an entry whose proposer was told that it is committed.
    pub(crate) fn acked(&self, id: LogId) -> Result<(), String> {
        let mut applied = lock(&self.applied);
        applied.acked = applied.acked.max(id.index);
        match applied.ids.get(&id.index) {
            Some(other) if *other == id => Ok(()),
            other => Err(format!("{id} was acknowledged, and {other:?} applied")),
        }
    }

    /// Hears of a key's revocation.
    pub(crate) fn revoked(&self, key: u8, index: u64) {
        lock(&self.revoked).entry(key).or_insert(index);
    }

    /// Whether a key may be used by a node that has applied `index`.
    pub(crate) fn may_use(&self, key: u8, index: u64) -> Result<(), String> {
        match lock(&self.revoked).get(&key) {
            Some(revoked) if *revoked <= index => {
                Err(format!("key {key} was revoked at {revoked}, and used at {index}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The last index that was acknowledged.
    pub(crate) fn last_acked(&self) -> u64 {
        lock(&self.applied).acked
    }
}
