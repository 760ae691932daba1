//! The life of a request, top to bottom.
//!
//! What is asked, who asks, may they, where could it go, is the money set aside, ask, settle. The first
//! four are pure functions of one view of the ledger, the call and one reading of the clock; money and
//! meaning meet nowhere else.

mod abandoned;
pub(crate) mod auth;
pub(crate) mod headers;
mod hints;
pub(crate) mod instances;
pub(crate) mod models;
pub(crate) mod open;
mod opening;
mod plan;
pub(crate) mod policy;
pub(crate) mod price;
pub(crate) mod quote;
pub(crate) mod relay;
mod reserve;
pub(crate) mod routing;
pub(crate) mod settle;
pub(crate) mod standing;
mod steps;
pub(crate) mod terms;
pub(crate) mod trail;
pub(crate) mod upstream;
pub(crate) mod way;

use crate::metrics::slots::Ending;
use crate::plane::core::Core;
use crate::plane::pieces::Pieces;
use api::inference::Inbound;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ledger::StreamUsage;
use open::{Coming, Guard, Open};
use opening::Opening;
use plan::{Attempt, plan, worth_trying};
use quote::Quote;
use relay::{NodeBody, Relay};
use reserve::{Barred, reserve};
use settle::Bill;
use std::iter::once;
use std::rc::Rc;
use std::time::{Duration, Instant};
use steps::Steps;
use terms::{Candidate, Terms};
use upstream::{Failure, Order};
use way::Way;
use wire::splice::{self, Edits, OutputCap};
use wire::{Asked as Heading, Call, Refusal};

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
    let call = wire::dialect::openai_chat::read(&Heading::of(inbound.operation), &inbound.body)?;
    let view = core.view();
    let terms = core.still_valid(&view, terms)?;
    auth::admissible(&terms.key, now)?;
    let hints = hints::of_key(inbound.hints.clone(), &terms.key)?;
    let names = once(&call.model).chain(&call.fallbacks);
    let plan = plan(core, &view, &terms, names)?;
    drop(view);
    let way = instances::way(core, &terms, &plan[0].candidate, &hints).await?;
    let served = with_steps(core, &terms, &hints, &call, Served { plan, way, steps: None }).await?;
    let downgraded = served.steps.as_ref().is_some_and(|steps| steps.downgrade.is_some());
    let guard = Guard::new(Open {
        core: Rc::clone(core),
        candidate: Rc::clone(&served.plan[0].candidate),
        way: served.way,
        hints,
        terms,
        quote: Quote::default(),
        hold: None,
        places: Vec::new(),
        throttled: Vec::new(),
        downgraded_from: downgraded.then(|| terms::header(&call.model)),
        operation: call.operation,
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
    attempts(guard, &served.plan, served.steps, &call, &inbound).await
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
    call: &Call,
    mut served: Served,
) -> Result<Served, Refusal> {
    if !served.way.steps {
        return Ok(served);
    }
    let view = core.view();
    let mut steps = steps::reached(&view, &served.way);
    let other = steps.downgrade.take().filter(|model| *model != call.model);
    // One that this key cannot be served is passed over: the limit itself still holds.
    let other = other.and_then(|model| Some((plan(core, &view, terms, once(&model)).ok()?, model)));
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
    call: &Call,
    inbound: &Inbound,
) -> Result<Response<NodeBody>, Refusal> {
    if let Some(steps) = steps {
        let open = guard.get();
        match steps.throttle(&open.core, policy::estimate(call), open.at).await {
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
        if let Err(by) = reserve(&mut guard, attempt, call).await {
            barred.get_or_insert(by);
            continue;
        }
        match ask(&mut guard, attempt, call, inbound).await {
            Ok(Asked::Whole(body, kind, bill)) => return whole(guard, body, kind, bill),
            Ok(Asked::Stream(begun)) => {
                let within = guard.get().core.settings().stream_within;
                return stream(guard, *begun, within);
            }
            Err(failure) => {
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
    call: &Call,
    inbound: &Inbound,
) -> Result<Asked, Failure> {
    let upstream = &attempt.candidate.upstream;
    let open = guard.get();
    open.attempts += 1;
    let edits = edits(&attempt.candidate, call, &open.quote);
    let order = Order {
        operation: call.operation,
        credential: attempt.credential,
        stream: call.stream,
        body: &|| Pieces::new(splice::apply(call, &edits, &inbound.body)),
        request_id: inbound.own_id.clone(),
        caller: &inbound.headers,
    };
    let (response, lent) = upstream.send(&order, &mut guard.sent).await?;
    let open = guard.get();
    open.first_byte_us = open::micros(open.started);
    open.status = response.status().as_u16();
    if !response.status().is_success() {
        let now_ms = open.core.now().0;
        return Err(upstream.read_refusal(response, lent, now_ms).await);
    }
    let (head, body) = response.into_parts();
    if call.stream {
        let options = wire::relay::StreamOptions {
            hide_usage: edits.hides_usage(call),
            answers: call.answers,
            framing: call.framing,
        };
        let relay = upstream.wire.stream(options);
        guard.coming = Some(Box::new(Coming { relay, body, lent }));
        return Ok(match opening::opening(guard, upstream).await? {
            Opening::Going(coming, ready) => Asked::Stream(Box::new(Begun { head, coming, ready })),
            Opening::Over(body, bill) => {
                Asked::Whole(body, head.headers.get(CONTENT_TYPE).cloned(), bill)
            }
        });
    }
    let body = upstream.read_answer(body).await?;
    lent.give_back();
    let bill = read_whole(guard, attempt, call, &body).map_err(|failure| *failure)?;
    Ok(Asked::Whole(body, head.headers.get(CONTENT_TYPE).cloned(), bill))
}

/// What must change in the caller's bytes for this place.
fn edits<'a>(candidate: &'a Candidate, call: &Call, quote: &Quote) -> Edits<'a> {
    let quirks = candidate.upstream.wire.quirks();
    let ask_usage = match candidate.upstream.stream_usage {
        StreamUsage::Ask => quirks.ask_usage,
        StreamUsage::Always | StreamUsage::Never => false,
    };
    Edits {
        model: Some(&candidate.model),
        ask_usage: ask_usage && call.operation.generates(),
        output_cap: quote.cap.map(|tokens| OutputCap { tokens, field: quirks.output_field }),
    }
}

/// Reads what a plain answer used, and whether it is one at all.
fn read_whole(
    guard: &mut Guard,
    attempt: &Attempt,
    call: &Call,
    body: &Bytes,
) -> Result<Bill, Box<Failure>> {
    let reply = attempt.candidate.upstream.wire.reply(call.operation, body);
    let Some(fault) = reply.fault else {
        return Ok(match reply.usage {
            Some(usage) => Bill::Told(usage),
            None => settle::counted(guard.get(), None, reply.output_bytes),
        });
    };
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if !is_json {
        let say = format!("provider {}: {}", attempt.candidate.upstream.name, fault.message);
        return Err(Box::new(Failure::garbage(say, Bill::Whole)));
    }
    let mut failure = Failure::said(fault, body.clone());
    failure.bill = reply.usage.map_or(Bill::Void, Bill::Told);
    Err(Box::new(failure))
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
    let Some((status, body)) = failure.said else {
        open.status = failure.refusal.status;
        open.core.refused(&failure.refusal, &open.request_id);
        let rendered = api::refusal::render(&failure.refusal);
        let mut response = rendered.map(|body| NodeBody::Whole(Some(body)));
        headers::answer(open, Some(open.spent_before_nano_usd), response.headers_mut());
        guard.close(Bill::Void, ending);
        return Ok(response);
    };
    open.status = status;
    let mut response = Response::new(NodeBody::Whole(Some(body)));
    headers::answer(open, Some(open.spent_before_nano_usd), response.headers_mut());
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
