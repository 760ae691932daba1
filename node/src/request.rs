//! The life of a request, top to bottom.
//!
//! What is asked, who asks, may they, where could it go, is the money set aside, ask, settle. The first
//! four are pure functions of one view of the ledger, the call and one reading of the clock; money and
//! meaning meet nowhere else.

mod abandoned;
pub(crate) mod auth;
mod count;
pub(crate) mod doors;
mod failure;
pub(crate) mod headers;
mod hints;
pub(crate) mod instances;
pub(crate) mod kept;
pub(crate) mod models;
pub(crate) mod open;
mod opening;
pub(crate) mod patience;
pub(crate) mod place;
mod plain;
mod plan;
pub(crate) mod policy;
pub(crate) mod proof;
pub(crate) mod relay;
mod reserve;
pub(crate) mod routing;
pub(crate) mod settle;
pub(crate) mod standing;
mod steps;
pub(crate) mod terms;
pub(crate) mod trail;
pub(crate) mod translate;
pub(crate) mod upstream;
pub(crate) mod way;

use crate::metrics::slots::Ending;
use crate::plane::core::Core;
use api::inference::Inbound;
use bytes::Bytes;
use cost::{Bill, Quote};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use open::{Coming, Guard, Open};
use opening::Opening;
use patience::Patience;
use plain::read_whole;
use plan::{Attempt, Topic, plan, worth_trying};
use relay::{NodeBody, Relay};
use reserve::{Barred, reserve};
use std::iter::once;
use std::rc::Rc;
use std::time::{Duration, Instant};
use steps::Steps;
use terms::Terms;
use translate::{Losses, Question, Told};
use upstream::{Failure, Order};
use way::Way;
use wire::{Call, Operation, Refusal};

/// Headers of an answer, about.
const HEADERS_OUT: usize = 12;

/// Answers a call.
///
/// # Errors
///
/// Whatever the caller must hear instead of an answer.
pub(crate) async fn answer(
    core: &Rc<Core>,
    terms: Rc<Terms>,
    inbound: Inbound,
) -> Result<Response<NodeBody>, Refusal> {
    let started = Instant::now();
    let now = core.now();
    let patience = Patience::read(&inbound.headers, started)?;
    let call = inbound.dialect.call(&inbound.asked(), &inbound.body)?;
    let view = core.view();
    let terms = core.still_valid(&view, terms)?;
    auth::admissible(&terms.key, now)?;
    let hints = hints::of_key(inbound.hints.clone(), &terms.key)?;
    let names = once(&call.model).chain(&call.fallbacks);
    let topic = Topic { operation: call.operation, face: inbound.dialect };
    let (plan, counts_itself) = match plan(core, &view, &terms, topic, names.clone()) {
        Err(refusal) if count::is_ours(&call, &refusal) => {
            let chat = Topic { operation: Operation::ChatCompletions, ..topic };
            (plan(core, &view, &terms, chat, names).map_err(|_| refusal)?, true)
        }
        planned => (planned?, false),
    };
    drop(view);
    let way = instances::way(core, &terms, &plan[0].candidate, &hints).await?;
    let served = Served { plan, way, steps: None };
    let served = with_steps(core, &terms, &hints, (&call, topic), served).await?;
    let downgraded = served.steps.as_ref().is_some_and(|steps| steps.downgrade.is_some());
    let guard = Guard::new(Open {
        core: Rc::clone(core),
        candidate: Rc::clone(&served.plan[0].candidate),
        way: served.way,
        hints,
        terms,
        patience,
        credential: 0,
        quote: Quote::default(),
        hold: None,
        places: Vec::new(),
        throttled: Vec::new(),
        downgraded_from: downgraded.then(|| terms::header(&call.model)),
        operation: call.operation,
        work: call.work,
        background: call.background,
        face: inbound.dialect,
        dropped: Losses::default(),
        request_id: inbound.request_id.clone(),
        receipt: core.receipt_id(now),
        at: now,
        charged: Vec::with_capacity(1),
        stream: call.stream,
        attempts: 0,
        status: 0,
        started,
        first_byte_us: 0,
        spent_before_nano_usd: 0,
    });
    let question = Question::new(&call, &inbound);
    if counts_itself {
        return count::estimated(guard, &served.plan[0], &question).await;
    }
    attempts(guard, &served.plan, served.steps, &question).await
}

/// Where a call is to be served, and what the first place is charged to.
struct Served {
    plan: Vec<Attempt>,
    way: Rc<Way>,
    /// What budgets near their limit ask for; `None` where they ask for nothing.
    steps: Option<Steps>,
}

