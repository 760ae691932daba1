//! Mirrors of accounts, their periods and lanes, and of instances. Inside bodies only: none is a frame
//! of its own.

use super::mirror::pair;
use super::{Mirror, WindowV1, mirror};
use crate::format::FormatError;
use ledger::{Account, Increase, Instance, Lane, NodeId, Period};
use serde::{Deserialize, Serialize};

mirror! {
    /// [`ledger::Increase`].
    #[derive(Copy)]
    IncreaseV1 for Increase { id: u64, amount: i64, until: u64 }

    /// [`ledger::Instance`].
    #[derive(Copy)]
    InstanceV1 for Instance { handle: u64, opened_at: u64, closes_at: Option<u64> }

    /// [`ledger::Lane`].
    #[derive(Copy)]
    LaneV1 for Lane { granted: i64, reported: i64, returned: i64, debt: i64, written_off: i64 }
}

/// [`ledger::Account`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct AccountV1 {
    pub budget: String,
    pub subject: String,
    pub window: WindowV1,
    pub created_at: u64,
    pub base_limit: i64,
    pub increases: Vec<IncreaseV1>,
    pub ring_from: u64,
    pub unit: u16,
    pub period: u64,
    pub deleted_at: Option<u64>,
    pub closed_spend: i64,
    /// By number, rising.
    pub periods: Vec<(u64, PeriodV1)>,
}

/// [`ledger::Period`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct PeriodV1 {
    pub starts_at: u64,
    pub ends_at: Option<u64>,
    pub limit: i64,
    pub ceiling: i64,
    pub closed_spend: i64,
    /// By node and incarnation, rising.
    pub lanes: Vec<((u64, u64), LaneV1)>,
    pub granted: i64,
    pub reported: i64,
    pub returned: i64,
    pub debt: i64,
    pub written_off: i64,
    pub moved: i64,
    pub fired: u8,
}

impl Mirror<AccountV1> for Account {
    fn out(&self) -> AccountV1 {
        AccountV1 {
            budget: self.budget.clone(),
            subject: self.subject.clone(),
            window: self.window.out(),
            created_at: self.created_at.out(),
            base_limit: self.base_limit,
            increases: self.increases.out(),
            ring_from: self.ring_from,
            unit: self.unit.out(),
            period: self.period,
            deleted_at: self.deleted_at.out(),
            closed_spend: self.closed_spend,
            periods: self.periods.iter().map(pair).collect(),
        }
    }

    fn back(wire: AccountV1) -> Result<Self, FormatError> {
        let periods = wire.periods.into_iter().map(<(u64, Period)>::back);
        Ok(Account {
            budget: wire.budget,
            subject: wire.subject,
            window: Mirror::back(wire.window)?,
            created_at: Mirror::back(wire.created_at)?,
            base_limit: wire.base_limit,
            increases: Mirror::back(wire.increases)?,
            ring_from: wire.ring_from,
            unit: Mirror::back(wire.unit)?,
            period: wire.period,
            deleted_at: Mirror::back(wire.deleted_at)?,
            closed_spend: wire.closed_spend,
            periods: periods.collect::<Result<_, _>>()?,
        })
    }
}

impl Mirror<PeriodV1> for Period {
    fn out(&self) -> PeriodV1 {
        PeriodV1 {
            starts_at: self.starts_at.out(),
            ends_at: self.ends_at.out(),
            limit: self.limit,
            ceiling: self.ceiling,
            closed_spend: self.closed_spend,
            lanes: self.lanes.iter().map(pair).collect(),
            granted: self.granted,
            reported: self.reported,
            returned: self.returned,
            debt: self.debt,
            written_off: self.written_off,
            moved: self.moved,
            fired: self.fired,
        }
    }

    fn back(wire: PeriodV1) -> Result<Self, FormatError> {
        let lanes = wire.lanes.into_iter().map(<((NodeId, u64), Lane)>::back);
        Ok(Period {
            starts_at: Mirror::back(wire.starts_at)?,
            ends_at: Mirror::back(wire.ends_at)?,
            limit: wire.limit,
            ceiling: wire.ceiling,
            closed_spend: wire.closed_spend,
            lanes: lanes.collect::<Result<_, _>>()?,
            granted: wire.granted,
            reported: wire.reported,
            returned: wire.returned,
            debt: wire.debt,
            written_off: wire.written_off,
            moved: wire.moved,
            fired: wire.fired,
        })
    }
}
