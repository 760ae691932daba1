//! The scan at start: every record of the log read and checked before anything else happens.

use crate::engine::{Engine, Slot};
use crate::format::v1::{WatermarkV1, WireLogId, WireVote};
use crate::format::{self, Body, FormatError, decode_entry};
use crate::types::{LogId, Vote};
use std::io;

/// What the log holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    /// Last entry, or the last one purged where there is none.
    pub(crate) last: Option<LogId>,
}

impl Found {
    /// Nothing was ever written.
    pub(crate) fn is_pristine(&self) -> bool {
        self.vote.is_none() && self.last.is_none()
    }
}

/// Why a log is not one to go on with.
#[derive(Debug)]
pub(crate) enum Unsound {
    /// Something is missing or damaged.
    Lost(String),
    /// A later binary wrote it.
    TooOld(String),
    /// The disk refused.
    Io(io::Error),
}

impl From<io::Error> for Unsound {
    fn from(error: io::Error) -> Self {
        Unsound::Io(error)
    }
}

/// Reads the whole log: each record intact and where it says it is, none missing between the last one
/// purged and the last one known to be on disk.
pub(crate) fn scan(engine: &Engine, watermark: &WatermarkV1) -> Result<Found, Unsound> {
    let vote = slot::<WireVote>(engine, Slot::Vote)?.map(Vote::from);
    let committed = slot::<WireLogId>(engine, Slot::Committed)?.map(LogId::from);
    let purged = slot::<WireLogId>(engine, Slot::Purged)?.map(LogId::from);
    let mut last = purged;
    let mut marked =
        watermark.last.is_none_or(|mark| purged.is_some_and(|p| mark.index <= p.index));
    // A purge that was cut short left records at the front; they are gone by its own word.
    let first = purged.map_or(0, |id| id.index + 1);
    for record in engine.records(first..=u64::MAX) {
        let (index, record) = record?;
        let id = check_record(index, record.as_ref(), last.as_ref())?;
        if watermark.last.is_some_and(|mark| mark.index == index) {
            marked = watermark.last == Some(WireLogId::from(&id));
        }
        last = Some(id);
    }
    if !marked {
        let mark = watermark.last.map_or(0, |mark| mark.index);
        let ends = last.map_or_else(|| "is empty".to_owned(), |id| format!("ends at {id}"));
        return Err(Unsound::Lost(format!("entry {mark} was on disk, the log {ends}")));
    }
    check_vote(vote.as_ref(), watermark)?;
    Ok(Found { vote, committed, purged, last })
}

fn check_record(index: u64, record: &[u8], before: Option<&LogId>) -> Result<LogId, Unsound> {
    let entry =
        decode_entry(record).map_err(|error| unreadable(&format!("entry {index}"), &error))?;
    let id = entry.log_id;
    if id.index != index {
        return Err(Unsound::Lost(format!("entry {index} says it is {}", id.index)));
    }
    let expected = before.map_or(0, |before| before.index + 1);
    if index != expected {
        return Err(Unsound::Lost(format!("entry {expected} is missing, the next is {index}")));
    }
    if before.is_some_and(|before| before.leader_id > id.leader_id) {
        return Err(Unsound::Lost(format!("entry {id} is older than the one before it")));
    }
    Ok(id)
}

fn check_vote(vote: Option<&Vote>, watermark: &WatermarkV1) -> Result<(), Unsound> {
    let Some(mark) = watermark.vote.map(Vote::from) else {
        return Ok(());
    };
    match vote {
        Some(vote) if *vote >= mark => Ok(()),
        Some(vote) => Err(Unsound::Lost(format!("vote {mark} was on disk, {vote} is there"))),
        None => Err(Unsound::Lost(format!("vote {mark} was on disk, none is there"))),
    }
}

fn slot<B: Body>(engine: &Engine, slot: Slot) -> Result<Option<B>, Unsound> {
    let Some(bytes) = engine.get(slot)? else {
        return Ok(None);
    };
    match format::decode(&bytes) {
        Ok(body) => Ok(Some(body)),
        Err(error) => Err(unreadable(&format!("{slot:?}"), &error)),
    }
}

fn unreadable(what: &str, error: &FormatError) -> Unsound {
    match error {
        FormatError::TooNew { .. } | FormatError::UnknownCode { .. } => {
            Unsound::TooOld(format!("{what}: {error}"))
        }
        FormatError::Short { .. }
        | FormatError::NotAFrame { .. }
        | FormatError::Checksum { .. }
        | FormatError::Trailing(_)
        | FormatError::TooLarge { .. }
        | FormatError::WrongKind { .. }
        | FormatError::Malformed { .. } => Unsound::Lost(format!("{what}: {error}")),
    }
}
