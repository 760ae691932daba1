//! Small ledgers for tests, made as real ones are: by entries.

use crate::command::{
    AllocateNode, Command, EnrolNode, Entry, InitCluster, OpenPeriod, PutAlias, PutBudget, PutKey,
    PutProvider, Refill, RefillLine, RevokeKey, apply,
};
use crate::{
    AccountId, Alias, Allow, Budget, BudgetWindow, Change, Credential, KeyHash, Ledger, Mode,
    NodeId, Outcome, Provider, RateLimits, Sealed, StreamUsage, Target, Unit, UnixMillis, Unpriced,
    VirtualKey, Window,
};

/// The two nodes of the sample, each in its first life.
pub(crate) const NODES: [NodeId; 2] = [NodeId(2), NodeId(3)];
/// The account of the sample's budget, which starts anew every [`SPAN_MS`].
pub(crate) const ACCOUNT: AccountId = AccountId { budget: 6, window: 0 };
/// The sample budget's period, from 0 on.
pub(crate) const SPAN_MS: u64 = 1_000;
/// The sample budget's limit, in requests.
pub(crate) const LIMIT: i64 = 1_000;

/// A ledger and the clock and index its entries get.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) ledger: Ledger,
    pub(crate) now_ms: u64,
}

impl Log {
    /// A cluster of two nodes, one budget with one window, one provider, one alias, one key, no spend.
    pub(crate) fn sample() -> Log {
        let mut log = Log::default();
        log.done(Command::InitCluster(InitCluster {
            cluster_id: "sample".to_owned(),
            key_pepper: sealed(),
        }));
        for uuid in ["a", "b"] {
            log.propose(Command::AllocateNode(AllocateNode {
                uuid: uuid.to_owned(),
                label: String::new(),
                id: None,
            }));
        }
        for id in NODES {
            log.enrol(id, 1);
        }
        log.done(put_budget(budget("team", LIMIT)));
        log.done(put_provider(provider("openai")));
        log.done(put_alias(alias("fast", "openai")));
        log.done(put_key(key("ann", 1)));
        log
    }

    pub(crate) fn propose(&mut self, command: Command) -> (Outcome, Vec<Change>) {
        let entry =
            Entry { index: self.ledger.applied_index + 1, at: UnixMillis(self.now_ms), command };
        apply(&mut self.ledger, &entry)
    }

    /// Proposes what must not be denied.
    #[track_caller]
    pub(crate) fn done(&mut self, command: Command) -> Vec<Change> {
        let (outcome, changes) = self.propose(command);
        assert_eq!(outcome, Outcome::Done);
        changes
    }

    #[track_caller]
    pub(crate) fn enrol(&mut self, id: NodeId, incarnation: u64) {
        self.done(Command::EnrolNode(EnrolNode { id, incarnation }));
    }

    #[track_caller]
    pub(crate) fn revoke(&mut self, name: &str) {
        self.done(Command::RevokeKey(RevokeKey { name: name.to_owned(), if_index: None }));
    }

    /// Opens the next period of the sample's account.
    #[track_caller]
    pub(crate) fn roll(&mut self) {
        let period = self.ledger.accounts[&ACCOUNT].period;
        self.done(Command::OpenPeriod(OpenPeriod {
            account: ACCOUNT,
            period: period + 1,
            starts_at: UnixMillis(period * SPAN_MS),
            ends_at: Some(UnixMillis((period + 1) * SPAN_MS)),
        }));
    }

    /// One line of a node's present life, under the next sequence; its cumulative grant after it.
    #[track_caller]
    pub(crate) fn refill(&mut self, node: NodeId, line: RefillLine) -> i64 {
        let record = &self.ledger.nodes[&node];
        let refill = Refill {
            node,
            incarnation: record.incarnation,
            seq: record.refill_seq + 1,
            active_nodes: 2,
            lines: vec![line],
        };
        match self.propose(Command::Refill(refill)).0 {
            Outcome::Refilled(grants) => grants[0].granted_cum,
            Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Denied(_) => {
                panic!("a refill was not answered by grants")
            }
        }
    }
}

/// Reports, gives back and needs, on the sample's account in its first period.
pub(crate) fn line(settled_cum: i64, returned_cum: i64, must: i64) -> RefillLine {
    RefillLine {
        account: ACCOUNT,
        period: 1,
        settled_cum,
        returned_cum,
        debt_cum: 0,
        want: must,
        must,
        path: 0,
    }
}

pub(crate) fn sealed() -> Sealed {
    Sealed { kek_id: [0; 8], nonce: [0; 24], ciphertext: Vec::new() }
}

pub(crate) fn budget(name: &str, limit: i64) -> Budget {
    Budget {
        name: name.to_owned(),
        handle: 0,
        unit: Unit::Requests,
        windows: vec![BudgetWindow { window: Window::Fixed(SPAN_MS), limit }],
        mode: Mode::Hard,
        managed_by: "api:ann".to_owned(),
        created_at: UnixMillis(0),
        changed_index: 0,
    }
}

/// A key on the sample's budget; `seed` makes its id and hash.
pub(crate) fn key(name: &str, seed: u8) -> VirtualKey {
    VirtualKey {
        id: format!("id{seed}"),
        name: name.to_owned(),
        hash: KeyHash([seed; 32]),
        enabled: true,
        expires_at: None,
        providers: Allow::All,
        models: Allow::All,
        budgets: vec!["team".to_owned()],
        limits: RateLimits::default(),
        managed_by: "api:ann".to_owned(),
        created_at: UnixMillis(0),
        changed_index: 0,
        revoked_at: None,
    }
}

pub(crate) fn provider(name: &str) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: "openai-compatible".to_owned(),
        base_url: "https://api.openai.com/v1".to_owned(),
        credentials: vec![Credential { name: "main".to_owned(), weight: 1, secret: None }],
        models: Vec::new(),
        unpriced: Unpriced::Deny,
        stream_usage: StreamUsage::Ask,
        timeout_ms: 60_000,
        attempts_max: 2,
        allow_private_network: false,
        enabled: true,
        managed_by: "api:ann".to_owned(),
        changed_index: 0,
    }
}

pub(crate) fn alias(name: &str, provider: &str) -> Alias {
    Alias {
        name: name.to_owned(),
        targets: vec![Target {
            provider: provider.to_owned(),
            model: "gpt-4o".to_owned(),
            weight: 1,
        }],
        managed_by: "api:ann".to_owned(),
        changed_index: 0,
    }
}

pub(crate) fn put_key(key: VirtualKey) -> Command {
    let if_index = None;
    Command::PutKey(PutKey { key, if_index })
}

pub(crate) fn put_budget(budget: Budget) -> Command {
    let if_index = None;
    Command::PutBudget(PutBudget { budget, if_index })
}

pub(crate) fn put_provider(provider: Provider) -> Command {
    let if_index = None;
    Command::PutProvider(PutProvider { provider, if_index })
}

pub(crate) fn put_alias(alias: Alias) -> Command {
    let if_index = None;
    Command::PutAlias(PutAlias { alias, if_index })
}