/// Looks whether budgets are so near their limit that another model serves, or fewer requests go on.
async fn with_steps(
    core: &Rc<Core>,
    terms: &Rc<Terms>,
    hints: &api::inference::Hints,
    (call, topic): (&Call, Topic),
    mut served: Served,
) -> Result<Served, Refusal> {
    if !served.way.steps {
        return Ok(served);
    }
    let view = core.view();
    let mut steps = steps::reached(&view, &served.way);
    let other = steps.downgrade.take().filter(|model| *model != call.model);
    // One that this key cannot be served is passed over: the limit itself still holds.
    let other =
        other.and_then(|model| Some((plan(core, &view, terms, topic, once(&model)).ok()?, model)));
    drop(view);
    if let Some((plan, model)) = other {
        served.way = instances::way(core, terms, &plan[0].candidate, hints).await?;
        served.plan = plan;
        steps.downgrade = Some(model);
    }
    served.steps = Some(steps);
    Ok(served)
}

/// Makes one attempt after another until one brings an answer.
async fn attempts(
    mut guard: Guard,
    plan: &[Attempt],
    steps: Option<Steps>,
    question: &Question<'_>,
) -> Result<Response<NodeBody>, Refusal> {
    if let Some(steps) = steps {
        let open = guard.get();
        match steps.throttle(&open.core, policy::estimate(question.call), open.at).await {
            Ok(places) => guard.get().throttled = places,
            Err(refusal) => return refused(guard, refusal),
        }
    }
    let mut last: Option<(Failure, &Attempt)> = None;
    let mut barred: Option<Barred> = None;
    for attempt in plan {
        if let Some((failure, failed)) = &last
            && !worth_trying(failure, failed, attempt, guard.get().attempts).await
        {
            continue;
        }
        if barred.as_ref().is_some_and(|barred| barred.bars(guard.get(), attempt)) {
            continue;
        }
        let told = match question.told(attempt) {
            Ok(told) => told,
            Err(refusal) => {
                barred.get_or_insert(Barred::at(attempt, refusal));
                continue;
            }
        };
        if let Err(by) = reserve(&mut guard, attempt, &told.call).await {
            barred.get_or_insert(by);
            continue;
        }
        match ask(&mut guard, attempt, question, told).await {
            Ok(Asked::Whole(body, kind, bill)) => {
                attempt.worked();
                return whole(guard, body, kind, bill);
            }
            Ok(Asked::Stream(begun)) => {
                let open = guard.get();
                let within = open.patience.left(open.core.settings().stream_within);
                return stream(guard, *begun, within);
            }
            Err(failure) => {
                attempt.failed(failure.trouble);
                settle::give_up(guard.get(), failure.bill, failure.refusal.code);
                guard.sent = false;
                last = Some((failure, attempt));
            }
        }
    }
    match (last, barred) {
        // Once a provider was asked, its failure says more than a budget that got short.
        (Some((failure, _)), _) => failed(guard, failure),
        (None, Some(barred)) => refused(guard, barred.refusal),
        (None, None) => {
            unreachable!("a plan has at least one attempt, and the first is made or barred")
        }
    }
}

/// What an attempt brought.
#[expect(clippy::large_enum_variant, reason = "it is moved once, and a box costs more")]
enum Asked {
    /// A plain answer, read to its end, and what the provider calls it.
    Whole(Bytes, Option<HeaderValue>, Bill),
    /// A stream that has begun.
    Stream(Box<Begun>),
}

/// A stream that has begun: its head, what is coming, and what has come.
struct Begun {
    head: http::response::Parts,
    coming: Box<Coming>,
    ready: Vec<Bytes>,
}

