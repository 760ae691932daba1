//! One modelled node: the real allowances, between a real ledger and modelled callers.

use super::log::{Link, Log};
use cluster::allowance::{Allowances, Owner, Path, PurseTerms, Testament};
use ledger::command::{AllocateNode, EnrolNode};
use ledger::{AccountId, Command, Ledger, Mode, NodeId, Outcome, UsageKey, WithoutQuorum};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path as FsPath;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Nodes that share the pools.
pub(crate) const NODES: usize = 5;

/// One life of a node.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) life: u64,
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) link: Arc<Link>,
    /// It crashed: what it would still do, it does not.
    pub(crate) is_dead: Cell<bool>,
    paths: RefCell<HashMap<usize, Arc<Path>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Begins a life, on the disk of the lives before it, and tells the ledger what the last one's journal
    /// says.
    pub(crate) fn start(log: &Arc<Log>, label: &str, life: u64, disk: &FsPath) -> Node {
        let allocate = AllocateNode { uuid: label.to_owned(), label: label.to_owned(), id: None };
        let Outcome::NodeAllocated(id) = log.apply(Command::AllocateNode(allocate)) else {
            unreachable!("a node is always given an id");
        };
        let owner = |incarnation| Owner { cluster_id: "bench".to_owned(), node: id, incarnation };
        let allowances = Allowances::new();
        let disk = disk.join(label);
        let past = Testament::read(&disk, &owner(life - 1)).ok().flatten();
        allowances.begin_journal(&disk, owner(life)).expect("a fresh directory can be written");
        allowances.identify(id, life);
        allowances.set_active_nodes(NODES as u32);
        let link = Link::new(log);
        let tasks = vec![
            tokio::spawn(Arc::clone(&link).feed(Arc::clone(&allowances))),
            tokio::spawn(Arc::clone(&allowances).run(Arc::clone(&link) as _)),
            tokio::spawn(Arc::clone(&allowances).keep_journal()),
        ];
        log.apply(Command::EnrolNode(EnrolNode { id, incarnation: life }));
        for part in past.iter().flat_map(|past| past.parts(&log.ledger(), life)) {
            log.apply(Command::Adopt(part));
        }
        let is_dead = Cell::new(false);
        Node { id, life, allowances, link, is_dead, paths: RefCell::default(), tasks }
    }

    /// The path of a key's requests, made when the key is first met.
    pub(crate) fn path(&self, ledger: &Ledger, key: usize, accounts: &[AccountId]) -> Arc<Path> {
        let mut paths = self.paths.borrow_mut();
        let path = paths.entry(key).or_insert_with(|| {
            let purses =
                accounts.iter().map(|account| self.allowances.purse(&terms(ledger, *account)));
            let row = UsageKey { key: format!("key-{key}"), ..UsageKey::default() };
            self.allowances.path(purses.collect(), row)
        });
        Arc::clone(path)
    }

    /// What the ledger granted this life and was not told the fate of, on one account.
    pub(crate) fn outstanding(&self, ledger: &Ledger, account: AccountId) -> i64 {
        let present = ledger.accounts.get(&account).and_then(|account| account.present());
        present.map_or(0, |period| period.lane(self.id, self.life).outstanding())
    }

    /// Ends it without a word.
    pub(crate) fn crash(&self) {
        self.is_dead.set(true);
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.crash();
    }
}

fn terms(ledger: &Ledger, account: AccountId) -> PurseTerms {
    let books = &ledger.accounts[&account];
    let period = books.present().expect("a budget has a period from its creation on");
    PurseTerms {
        account,
        period: books.period,
        unit: books.unit,
        mode: Mode::Hard,
        limit: period.limit,
        ends_at: period.ends_at,
        without_quorum: WithoutQuorum::Strict,
    }
}
