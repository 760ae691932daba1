//! An attempt that came to nothing, and what that means for the next.

use super::doors::Trouble;
use crate::plane::pool::Broken;
use api::refusal::Reason;
use bytes::Bytes;
use cost::Bill;
use wire::{ProviderError, Refusal};

/// An attempt that came to nothing.
pub(crate) struct Failure {
    pub(crate) refusal: Refusal,
    /// What the provider said, which the caller gets instead of a refusal of ours.
    pub(crate) said: Option<Box<(ProviderError, Bytes)>>,
    pub(crate) bill: Bill,
    /// Another attempt may succeed.
    pub(crate) elsewhere: bool,
    /// Another attempt with the same credential may.
    pub(crate) again: bool,
    /// What it says of the place that was asked.
    pub(crate) trouble: Trouble,
}

impl Failure {
    pub(super) fn new(refusal: Refusal, bill: Bill) -> Self {
        let again = bill == Bill::Void;
        Self { refusal, said: None, bill, elsewhere: true, again, trouble: Trouble::Failed }
    }

    /// An attempt that took too long for the caller, whoever is to blame.
    pub(crate) fn impatient(refusal: Refusal, bill: Bill, elsewhere: bool) -> Self {
        Self { elsewhere, trouble: Trouble::Unknown, ..Self::new(refusal, bill) }
    }

    /// A provider's own refusal: not billed.
    pub(crate) fn said(error: ProviderError, body: Bytes) -> Self {
        let credential = error.is_credential_refused();
        let refusal = error.refusal();
        let (elsewhere, again) =
            (error.retryable || credential, error.retryable && error.status != 429);
        let trouble = match (error.status, error.retry_after_ms) {
            _ if credential => Trouble::Busy(None),
            (429, asked_ms) => Trouble::Busy(asked_ms),
            (_, Some(asked_ms)) => Trouble::Busy(Some(asked_ms)),
            (500.., None) => Trouble::Failed,
            (_, None) => Trouble::None,
        };
        let said = (!credential).then(|| Box::new((error, body)));
        Self { refusal, said, bill: Bill::Void, elsewhere, again, trouble }
    }

    /// What this place cannot be asked; another may.
    pub(crate) fn unsaid(refusal: Refusal) -> Self {
        Self { again: false, trouble: Trouble::Unknown, ..Self::new(refusal, Bill::Void) }
    }

    /// An answer that is none, and that may have been billed.
    pub(crate) fn garbage(say: String, bill: Bill) -> Self {
        Self::new(Reason::UpstreamGarbage.refuse(say), bill)
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Unreached(error) => {
                let refusal = Reason::UpstreamUnreachable
                    .refuse("the provider cannot be reached")
                    .with_note(error.to_string());
                Self::new(refusal, Bill::Void)
            }
            Broken::Unsent => {
                let say = "the connection to the provider closed before the request went out";
                Self::new(Reason::UpstreamUnreachable.refuse(say), Bill::Void)
            }
            Broken::Lost(error) => {
                let refusal = Reason::UpstreamUnreachable
                    .refuse("the connection to the provider broke before it answered")
                    .with_note(error.to_string());
                Self::new(refusal, Bill::Whole)
            }
            Broken::Garbage(error) => {
                let refusal = Reason::UpstreamGarbage
                    .refuse("the provider answered with something that is not HTTP")
                    .with_note(error.to_string());
                Self::new(refusal, Bill::Whole)
            }
        }
    }
}

/// What a provider said in the place of an answer, and the body it stood in.
pub(crate) struct Said(pub(super) ProviderError, pub(super) Bytes);

impl From<Said> for Failure {
    fn from(Said(error, body): Said) -> Self {
        Self::said(error, body)
    }
}
