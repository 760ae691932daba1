//! One value of every kind and of every shape of it, always the same.

use crate::support::{log_id, normal, revoke, vote};
use ledger::command::{
    AllocateNode, ClosePeriod, DeleteAlias, DeleteBudget, DeleteProvider, EnrolNode, InitCluster,
    OpenPeriod, PutAlias, PutBudget, PutKey, PutProvider, Refill, RefillLine, RetireNode,
    RotateKey, WriteOff,
};
use ledger::{
    AccountId, Alias, Allow, Budget, BudgetWindow, Command, Credential, KeyHash, Mode, Model,
    NodeId, Price, Provider, RateLimits, Sealed, StreamUsage, Target, Unit, UnixMillis, Unpriced,
    VirtualKey, Window,
};
use std::collections::{BTreeMap, BTreeSet};
use storage::openraft::EntryPayload;
use storage::{Membership, Peer, RaftEntry};

fn sealed(byte: u8) -> Sealed {
    Sealed { kek_id: [byte; 8], nonce: [byte; 24], ciphertext: vec![byte; 48] }
}

fn price() -> Price {
    Price {
        input_nano_usd_per_mtok: 3_000_000_000,
        output_nano_usd_per_mtok: 15_000_000_000,
        cache_read_nano_usd_per_mtok: Some(300_000_000),
        cache_write_nano_usd_per_mtok: None,
        request_nano_usd: 7,
    }
}

fn window(window: Window, limit: i64) -> BudgetWindow {
    BudgetWindow { window, limit }
}

fn budget(name: &str, unit: Unit, mode: Mode, windows: Vec<BudgetWindow>) -> Command {
    let budget = Budget {
        name: name.to_owned(),
        handle: 0,
        unit,
        windows,
        mode,
        managed_by: "api:ops".to_owned(),
        created_at: UnixMillis(1_700_000_000_000),
        changed_index: 0,
    };
    Command::PutBudget(PutBudget { budget, if_index: None })
}

fn key() -> VirtualKey {
    VirtualKey {
        id: "k4f2a9c1d0e7".to_owned(),
        name: "team-a".to_owned(),
        hash: KeyHash([7; 32]),
        enabled: true,
        expires_at: Some(UnixMillis(1_800_000_000_000)),
        providers: Allow::All,
        models: Allow::Only(vec!["acme/large".to_owned(), "fast".to_owned()]),
        budgets: vec!["monthly".to_owned()],
        limits: RateLimits {
            requests_per_minute: Some(600),
            tokens_per_minute: None,
            concurrent_requests: Some(0),
        },
        managed_by: "api:ops".to_owned(),
        created_at: UnixMillis(1_700_000_000_000),
        changed_index: 0,
        revoked_at: None,
    }
}

fn provider(unpriced: Unpriced, stream_usage: StreamUsage) -> Command {
    let provider = Provider {
        name: "acme".to_owned(),
        kind: "openai-compatible".to_owned(),
        base_url: "https://api.example.com/v1".to_owned(),
        credentials: vec![
            Credential { name: "main".to_owned(), weight: 3, secret: Some(sealed(9)) },
            Credential { name: "spare".to_owned(), weight: 0, secret: None },
        ],
        models: vec![
            Model { name: "large".to_owned(), price: Some(price()), ..Model::default() },
            Model {
                name: "small".to_owned(),
                upstream_name: Some("small-2026-01".to_owned()),
                price: None,
                output_tokens_max: Some(4_096),
                input_tokens_max: Some(128_000),
            },
        ],
        unpriced,
        stream_usage,
        timeout_ms: 30_000,
        attempts_max: 2,
        allow_private_network: false,
        enabled: true,
        managed_by: "file:bursar.yaml".to_owned(),
        changed_index: 0,
    };
    Command::PutProvider(PutProvider { provider, if_index: Some(12) })
}

fn account() -> AccountId {
    AccountId { budget: 3, window: 1 }
}

fn owned(name: &str) -> (String, String, Option<u64>) {
    (name.to_owned(), "api:ops".to_owned(), Some(9))
}

