//! Holds are set before a request is sent and settled once after, whichever way it ends.

mod media;

use super::open::Open;
use super::trail::Charged;
use super::way::Way;
use crate::metrics::slots::Ending;
use api::admin::Timestamp;
use api::refusal::Reason;
use cluster::allowance::{Allowances, Charge, Hold, Path, Purse, Short, Why};
use cost::{Bill, Ended, ModelTerms, Quote, Room};
use ledger::view::AccountTerms;
use ledger::{NanoUsd, Unit, UnixMillis};
use std::sync::Arc;
use std::time::Duration;
use wire::{Matter, Refusal, Retry, Usage};

/// Longest a request waits for its node's allowance to be refilled.
const REFILL_WITHIN: Duration = Duration::from_millis(250);
/// Longest it goes on waiting where the cluster does not answer: twice what an election takes.
const ELECTION_WITHIN: Duration = Duration::from_secs(3);

/// What is left of each account of a way.
pub(crate) fn rooms(way: &Way) -> impl Iterator<Item = Room> + Clone + '_ {
    let room = |(purse, account): (&Arc<Purse>, &AccountTerms)| {
        let books = purse.books();
        // Before anything was heard the limit is the best guess; the hold itself will know.
        let pool = books.pool.unwrap_or(books.limit).max(0);
        Room {
            unit: account.unit,
            mode: account.mode,
            left: pool.saturating_add(books.available.max(0)),
        }
    };
    way.path.purses().iter().zip(&way.facts.accounts).map(room)
}

/// Sets the money aside: as much as wanted, or the least worth asking for.
///
/// # Errors
///
/// The account that is short, and why.
pub(crate) async fn reserve(
    allowances: &Allowances,
    path: &Arc<Path>,
    (wanted, least): (Quote, Quote),
    terms: &ModelTerms,
    now: UnixMillis,
) -> Result<(Quote, Hold), Short> {
    let charge = wanted.charge(terms);
    if let Ok(hold) = allowances.try_hold(path, &charge, now) {
        return Ok((wanted, hold));
    }
    match hold(allowances, path, &charge, now).await {
        Ok(hold) => Ok((wanted, hold)),
        Err(short) if least == wanted || is_late(&short) => Err(short),
        Err(_) => {
            let charge = least.charge(terms);
            Ok((least, hold(allowances, path, &charge, now).await?))
        }
    }
}

/// Waits for a refill; longer where only the refill is late, so that the election of a leader delays
/// requests and fails none.
async fn hold(
    allowances: &Allowances,
    path: &Arc<Path>,
    charge: &Charge,
    now: UnixMillis,
) -> Result<Hold, Short> {
    match allowances.hold(path, charge, now, REFILL_WITHIN).await {
        Err(short) if is_late(&short) => allowances.hold(path, charge, now, ELECTION_WITHIN).await,
        outcome => outcome,
    }
}

/// The money is there, as far as is known; it only did not arrive in time.
fn is_late(short: &Short) -> bool {
    match short.why {
        Why::NoQuorum | Why::NoJournal => true,
        Why::InFlight => short.remaining >= short.asked,
        Why::Spent | Why::NeverFits | Why::PeriodOver => false,
    }
}

/// What a caller hears whose request does not fit.
pub(crate) fn refusal(
    short: &Short,
    accounts: &[AccountTerms],
    exceeded_status: u16,
    now: UnixMillis,
) -> Refusal {
    let account = accounts.iter().find(|account| account.account == short.account);
    let say = say(short, account);
    let resets_in_ms = short.resets_at.map(|at| at.0.saturating_sub(now.0));
    match short.why {
        Why::InFlight => {
            Reason::BudgetInFlight.refuse(format!("{say}; requests in flight may free it"))
        }
        Why::Spent => {
            let mut refusal = Reason::BudgetExceeded.refuse(say);
            refusal.status = exceeded_status;
            if let Some(ms) = resets_in_ms {
                refusal.retry = Retry::NotBeforeMs(ms);
            }
            refusal
        }
        Why::NeverFits => {
            let mut refusal = Reason::RequestExceedsBudget.refuse(say);
            refusal.status = exceeded_status;
            refusal
        }
        Why::NoQuorum | Why::PeriodOver => Reason::ClusterUnavailable.refuse(
            "the cluster cannot say at present what is left of the budget; try again shortly",
        ),
        Why::NoJournal => Reason::ClusterUnavailable.refuse(
            "this node cannot write down at present what it spends, so it spends nothing; try again \
             shortly, or another node",
        ),
    }
}

fn say(short: &Short, account: Option<&AccountTerms>) -> String {
    let (name, unit) =
        account.map_or_else(|| ("?".to_owned(), Unit::Requests), |terms| (name(terms), terms.unit));
    let amount = |value: i64| match unit {
        Unit::NanoUsd => NanoUsd(value).to_string(),
        Unit::Tokens => format!("{value} tokens"),
        Unit::Requests => format!("{value} requests"),
    };
    let resets = short.resets_at.map_or_else(|| "never".to_owned(), utc);
    format!(
        "budget {name} has {} of {} left, this request may cost up to {}; resets {resets}",
        amount(short.remaining),
        amount(short.limit),
        amount(short.asked),
    )
}

