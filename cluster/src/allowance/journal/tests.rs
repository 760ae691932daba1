//! What is told of a life against what it did, however its files end.

mod failing;
mod soon;

use super::{Owner, Testament, files, folder};
use crate::allowance::tests::log::{Dice, START, row, usd, used};
use crate::allowance::{Allowances, Hold, Path, Purse, PurseTerms};
use ledger::{AccountId, Ledger, Mode, NodeId, Unit, UsageKey, UsageSums, WithoutQuorum};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const ACCOUNTS: u64 = 3;

type Spent = BTreeMap<(AccountId, u64), i64>;

/// A life with a journal, and what the provider saw of it.
struct Life {
    dir: TempDir,
    allowances: Arc<Allowances>,
    paths: Vec<Arc<Path>>,
    dice: Dice,
    holds: Vec<(Hold, usize)>,
    attempts: Vec<Attempt>,
}

struct Attempt {
    on: usize,
    worst: i64,
    cost: Option<i64>,
    /// Bytes of the last segment when it was sent, and that segment.
    sent_at: (u32, u64),
}

fn owner() -> Owner {
    Owner { cluster_id: "c".to_owned(), node: NodeId(7), incarnation: 3 }
}

fn account(budget: u64) -> AccountId {
    AccountId { budget, window: 0 }
}

fn purse(allowances: &Allowances, budget: u64) -> Arc<Purse> {
    allowances.purse(&PurseTerms {
        account: account(budget),
        period: 1,
        unit: Unit::NanoUsd,
        mode: Mode::Hard,
        limit: 1_000_000_000,
        ends_at: None,
        without_quorum: WithoutQuorum::Strict,
    })
}

impl Life {
    fn new(seed: u64) -> Life {
        let dir = tempfile::tempdir().unwrap();
        let allowances = Allowances::new();
        allowances.begin_journal(dir.path(), owner()).unwrap();
        allowances.identify(NodeId(7), 3);
        let mut life = Life {
            dir,
            allowances,
            paths: Vec::new(),
            dice: Dice::new(seed),
            holds: Vec::new(),
            attempts: Vec::new(),
        };
        // One path over each account alone, and one over the first and each of them.
        for budget in 1..=ACCOUNTS {
            let alone = vec![purse(&life.allowances, budget)];
            let both = vec![purse(&life.allowances, 1), purse(&life.allowances, budget)];
            let wide = if budget == 1 { Vec::new() } else { both };
            life.paths.push(life.allowances.path(alone, row(NodeId(budget))));
            life.paths.push(life.allowances.path(wide, row(NodeId(10 + budget))));
        }
        life.grant(1_000_000);
        life
    }

    fn grant(&self, cum: i64) {
        for budget in 1..=ACCOUNTS {
            let purse = purse(&self.allowances, budget);
            purse.grant(cum);
            purse.set_chunk(cum, 0);
        }
        self.allowances.open_now(self.allowances.desk.take_opening());
    }

    fn folder(&self) -> PathBuf {
        folder(self.dir.path())
    }

    fn step(&mut self) {
        match self.dice.below(10) {
            0..5 => self.hold(),
            5..9 if !self.holds.is_empty() => self.settle(),
            _ => self.allowances.desk.journal().unwrap().flush(),
        }
    }

    fn hold(&mut self) {
        let on = usize::try_from(self.dice.below(self.paths.len() as u64)).unwrap();
        let worst = self.dice.amount(1, 1_000);
        let hold = self.allowances.try_hold(&self.paths[on], &usd(worst), START).unwrap();
        self.holds.push((hold, self.attempts.len()));
        let sent_at = last_segment(&self.folder());
        self.attempts.push(Attempt { on, worst, cost: None, sent_at });
    }

    fn settle(&mut self) {
        let which = usize::try_from(self.dice.below(self.holds.len() as u64)).unwrap();
        let (hold, attempt) = self.holds.swap_remove(which);
        let cost = self.dice.amount(0, self.attempts[attempt].worst + 1);
        hold.settle(&usd(cost), &used(cost));
        self.attempts[attempt].cost = Some(cost);
    }

