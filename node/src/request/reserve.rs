//! Before an attempt: its places under limits, and its money.

use super::open::{Guard, Open};
use super::plan::Attempt;
use super::terms::Candidate;
use super::{instances, policy, settle};
use api::refusal::Reason;
use cluster::allowance::Why;
use cost::{Quote, Unquotable};
use ledger::AccountId;
use ledger::view::AccountTerms;
use std::rc::Rc;
use wire::{Call, Matter, Refusal};

/// Why an attempt is not made, and which others need not be tried either.
pub(super) struct Barred {
    pub(super) refusal: Refusal,
    by: Bar,
}

enum Bar {
    /// Something of this place alone.
    Place(Rc<Candidate>),
    /// A limit, by its id.
    Limit(String),
    /// An account.
    Account(AccountId),
    /// Whatever place is asked.
    All,
}

impl Barred {
    /// Something about this place.
    pub(super) fn at(attempt: &Attempt, refusal: Refusal) -> Self {
        Self { refusal, by: Bar::Place(Rc::clone(&attempt.candidate)) }
    }

    /// Whether the same stands in the way of another attempt.
    pub(super) fn bars(&self, open: &Open, attempt: &Attempt) -> bool {
        let way = || open.core.way(&open.terms, &attempt.candidate, &open.hints);
        match &self.by {
            Bar::Place(place) => Rc::ptr_eq(place, &attempt.candidate),
            Bar::Limit(id) => way().is_ok_and(|way| way.limits.iter().any(|at| at.id == *id)),
            Bar::Account(id) => {
                let is_it = |account: &AccountTerms| account.account == *id;
                way().is_ok_and(|way| way.facts.accounts.iter().any(is_it))
            }
            Bar::All => true,
        }
    }
}

/// Takes a place under the limits of an attempt and sets its money aside.
///
/// # Errors
///
/// What stands in the way; nothing is taken then.
pub(super) async fn reserve(
    guard: &mut Guard,
    attempt: &Attempt,
    call: &Call,
) -> Result<(), Barred> {
    let open = guard.get();
    let last = (Rc::clone(&open.candidate), Rc::clone(&open.way));
    let outcome = take(open, attempt, call).await;
    if outcome.is_err() {
        // What is told of the request is about the attempt that was made last.
        (open.candidate, open.way) = last;
    }
    outcome
}

async fn take(open: &mut Open, attempt: &Attempt, call: &Call) -> Result<(), Barred> {
    open.candidate = Rc::clone(&attempt.candidate);
    open.way = instances::way(&open.core, &open.terms, &attempt.candidate, &open.hints)
        .await
        .map_err(|refusal| Barred { refusal, by: Bar::All })?;
    if attempt.candidate.unpriced && open.way.money && !call.operation.is_free() {
        let place = Rc::clone(&attempt.candidate);
        let refusal = policy::unpriced(&attempt.candidate);
        return Err(Barred { refusal, by: Bar::Place(place) });
    }
    let (had, now) = (open.places.len(), open.at);
    policy::begin(open, policy::estimate(call), now)
        .await
        .map_err(|(id, refusal)| Barred { refusal, by: Bar::Limit(id) })?;
    let outcome = set_aside(open, Some(call)).await;
    if outcome.is_err() {
        policy::give_back(open, had);
    }
    outcome
}

/// Takes a place under the limits of what costs no more than a request, and counts that.
///
/// # Errors
///
/// What stands in the way; nothing is taken then.
pub(super) async fn reserve_request(open: &mut Open) -> Result<(), Refusal> {
    let now = open.at;
    policy::begin(open, 0, now).await.map_err(|(_, refusal)| refusal)?;
    let outcome = set_aside(open, None).await;
    if outcome.is_err() {
        policy::give_back(open, 0);
    }
    outcome.map_err(|barred| barred.refusal)
}

/// Sets the money of an attempt aside; where a period has ended meanwhile, in the next one. Without a call
/// it is one request, and no money.
async fn set_aside(open: &mut Open, call: Option<&Call>) -> Result<(), Barred> {
    if call.is_some_and(|call| call.operation.is_free()) {
        (open.quote, open.hold) = (Quote::default(), None);
        return Ok(());
    }
    let status = open.core.settings().exceeded_status;
    let core = Rc::clone(&open.core);
    let mut renewed = false;
    loop {
        let way = Rc::clone(&open.way);
        let model = &open.candidate.terms;
        let quoted = call
            .map(|call| cost::quote(call, model, settle::rooms(&way)).map_err(|why| (why, call)));
        let quotes = quoted.transpose().map_err(|(why, call)| Barred {
            refusal: unquotable(why, call, status),
            by: Bar::Place(Rc::clone(&open.candidate)),
        })?;
        let quotes = quotes.unwrap_or_default();
        let now = core.now();
        match settle::reserve(core.allowances(), &way.path, quotes, model, now).await {
            Ok((quote, hold)) => {
                open.quote = quote;
                open.hold = Some(hold);
                return Ok(());
            }
            Err(short) if short.why == Why::PeriodOver && !renewed => {
                renewed = true;
                open.candidate.ways.forget(&open.hints);
                open.way = instances::way(&core, &open.terms, &open.candidate, &open.hints)
                    .await
                    .map_err(|refusal| Barred { refusal, by: Bar::All })?;
            }
            Err(short) => {
                let refusal = settle::refusal(&short, &way.facts.accounts, status, now);
                return Err(Barred { refusal, by: Bar::Account(short.account) });
            }
        }
    }
}

fn unquotable(why: Unquotable, call: &Call, exceeded_status: u16) -> Refusal {
    let model: String = call.model.chars().take(200).collect();
    match why {
        Unquotable::Unbounded => {
            let refusal = Reason::RequestExceedsBudget.refuse(unbounded(call, &model));
            Refusal { status: exceeded_status, ..refusal }
        }
        Unquotable::Unpriced => Reason::ModelUnpriced.refuse(format!(
            "the class of service that is asked for has no price with {model}, and a hard budget in money is charged; the operator can set one"
        )),
    }
}

fn unbounded(call: &Call, model: &str) -> String {
    match call.operation.matter() {
        Matter::Text | Matter::Kept => format!(
            "the request holds content whose tokens cannot be bounded, and no context limit is known for {model}; a hard budget cannot admit it"
        ),
        Matter::Recordings => format!(
            "how long the recording is cannot be bounded before it is sent, and a hard budget is charged: send WAV (PCM) or MP3; the operator can also set the most input and output tokens of {model}, where it is billed by tokens"
        ),
        Matter::Speech | Matter::Pictures => format!(
            "how much {model} makes of this cannot be bounded, and a hard budget is charged; the operator can set the most output tokens of the model, or a price by character"
        ),
    }
}
