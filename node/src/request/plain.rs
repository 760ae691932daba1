//! A plain answer: what it used, and whether it is one at all.

use super::open::{Guard, Open};
use super::plan::Attempt;
use super::policy;
use super::settle::{self, Bill};
use super::translate::Question;
use super::upstream::Failure;
use bytes::Bytes;
use wire::relay::Reply;
use wire::{Call, Usage};

/// Reads what a plain answer used, `counted` by its headers where the body does not tell; the answer in the
/// caller's dialect, and what it is charged.
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
    let operation = question.call.operation;
    let (said, reply) = match question.answer(attempt, guard.get(), &body) {
        Ok(told) => told,
        Err(error) => {
            // What it used may be told even so.
            let reply = attempt.speech.dialect.reply_to(operation, &body);
            (body.clone(), Reply { fault: reply.fault.or(Some(error)), ..reply })
        }
    };
    let Some(fault) = reply.fault else {
        let bill = match reply.usage.or(counted) {
            Some(usage) => Bill::Told(usage),
            None => uncounted(guard.get(), question.call, reply.output_bytes),
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

/// What an answer is charged whose provider did not count. What only reads is bounded by what it was given, and
/// nothing of it is unseen: where no hard budget needs a bound, the average will do.
fn uncounted(open: &Open, call: &Call, output_bytes: u64) -> Bill {
    if open.way.hard || call.operation.generates() {
        return settle::counted(open, None, output_bytes);
    }
    Bill::About(Usage { input_tokens: policy::estimate(call).max(1), ..Usage::default() })
}
