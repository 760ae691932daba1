//! What requests used, gathered into batches for the ledger.
//!
//! A [`Row`] is found once per path and added to at each settlement. The first addition puts the row on
//! the batch that is being gathered, and names that batch to whoever settled; nothing of a row is ever
//! split between two batches. Batches leave in order, one at a time.

use super::desk::lock;
use ledger::{UnixMillis, UsageKey, UsageLine, UsageSums};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Most bytes of usage in one refill: with the most lines of accounts beside it, a record of the log holds it.
pub(super) const BATCH_BYTES_MAX: usize = 20 * 1024;
/// Applied batches whose log index is remembered.
const INDEXES_MAX: usize = 4_096;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The day of a moment, in days since 1970, UTC.
pub(super) fn day_of(at: UnixMillis) -> u32 {
    u32::try_from(at.0 / DAY_MS).unwrap_or(u32::MAX)
}

/// One row of usage that this node adds to.
pub(super) struct Row {
    /// Its day is zero: that of each addition is kept beside the sums.
    key: UsageKey,
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    /// The batch they will be in; zero: there are none.
    batch: u64,
    /// Sums by day: one, or two around midnight.
    days: Vec<(u32, UsageSums)>,
}

impl Row {
    pub(super) fn key(&self) -> &UsageKey {
        &self.key
    }

    /// Most bytes its lines take in a batch: two days' worth.
    fn bytes_max(&self) -> usize {
        let UsageKey { key, customer, team, user, provider, model, tags, .. } = &self.key;
        let names = [key, customer, team, user, provider, model];
        let text: usize = names.into_iter().chain(tags).map(|name| name.len() + 3).sum();
        2 * (text + 9 * self.key.budgets.len() + 96)
    }

    fn is_idle(&self) -> bool {
        lock(&self.sums).batch == 0
    }

    /// Takes out what was added, as lines.
    fn drain(&self, lines: &mut Vec<UsageLine>) {
        let mut sums = lock(&self.sums);
        sums.batch = 0;
        for (day, sums) in sums.days.drain(..) {
            lines.push(UsageLine { key: UsageKey { day, ..self.key.clone() }, sums });
        }
    }
}

impl Sums {
    fn add(&mut self, day: u32, sums: &UsageSums) {
        // A third day is of a request that took longer than a whole one: it is counted with the second.
        let last = self.days.len().saturating_sub(1);
        let full = self.days.len() == 2;
        match self.days.iter().position(|(of, _)| *of == day).or(full.then_some(last)) {
            Some(at) => self.days[at].1.add(sums),
            None => self.days.push((day, *sums)),
        }
    }
}

/// All rows of a node, and their way to the ledger.
#[derive(Default)]
pub(super) struct Usage {
    rows: Mutex<BTreeMap<UsageKey, Arc<Row>>>,
    gathered: Mutex<Gathered>,
    /// Last batch that was taken to be sent.
    taken: AtomicU64,
    /// Last batch the ledger has applied, as far as this node has.
    applied: AtomicU64,
    /// Log indexes of applied batches, the latest last.
    indexes: Mutex<VecDeque<(u64, u64)>>,
}

/// Batches that wait to be sent; the last one is being gathered.
#[derive(Default)]
struct Gathered {
    last: u64,
    batches: VecDeque<Batch>,
}

struct Batch {
    number: u64,
    bytes: usize,
    rows: Vec<Arc<Row>>,
}

impl Gathered {
    /// Puts a row on the batch that is being gathered, and returns its number.
    fn enlist(&mut self, row: &Arc<Row>) -> u64 {
        let bytes = row.bytes_max();
        let fits = |batch: &&mut Batch| batch.bytes + bytes <= BATCH_BYTES_MAX;
        if let Some(batch) = self.batches.back_mut().filter(fits) {
            batch.bytes += bytes;
            batch.rows.push(Arc::clone(row));
        } else {
            self.last += 1;
            self.batches.push_back(Batch { number: self.last, bytes, rows: vec![Arc::clone(row)] });
        }
        self.last
    }
}

impl Usage {
    /// The row of this key, new or as it is.
    pub(super) fn row(&self, mut key: UsageKey) -> Arc<Row> {
        key.day = 0;
        key.tags.sort_unstable();
        key.tags.dedup();
        key.budgets.sort_unstable();
        key.budgets.dedup();
        let mut rows = lock(&self.rows);
        let new = || Row { key: key.clone(), sums: Mutex::default() };
        Arc::clone(rows.entry(key.clone()).or_insert_with(|| Arc::new(new())))
    }

    /// Adds to a row; returns the batch this will be in. `note` hears of it before the batch can leave.
    pub(super) fn add(
        &self,
        row: &Arc<Row>,
        (day, usage): (u32, &UsageSums),
        note: impl FnOnce(u64),
    ) -> u64 {
        let mut sums = lock(&row.sums);
        if sums.batch == 0 {
            sums.batch = lock(&self.gathered).enlist(row);
        }
        sums.add(day, usage);
        note(sums.batch);
        sums.batch
    }

    /// The next batch to be sent, taken out; whoever takes it sends it until it is applied.
    pub(super) fn take_batch(&self) -> Option<(u64, Vec<UsageLine>)> {
        // Out of the line first: from here on rows that are drained go into a later one.
        let batch = lock(&self.gathered).batches.pop_front()?;
        self.taken.store(batch.number, SeqCst);
        let mut lines = Vec::with_capacity(batch.rows.len());
        batch.rows.iter().for_each(|row| row.drain(&mut lines));
        Some((batch.number, lines))
    }