    /// What the attempts sent until then come to, each at `of`.
    fn spent(&self, until: (u32, u64), of: impl Fn(&Attempt) -> i64) -> Spent {
        let mut spent = Spent::new();
        for attempt in self.attempts.iter().filter(|attempt| attempt.sent_at <= until) {
            for purse in self.paths[attempt.on].purses() {
                *spent.entry((purse.account(), 1)).or_default() += of(attempt);
            }
        }
        spent
    }

    /// The process is gone; what ended in its memory only is not written any more.
    fn kill(&mut self) {
        self.holds.drain(..).for_each(|(hold, _)| std::mem::forget(hold));
    }

    fn read(&self) -> Option<Testament> {
        Testament::read(self.dir.path(), &owner()).unwrap()
    }

    fn rotate(&self) {
        let journal = self.allowances.desk.journal().unwrap();
        journal.rotate(&Ledger::default(), 0).unwrap();
    }
}

/// Keeps of each file the head, of a ground that is gone, and the last levels, which are always synced.
pub(super) fn cut_power(folder: &FsPath) {
    use super::record::{Record, bytes};
    for file in files::list(folder).unwrap() {
        let opened = files::open(&file.path).unwrap().unwrap();
        let mut head = opened.head;
        head.ground = "before".to_owned();
        let mut kept = bytes(&head);
        let mut rest = &opened.bytes[opened.begins..];
        while let Ok((frame, behind)) = storage::format::split(rest) {
            let record = Record::read(&frame).unwrap();
            if let Record::Open(open) = &record {
                kept.extend(bytes(open));
            }
            if let Record::Beyond(beyond) = &record {
                kept.extend(bytes(beyond));
            }
            rest = behind;
        }
        let mut file = OpenOptions::new().write(true).truncate(true).open(&file.path).unwrap();
        std::io::Write::write_all(&mut file, &kept).unwrap();
    }
}

/// Number and length of the last segment.
fn last_segment(folder: &FsPath) -> (u32, u64) {
    let files = files::list(folder).unwrap();
    let last = files.iter().rfind(|file| !file.is_sum).unwrap();
    (last.segment, last.path.metadata().unwrap().len())
}

fn at_least(told: &Spent, truth: &Spent) -> bool {
    truth.iter().all(|(key, amount)| told.get(key).copied().unwrap_or(0) >= *amount)
}

#[test]
fn wherever_the_file_ends_no_less_is_told_than_was_spent() {
    let mut life = Life::new(1);
    (0..40).for_each(|_| life.step());
    life.rotate();
    (0..120).for_each(|_| life.step());
    life.kill();
    let (segment, length) = last_segment(&life.folder());
    let path = files::log_path(&life.folder(), 3, segment);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let cost = |attempt: &Attempt| attempt.cost.unwrap_or(attempt.worst);
    for cut in (0..=length).rev() {
        file.set_len(cut).unwrap();
        let told = life.read().unwrap().past().spent();
        let (spent, held) =
            (life.spent((segment, cut), cost), life.spent((segment, cut), |a| a.worst));
        assert!(at_least(&told, &spent), "cut at {cut}: {told:?}, spent {spent:?}");
        assert!(at_least(&held, &told), "cut at {cut}: {told:?}, held {held:?}");
    }
}

#[test]
fn what_is_told_is_exact_through_any_number_of_segments() {
    for seed in 0..20 {
        let mut life = Life::new(seed);
        for _ in 0..300 {
            life.step();
            if life.dice.below(40) == 0 {
                life.rotate();
            }
        }
        life.allowances.desk.journal().unwrap().flush();
        life.kill();
        let everything = (u32::MAX, 0);
        let truth = life.spent(everything, |attempt| attempt.cost.unwrap_or(attempt.worst));
        let testament = life.read().unwrap();
        let told = testament.past().spent();
        assert!(
            at_least(&told, &truth) && at_least(&truth, &told),
            "seed {seed}: {told:?} {truth:?}"
        );
        let costs: i64 =
            testament.past().used_after(0, true).iter().map(|line| line.sums.cost_nano_usd).sum();
        let cost = |attempt: &Attempt| attempt.cost.unwrap_or(attempt.worst);
        assert_eq!(costs, life.attempts.iter().map(cost).sum::<i64>(), "seed {seed}");
    }
}

