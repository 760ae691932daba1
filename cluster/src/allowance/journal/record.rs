//! What is written down: one frame for each record, its checksum in the header.
//!
//! Bodies are frozen as all others that outlive a process.

use crate::allowance::Charge;
use ledger::{AccountId, Unit, UsageKey, UsageSums};
use serde::{Deserialize, Serialize};
use storage::format::{self, Body, FormatError, Frame, Kind};

macro_rules! body {
    ($name:ident = $offset:literal) => {
        impl Body for $name {
            const KIND: Kind = Kind(Kind::CLUSTER_FIRST.0 + 0x20 + $offset);
            const SCHEMA: u16 = 1;
        }
    };
}

/// First record of each file: whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadV1 {
    /// The cluster.
    pub(super) cluster_id: String,
    /// The node's Raft id.
    pub(super) node: u64,
    /// The life that spends by it.
    pub(super) incarnation: u64,
    /// Number of the file, from 1. A sum has that of the last file it stands for.
    pub(super) segment: u32,
    /// What the file stood on; see [`super::ground`].
    pub(super) ground: String,
    /// Inode of the file: a copy has another.
    pub(super) inode: u64,
}
body!(HeadV1 = 0);

/// What a path number stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PathV1 {
    pub(super) path: u32,
    pub(super) purses: Vec<PurseV1>,
    pub(super) row: RowV1,
}
body!(PathV1 = 1);

/// One purse of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PurseV1 {
    pub(super) budget: u64,
    pub(super) window: u8,
    pub(super) period: u64,
    /// 0 nano-USD, 1 tokens, 2 requests.
    pub(super) unit: u16,
}

/// What a row of usage counts together; its day is zero in a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RowV1 {
    pub(super) day: u32,
    pub(super) key: String,
    pub(super) customer: String,
    pub(super) team: String,
    pub(super) user: String,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) tags: Vec<String>,
    pub(super) budgets: Vec<u64>,
}

/// Sums of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SumsV1 {
    pub(super) requests: u64,
    pub(super) input_tokens: u64,
    pub(super) cache_read_tokens: u64,
    pub(super) cache_write_tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) reasoning_tokens: u64,
    pub(super) cost_nano_usd: i64,
}

/// No hold will name this path any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PathGoneV1 {
    pub(super) path: u32,
}
body!(PathGoneV1 = 2);

/// Set aside; on disk, or in the system's hands, before the request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HoldV1 {
    /// Number of the hold, from 1, rising.
    pub(super) hold: u64,
    pub(super) path: u32,
    /// Days since 1970, UTC.
    pub(super) day: u32,
    pub(super) charge: ChargeV1,
}
body!(HoldV1 = 3);

/// A charge, in all units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChargeV1 {
    pub(super) nano_usd: i64,
    pub(super) tokens: i64,
    pub(super) requests: i64,
}

/// A hold has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SettleV1 {
    pub(super) hold: u64,
    /// What it cost.
    pub(super) charge: ChargeV1,
    /// The batch that its usage is in; zero: it has none.
    pub(super) batch: u64,
    pub(super) usage: SumsV1,
}
body!(SettleV1 = 4);

/// From here on so much may be spent and held in all; synced before it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenV1 {
    pub(super) lines: Vec<AmountV1>,
}
body!(OpenV1 = 5);

/// Spent by holds that have ended, of which nothing else is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SpentV1 {
    pub(super) lines: Vec<AmountV1>,
}
body!(SpentV1 = 6);

/// An amount of one account and period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AmountV1 {
    pub(super) budget: u64,
    pub(super) window: u8,
    pub(super) period: u64,
    pub(super) amount: i64,
}

/// Used by holds that have ended, of which nothing else is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UsedV1 {
    pub(super) batch: u64,
    pub(super) key: RowV1,
    pub(super) sums: SumsV1,
}
body!(UsedV1 = 7);

/// Last record of a sum: one without it is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SumEndV1 {
    /// Records before it, the head included.
    pub(super) records: u64,
}
body!(SumEndV1 = 8);

/// Beyond what was opened so much may be spent and held in all, from here on; synced before it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BeyondV1 {
    pub(super) lines: Vec<AmountV1>,
}
body!(BeyondV1 = 9);

/// Any record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Head(HeadV1),
    Path(PathV1),
    PathGone(PathGoneV1),
    Hold(HoldV1),
    Settle(SettleV1),
    Open(OpenV1),
    Spent(SpentV1),
    Used(UsedV1),
    SumEnd(SumEndV1),
    Beyond(BeyondV1),
}

impl Record {
    /// Reads the body of a frame.
    pub(super) fn read(frame: &Frame<'_>) -> Result<Record, FormatError> {
        Ok(match frame.kind {
            HeadV1::KIND => Record::Head(format::open(frame)?),
            PathV1::KIND => Record::Path(format::open(frame)?),
            PathGoneV1::KIND => Record::PathGone(format::open(frame)?),
            HoldV1::KIND => Record::Hold(format::open(frame)?),
            SettleV1::KIND => Record::Settle(format::open(frame)?),
            OpenV1::KIND => Record::Open(format::open(frame)?),
            SpentV1::KIND => Record::Spent(format::open(frame)?),
            UsedV1::KIND => Record::Used(format::open(frame)?),
            SumEndV1::KIND => Record::SumEnd(format::open(frame)?),
            BeyondV1::KIND => Record::Beyond(format::open(frame)?),
            kind => return Err(FormatError::TooNew { kind, schema: frame.schema }),
        })
    }
}

/// A record as it is written. None comes near the size of a frame: names are bounded.
pub(super) fn bytes<B: Body>(body: &B) -> Vec<u8> {
    format::encode(body).expect("records are far smaller than a frame may be")
}

