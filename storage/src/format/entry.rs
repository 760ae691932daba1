//! Log entries to records and back.

use super::v1::{Bytes, WireBlank, WireEntry, WireLogId, WireMembership};
use super::{FormatError, Kind, RECORD_BYTES_MAX, decode, decode_command, encode, encode_command};
use crate::types::{Proposal, RaftEntry};
use ledger::UnixMillis;
use openraft::EntryPayload;

/// Writes an entry as one record.
///
/// # Errors
/// [`FormatError::TooLarge`] above [`RECORD_BYTES_MAX`].
pub(crate) fn encode_entry(entry: &RaftEntry) -> Result<Vec<u8>, FormatError> {
    let (at_ms, payload) = match &entry.payload {
        EntryPayload::Blank => (0, encode(&WireBlank {})?),
        EntryPayload::Membership(membership) => (0, encode(&WireMembership::from(membership))?),
        EntryPayload::Normal(proposal) => (proposal.at.0, encode_command(&proposal.command)?),
    };
    let record = encode(&WireEntry {
        log_id: WireLogId::from(&entry.log_id),
        at_ms,
        payload: Bytes(payload),
    })?;
    if record.len() > RECORD_BYTES_MAX {
        return Err(FormatError::TooLarge { bytes: record.len(), max: RECORD_BYTES_MAX });
    }
    Ok(record)
}

/// Reads an entry from its record.
///
/// # Errors
/// Whatever is wrong with it; [`FormatError::TooNew`] where a later binary wrote it.
pub(crate) fn decode_entry(record: &[u8]) -> Result<RaftEntry, FormatError> {
    let wire: WireEntry = decode(record)?;
    let payload = &wire.payload.0;
    let (frame, _) = super::split(payload)?;
    let payload = match frame.kind {
        Kind::BLANK => decode::<WireBlank>(payload).map(|_| EntryPayload::Blank)?,
        Kind::MEMBERSHIP => {
            let membership: WireMembership = decode(payload)?;
            EntryPayload::Membership(membership.try_into()?)
        }
        _ => EntryPayload::Normal(Proposal {
            at: UnixMillis(wire.at_ms),
            command: decode_command(payload)?,
        }),
    };
    Ok(RaftEntry { log_id: wire.log_id.into(), payload })
}