/// Makes one attempt.
async fn ask(
    guard: &mut Guard,
    attempt: &Attempt,
    question: &Question<'_>,
    told: Told<'_>,
) -> Result<Asked, Failure> {
    let Question { call, inbound, .. } = question;
    let upstream = &attempt.candidate.upstream;
    let open = guard.get();
    open.attempts += 1;
    open.credential = attempt.credential;
    let wait = open.patience.attempt(call.stream);
    let body = question.body(told, attempt, open).map_err(Failure::unsaid)?;
    let model = attempt.candidate.model.as_str();
    let theirs = attempt.speech.dialect;
    let order = Order {
        method: Method::POST,
        uri: upstream.uri(attempt.speech, model, call.stream).map_err(Failure::unsaid)?,
        dialect: theirs,
        credential: attempt.credential,
        accept: question.accept(attempt),
        content_type: question.content_type(),
        body: &|| body.pieces(),
        request_id: inbound.own_id.clone(),
        caller: &inbound.headers,
        forwards: body.forwards(attempt),
        wait,
        within: None,
        once: false,
    };
    let (response, lent) = upstream.send(&order, &mut guard.sent).await?;
    let open = guard.get();
    open.first_byte_us = open::micros(open.started);
    open.status = response.status().as_u16();
    if !response.status().is_success() {
        let now_ms = open.core.now().0;
        let said = upstream.read_refusal(theirs, response, lent, (now_ms, wait)).await;
        return Err(said.map_or_else(|garbage| garbage, Failure::from));
    }
    let (mut head, incoming) = response.into_parts();
    if !question.passes(attempt) {
        let kind = if call.stream { call.framing.content_type() } else { "application/json" };
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if call.stream {
        let relay = question.relay(attempt, open, body.hide_usage);
        guard.coming = Some(Box::new(Coming { relay, body: incoming, lent }));
        return Ok(match opening::opening(guard, upstream, wait).await? {
            Opening::Going(coming, ready) => Asked::Stream(Box::new(Begun { head, coming, ready })),
            Opening::Over(body, bill) => {
                Asked::Whole(body, head.headers.get(CONTENT_TYPE).cloned(), bill)
            }
        });
    }
    let body = upstream.read_answer(incoming, wait).await?;
    lent.give_back();
    let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    let counted = theirs.usage_of_headers(&header);
    let (body, bill) =
        read_whole(guard, attempt, question, (body, counted)).map_err(|failure| *failure)?;
    Ok(Asked::Whole(body, head.headers.get(CONTENT_TYPE).cloned(), bill))
}

/// Settles a plain answer and hands it on.
fn whole(
    mut guard: Guard,
    body: Bytes,
    kind: Option<HeaderValue>,
    bill: Bill,
) -> Result<Response<NodeBody>, Refusal> {
    let open = guard.get();
    // Before the headers are written: what is left counts what was not used.
    settle::pay(open, bill, Ending::Answered.name());
    let cost = open.spent_before_nano_usd;
    let mut response = Response::new(NodeBody::Whole(Some(body)));
    response.headers_mut().reserve(HEADERS_OUT);
    headers::answer(open, Some(cost), response.headers_mut());
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    if !matches!(bill, Bill::Told(_)) {
        let told = HeaderValue::from_static("true");
        response.headers_mut().insert(headers::ESTIMATED, told);
    }
    *response.status_mut() = StatusCode::from_u16(open.status).unwrap_or(StatusCode::OK);
    guard.close(bill, Ending::Answered);
    Ok(response)
}

/// Hands a stream on; it is settled when it ends, or when its reader goes.
fn stream(mut guard: Guard, begun: Begun, within: Duration) -> Result<Response<NodeBody>, Refusal> {
    let Begun { head, coming, ready } = begun;
    let open = guard.get();
    let upstream = Rc::clone(&open.candidate.upstream);
    let mut out = http::HeaderMap::with_capacity(HEADERS_OUT);
    headers::answer(open, None, &mut out);
    headers::content_type(&head.headers, &mut out);
    let relay = Relay::new(upstream, coming, ready, guard, within);
    let mut response = Response::new(NodeBody::Stream(Box::new(relay)));
    *response.status_mut() = head.status;
    *response.headers_mut() = out;
    Ok(response)
}

/// No attempt brought an answer: the last failure is what the caller hears, with the receipt of all of them.
fn failed(mut guard: Guard, failure: Failure) -> Result<Response<NodeBody>, Refusal> {
    let ending = match failure.refusal.fault {
        wire::Fault::Caller => Ending::ProviderRefused,
        wire::Fault::Us | wire::Fault::Provider => Ending::ProviderFailed,
    };
    let open = guard.get();
    let Some(said) = failure.said else {
        open.status = failure.refusal.status;
        open.core.refused(&failure.refusal, &open.request_id);
        let rendered = api::refusal::render(open.face, &failure.refusal);
        let mut response = rendered.map(|body| NodeBody::Whole(Some(body)));
        headers::answer(open, Some(open.spent_before_nano_usd), response.headers_mut());
        guard.close(Bill::Void, ending);
        return Ok(response);
    };
    let (error, body) = *said;
    let (status, body) = (open.face.provider_answer)(&error, &body);
    open.status = status;
    let mut response = Response::new(NodeBody::Whole(Some(body)));
    headers::answer(open, Some(open.spent_before_nano_usd), response.headers_mut());
    api::refusal::error_header(open.face, status, response.headers_mut());
    api::refusal::retry_headers(failure.refusal.retry, response.headers_mut());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    guard.close(Bill::Void, ending);
    Ok(response)
}

/// Refused before anything was sent: costs nothing and burns nothing.
fn refused(guard: Guard, refusal: Refusal) -> Result<Response<NodeBody>, Refusal> {
    let mut open = guard.take();
    open.cancel_rates();
    Err(refusal)
}
