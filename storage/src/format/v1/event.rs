//! Mirrors of what operators are told. Inside bodies only: none is a frame of its own.

use super::{Mirror, SealedV1, mirror};
use crate::format::{FormatError, Kind};
use ledger::{Audit, Event, Happened, Webhook, Word};
use serde::{Deserialize, Serialize};

mirror! {
    /// [`ledger::Webhook`].
    WebhookV1 for Webhook {
        name: String,
        url: String,
        secret: SealedV1,
        allow_private_network: bool,
        enabled: bool,
        managed_by: String,
        changed_index: u64,
    }

    /// [`ledger::Event`].
    EventV1 for Event { id: u64, at: u64, waiting: Vec<String>, what: HappenedV1 }

    /// [`ledger::Audit`].
    AuditV1 for Audit {
        at: u64,
        actor: String,
        reason: String,
        operation: String,
        what: String,
    }

    /// [`ledger::Word`].
    WordV1 for Word { actor: String, reason: String, operation: String }
}

/// [`ledger::Happened`]: a code and what belongs to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HappenedV1 {
    /// 0 threshold reached (`threshold`).
    pub code: u16,
    /// With 0: which.
    pub threshold: Option<ThresholdV1>,
}

/// [`ledger::Happened::ThresholdReached`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the variant it mirrors")]
pub struct ThresholdV1 {
    pub budget: String,
    pub subject: String,
    pub window: u8,
    pub period: u64,
    pub percent: u8,
    pub limit: i64,
    pub spent: i64,
    pub ends_at: Option<u64>,
}

impl Mirror<HappenedV1> for Happened {
    fn out(&self) -> HappenedV1 {
        match self {
            Happened::ThresholdReached {
                budget,
                subject,
                window,
                period,
                percent,
                limit,
                spent,
                ends_at,
            } => {
                let threshold = ThresholdV1 {
                    budget: budget.clone(),
                    subject: subject.clone(),
                    window: *window,
                    period: *period,
                    percent: *percent,
                    limit: *limit,
                    spent: *spent,
                    ends_at: ends_at.out(),
                };
                HappenedV1 { code: 0, threshold: Some(threshold) }
            }
        }
    }

    fn back(wire: HappenedV1) -> Result<Self, FormatError> {
        match (wire.code, wire.threshold) {
            (0, Some(threshold)) => Ok(Happened::ThresholdReached {
                budget: threshold.budget,
                subject: threshold.subject,
                window: threshold.window,
                period: threshold.period,
                percent: threshold.percent,
                limit: threshold.limit,
                spent: threshold.spent,
                ends_at: Mirror::back(threshold.ends_at)?,
            }),
            (0, None) => Err(FormatError::Malformed {
                kind: Kind::SNAPSHOT_OUTBOX,
                reason: "threshold is absent".to_owned(),
            }),
            (code, _) => Err(FormatError::UnknownCode { what: "event", code }),
        }
    }
}
