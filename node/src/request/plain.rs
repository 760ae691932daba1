//! A plain answer: what it used, and whether it is one at all.

use super::open::Guard;
use super::plan::Attempt;
use super::policy;
use super::settle;
use super::translate::Question;
use super::upstream::Failure;
use bytes::Bytes;
use cost::{Bill, Ended};
use wire::relay::Reply;
use wire::{Call, Matter, Usage};

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
    let counted = counted.filter(|_| reply.fault.is_none());
    let reply = Reply { usage: reply.usage.or(counted), ..reply };
    let bill = settle::bill(guard.get(), Ended::Plain(&reply));
    let bill = if reply.usage.is_none() { read_only(bill, question.call) } else { bill };
    let Some(fault) = reply.fault else { return Ok((said, bill)) };
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    if !is_json {
        let say = format!("provider {}: {}", attempt.candidate.upstream.name, fault.message);
        return Err(Box::new(Failure::garbage(say, Bill::Whole)));
    }
    let mut failure = Failure::said(fault, body);
    failure.bill = bill;
    Err(Box::new(failure))
}

/// What only reads is bounded by what it was given, and nothing of it is unseen: where no hard budget needs a
/// bound, and the provider did not count, the average will do.
fn read_only(bill: Bill, call: &Call) -> Bill {
    match bill {
        Bill::About(_)
            if call.operation.matter() == Matter::Text && !call.operation.generates() =>
        {
            Bill::About(Usage { input_tokens: policy::estimate(call).max(1), ..Usage::default() })
        }
        Bill::Void | Bill::Told(_) | Bill::AtMost(_) | Bill::About(_) | Bill::Whole => bill,
    }
}
