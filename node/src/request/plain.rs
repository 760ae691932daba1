//! A plain answer: what it used, and whether it is one at all.

use super::open::Guard;
use super::plan::Attempt;
use super::settle::{self, Bill};
use super::translate::Question;
use super::upstream::Failure;
use bytes::Bytes;
use wire::Usage;
use wire::relay::Reply;
use wire::splice::Calls;

/// Reads what a plain answer used, `counted` by its headers where the body does not tell; the answer in the caller's dialect, and what it is charged.
///
/// # Errors
///
/// What is no answer: the provider's refusal under a good status, or no JSON at all.
pub(super) fn read_whole(
    guard: &mut Guard,
    attempt: &Attempt,
    question: &Question<'_>,
    (body, counted): (Bytes, Option<Usage>),
) -> Result<(Bytes, Bill), Box<Failure>> {
    let (theirs, ours) = (attempt.speech.dialect, question.inbound.dialect);
    let (said, reply) = if question.passes(attempt) {
        let said = if attempt.has_bare_calls() { Calls::answer(&body) } else { body.clone() };
        (said, (theirs.reply)(question.call.operation, &body))
    } else {
        let identity = question.identity(guard.get());
        match wire::relay::answer(theirs, ours, &identity, &body) {
            Ok(told) => told,
            Err(error) => {
                // What it used may be told even so.
                let reply = (theirs.reply)(question.call.operation, &body);
                (body.clone(), Reply { fault: reply.fault.or(Some(error)), ..reply })
            }
        }
    };
    let Some(fault) = reply.fault else {
        let bill = match reply.usage.or(counted) {
            Some(usage) => Bill::Told(usage),
            None => settle::counted(guard.get(), None, reply.output_bytes),
        };
        return Ok((said, bill));
    };
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    if !is_json {
        let say = format!("provider {}: {}", attempt.candidate.upstream.name, fault.message);
        return Err(Box::new(Failure::garbage(say, Bill::Whole)));
    }
    let mut failure = Failure::said(fault, body);
    failure.bill = reply.usage.map_or(Bill::Void, Bill::Told);
    Err(Box::new(failure))
}