/// Commands by the name of their case; the part before the first dot is the kind.
pub(crate) fn commands() -> Vec<(&'static str, Command)> {
    let mut all = configuration();
    all.extend(spending());
    all
}

fn configuration() -> Vec<(&'static str, Command)> {
    let (name, managed_by, if_index) = owned("acme");
    let hash = KeyHash([8; 32]);
    let key_pepper = sealed(1);
    let uuid = "01JD0000000000000000000000".to_owned();
    let label = "node-1".to_owned();
    let alias = Alias {
        name: "fast".to_owned(),
        targets: vec![Target { provider: "acme".to_owned(), model: "small".to_owned(), weight: 1 }],
        managed_by: "api:ops".to_owned(),
        changed_index: 0,
    };
    let windows = |list: &[Window]| list.iter().map(|each| window(*each, 5)).collect();
    vec![
        (
            "init-cluster",
            Command::InitCluster(InitCluster {
                cluster_id: "01JC0000000000000000000000".to_owned(),
                key_pepper,
            }),
        ),
        (
            "allocate-node.founder",
            Command::AllocateNode(AllocateNode {
                uuid: uuid.clone(),
                label: label.clone(),
                id: Some(NodeId(1 << 62)),
            }),
        ),
        ("allocate-node.joiner", Command::AllocateNode(AllocateNode { uuid, label, id: None })),
        ("put-key", Command::PutKey(PutKey { key: key(), if_index: None })),
        (
            "rotate-key",
            Command::RotateKey(RotateKey {
                name: "team-a".to_owned(),
                id: "k999999999999".to_owned(),
                hash,
                managed_by: managed_by.clone(),
                if_index,
            }),
        ),
        ("revoke-key", revoke("team-a")),
        (
            "put-budget.calendar",
            budget(
                "monthly",
                Unit::NanoUsd,
                Mode::Hard,
                windows(&[Window::Hour, Window::Day, Window::Month]),
            ),
        ),
        (
            "put-budget.long",
            budget(
                "long",
                Unit::Tokens,
                Mode::Soft,
                windows(&[Window::Week, Window::Quarter, Window::Year]),
            ),
        ),
        (
            "put-budget.plain",
            budget(
                "plain",
                Unit::Requests,
                Mode::Hard,
                windows(&[Window::Never, Window::Fixed(60_000)]),
            ),
        ),
        (
            "delete-budget",
            Command::DeleteBudget(DeleteBudget {
                name: name.clone(),
                managed_by: managed_by.clone(),
                if_index,
            }),
        ),
        ("put-provider.deny", provider(Unpriced::Deny, StreamUsage::Ask)),
        ("put-provider.flat", provider(Unpriced::Flat(price()), StreamUsage::Always)),
        ("put-provider.track", provider(Unpriced::Track, StreamUsage::Never)),
        (
            "delete-provider",
            Command::DeleteProvider(DeleteProvider {
                name: name.clone(),
                managed_by: managed_by.clone(),
                if_index,
            }),
        ),
        ("put-alias", Command::PutAlias(PutAlias { alias, if_index: None })),
        ("delete-alias", Command::DeleteAlias(DeleteAlias { name, managed_by, if_index })),
    ]
}

fn spending() -> Vec<(&'static str, Command)> {
    let (account, node) = (account(), NodeId(1 << 62));
    let line = RefillLine {
        account,
        period: 2,
        settled_cum: 1_000,
        returned_cum: 0,
        debt_cum: 3,
        want: 500_000,
        must: i64::MAX,
        path: 1,
    };
    vec![
        ("enrol-node", Command::EnrolNode(EnrolNode { id: node, incarnation: 4 })),
        (
            "refill",
            Command::Refill(Refill {
                node,
                incarnation: 4,
                seq: 17,
                active_nodes: 3,
                lines: vec![line, RefillLine { path: 0, want: -1, ..line }],
            }),
        ),
        (
            "open-period",
            Command::OpenPeriod(OpenPeriod {
                account,
                period: 3,
                starts_at: UnixMillis(1_700_000_000_000),
                ends_at: Some(UnixMillis(1_700_003_600_000)),
            }),
        ),
        ("close-period", Command::ClosePeriod(ClosePeriod { account, period: 2 })),
        ("retire-node", Command::RetireNode(RetireNode { node })),
        (
            "write-off",
            Command::WriteOff(WriteOff { account, period: 2, node, incarnation: 3, amount: 900 }),
        ),
    ]
}

