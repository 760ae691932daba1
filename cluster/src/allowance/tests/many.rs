//! More purses than a refill has lines for.

use super::log::START;
use crate::allowance::desk::Desk;
use crate::allowance::refill::{LINES_MAX, Refiller, Round};
use crate::allowance::usage::Usage;
use crate::allowance::{Purse, PurseTerms};
use ledger::command::{AllocateNode, EnrolNode, Refill, RefillLine};
use ledger::{
    AccountId, Command, Entry, Ledger, Mode, NodeId, Outcome, Unit, UsageKey, UsageSums,
    WithoutQuorum,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::format::check_command;

const PURSES: u64 = 5_000;

/// A desk of a node that is enrolled.
fn desk() -> Arc<Desk> {
    let mut ledger = Ledger::default();
    let allocate = AllocateNode { uuid: "a".to_owned(), label: "a".to_owned(), id: None };
    let entry = Entry { index: 1, at: START, command: Command::AllocateNode(allocate) };
    let (Outcome::NodeAllocated(id), _) = ledger::apply(&mut ledger, &entry) else {
        panic!("no id");
    };
    let enrol = Command::EnrolNode(EnrolNode { id, incarnation: 1 });
    ledger::apply(&mut ledger, &Entry { index: 2, at: START, command: enrol });
    let desk = Arc::new(Desk::default());
    desk.identity.set((id, 1)).unwrap();
    desk.ledger.store(Some(Arc::new(ledger)));
    desk
}

/// A purse of an account that the ledger does not know yet.
fn purse(budget: u64, desk: &Arc<Desk>) -> Arc<Purse> {
    let purse = Purse::new(
        &PurseTerms {
            account: AccountId { budget, window: 0 },
            period: 1,
            unit: Unit::NanoUsd,
            mode: Mode::Hard,
            limit: 1_000_000,
            ends_at: None,
            without_quorum: WithoutQuorum::Strict,
        },
        Arc::clone(desk),
    );
    Arc::new(purse)
}

fn spend(purse: &Arc<Purse>, granted_cum: i64) {
    purse.grant(granted_cum);
    let taken = purse.take(1, START).unwrap();
    purse.settle(taken, 1);
}

#[test]
fn every_one_of_thousands_gets_its_turn_while_half_of_them_press_all_the_time() {
    let desk = desk();
    let purses: Vec<_> = (100..100 + PURSES).map(|budget| purse(budget, &desk)).collect();
    let mut refiller = Refiller::new(Arc::clone(&desk));
    let mut told = BTreeSet::new();
    // A log so slow that a second passes with each refill.
    for second in 1..=34_u32 {
        purses.iter().for_each(|purse| spend(purse, 100 * i64::from(second)));
        purses.iter().step_by(2).for_each(Purse::press);
        let refill = refiller.compose(Round::Second, u64::from(second) * 1_000).unwrap();
        assert!(refill.lines.len() <= LINES_MAX);
        told.extend(refill.lines.iter().map(|line| line.account));
        check_command(&Command::Refill(refill)).unwrap();
    }
    assert_eq!(told.len(), purses.len());
}

#[test]
fn the_longest_refill_fits_a_record_of_the_log() {
    let line = RefillLine {
        account: AccountId { budget: u64::MAX, window: u8::MAX },
        period: u64::MAX,
        settled_cum: i64::MIN,
        returned_cum: i64::MIN,
        debt_cum: i64::MIN,
        want: i64::MIN,
        must: i64::MIN,
        path: u32::MAX,
    };
    let batches = Usage::default();
    let most = UsageSums {
        requests: u64::MAX,
        input_tokens: u64::MAX,
        cache_read_tokens: u64::MAX,
        cache_write_tokens: u64::MAX,
        output_tokens: u64::MAX,
        reasoning_tokens: u64::MAX,
        cost_nano_usd: i64::MIN,
    };
    for nth in 0.. {
        let key = UsageKey { key: nth.to_string(), budgets: vec![u64::MAX], ..UsageKey::default() };
        let row = batches.row(key);
        for day in [u32::MAX, u32::MAX - 1] {
            batches.add(&row, (day, &most), |_| {});
        }
        if batches.is_crowded() {
            break;
        }
    }
    let (usage_batch, usage) = batches.take_batch().unwrap();
    let refill = Refill {
        node: NodeId(u64::MAX),
        incarnation: u64::MAX,
        seq: u64::MAX,
        active_nodes: u32::MAX,
        lines: vec![line; LINES_MAX],
        usage_batch,
        usage,
    };
    check_command(&Command::Refill(refill)).unwrap();
}
