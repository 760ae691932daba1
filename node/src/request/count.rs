//! Tokens counted here, where no provider of the model can be asked for them: an estimate.

use super::open::Guard;
use super::plan::Attempt;
use super::relay::NodeBody;
use super::reserve::reserve;
use super::translate::Question;
use super::{policy, refused, whole};
use api::refusal::Reason;
use bytes::Bytes;
use cost::Bill;
use http::Response;
use wire::{Call, Operation, Refusal, Usage};

/// Whether tokens are to be counted that no provider of the model can be asked to count.
pub(super) fn is_ours(call: &Call, refusal: &Refusal) -> bool {
    call.operation == Operation::CountTokens && refusal.code == Reason::OperationUnsupported.code()
}

/// About how many tokens a chat would have. Costs nothing, and obeys the limits of the place that would answer
/// the chat.
///
/// # Errors
///
/// A limit that is reached.
pub(super) async fn estimated(
    mut guard: Guard,
    attempt: &Attempt,
    question: &Question<'_>,
) -> Result<Response<NodeBody>, Refusal> {
    if let Err(barred) = reserve(&mut guard, attempt, question.call).await {
        return refused(guard, barred.refusal);
    }
    guard.get().status = 200;
    let tokens = policy::estimate(question.call).max(1);
    let format = question.inbound.dialect.beside.count;
    let body = format.map_or_else(Vec::new, |format| (format.write_answer)(tokens));
    whole(guard, Bytes::from(body), None, Bill::About(Usage::default()))
}
