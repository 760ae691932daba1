//! The one table: why a request is refused -> status, `type`, `code`, and whether to retry.
//!
//! Everything refused by the gateway itself is a row here; what a provider refused keeps the
//! provider's status and words. [`render`] turns a refusal into the answer the caller gets.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use wire::dialect::Dialect;
use wire::{Fault, Refusal, Retry};

/// `retry-after` in milliseconds, as the OpenAI SDKs read it.
pub const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
/// `false`: no retry can cure it. The OpenAI SDKs honour it.
pub const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Why the gateway refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No key was presented.
    KeyRequired,
    /// The key presented is unknown, or mistyped.
    KeyUnknown,
    /// The key is disabled, expired or revoked.
    KeyBlocked,
    /// The key may not use the provider.
    ProviderBlocked,
    /// The key may not use the model.
    ModelBlocked,
    /// No such model.
    ModelUnknown,
    /// The model has no price, and a money budget is on the path.
    ModelUnpriced,
    /// Requests per minute.
    RequestLimited,
    /// Tokens per minute.
    TokenLimited,
    /// Requests at once.
    ConcurrencyLimited,
    /// Does not fit now; requests in flight may free it.
    BudgetInFlight,
    /// Spent until it starts anew.
    BudgetExceeded,
    /// This request can never fit.
    RequestExceedsBudget,
    /// More budgets apply to the request than one may be charged to.
    TooManyBudgets,
    /// A budget per session, tag or user has as many of them as it may have.
    TooManyInstances,
    /// The cluster cannot say: no quorum and no allowance.
    ClusterUnavailable,
    /// A header that cannot be taken at its word.
    InvalidHeader,
    /// No such receipt, or one of another key.
    ReceiptUnknown,
    /// The node that keeps the receipt cannot be asked.
    ReceiptUnavailable,
    /// No such path.
    UnknownPath,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTimeout,
    /// The body is compressed.
    UnsupportedEncoding,
    /// The body broke off or is not well-formed HTTP.
    BodyBroken,
    /// A provider did not answer in time.
    UpstreamTimeout,
    /// No provider could be reached.
    UpstreamUnreachable,
    /// A provider answered with something that is no answer.
    UpstreamGarbage,
    /// A provider's credential is issued for a while, and there is none now.
    UpstreamCredential,
    /// No provider of the model can be asked for this.
    OperationUnsupported,
    /// Several providers could be meant, and none is named.
    ProviderUnsaid,
    /// The key may not use what providers keep for all who share a credential.
    FilesBlocked,
}

/// One row of the table.
struct Row(Fault, u16, &'static str, &'static str, Retry);

const INVALID: &str = "invalid_request_error";
const QUOTA: &str = "insufficient_quota";
const SERVER: &str = "server_error";

