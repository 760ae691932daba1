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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::encode_entry;
    use crate::storage::Tuning;
    use crate::types::{LeaderId, RaftEntry};
    use openraft::EntryPayload;

    fn id(term: u64, index: u64) -> LogId {
        let leader_id = LeaderId { term, node_id: 1 };
        LogId { leader_id, index }
    }

    fn record(term: u64, index: u64) -> Vec<u8> {
        let payload = EntryPayload::Blank;
        encode_entry(&RaftEntry { log_id: id(term, index), payload }).unwrap()
    }

    /// What a scan says of these records after this purge, with entry 4 of term 1 known to be on disk.
    fn verdict(purged: Option<u64>, records: Vec<(u64, Vec<u8>)>) -> Result<Found, Unsound> {
        let dir = tempfile::tempdir().unwrap();
        let tuning = Tuning { cache_bytes: 1 << 20, segment_bytes: 1 << 20, ballast_bytes: 0 };
        let engine = Engine::open(dir.path(), &tuning).unwrap();
        if let Some(index) = purged {
            let purged = format::encode(&WireLogId::from(&id(1, index))).unwrap();
            engine.put(Slot::Purged, purged).unwrap();
        }
        engine.append(records).unwrap();
        let last = Some(WireLogId::from(&id(1, 4)));
        scan(&engine, &WatermarkV1 { seq: 1, last, vote: None })
    }

    fn lost(purged: Option<u64>, records: Vec<(u64, Vec<u8>)>) -> String {
        match verdict(purged, records) {
            Err(Unsound::Lost(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn whole(range: std::ops::Range<u64>) -> Vec<(u64, Vec<u8>)> {
        range.map(|index| (index, record(1, index))).collect()
    }

    #[test]
    fn a_whole_log_is_found_as_it_is() {
        let found = verdict(None, whole(0..6)).unwrap();
        assert_eq!((found.purged, found.last), (None, Some(id(1, 5))));
        let found = verdict(Some(2), whole(3..5)).unwrap();
        assert_eq!((found.purged, found.last), (Some(id(1, 2)), Some(id(1, 4))));
    }

    #[test]
    fn records_a_purge_did_not_get_to_are_ignored() {
        let found = verdict(Some(3), whole(2..6)).unwrap();
        assert_eq!((found.purged, found.last), (Some(id(1, 3)), Some(id(1, 5))));
        let found = verdict(Some(9), whole(2..6)).unwrap();
        assert_eq!(found.last, Some(id(1, 9)));
    }

    #[test]
    fn a_log_that_ends_before_the_watermark_is_lost() {
        assert_eq!(lost(None, whole(0..4)), "entry 4 was on disk, the log ends at T1-N1.3");
        assert_eq!(lost(None, Vec::new()), "entry 4 was on disk, the log is empty");
    }

    #[test]
    fn another_entry_where_the_watermark_is_is_lost() {
        let mut records = whole(0..4);
        records.push((4, record(2, 4)));
        assert_eq!(lost(None, records), "entry 4 was on disk, the log ends at T2-N1.4");
    }

    #[test]
    fn a_hole_is_lost() {
        let mut records = whole(0..6);
        records.remove(2);
        assert_eq!(lost(None, records), "entry 2 is missing, the next is 3");
        assert_eq!(lost(Some(1), whole(3..6)), "entry 2 is missing, the next is 3");
        assert_eq!(lost(None, whole(1..6)), "entry 0 is missing, the next is 1");
    }

    #[test]
    fn a_record_in_the_wrong_place_is_lost() {
        let mut records = whole(0..6);
        records[3].1 = record(1, 2);
        assert_eq!(lost(None, records), "entry 3 says it is 2");
        let mut records = whole(0..6);
        records[2].1 = record(7, 2);
        assert_eq!(lost(None, records), "entry T1-N1.3 is older than the one before it");
    }

    #[test]
    fn each_flipped_bit_of_a_record_is_lost_and_a_later_schema_is_not() {
        let bits = record(1, 3).len() * 8;
        for bit in (0..bits).step_by(7) {
            let mut records = whole(0..6);
            records[3].1[bit / 8] ^= 1 << (bit % 8);
            assert!(lost(None, records).starts_with("entry 3: "));
        }
        let mut records = whole(0..6);
        records[3].1 = format::seal(format::Kind::ENTRY, 2, &[]).unwrap();
        match verdict(None, records) {
            Err(Unsound::TooOld(reason)) => {
                assert_eq!(reason, "entry 3: this binary is too old for log-entry schema 2");
            }
            other => panic!("{other:?}"),
        }
    }
}