/// The budget, and whose part of it where it is not shared by all.
fn name(terms: &AccountTerms) -> String {
    match terms.subject.as_str() {
        "" => terms.budget.clone(),
        subject => format!("{} of {subject}", terms.budget),
    }
}

/// `2026-11-20T10:00:00Z`: to the second.
pub(crate) fn utc(at: UnixMillis) -> String {
    Timestamp(at.0 / 1_000 * 1_000).to_string()
}

/// Settles the money of the present attempt, once: a second call finds nothing held. `outcome` is how the
/// attempt ended, for the receipt.
pub(crate) fn pay(open: &mut Open, bill: Bill, outcome: &'static str) -> (Charge, Usage) {
    let (charge, usage) = bill.charge(&open.quote, open.terms());
    if let Some(hold) = open.hold.take() {
        let held = hold.charge();
        open.count(&held, &charge, &usage);
        let batch = finish(hold, bill, charge, &usage);
        let facts = Arc::clone(&open.way.facts);
        let basis = bill.basis();
        open.charged.push(Charged { facts, held, charge, usage, basis, outcome, batch });
    }
    (charge, usage)
}

/// Settles an attempt that is followed by another: nothing of it is told to the caller.
pub(crate) fn give_up(open: &mut Open, bill: Bill, outcome: &'static str) {
    open.slot().attempts_failed.add(1);
    pay(open, bill, outcome);
}

/// Settles a request: money, rates, metrics, log. Takes the request, so it happens once.
pub(crate) fn close(mut open: Open, bill: Bill, ending: Ending) {
    let (_, usage) = pay(&mut open, bill, ending.name());
    open.over(&usage, matches!(bill, Bill::Told(_)), ending);
}

/// Ends the hold; returns the batch of usage the charge will be reported in, where there is one.
fn finish(hold: Hold, bill: Bill, charge: Charge, usage: &Usage) -> Option<u64> {
    match bill {
        Bill::Void => {
            hold.void();
            None
        }
        Bill::Told(_) | Bill::AtMost(_) | Bill::About(_) | Bill::Whole => {
            Some(hold.settle(&charge, &cost::usage_sums(&charge, usage))).filter(|batch| *batch > 0)
        }
    }
}

/// What an attempt is charged that ended like this.
pub(crate) fn bill(open: &Open, ended: Ended<'_>) -> Bill {
    let (hard, quote, model) = (open.way.hard, &open.quote, open.terms());
    let bill = cost::bill(ended, &cost::Terms { hard, quote, model });
    match (open.operation.matter(), bill) {
        (_, Bill::Void) => bill,
        // Nothing is worked on.
        (Matter::Kept, _) => Bill::Told(Usage::default()),
        (_, Bill::Whole) => bill,
        // It may go on when nobody listens.
        (Matter::Text, Bill::AtMost(_) | Bill::About(_)) if open.background => Bill::Whole,
        (Matter::Text, Bill::Told(_) | Bill::AtMost(_) | Bill::About(_)) => bill,
        (Matter::Pictures | Matter::Speech | Matter::Recordings, Bill::Told(usage)) => {
            media::bill(open, Some(usage), 0)
        }
        (
            Matter::Pictures | Matter::Speech | Matter::Recordings,
            Bill::AtMost(_) | Bill::About(_),
        ) => {
            let (told, output_bytes) = counted(ended);
            media::bill(open, told, output_bytes)
        }
    }
}

/// What was told and what came of an attempt that did not tell all.
fn counted(ended: Ended<'_>) -> (Option<Usage>, u64) {
    match ended {
        Ended::NotBegun | Ended::Unknown => (None, 0),
        Ended::Plain(reply) => (reply.usage, reply.output_bytes),
        Ended::Unopened(end) | Ended::Over(end) => (end.usage(), end.output_bytes),
        Ended::BrokeOff(end, more) | Ended::Left(end, more) => {
            (end.usage(), end.output_bytes.saturating_add(more))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_budget_says_when_it_starts_anew_and_has_the_configured_status() {
        let short = |why, resets_at| Short {
            account: ledger::AccountId { budget: 7, window: 0 },
            why,
            remaining: 3,
            limit: 100,
            asked: 5,
            resets_at,
        };
        let now = UnixMillis(1_000);
        let cases = [
            (Why::Spent, Some(UnixMillis(61_000)), 429, Retry::NotBeforeMs(60_000)),
            (Why::Spent, None, 429, Retry::Never),
            (Why::NeverFits, Some(UnixMillis(61_000)), 429, Retry::Never),
            (Why::NoQuorum, None, 503, Retry::AfterMs(1_000)),
            (Why::NoJournal, None, 503, Retry::AfterMs(1_000)),
        ];
        for (why, resets_at, status, retry) in cases {
            let refusal = refusal(&short(why, resets_at), &[], 429, now);
            assert_eq!((refusal.status, refusal.retry), (status, retry), "{why:?}");
        }
    }

    #[test]
    fn times_are_said_in_utc() {
        assert_eq!(utc(UnixMillis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(utc(UnixMillis(951_782_400_000)), "2000-02-29T00:00:00Z");
        assert_eq!(utc(UnixMillis(1_795_168_799_999)), "2026-11-20T09:59:59Z");
    }
}