impl Reason {
    /// Every reason, in the order of the enum.
    pub const ALL: &'static [Self] = &[
        Self::KeyRequired,
        Self::KeyUnknown,
        Self::KeyBlocked,
        Self::ProviderBlocked,
        Self::ModelBlocked,
        Self::ModelUnknown,
        Self::ModelUnpriced,
        Self::RequestLimited,
        Self::TokenLimited,
        Self::ConcurrencyLimited,
        Self::BudgetInFlight,
        Self::BudgetExceeded,
        Self::RequestExceedsBudget,
        Self::TooManyBudgets,
        Self::TooManyInstances,
        Self::ClusterUnavailable,
        Self::InvalidHeader,
        Self::ReceiptUnknown,
        Self::ReceiptUnavailable,
        Self::UnknownPath,
        Self::MethodNotAllowed,
        Self::BodyTooLarge,
        Self::BodyTimeout,
        Self::UnsupportedEncoding,
        Self::BodyBroken,
        Self::UpstreamTimeout,
        Self::UpstreamUnreachable,
        Self::UpstreamGarbage,
        Self::UpstreamCredential,
        Self::OperationUnsupported,
        Self::ProviderUnsaid,
        Self::FilesBlocked,
    ];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Fault::{Caller, Provider, Us};
        use Retry::{AfterMs, Never, Soon};
        match self {
            Self::KeyRequired          => Row(Caller, 401, "authentication_error", "virtual_key_required", Never),
            Self::KeyUnknown           => Row(Caller, 401, "authentication_error", "virtual_key_unknown", Never),
            Self::KeyBlocked           => Row(Caller, 403, "permission_error", "virtual_key_blocked", Never),
            Self::ProviderBlocked      => Row(Caller, 403, "permission_error", "provider_blocked", Never),
            Self::ModelBlocked         => Row(Caller, 403, "permission_error", "model_blocked", Never),
            Self::ModelUnknown         => Row(Caller, 404, INVALID, "model_not_found", Never),
            Self::ModelUnpriced        => Row(Caller, 403, "permission_error", "model_unpriced", Never),
            Self::RequestLimited       => Row(Caller, 429, "rate_limit_error", "request_limited", AfterMs(1_000)),
            Self::TokenLimited         => Row(Caller, 429, "rate_limit_error", "token_limited", AfterMs(1_000)),
            Self::ConcurrencyLimited   => Row(Caller, 429, "rate_limit_error", "concurrency_limited", AfterMs(1_000)),
            Self::BudgetInFlight       => Row(Caller, 429, QUOTA, "budget_in_flight", AfterMs(1_000)),
            Self::BudgetExceeded       => Row(Caller, 402, QUOTA, "budget_exceeded", Never),
            Self::RequestExceedsBudget => Row(Caller, 402, QUOTA, "request_exceeds_budget", Never),
            Self::TooManyBudgets       => Row(Caller, 403, "permission_error", "too_many_budgets", Never),
            Self::TooManyInstances     => Row(Caller, 429, "rate_limit_error", "too_many_instances", AfterMs(60_000)),
            Self::ClusterUnavailable   => Row(Us, 503, SERVER, "cluster_unavailable", AfterMs(1_000)),
            Self::InvalidHeader        => Row(Caller, 400, INVALID, "invalid_headers", Never),
            Self::ReceiptUnknown       => Row(Caller, 404, INVALID, "receipt_not_found", Never),
            Self::ReceiptUnavailable   => Row(Us, 503, SERVER, "receipt_unavailable", AfterMs(1_000)),
            Self::UnknownPath          => Row(Caller, 404, INVALID, "unknown_url", Never),
            Self::MethodNotAllowed     => Row(Caller, 405, INVALID, "method_not_allowed", Never),
            Self::BodyTooLarge         => Row(Caller, 413, INVALID, "request_too_large", Never),
            Self::BodyTimeout          => Row(Caller, 408, INVALID, "request_timeout", Soon),
            Self::UnsupportedEncoding  => Row(Caller, 415, INVALID, "unsupported_content_encoding", Never),
            Self::BodyBroken           => Row(Caller, 400, INVALID, "invalid_body", Never),
            Self::UpstreamTimeout      => Row(Provider, 504, SERVER, "upstream_timeout", Soon),
            Self::UpstreamUnreachable  => Row(Provider, 502, SERVER, "upstream_unreachable", Soon),
            Self::UpstreamGarbage      => Row(Provider, 502, SERVER, "upstream_invalid_answer", Soon),
            Self::UpstreamCredential   => Row(Us, 503, SERVER, "upstream_credential_unavailable", Soon),
            Self::OperationUnsupported => Row(Caller, 400, INVALID, "unsupported_operation", Never),
            Self::ProviderUnsaid       => Row(Caller, 400, INVALID, "provider_required", Never),
            Self::FilesBlocked         => Row(Caller, 403, "permission_error", "files_blocked", Never),
        }
    }

    /// The `code` callers see; also the metric label.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().3
    }

    /// The refusal, with what the caller reads.
    #[must_use]
    pub fn refuse(self, say: impl Into<String>) -> Refusal {
        let Row(fault, status, kind, code, retry) = self.row();
        Refusal { fault, status, kind, code, param: None, retry, say: say.into(), note: None }
    }

    /// The refusal, with the time after which a retry may succeed.
    #[must_use]
    pub fn refuse_for(self, retry_after_ms: u64, say: impl Into<String>) -> Refusal {
        Refusal { retry: Retry::AfterMs(retry_after_ms), ..self.refuse(say) }
    }
}

/// The answer a refused caller gets, in its dialect.
#[must_use]
pub fn render(face: &Dialect, refusal: &Refusal) -> Response<Bytes> {
    let mut response = Response::new((face.error_body)(refusal));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    error_header(face, refusal.status, headers);
    retry_headers(refusal.retry, headers);
    response
}

/// Says what went wrong, where a dialect has a header for it.
pub fn error_header(face: &Dialect, status: u16, headers: &mut HeaderMap) {
    if let Some((name, kind)) = face.error_header(status) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(kind));
    }
}

/// Says in headers whether and when to retry.
pub fn retry_headers(retry: Retry, headers: &mut HeaderMap) {
    let (sit_out, after_ms) = match retry {
        Retry::Never => (false, None),
        Retry::Soon => (true, None),
        Retry::AfterMs(ms) => (true, Some(ms)),
        Retry::NotBeforeMs(ms) => (false, Some(ms)),
    };
    if !sit_out {
        headers.insert(X_SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if let Some(ms) = after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        headers.insert(RETRY_AFTER_MS, HeaderValue::from(ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use wire::dialect::openai_chat::DIALECT as OPENAI;

    #[test]
    fn every_reason_has_its_own_code() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
    }

    #[test]
    fn what_no_retry_cures_says_so_and_the_rest_says_when() {
        let never = render(&OPENAI, &Reason::BudgetExceeded.refuse("budget b has $0.00 left"));
        assert_eq!(never.status(), 402);
        assert_eq!(never.headers()[X_SHOULD_RETRY], "false");
        let later =
            render(&OPENAI, &Reason::RequestLimited.refuse_for(1_500, "60 requests a minute"));
        assert_eq!(later.status(), 429);
        assert_eq!(later.headers()[RETRY_AFTER], "2");
        assert_eq!(later.headers()[RETRY_AFTER_MS], "1500");
        assert!(!later.headers().contains_key(X_SHOULD_RETRY));
        let reset =
            Refusal { retry: Retry::NotBeforeMs(3_600_000), ..Reason::BudgetExceeded.refuse("") };
        let reset = render(&OPENAI, &reset);
        assert_eq!(reset.headers()[X_SHOULD_RETRY], "false");
        assert_eq!(reset.headers()[RETRY_AFTER], "3600");
    }

    #[test]
    fn the_body_has_all_four_fields() {
        let answer = render(&OPENAI, &Reason::KeyRequired.refuse("no key was presented"));
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"error": {"message": "no key was presented",
                "type": "authentication_error", "param": null, "code": "virtual_key_required"}})
        );
    }
}