#[test]
fn batches_the_ledger_has_are_not_told_again() {
    let mut life = Life::new(5);
    let usage = &Arc::clone(&life.allowances.desk);
    let mut applied = 0;
    for round in 0..6 {
        (0..20).for_each(|_| life.step());
        life.allowances.desk.journal().unwrap().flush();
        if let Some((batch, lines)) = usage.usage.take_batch().filter(|_| round < 5) {
            usage.usage.heard(batch, 1);
            applied += lines.iter().map(|line| line.sums.cost_nano_usd).sum::<i64>();
        }
        let journal = life.allowances.desk.journal().unwrap();
        journal.rotate(&Ledger::default(), usage.usage.applied()).unwrap();
    }
    life.kill();
    let told = life.read().unwrap().past().used_after(usage.usage.applied(), true);
    let told: i64 = told.iter().map(|line| line.sums.cost_nano_usd).sum();
    let cost = |attempt: &Attempt| attempt.cost.unwrap_or(attempt.worst);
    assert_eq!(applied + told, life.attempts.iter().map(cost).sum::<i64>());
}

#[test]
fn after_a_power_cut_all_that_was_opened_counts_and_nothing_more() {
    let mut life = Life::new(9);
    (0..60).for_each(|_| life.step());
    life.kill();
    let (segment, length) = last_segment(&life.folder());
    let path = files::log_path(&life.folder(), 3, segment);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let other = || Testament::read_on(&life.folder(), &owner(), "another boot".to_owned());
    let opened = other().unwrap().unwrap().past().opened().clone();
    assert_eq!(opened.len() as u64, ACCOUNTS);
    let truth = life.spent((u32::MAX, 0), |attempt| attempt.worst);
    assert!(at_least(&opened, &truth), "{opened:?} {truth:?}");
    // What was not synced may be gone: the opening was.
    let ledger = granted(1_000_000, 10_000);
    for cut in [length, length / 2, length / 4] {
        file.set_len(cut).unwrap();
        let parts = other().unwrap().unwrap().parts(&ledger, 4);
        let told: Vec<i64> = parts[0].lines.iter().map(|line| line.settled_cum).collect();
        assert_eq!(told, [1_000_000 - 10_000; 3], "cut at {cut}");
    }
    // On the same ground the same files tell what was spent.
    let parts = life.read().unwrap().parts(&ledger, 4);
    assert!(parts[0].lines.iter().all(|line| line.settled_cum < 100_000));
}

/// A ledger in which the life was granted so much on each account, gave some back, and is over.
fn granted(granted: i64, returned: i64) -> Ledger {
    use ledger::command::{AllocateNode, EnrolNode, PutBudget, Refill, RefillLine};
    use ledger::{Command, Entry};
    let mut ledger = Ledger::default();
    let mut index = 0;
    let mut apply = |command| {
        index += 1;
        let (outcome, _) = ledger::apply(&mut ledger, &Entry { index, at: START, command });
        assert!(!matches!(outcome, ledger::Outcome::Denied(_)), "{outcome:?}");
    };
    for budget in ["a", "b", "c"] {
        let budget = crate::allowance::tests::log::budget(budget, 1_000_000_000);
        apply(Command::PutBudget(PutBudget { budget, if_index: None, periods: Vec::new() }));
    }
    let allocate =
        AllocateNode { uuid: "u".to_owned(), label: "l".to_owned(), id: Some(owner().node) };
    apply(Command::AllocateNode(allocate));
    apply(Command::EnrolNode(EnrolNode { id: owner().node, incarnation: 3 }));
    for (seq, returned, want) in [(1, 0, granted), (2, returned, 0)] {
        let line = |budget| RefillLine {
            account: account(budget),
            period: 1,
            settled_cum: 0,
            returned_cum: returned,
            debt_cum: 0,
            want,
            must: want,
            path: 0,
        };
        apply(Command::Refill(Refill {
            node: owner().node,
            incarnation: 3,
            seq,
            active_nodes: 1,
            lines: (1..=ACCOUNTS).map(line).collect(),
            ..Refill::default()
        }));
    }
    apply(Command::EnrolNode(EnrolNode { id: owner().node, incarnation: 4 }));
    ledger
}

