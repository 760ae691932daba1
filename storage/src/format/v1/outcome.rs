//! Outcomes, as they travel back to a proposer on another node.

use super::{AccountIdV1, Mirror, mirror};
use crate::format::FormatError;
use ledger::{Denial, Grant, NodeId, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// An outcome: a code and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireOutcome {
    /// 0 done, 1 node allocated (`number`), 2 refilled (`grants`), 3 denied (`denial`).
    pub code: u16,
    /// With 1: the node.
    pub number: u64,
    /// With 2: the grants.
    pub grants: Vec<WireGrant>,
    /// With 3: why.
    pub denial: WireDenial,
}

/// A denial: a code and up to two texts and a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireDenial {
    /// 0 not found, 1 index mismatch, 2 managed by, 3 in use, 4 invalid, 5 taken, 6 revoked,
    /// 7 stale incarnation, 8 already initialised,
    /// 9 full.
    pub code: u16,
    /// Kind or field.
    pub what: String,
    /// Name or reason.
    pub text: String,
    /// Present index or incarnation.
    pub number: u64,
}

mirror! {
    /// [`ledger::Grant`].
    #[derive(Copy, Debug)]
    WireGrant for Grant {
        account: AccountIdV1,
        period: u64,
        granted_cum: i64,
        pool: i64,
        low: bool,
    }
}

impl From<&Outcome> for WireOutcome {
    fn from(outcome: &Outcome) -> Self {
        let mut wire = WireOutcome::default();
        match outcome {
            Outcome::Done => {}
            Outcome::NodeAllocated(node) => {
                wire.code = 1;
                wire.number = node.0;
            }
            Outcome::Refilled(grants) => {
                wire.code = 2;
                wire.grants = grants.out();
            }
            Outcome::Denied(denial) => {
                wire.code = 3;
                wire.denial = denial.into();
            }
        }
        wire
    }
}

impl TryFrom<WireOutcome> for Outcome {
    type Error = FormatError;

    fn try_from(wire: WireOutcome) -> Result<Self, FormatError> {
        match wire.code {
            0 => Ok(Outcome::Done),
            1 => Ok(Outcome::NodeAllocated(NodeId(wire.number))),
            2 => Ok(Outcome::Refilled(Mirror::back(wire.grants)?)),
            3 => Ok(Outcome::Denied(wire.denial.try_into()?)),
            code => Err(FormatError::UnknownCode { what: "outcome", code }),
        }
    }
}

impl From<&Denial> for WireDenial {
    fn from(denial: &Denial) -> Self {
        let of = |code, what: &str, text: &str, number| WireDenial {
            code,
            what: what.to_owned(),
            text: text.to_owned(),
            number,
        };
        match denial {
            Denial::NotFound(kind, name) => of(0, kind, name, 0),
            Denial::IndexMismatch { present } => of(1, "", "", *present),
            Denial::ManagedBy(owner) => of(2, "", owner, 0),
            Denial::InUse(by) => of(3, "", by, 0),
            Denial::Invalid(field, reason) => of(4, field, reason, 0),
            Denial::Taken(kind, name) => of(5, kind, name, 0),
            Denial::Revoked => of(6, "", "", 0),
            Denial::StaleIncarnation { present } => of(7, "", "", *present),
            Denial::AlreadyInitialised(id) => of(8, "", id, 0),
            Denial::Full(what, whose) => of(9, what, whose, 0),
        }
    }
}

impl TryFrom<WireDenial> for Denial {
    type Error = FormatError;

    fn try_from(wire: WireDenial) -> Result<Self, FormatError> {
        let (text, present) = (wire.text, wire.number);
        match wire.code {
            0 => Ok(Denial::NotFound(word(&wire.what), text)),
            1 => Ok(Denial::IndexMismatch { present }),
            2 => Ok(Denial::ManagedBy(text)),
            3 => Ok(Denial::InUse(text)),
            4 => Ok(Denial::Invalid(word(&wire.what), text)),
            5 => Ok(Denial::Taken(word(&wire.what), text)),
            6 => Ok(Denial::Revoked),
            7 => Ok(Denial::StaleIncarnation { present }),
            8 => Ok(Denial::AlreadyInitialised(text)),
            9 => Ok(Denial::Full(word(&wire.what), text)),
            code => Err(FormatError::UnknownCode { what: "denial", code }),
        }
    }
}

/// Most different words kept from peers, and their longest, in bytes: what [`word`] can ever leak.
const WORDS_MAX: usize = 256;
const WORD_BYTES_MAX: usize = 64;

/// The ledger names fields by words of its source, so one that came over the wire must live as long.
/// Each is kept once; a peer that invents more than a ledger could ever name gets a general one.
fn word(text: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(text) {
        return known;
    }
    if words.len() >= WORDS_MAX || text.len() > WORD_BYTES_MAX {
        return "object";
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    words.insert(kept);
    kept
}
