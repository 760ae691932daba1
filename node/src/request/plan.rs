//! Which attempts are made, in which order, and which are spared after a failure.

use super::doors::Trouble;
use super::policy;
use super::routing;
use super::terms::{Candidate, Terms};
use super::upstream::Failure;
use crate::plane::core::Core;
use api::refusal::Reason;
use cost::Bill;
use ledger::Ledger;
use std::rc::Rc;
use std::time::Duration;
use wire::dialect::{Dialect, openai_chat};
use wire::provider::Speech;
use wire::{Operation, Refusal};

/// Most attempts of one request, over all places.
const ATTEMPTS_MAX: usize = 8;
/// Wait before the same place is asked again with the same credential; grows with each attempt.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// One place to ask, with one credential.
pub(super) struct Attempt {
    pub(super) candidate: Rc<Candidate>,
    pub(super) credential: usize,
    /// How it is asked.
    pub(super) speech: &'static Speech,
}

/// What is asked, and in which dialect.
#[derive(Clone, Copy)]
pub(super) struct Topic {
    pub(super) operation: Operation,
    pub(super) face: &'static Dialect,
}

impl Attempt {
    /// Whether it is to be passed over for now where there is another.
    fn is_shut(&self) -> bool {
        self.candidate.upstream.doors.is_shut(self.credential)
    }

    /// Whether calls of tools come without what callers of the same dialect ask for.
    pub(super) fn has_bare_calls(&self) -> bool {
        self.candidate.upstream.wire.quirks.bare_calls
            && self.speech.operation == Operation::ChatCompletions
            && *self.speech.dialect == openai_chat::DIALECT
    }

    /// It brought an answer.
    pub(super) fn worked(&self) {
        self.candidate.upstream.doors.answered(self.credential);
    }

    /// It failed.
    pub(super) fn failed(&self, trouble: Trouble) {
        self.candidate.upstream.doors.failed(self.credential, trouble);
    }
}

/// The attempts to make, in order: for each name its places, for each place its attempts, each with a
/// credential.
///
/// # Errors
///
/// Where none of the names leads anywhere: why the first does not.
pub(super) fn plan<'a>(
    core: &Core,
    view: &Ledger,
    terms: &Rc<Terms>,
    topic: Topic,
    names: impl Iterator<Item = &'a String>,
) -> Result<Vec<Attempt>, Refusal> {
    let mut plan = Vec::with_capacity(ATTEMPTS_MAX);
    let mut refusal = None;
    let mut first = None;
    // Each name that can be served makes an attempt at least.
    for name in names.take(ATTEMPTS_MAX) {
        first.get_or_insert(name);
        let route = match core.route(view, terms, name) {
            Ok(route) => route,
            Err(first) => {
                refusal.get_or_insert(first);
                continue;
            }
        };
        for at in routing::order(&route.weights, core.draw()).iter() {
            let candidate = &route.candidates[at];
            let upstream = &candidate.upstream;
            let model = candidate.model.as_str();
            let Some(speech) = upstream.wire.speech(topic.operation, topic.face, model) else {
                refusal.get_or_insert_with(|| unspoken(topic, candidate));
                continue;
            };
            let credentials = routing::order(&upstream.weights, core.draw());
            let attempts = credentials.iter().cycle().take(upstream.attempts_max as usize);
            plan.extend(attempts.map(|credential| Attempt {
                candidate: Rc::clone(candidate),
                credential,
                speech,
            }));
        }
    }
    // What failed of late comes last, and only then.
    if plan.iter().any(Attempt::is_shut) {
        plan.sort_by_cached_key(Attempt::is_shut);
    }
    plan.truncate(ATTEMPTS_MAX);
    if plan.is_empty() {
        let name = first.map_or("", String::as_str);
        return Err(refusal.unwrap_or_else(|| policy::nowhere(name)));
    }
    Ok(plan)
}

/// The refusal of what a place cannot be asked.
fn unspoken(topic: Topic, candidate: &Candidate) -> Refusal {
    let (operation, name) = (topic.operation.name(), &candidate.upstream.name);
    let face = topic.face.name;
    Reason::OperationUnsupported
        .refuse(format!("provider {name} cannot be asked for {operation} in {face}"))
}

/// Whether the next attempt may succeed where the last one failed; waits a little before it knocks on
/// the same door.
pub(super) async fn worth_trying(
    failure: &Failure,
    failed: &Attempt,
    next: &Attempt,
    made: u32,
) -> bool {
    if !failure.elsewhere {
        return false;
    }
    let same_place = Rc::ptr_eq(&failed.candidate, &next.candidate);
    let same_door = same_place && failed.credential == next.credential;
    // What may have been billed is not repeated at the same place.
    if same_place && failure.bill != Bill::Void || same_door && !failure.again {
        return false;
    }
    if same_door {
        tokio::time::sleep(AGAIN_AFTER * made).await;
    }
    true
}
