//! Every short sequence of what moves limits by hand, of past lives, instances, sessions and rolling windows.

use super::engine::{Letter, always, walk};
use crate::command::{
    AckEvents, Adopt, AdoptLine, CloseInstance, ClosePeriod, Command, EnrolNode, ExpireIncrease,
    IncreaseBudget, OpenInstance, OpenPeriod, PruneUsage, PutWebhook, Refill, RefillLine,
    ResetBudget, RevokeKey, RotateKey, TransferBudget, WriteOff,
};
use crate::invariant::check;
use crate::sample::{ACCOUNT, Log, NODES, SPAN_MS, budget, key, put_budget, put_key, webhook};
use crate::view::due_periods;
use crate::{
    AccountId, Budget, BudgetWindow, KeyHash, Ledger, Per, UnixMillis, UsageKey, UsageLine,
    UsageSums, Window, Word,
};

/// The second window of the walk's budget, which rolls.
const ROLLING: AccountId = AccountId { budget: ACCOUNT.budget, window: 1 };
const PART_MS: u64 = 1_000;

/// A budget of 10 in each second and 8 in any 24.
fn team(per_second: i64, thresholds: &[u8]) -> Budget {
    let mut team = budget("team", per_second);
    team.windows.push(BudgetWindow { window: Window::Rolling(24 * PART_MS), limit: 8 });
    team.thresholds = thresholds.to_vec();
    team
}

fn start() -> Ledger {
    let sample = Log::sample().ledger;
    let mut log = Log::default();
    log.ledger.cluster_id = sample.cluster_id;
    log.ledger.key_pepper = sample.key_pepper;
    log.ledger.cluster_version = sample.cluster_version;
    log.ledger.nodes = sample.nodes;
    log.ledger.applied_index = ACCOUNT.budget - 1;
    log.done(put_budget(team(10, &[50, 100])));
    let mut own = budget("own", 6);
    own.per = Per::Key;
    log.done(put_budget(own));
    let mut ann = key("ann", 1);
    ann.budgets.push("own".to_owned());
    log.done(put_key(ann));
    let webhook = webhook("ops");
    log.done(Command::PutWebhook(PutWebhook { webhook, if_index: None }));
    log.ledger
}

fn refill(whose: (usize, u64, u64), account: AccountId, counters: [i64; 2], must: i64) -> Command {
    let (node, incarnation, seq) = whose;
    let [settled_cum, returned_cum] = counters;
    let line = RefillLine {
        account,
        period: 1,
        settled_cum,
        returned_cum,
        debt_cum: 0,
        want: must + 1,
        must,
        path: 0,
    };
    let lines = vec![line, RefillLine { period: 2, ..line }];
    Command::Refill(Refill {
        node: NODES[node],
        incarnation,
        seq,
        active_nodes: 2,
        lines,
        usage_batch: seq / 2,
        usage: used(1),
    })
}

fn used(requests: u64) -> Vec<UsageLine> {
    let sums = UsageSums { requests, ..UsageSums::default() };
    vec![UsageLine { key: UsageKey::default(), sums }]
}

fn adopt(part: u32, settled_cum: i64) -> Command {
    let line = AdoptLine { account: ACCOUNT, period: 1, settled_cum };
    Command::Adopt(Adopt {
        node: NODES[0],
        incarnation: 2,
        past: 1,
        part,
        last: part > 0,
        lines: vec![line, AdoptLine { account: ROLLING, ..line }],
        usage: used(1),
    })
}

fn word(operation: &str) -> Word {
    Word { operation: operation.to_owned(), ..Word::default() }
}

fn own_account(ledger: &Ledger) -> Option<AccountId> {
    let (_, instance) = ledger.instances.first()?;
    Some(AccountId { budget: instance.handle, window: 0 })
}