pub(crate) fn membership() -> Membership {
    let peer = |port: u16| Peer { addr: format!("127.0.0.1:{port}") };
    let sets = vec![BTreeSet::from([1, 2, 3]), BTreeSet::from([2, 3, 4])];
    let nodes: BTreeMap<u64, Peer> = (1..=5).map(|id| (id, peer(7_000 + id as u16))).collect();
    Membership::new(sets, nodes).unwrap()
}

/// A log that leaves something in every section of a snapshot.
pub(crate) fn story() -> Vec<RaftEntry> {
    let node = NodeId(1 << 62);
    let refill = |seq, account| {
        let line = RefillLine {
            account,
            period: 1,
            settled_cum: 0,
            returned_cum: 0,
            debt_cum: 0,
            want: 2,
            must: 1,
            path: 0,
        };
        let (incarnation, active_nodes) = (4, 1);
        Command::Refill(Refill { node, incarnation, seq, active_nodes, lines: vec![line] })
    };
    let mut commands: Vec<Command> = configuration()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("delete") && *name != "revoke-key")
        .map(|(_, command)| match command {
            Command::PutProvider(mut put) => {
                put.if_index = None;
                Command::PutProvider(put)
            }
            Command::RotateKey(mut rotate) => {
                rotate.if_index = None;
                Command::RotateKey(rotate)
            }
            other => other,
        })
        .collect();
    // A key names its budgets and an alias its provider: those come first.
    commands.sort_by_key(|command| {
        u8::from(matches!(
            command,
            Command::PutKey(_) | Command::RotateKey(_) | Command::PutAlias(_)
        ))
    });
    commands.push(Command::EnrolNode(EnrolNode { id: node, incarnation: 4 }));
    let budgets = commands.iter().enumerate().filter_map(|(place, command)| match command {
        Command::PutBudget(_) => Some(place as u64 + 1),
        _ => None,
    });
    let accounts: Vec<AccountId> = budgets.map(|budget| AccountId { budget, window: 0 }).collect();
    commands.extend((1..).zip(accounts).map(|(seq, account)| refill(seq, account)));
    let first = RaftEntry { log_id: log_id(1, 0), payload: EntryPayload::Membership(membership()) };
    let rest = (1..).zip(commands).map(|(index, command)| normal(1, index, command));
    std::iter::once(first).chain(rest).collect()
}

#[test]
fn the_story_leaves_something_in_every_section() {
    let mut ledger = ledger::Ledger::default();
    for entry in story() {
        if let EntryPayload::Normal(proposal) = entry.payload {
            let (index, at, command) = (entry.log_id.index, proposal.at, proposal.command);
            let (outcome, _) =
                ledger::apply(&mut ledger, &ledger::Entry { index, at, command: command.clone() });
            assert!(!matches!(outcome, ledger::Outcome::Denied(_)), "{command:?}: {outcome:?}");
        }
    }
    let sections = [
        ledger.nodes.size(),
        ledger.keys.size(),
        ledger.keys_by_hash.size(),
        ledger.keys_by_name.size(),
        ledger.budgets.size(),
        ledger.accounts.size(),
        ledger.providers.size(),
        ledger.aliases.size(),
    ];
    assert!(sections.iter().all(|size| *size > 0), "{sections:?}");
    let lanes = |account: &ledger::Account| account.present().unwrap().lanes.size();
    assert!(ledger.accounts.values().any(|account| lanes(account) > 0));
    assert_eq!(vote(1).leader_id.term, 1);
}
