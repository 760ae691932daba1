//! The life of a request, top to bottom.
//!
//! What is asked, who asks, may they, where could it go, is the money set aside, ask, settle. The first
//! four are pure functions of one view of the ledger, the call and one reading of the clock; money and
//! meaning meet nowhere else.

pub(crate) mod auth;
pub(crate) mod headers;
pub(crate) mod models;
pub(crate) mod open;
mod opening;
pub(crate) mod policy;
pub(crate) mod price;
pub(crate) mod quote;
pub(crate) mod relay;
pub(crate) mod routing;
pub(crate) mod settle;
pub(crate) mod terms;
pub(crate) mod trail;
pub(crate) mod upstream;

use crate::metrics::slots::Ending;
use crate::plane::core::Core;
use crate::plane::pieces::Pieces;
use api::inference::Inbound;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use ledger::{Ledger, StreamUsage, UnixMillis};
use open::{Coming, Guard, Open};
use opening::Opening;
use quote::Quote;
use relay::{NodeBody, Relay};
use settle::Bill;
use std::rc::Rc;
use std::time::{Duration, Instant};
use terms::{Candidate, Terms};
use upstream::{Failure, Order};
use wire::splice::{self, Edits, OutputCap};
use wire::{Call, Refusal};

/// Most attempts of one request, over all places.
const ATTEMPTS_MAX: usize = 8;
/// Wait before the same place is asked again with the same credential; grows with each attempt.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Headers of an answer, about.
const HEADERS_OUT: usize = 12;

/// One place to ask, with one credential.
struct Attempt {
    candidate: Rc<Candidate>,
    credential: usize,
}

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
    let call = wire::dialect::openai_chat::read(inbound.operation, &inbound.body)?;
    let view = core.view();
    let terms = core.still_valid(&view, terms)?;
    auth::admissible(&terms.key, now)?;
    let plan = plan(core, &view, &terms, &call)?;
    let begun = policy::begin(core, &terms, &call, now).await?;
    let mut guard = Guard::new(Open {
        core: Rc::clone(core),
        candidate: Rc::clone(&plan[0].candidate),
        terms,
        quote: Quote::default(),
        hold: None,
        begun,
        operation: call.operation,
        request_id: inbound.request_id.clone(),
        stream: call.stream,
        attempts: 0,
        status: 0,
        started,
        first_byte_us: 0,
        spent_before_nano_usd: 0,
    });
    let mut last: Option<(Failure, &Attempt)> = None;
    for attempt in &plan {
        if let Some((failure, failed)) = &last
            && !worth_trying(failure, failed, attempt, guard.get().attempts).await
        {
            continue;
        }
        if let Err(refusal) = reserve(&mut guard, attempt, &call, now).await {
            // Once a provider was asked, its failure says more than a budget that got short.
            return match last {
                Some((failure, _)) => failed(guard, failure),
                None => refused(guard, refusal),
            };
        }
        match ask(&mut guard, attempt, &call, &inbound).await {
            Ok(Asked::Whole(body, kind, bill)) => return whole(guard, body, kind, bill),
            Ok(Asked::Stream(begun)) => {
                return stream(guard, *begun, core.settings().stream_within);
            }
            Err(failure) => {
                settle::give_up(guard.get(), failure.bill);
                guard.sent = false;
                last = Some((failure, attempt));
            }
        }
    }
    let (failure, _) = last.expect("a plan has at least one attempt, and the first is always made");
    failed(guard, failure)
}

/// The attempts to make, in order: for each place its attempts, each with a credential; then the same
/// for each of the caller's fallbacks.
fn plan(
    core: &Core,
    view: &Ledger,
    terms: &Rc<Terms>,
    call: &Call,
) -> Result<Vec<Attempt>, Refusal> {
    let mut plan = Vec::with_capacity(ATTEMPTS_MAX);
    let mut refusal = None;
    let names = std::iter::once(&call.model).chain(&call.fallbacks);
    // Each name that can be served makes an attempt at least.
    for name in names.take(ATTEMPTS_MAX) {
        let route = match core.route(view, terms, name) {
            Ok(route) => route,
            Err(first) => {
                refusal.get_or_insert(first);
                continue;
            }
        };
        for at in routing::order(&route.weights, core.draw()).iter() {
            let candidate = &route.candidates[at];
            if candidate.unpriced && terms.money {
                refusal.get_or_insert_with(|| policy::unpriced(candidate));
                continue;
            }
            let upstream = &candidate.upstream;
            let credentials = routing::order(&upstream.weights, core.draw());
            let attempts = credentials.iter().cycle().take(upstream.attempts_max as usize);
            plan.extend(
                attempts.map(|credential| Attempt { candidate: Rc::clone(candidate), credential }),
            );
        }
    }
    plan.truncate(ATTEMPTS_MAX);
    if plan.is_empty() {
        return Err(refusal.unwrap_or_else(|| policy::nowhere(&call.model)));
    }
    Ok(plan)
}

/// Whether the next attempt may succeed where the last one failed; waits a little before it knocks on
/// the same door.
async fn worth_trying(failure: &Failure, failed: &Attempt, next: &Attempt, made: u32) -> bool {
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

/// Sets the money of an attempt aside.
async fn reserve(
    guard: &mut Guard,
    attempt: &Attempt,
    call: &Call,
    now: UnixMillis,
) -> Result<(), Refusal> {
    let open = guard.get();
    open.candidate = Rc::clone(&attempt.candidate);
    let terms = Rc::clone(&open.terms);
    let model = &attempt.candidate.terms;
    let rooms = settle::rooms(&terms.path, &terms.accounts);
    let status = open.core.settings().exceeded_status;
    let quotes =
        quote::quote(call, model, rooms).map_err(|refusal| Refusal { status, ..refusal })?;
    let allowances = open.core.allowances();
    match settle::reserve(allowances, &terms.path, quotes, model, now).await {
        Ok((quote, hold)) => {
            open.quote = quote;
            open.hold = Some(hold);
            Ok(())
        }
        Err(short) => Err(settle::refusal(&short, &terms.accounts, status, now)),
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
        let options = wire::dialect::openai_chat::StreamOptions {
            hide_usage: edits.hides_usage(call),
            answers: call.answers,
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
        let quote = &guard.get().quote;
        return Ok(match reply.usage {
            Some(usage) => Bill::Told(usage),
            None => settle::counted(quote, None, reply.output_bytes),
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
    settle::pay(open, bill);
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

/// No attempt brought an answer: the last failure is what the caller hears.
fn failed(mut guard: Guard, failure: Failure) -> Result<Response<NodeBody>, Refusal> {
    let ending = match failure.refusal.fault {
        wire::Fault::Caller => Ending::ProviderRefused,
        wire::Fault::Us | wire::Fault::Provider => Ending::ProviderFailed,
    };
    let open = guard.get();
    let Some((status, body)) = failure.said else {
        open.status = failure.refusal.status;
        guard.close(Bill::Void, ending);
        return Err(failure.refusal);
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
    if let Some(begun) = open.begun.take() {
        begun.cancel();
    }
    Err(refusal)
}