/// What depends on the ledger: numbers that are made by the log.
fn dependent() -> Vec<Letter> {
    let now = UnixMillis(0);
    vec![
        Box::new(move |ledger| {
            let increase = ledger.accounts.get(&ACCOUNT)?.increases.first()?.id;
            Some((
                UnixMillis(9),
                Command::ExpireIncrease(ExpireIncrease { account: ACCOUNT, increase }),
            ))
        }),
        Box::new(move |ledger| Some((now, refill((0, 1, 7), own_account(ledger)?, [0, 0], 4)))),
        Box::new(move |ledger| Some((now, refill((0, 1, 8), own_account(ledger)?, [3, 0], 0)))),
        Box::new(move |ledger| {
            let ((budget, subject), instance) = ledger.instances.first()?;
            let (budget, subject, handle) = (*budget, subject.clone(), instance.handle);
            Some((now, Command::CloseInstance(CloseInstance { budget, subject, handle })))
        }),
        Box::new(move |ledger| {
            let rolling = ledger.accounts.get(&ROLLING)?;
            let due = due_periods(ledger, UnixMillis(rolling.period * 12 * PART_MS));
            let next = due.into_iter().find(|open| open.account == ROLLING)?;
            Some((now, Command::OpenPeriod(next)))
        }),
    ]
}

fn by_hand() -> Vec<Command> {
    let reset = |account| {
        let word = word("");
        Command::ResetBudget(ResetBudget { account, period: 1, word })
    };
    let transfer = |from, to, amount, operation| {
        let word = word(operation);
        Command::TransferBudget(TransferBudget { from, to, amount, word })
    };
    let (account, amount, until) = (ACCOUNT, 3, UnixMillis(9));
    vec![
        Command::IncreaseBudget(IncreaseBudget { account, amount, until, word: word("a") }),
        reset(ACCOUNT),
        reset(ROLLING),
        transfer(ACCOUNT, ROLLING, 2, "b"),
        transfer(ROLLING, ACCOUNT, 5, "c"),
        Command::WriteOff(WriteOff {
            account,
            period: 1,
            node: NODES[0],
            incarnation: 1,
            amount: 2,
            word: word(""),
        }),
        put_budget(team(4, &[50, 80, 100])),
    ]
}

fn alphabet() -> Vec<Letter> {
    let mut all = by_hand();
    let account = ACCOUNT;
    all.extend([
        refill((0, 1, 1), ACCOUNT, [0, 0], 6),
        refill((0, 1, 2), ACCOUNT, [5, 0], 0),
        refill((0, 1, 3), ROLLING, [0, 0], 6),
        refill((0, 1, 4), ROLLING, [5, 1], 0),
        refill((0, 2, 1), ACCOUNT, [0, 0], 3),
        refill((1, 1, 2), ROLLING, [0, 0], 7),
        Command::EnrolNode(EnrolNode { id: NODES[0], incarnation: 2 }),
        adopt(0, 6),
        adopt(1, 9),
        Command::OpenPeriod(OpenPeriod {
            account,
            period: 2,
            starts_at: UnixMillis(SPAN_MS),
            ends_at: Some(UnixMillis(2 * SPAN_MS)),
        }),
        Command::ClosePeriod(ClosePeriod { account, period: 1 }),
        Command::ClosePeriod(ClosePeriod { account: ROLLING, period: 1 }),
        Command::OpenInstance(OpenInstance {
            budget: "own".to_owned(),
            subject: "id1".to_owned(),
            periods: Vec::new(),
        }),
        Command::RevokeKey(RevokeKey { name: "ann".to_owned(), if_index: None }),
        Command::RotateKey(RotateKey {
            name: "ann".to_owned(),
            id: "id1".to_owned(),
            hash: KeyHash([2; 32]),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        }),
        Command::AckEvents(AckEvents { acks: vec![(1, "ops".to_owned())] }),
        Command::PruneUsage(PruneUsage { before_day: 1 }),
    ]);
    all.into_iter().map(always).chain(dependent()).collect()
}

#[test]
fn every_short_sequence_of_what_is_done_by_hand_keeps_every_invariant() {
    let start = start();
    assert_eq!(check(&start), Ok(()));
    let states = walk(&start, &alphabet(), 4).unwrap();
    println!("{states} states");
    assert!(states > 5_000, "only {states} states: the walk stands still");
}
