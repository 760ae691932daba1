//! A log that leaves something in every section of a snapshot.

use super::membership;
use super::values::{KEY, NODE, NOW, text, usage_line, word};
use super::{Command, configuration};
use crate::support::{log_id, normal};
use ledger::command::{
    Adopt, AdoptLine, EnrolNode, IncreaseBudget, OpenInstance, OpenPeriod, PutBudget, Refill,
    RefillLine, TransferBudget,
};
use ledger::{AccountId, UnixMillis};
use storage::RaftEntry;
use storage::openraft::EntryPayload;

pub(crate) fn story() -> Vec<RaftEntry> {
    let first = RaftEntry { log_id: log_id(1, 0), payload: EntryPayload::Membership(membership()) };
    let rest = (1..).zip(commands()).map(|(index, command)| normal(1, index, command));
    std::iter::once(first).chain(rest).collect()
}

fn commands() -> Vec<Command> {
    let put = [
        configuration::beginnings(),
        configuration::budgets(),
        configuration::providers(),
        configuration::scopes(),
        configuration::keys(),
    ];
    let mut all: Vec<Command> = put
        .into_iter()
        .flatten()
        // A key that is gone or has another id is charged to nothing below.
        .filter(|(name, _)| !["revoke-key", "rotate-key"].contains(name))
        .map(|(_, mut command)| {
            if let Command::PutProvider(put) = &mut command {
                put.if_index = None;
            }
            command
        })
        .collect();
    let spent = spent(&all);
    all.extend(spent);
    all
}

/// Place in the log of the budget of a name, which is its handle.
fn handle(log: &[Command], name: &str) -> u64 {
    let is_it = |command: &Command| matches!(command, Command::PutBudget(PutBudget { budget, .. }) if budget.name == name);
    log.iter().position(is_it).unwrap() as u64 + 1
}

/// Two lives of a node, of which the second knows what the first one spent.
fn spent(log: &[Command]) -> Vec<Command> {
    let account = |name, window| AccountId { budget: handle(log, name), window };
    let (hour, month, prepaid) =
        (account("monthly", 0), account("monthly", 2), account("prepaid", 0));
    let open = |budget: &str, subject: String| {
        Command::OpenInstance(OpenInstance { budget: text(budget), subject, periods: Vec::new() })
    };
    vec![
        Command::EnrolNode(EnrolNode { id: NODE, incarnation: 4 }),
        open("session", format!("{KEY}/run-1")),
        open("each", text(KEY)),
        open("tag", text("batch")),
        Command::IncreaseBudget(IncreaseBudget {
            account: month,
            amount: 40,
            until: UnixMillis(NOW.0 + 86_400_000),
            word: word("op-1"),
        }),
        Command::TransferBudget(TransferBudget {
            from: prepaid,
            to: month,
            amount: 25,
            word: word("op-2"),
        }),
        refill(4, 1, hour, 0),
        refill(4, 2, hour, 260),
        refill(4, 3, month, 0),
        Command::EnrolNode(EnrolNode { id: NODE, incarnation: 5 }),
        Command::Adopt(Adopt {
            node: NODE,
            incarnation: 5,
            past: 4,
            part: 0,
            last: false,
            lines: vec![AdoptLine { account: hour, period: 1, settled_cum: 270 }],
            usage: vec![usage_line()],
        }),
        refill(5, 1, prepaid, 0),
        Command::OpenPeriod(OpenPeriod {
            account: hour,
            period: 2,
            starts_at: UnixMillis(1_700_002_800_000),
            ends_at: Some(UnixMillis(1_700_006_400_000)),
        }),
    ]
}

/// Reports so much spent and asks for a good part of a budget, with a batch of usage.
fn refill(incarnation: u64, seq: u64, account: AccountId, settled_cum: i64) -> Command {
    let line = RefillLine {
        account,
        period: 1,
        settled_cum,
        returned_cum: 0,
        debt_cum: 0,
        want: 300,
        must: if settled_cum == 0 { 280 } else { 0 },
        path: 0,
    };
    Command::Refill(Refill {
        node: NODE,
        incarnation,
        seq,
        active_nodes: 1,
        lines: vec![line],
        usage_batch: seq,
        usage: vec![usage_line()],
    })
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
        ledger.scopes.size(),
        ledger.selectors.size(),
        ledger.selectors_by_label.size(),
        ledger.profiles.size(),
        ledger.instances.size(),
        ledger.webhooks.size(),
        ledger.outbox.size(),
        ledger.audit.size(),
        ledger.usage.size(),
    ];
    assert!(sections.iter().all(|size| *size > 0), "{sections:?}");
    let accounts = || ledger.accounts.values();
    assert!(accounts().any(|account| !account.increases.is_empty()));
    assert!(accounts().any(|account| !account.subject.is_empty()));
    let periods = || accounts().flat_map(|account| account.periods.values());
    assert!(periods().any(|period| period.lanes.size() > 0));
    assert!(periods().any(|period| period.fired != 0) && periods().any(|period| period.moved != 0));
    assert!(!ledger.nodes[&NODE].past.is_empty() && ledger.nodes[&NODE].usage_batch > 0);
    assert!(ledger.events_ever > 0);
}