#[test]
fn a_journal_of_another_life_node_or_cluster_or_a_copy_is_not_believed() {
    let mut life = Life::new(2);
    (0..30).for_each(|_| life.step());
    life.kill();
    let dir = life.dir.path();
    let read = |owner: Owner| Testament::read(dir, &owner).unwrap().is_some();
    assert!(read(owner()));
    assert!(!read(Owner { incarnation: 2, ..owner() }));
    assert!(!read(Owner { node: NodeId(8), ..owner() }));
    assert!(!read(Owner { cluster_id: "d".to_owned(), ..owner() }));
    let path = files::log_path(&life.folder(), 3, 1);
    let aside = life.folder().join("aside");
    std::fs::copy(&path, &aside).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    assert!(!read(owner()));
}

#[test]
fn spend_where_nothing_was_granted_is_told() {
    let mut life = Life::new(6);
    (0..60).for_each(|_| life.step());
    life.allowances.desk.journal().unwrap().flush();
    life.kill();
    let truth = life.spent((u32::MAX, 0), |attempt| attempt.cost.unwrap_or(attempt.worst));
    let parts = life.read().unwrap().parts(&granted(0, 0), 4);
    let lines = parts.iter().flat_map(|part| &part.lines);
    let told: Spent = lines.map(|line| ((line.account, line.period), line.settled_cum)).collect();
    assert_eq!(told, truth);
}

#[test]
fn a_journal_with_a_segment_missing_or_changed_is_not_believed() {
    for broken in 0..3 {
        let mut life = Life::new(2);
        for _ in 0..3 {
            (0..30).for_each(|_| life.step());
            life.rotate();
        }
        (0..30).for_each(|_| life.step());
        life.kill();
        assert!(life.read().is_some());
        let sum = files::sum_path(&life.folder(), 3, 3);
        let length = sum.metadata().unwrap().len();
        match broken {
            0 => std::fs::remove_file(sum).unwrap(),
            1 => OpenOptions::new().write(true).open(sum).unwrap().set_len(length - 1).unwrap(),
            _ => OpenOptions::new().write(true).open(sum).unwrap().set_len(0).unwrap(),
        }
        assert!(life.read().is_none(), "{broken}");
    }
}

#[test]
fn files_stay_small_and_paths_that_are_gone_are_forgotten() {
    let mut life = Life::new(4);
    for nth in 0..2_000_u64 {
        let key = UsageKey { key: format!("session-{nth}"), ..UsageKey::default() };
        let path = life.allowances.path(vec![purse(&life.allowances, 1)], key);
        let hold = life.allowances.try_hold(&path, &usd(2), START).unwrap();
        hold.settle(&usd(1), &UsageSums::default());
        if life.allowances.desk.journal().unwrap().is_full() {
            life.rotate();
        }
    }
    life.allowances.desk.journal().unwrap().flush();
    let files = files::list(&life.folder()).unwrap();
    let bytes: u64 = files.iter().map(|file| file.path.metadata().unwrap().len()).sum();
    assert!(bytes < 40_000, "{bytes} bytes in {} files", files.len());
    life.kill();
    assert_eq!(life.read().unwrap().past().spent()[&(account(1), 1)], 2_000);
}
