//! What nodes do by themselves, and money moved by hand.

use super::values::{KEY, NODE, NOW, account, text, usage_line, word};
use ledger::command::{
    AckEvents, Adopt, AdoptLine, CloseInstance, ClosePeriod, EnrolNode, ExpireIncrease,
    IncreaseBudget, OpenInstance, OpenPeriod, PruneUsage, Refill, RefillLine, ResetBudget,
    RetireNode, TransferBudget, WriteOff,
};
use ledger::{AccountId, Command, UnixMillis, UsageKey, UsageLine};

pub(super) fn commands() -> Vec<(&'static str, Command)> {
    let mut all = nodes();
    all.extend(periods());
    all.extend(by_hand());
    all
}

fn nodes() -> Vec<(&'static str, Command)> {
    let line = RefillLine {
        account: account(),
        period: 2,
        settled_cum: 1_000,
        returned_cum: 0,
        debt_cum: 3,
        want: 500_000,
        must: i64::MAX,
        path: 1,
    };
    let adopted = AdoptLine { account: account(), period: 2, settled_cum: 700 };
    let tagless = UsageLine { key: UsageKey::default(), ..usage_line() };
    vec![
        ("enrol-node", Command::EnrolNode(EnrolNode { id: NODE, incarnation: 4 })),
        (
            "refill",
            Command::Refill(Refill {
                node: NODE,
                incarnation: 4,
                seq: 17,
                active_nodes: 3,
                lines: vec![line, RefillLine { path: 0, want: -1, ..line }],
                usage_batch: 6,
                usage: vec![usage_line(), tagless],
            }),
        ),
        (
            "adopt",
            Command::Adopt(Adopt {
                node: NODE,
                incarnation: 5,
                past: 4,
                part: 1,
                last: true,
                lines: vec![adopted, AdoptLine { settled_cum: -1, ..adopted }],
                usage: vec![usage_line()],
            }),
        ),
        ("retire-node", Command::RetireNode(RetireNode { node: NODE })),
        ("ack-events", Command::AckEvents(AckEvents { acks: vec![(7, text("pager"))] })),
        ("prune-usage", Command::PruneUsage(PruneUsage { before_day: 19_300 })),
    ]
}

fn periods() -> Vec<(&'static str, Command)> {
    let account = account();
    let (starts_at, ends_at) = (NOW, Some(UnixMillis(NOW.0 + 3_600_000)));
    let subject = format!("{KEY}/run-1");
    vec![
        ("open-period", Command::OpenPeriod(OpenPeriod { account, period: 3, starts_at, ends_at })),
        ("close-period", Command::ClosePeriod(ClosePeriod { account, period: 2 })),
        (
            "open-instance",
            Command::OpenInstance(OpenInstance {
                budget: text("session"),
                subject: subject.clone(),
                periods: vec![(starts_at, ends_at), (starts_at, None)],
            }),
        ),
        (
            "close-instance",
            Command::CloseInstance(CloseInstance { budget: 8, subject, handle: 21 }),
        ),
    ]
}

fn by_hand() -> Vec<(&'static str, Command)> {
    let (account, word) = (account(), word("op-1"));
    let to = AccountId { budget: 4, window: 0 };
    let (period, amount) = (2, 900);
    vec![
        (
            "write-off",
            Command::WriteOff(WriteOff {
                account,
                period,
                node: NODE,
                incarnation: 3,
                amount,
                word: word.clone(),
            }),
        ),
        (
            "increase-budget",
            Command::IncreaseBudget(IncreaseBudget {
                account,
                amount,
                until: UnixMillis(NOW.0 + 86_400_000),
                word: word.clone(),
            }),
        ),
        ("expire-increase", Command::ExpireIncrease(ExpireIncrease { account, increase: 31 })),
        ("reset-budget", Command::ResetBudget(ResetBudget { account, period, word: word.clone() })),
        (
            "transfer-budget",
            Command::TransferBudget(TransferBudget { from: account, to, amount, word }),
        ),
    ]
}