impl PurseV1 {
    pub(super) fn of(account: AccountId, period: u64, unit: Unit) -> PurseV1 {
        let unit = match unit {
            Unit::NanoUsd => 0,
            Unit::Tokens => 1,
            Unit::Requests => 2,
        };
        PurseV1 { budget: account.budget, window: account.window, period, unit }
    }

    pub(super) fn account(&self) -> AccountId {
        AccountId { budget: self.budget, window: self.window }
    }

    /// What a charge comes to in its unit; `None` of a unit this program does not know.
    pub(super) fn amount(&self, charge: &Charge) -> Option<i64> {
        let unit = match self.unit {
            0 => Unit::NanoUsd,
            1 => Unit::Tokens,
            2 => Unit::Requests,
            _later => return None,
        };
        Some(charge.of(unit))
    }
}

impl AmountV1 {
    pub(super) fn of((account, period): (AccountId, u64), amount: i64) -> AmountV1 {
        AmountV1 { budget: account.budget, window: account.window, period, amount }
    }

    pub(super) fn key(&self) -> (AccountId, u64) {
        (AccountId { budget: self.budget, window: self.window }, self.period)
    }
}

impl From<&Charge> for ChargeV1 {
    fn from(charge: &Charge) -> ChargeV1 {
        let Charge { nano_usd, tokens, requests } = *charge;
        ChargeV1 { nano_usd, tokens, requests }
    }
}

impl From<ChargeV1> for Charge {
    fn from(charge: ChargeV1) -> Charge {
        let ChargeV1 { nano_usd, tokens, requests } = charge;
        Charge { nano_usd, tokens, requests }
    }
}

impl From<&UsageKey> for RowV1 {
    fn from(key: &UsageKey) -> RowV1 {
        let UsageKey { day, key, customer, team, user, provider, model, tags, budgets } =
            key.clone();
        RowV1 { day, key, customer, team, user, provider, model, tags, budgets }
    }
}

impl From<RowV1> for UsageKey {
    fn from(row: RowV1) -> UsageKey {
        let RowV1 { day, key, customer, team, user, provider, model, tags, budgets } = row;
        UsageKey { day, key, customer, team, user, provider, model, tags, budgets }
    }
}

impl From<&UsageSums> for SumsV1 {
    fn from(sums: &UsageSums) -> SumsV1 {
        SumsV1 {
            requests: sums.requests,
            input_tokens: sums.input_tokens,
            cache_read_tokens: sums.cache_read_tokens,
            cache_write_tokens: sums.cache_write_tokens,
            output_tokens: sums.output_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            cost_nano_usd: sums.cost_nano_usd,
        }
    }
}

impl From<SumsV1> for UsageSums {
    fn from(sums: SumsV1) -> UsageSums {
        UsageSums {
            requests: sums.requests,
            input_tokens: sums.input_tokens,
            cache_read_tokens: sums.cache_read_tokens,
            cache_write_tokens: sums.cache_write_tokens,
            output_tokens: sums.output_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            cost_nano_usd: sums.cost_nano_usd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> RowV1 {
        RowV1 {
            day: 20_777,
            key: "k".to_owned(),
            team: "t".to_owned(),
            tags: vec!["a".to_owned()],
            budgets: vec![7],
            ..RowV1::default()
        }
    }

    fn samples() -> Vec<(Vec<u8>, Record)> {
        let charge = ChargeV1 { nano_usd: 1_000_000, tokens: 300, requests: 1 };
        let sums =
            SumsV1 { requests: 1, output_tokens: 20, cost_nano_usd: 900, ..SumsV1::default() };
        let lines = vec![AmountV1 { budget: 7, window: 1, period: 3, amount: -5 }];
        let purse = PurseV1 { budget: 7, window: 1, period: 3, unit: 2 };
        let head = HeadV1 {
            cluster_id: "c".to_owned(),
            node: 1 << 62,
            incarnation: 4,
            segment: 2,
            ground: "g".to_owned(),
            inode: 99,
        };
        let path = PathV1 { path: 1, purses: vec![purse], row: row() };
        let hold = HoldV1 { hold: 5, path: 1, day: 20_777, charge };
        let settle = SettleV1 { hold: 5, charge, batch: 2, usage: sums };
        let used = UsedV1 { batch: 2, key: row(), sums };
        vec![
            (bytes(&head), Record::Head(head)),
            (bytes(&path), Record::Path(path)),
            (bytes(&PathGoneV1 { path: 1 }), Record::PathGone(PathGoneV1 { path: 1 })),
            (bytes(&hold), Record::Hold(hold)),
            (bytes(&settle), Record::Settle(settle)),
            (
                bytes(&OpenV1 { lines: lines.clone() }),
                Record::Open(OpenV1 { lines: lines.clone() }),
            ),
            (
                bytes(&SpentV1 { lines: lines.clone() }),
                Record::Spent(SpentV1 { lines: lines.clone() }),
            ),
            (bytes(&used), Record::Used(used)),
            (bytes(&SumEndV1 { records: 9 }), Record::SumEnd(SumEndV1 { records: 9 })),
            (bytes(&BeyondV1 { lines: lines.clone() }), Record::Beyond(BeyondV1 { lines })),
        ]
    }

    #[test]
    fn records_come_out_as_they_went_in_and_their_bytes_stay_as_they_are() {
        let golden: Vec<&str> = include_str!("records.hex").lines().collect();
        let mut found = Vec::new();
        for (bytes, record) in samples() {
            let (frame, rest) = format::split(&bytes).unwrap();
            assert!(rest.is_empty());
            assert_eq!(Record::read(&frame).unwrap(), record);
            found.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        assert_eq!(found, golden, "{}", found.join("\n"));
    }
}