    /// Whether batches wait that will not grow any more.
    pub(super) fn is_crowded(&self) -> bool {
        lock(&self.gathered).batches.len() > 1
    }

    /// Whether the ledger has all of it.
    pub(super) fn is_quiet(&self) -> bool {
        lock(&self.gathered).batches.is_empty()
            && self.taken.load(SeqCst) <= self.applied.load(SeqCst)
    }

    /// Last batch of this life that is applied.
    pub(super) fn applied(&self) -> u64 {
        self.applied.load(SeqCst)
    }

    /// Takes over that batches up to this one are applied, by the entry of that index or before it.
    pub(super) fn heard(&self, batch: u64, index: u64) {
        let before = self.applied.fetch_max(batch, SeqCst);
        if batch > before {
            let mut indexes = lock(&self.indexes);
            indexes.extend((before + 1..=batch).map(|batch| (batch, index)));
            let excess = indexes.len().saturating_sub(INDEXES_MAX);
            indexes.drain(..excess);
        }
    }

    /// Log index of the entry that brought a batch.
    pub(super) fn index_of(&self, batch: u64) -> Option<u64> {
        let indexes = lock(&self.indexes);
        let at = indexes.binary_search_by_key(&batch, |(batch, _)| *batch).ok()?;
        Some(indexes[at].1)
    }

    /// Forgets rows that no path knows and that have nothing to say.
    pub(super) fn sweep(&self) {
        // Only this map can hand out another reference, and it is locked.
        lock(&self.rows).retain(|_, row| Arc::strong_count(row) > 1 || !row.is_idle());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 20_000;

    fn key(name: &str) -> UsageKey {
        UsageKey { key: name.to_owned(), ..UsageKey::default() }
    }

    fn cost(nano_usd: i64) -> UsageSums {
        UsageSums { requests: 1, cost_nano_usd: nano_usd, ..UsageSums::default() }
    }

    fn add(usage: &Usage, row: &Arc<Row>, day: u32, nano_usd: i64) -> u64 {
        usage.add(row, (day, &cost(nano_usd)), |_| {})
    }

    #[test]
    fn additions_of_one_key_are_one_line_whoever_made_the_row() {
        let usage = Usage::default();
        let tags = |tags: [&str; 2]| tags.map(str::to_owned).to_vec();
        let ann = usage.row(UsageKey { day: 7, tags: tags(["b", "a"]), ..key("ann") });
        let same = usage.row(UsageKey { tags: tags(["a", "b"]), ..key("ann") });
        assert_eq!((add(&usage, &ann, DAY, 3), add(&usage, &same, DAY, 4)), (1, 1));
        let (batch, lines) = usage.take_batch().unwrap();
        assert_eq!((batch, lines.len()), (1, 1));
        assert_eq!((lines[0].sums.cost_nano_usd, lines[0].key.day), (7, DAY));
        assert_eq!(usage.take_batch(), None);
        assert_eq!(add(&usage, &ann, DAY, 1), 2);
    }

    #[test]
    fn each_day_has_a_line_and_a_third_one_joins_the_second() {
        let usage = Usage::default();
        let row = usage.row(key("ann"));
        for (day, nano_usd) in [(DAY, 1), (DAY + 1, 2), (DAY + 2, 4), (DAY, 8)] {
            add(&usage, &row, day, nano_usd);
        }
        let (_, lines) = usage.take_batch().unwrap();
        let days: Vec<_> =
            lines.iter().map(|line| (line.key.day, line.sums.cost_nano_usd)).collect();
        assert_eq!(days, [(DAY, 9), (DAY + 1, 6)]);
    }

    #[test]
    fn a_full_batch_is_followed_by_another_and_names_stay_true() {
        let usage = Usage::default();
        let mut expected: BTreeMap<u64, i64> = BTreeMap::new();
        for nth in 0..1_000 {
            let row = usage.row(key(&format!("key-{nth}")));
            *expected.entry(add(&usage, &row, DAY, nth)).or_default() += nth;
        }
        assert!(usage.is_crowded() && expected.len() > 5);
        let mut found = BTreeMap::new();
        while let Some((batch, lines)) = usage.take_batch() {
            found.insert(batch, lines.iter().map(|line| line.sums.cost_nano_usd).sum());
        }
        assert_eq!(found, expected);
        assert!(!usage.is_quiet());
        usage.heard(*expected.keys().next_back().unwrap(), 99);
        assert!(usage.is_quiet());
    }

    #[test]
    fn the_index_of_a_batch_is_that_of_the_entry_that_brought_it() {
        let usage = Usage::default();
        usage.heard(1, 10);
        usage.heard(1, 11);
        usage.heard(3, 20);
        let indexes = [1, 2, 3, 4].map(|batch| usage.index_of(batch));
        assert_eq!(indexes, [Some(10), Some(20), Some(20), None]);
    }

    #[test]
    fn rows_are_forgotten_once_nobody_knows_them_and_all_is_said() {
        let usage = Usage::default();
        let known = usage.row(key("ann"));
        add(&usage, &usage.row(key("ben")), DAY, 1);
        usage.sweep();
        assert_eq!(lock(&usage.rows).len(), 2);
        usage.take_batch();
        usage.sweep();
        assert_eq!(lock(&usage.rows).keys().collect::<Vec<_>>(), [known.key()]);
    }
}
