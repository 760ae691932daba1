//! A node that is only in the ledger: what it spends, it spends there.

use super::solo::Solo;
use ledger::command::{AllocateNode, Command, EnrolNode, Refill, RefillLine};
use ledger::{AccountId, NodeId, Outcome, UsageKey, UsageLine, UsageSums};

pub(super) struct Spender<'a> {
    solo: &'a Solo,
    id: NodeId,
    seq: u64,
    spent: i64,
}

impl Solo {
    pub(super) async fn propose(&self, command: Command) -> Outcome {
        self.running.cluster.propose(command).await.unwrap().outcome
    }

    /// A node of that name, in its first life.
    pub(super) async fn enrolled(&self, name: &str) -> NodeId {
        let (uuid, label) = (name.to_owned(), name.to_owned());
        let allocate = AllocateNode { uuid, label, id: None };
        let Outcome::NodeAllocated(id) = self.propose(Command::AllocateNode(allocate)).await else {
            panic!("no number")
        };
        self.propose(Command::EnrolNode(EnrolNode { id, incarnation: 1 })).await;
        id
    }

    /// The first account of a budget.
    pub(super) fn account(&self, budget: &str) -> AccountId {
        let ledger = self.running.cluster.ledger();
        ledger.budgets[budget].accounts().next().unwrap().0
    }
}

impl<'a> Spender<'a> {
    pub(super) async fn new(solo: &'a Solo) -> Self {
        let id = solo.enrolled("spender").await;
        Self { solo, id, seq: 0, spent: 0 }
    }

    /// Is granted so much, spends it and tells so, with a line of usage of that cost.
    pub(super) async fn spend(&mut self, budget: &str, amount: i64, mut key: UsageKey) {
        let account = self.solo.account(budget);
        let settled_cum = self.spent;
        self.refill(account, settled_cum, amount, None).await;
        self.spent += amount;
        key.budgets = vec![account.budget];
        let sums = UsageSums { requests: 1, cost_nano_usd: amount, ..UsageSums::default() };
        self.refill(account, self.spent, 0, Some(UsageLine { key, sums })).await;
    }

    async fn refill(
        &mut self,
        account: AccountId,
        settled_cum: i64,
        must: i64,
        line: Option<UsageLine>,
    ) {
        self.seq += 1;
        let usage_batch = if line.is_some() { self.seq } else { 0 };
        let line_of = RefillLine {
            account,
            period: self.solo.running.cluster.ledger().accounts[&account].period,
            settled_cum,
            returned_cum: 0,
            debt_cum: 0,
            want: must,
            must,
            path: 0,
        };
        let refill = Refill {
            node: self.id,
            incarnation: 1,
            seq: self.seq,
            active_nodes: 2,
            lines: vec![line_of],
            usage: line.into_iter().collect(),
            usage_batch,
        };
        let outcome = self.solo.propose(Command::Refill(refill)).await;
        assert!(matches!(outcome, Outcome::Refilled(_)), "{outcome:?}");
    }
}
