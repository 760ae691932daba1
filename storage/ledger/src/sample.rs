//! Small ledgers for tests, made as real ones are: by entries.

use crate::command::{
    AllocateNode, Command, EnrolNode, Entry, InitCluster, OpenPeriod, PutAlias, PutBudget, PutKey,
    PutProfile, PutProvider, PutScope, PutSelector, Refill, RefillLine, RevokeKey, apply,
};
use crate::{
    AccountId, Alias, Budget, BudgetWindow, Change, Credential, Denial, KeyHash, Ledger, NodeId,
    Outcome, Profile, Provider, RateLimits, Scope, ScopeId, ScopeKind, Sealed, Selector,
    StreamUsage, Target, Unit, UnixMillis, Unpriced, VirtualKey, Webhook, Window,
};
use std::collections::BTreeMap;

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

    /// Proposes what must be denied: why.
    #[track_caller]
    pub(crate) fn denied(&mut self, command: Command) -> Denial {
        let before = self.ledger.clone();
        match self.propose(command).0 {
            Outcome::Denied(denial) => {
                let applied_index = self.ledger.applied_index;
                assert_eq!(self.ledger, Ledger { applied_index, ..before }, "a denial changed it");
                denial
            }
            other @ (Outcome::Done | Outcome::NodeAllocated(_) | Outcome::Refilled(_)) => {
                panic!("not denied: {other:?}")
            }
        }
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
            usage_batch: 0,
            usage: Vec::new(),
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
        managed_by: "api:ann".to_owned(),
        ..Budget::default()
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
        budgets: vec!["team".to_owned()],
        managed_by: "api:ann".to_owned(),
        ..VirtualKey::default()
    }
}

pub(crate) fn provider(name: &str) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: "openai-compatible".to_owned(),
        base_url: "https://api.openai.com/v1".to_owned(),
        credentials: vec![Credential { name: "main".to_owned(), weight: 1, secret: None }],
        overrides: crate::Overrides::default(),
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
    Command::PutBudget(PutBudget { budget, if_index, periods: Vec::new() })
}

pub(crate) fn put_provider(provider: Provider) -> Command {
    let if_index = None;
    Command::PutProvider(PutProvider { provider, if_index })
}

pub(crate) fn put_alias(alias: Alias) -> Command {
    let if_index = None;
    Command::PutAlias(PutAlias { alias, if_index })
}

/// A scope of no parent, budgets or limits.
pub(crate) fn scope(kind: ScopeKind, name: &str) -> Scope {
    Scope {
        id: ScopeId { kind, name: name.to_owned() },
        parent: None,
        budgets: Vec::new(),
        limits: RateLimits::default(),
        narrowed: Vec::new(),
        labels: BTreeMap::new(),
        managed_by: "api:ann".to_owned(),
        created_at: UnixMillis(0),
        changed_index: 0,
    }
}

pub(crate) fn team(name: &str) -> Scope {
    scope(ScopeKind::Team, name)
}

pub(crate) fn user(name: &str) -> Scope {
    scope(ScopeKind::User, name)
}

pub(crate) fn labels(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn selector(name: &str, wanted: &[(&str, &str)]) -> Selector {
    Selector {
        name: name.to_owned(),
        labels: labels(wanted),
        budgets: Vec::new(),
        limits: RateLimits::default(),
        narrowed: Vec::new(),
        managed_by: "api:ann".to_owned(),
        changed_index: 0,
    }
}

pub(crate) fn profile(name: &str) -> Profile {
    Profile { name: name.to_owned(), managed_by: "api:ann".to_owned(), ..Profile::default() }
}

pub(crate) fn webhook(name: &str) -> Webhook {
    Webhook {
        name: name.to_owned(),
        url: "https://hooks.example/bursar".to_owned(),
        secret: sealed(),
        allow_private_network: false,
        enabled: true,
        managed_by: "api:ann".to_owned(),
        changed_index: 0,
    }
}

pub(crate) fn put_scope(scope: Scope) -> Command {
    let if_index = None;
    Command::PutScope(PutScope { scope, if_index })
}

pub(crate) fn put_selector(selector: Selector) -> Command {
    let if_index = None;
    Command::PutSelector(PutSelector { selector, if_index })
}

pub(crate) fn put_profile(profile: Profile) -> Command {
    let if_index = None;
    Command::PutProfile(PutProfile { profile, if_index })
}
