//! One frame: header, checksum, body.
//!
//! ```text
//! magic u8 | envelope u8 | codec u8 | flags u8 | kind u16 | schema u16 | length u32 | crc32c u32 | body
//! ```
//! Little endian. The checksum covers the header before it and the body.

use super::{FormatError, Kind};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 16;
/// Largest body of a frame, in bytes.
pub const FRAME_BYTES_MAX: usize = 32 * 1024 * 1024;

const MAGIC: u8 = 0xb5;
const ENVELOPE: u8 = 1;
/// bincode 2, standard configuration: little endian, variable-length integers.
const CODEC_BINCODE: u8 = 0;
const FLAGS_NONE: u8 = 0;

/// A struct that is the body of one (kind, schema). Frozen once released.
pub trait Body: Serialize + DeserializeOwned {
    /// Its kind.
    const KIND: Kind;
    /// Its schema, from 1.
    const SCHEMA: u16;
}

/// A frame whose checksum holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it holds.
    pub kind: Kind,
    /// In which schema.
    pub schema: u16,
    /// The body's bytes.
    pub body: &'a [u8],
}

/// Writes a body with its header.
///
/// # Errors
/// [`FormatError::TooLarge`] above [`FRAME_BYTES_MAX`].
pub fn encode<B: Body>(body: &B) -> Result<Vec<u8>, FormatError> {
    let bytes = bincode::serde::encode_to_vec(body, bincode::config::standard())
        .map_err(|error| malformed(B::KIND, &error))?;
    seal(B::KIND, B::SCHEMA, &bytes)
}

/// Reads the one frame that `bytes` is, of the kind and schema of `B`.
///
/// # Errors
/// Every way in which it is not exactly that.
pub fn decode<B: Body>(bytes: &[u8]) -> Result<B, FormatError> {
    let (frame, rest) = split(bytes)?;
    if !rest.is_empty() {
        return Err(FormatError::Trailing(rest.len()));
    }
    open(&frame)
}

/// Reads the body of a frame as `B`.
///
/// # Errors
/// Another kind, a schema this binary does not know, or a body that is not one.
pub fn open<B: Body>(frame: &Frame<'_>) -> Result<B, FormatError> {
    if frame.kind != B::KIND {
        return Err(FormatError::WrongKind { expected: B::KIND, found: frame.kind });
    }
    if frame.schema != B::SCHEMA {
        return Err(FormatError::TooNew { kind: frame.kind, schema: frame.schema });
    }
    body(frame)
}

/// Puts a header before a body that is bytes already.
///
/// # Errors
/// [`FormatError::TooLarge`] above [`FRAME_BYTES_MAX`].
pub fn seal(kind: Kind, schema: u16, body: &[u8]) -> Result<Vec<u8>, FormatError> {
    let too_large = || FormatError::TooLarge { bytes: body.len(), max: FRAME_BYTES_MAX };
    if body.len() > FRAME_BYTES_MAX {
        return Err(too_large());
    }
    let length = u32::try_from(body.len()).map_err(|_| too_large())?;
    let mut out = Vec::with_capacity(HEADER_BYTES + body.len());
    out.extend_from_slice(&[MAGIC, ENVELOPE, CODEC_BINCODE, FLAGS_NONE]);
    out.extend_from_slice(&kind.0.to_le_bytes());
    out.extend_from_slice(&schema.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&out), body);
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(body);
    Ok(out)
}

/// Length of the body that a header announces, for readers that take a file frame by frame.
///
/// # Errors
/// Not a header, or one of a body above [`FRAME_BYTES_MAX`].
pub(crate) fn body_bytes(header: &[u8; HEADER_BYTES]) -> Result<usize, FormatError> {
    match split(header) {
        Ok(_) | Err(FormatError::Checksum { .. }) => Ok(0),
        Err(FormatError::Short { need, .. }) => Ok(need),
        Err(error) => Err(error),
    }
}

/// Takes the first frame off `bytes`, its checksum verified, and returns it with what follows.
///
/// # Errors
/// Cut short, not a frame, or changed since it was written.
pub fn split(bytes: &[u8]) -> Result<(Frame<'_>, &[u8]), FormatError> {
    let Some((header, after)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(FormatError::Short { have: bytes.len(), need: HEADER_BYTES });
    };
    let [magic, envelope, codec, flags, k0, k1, s0, s1, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if (magic, envelope, codec, flags) != (MAGIC, ENVELOPE, CODEC_BINCODE, FLAGS_NONE) {
        return Err(FormatError::NotAFrame { magic, envelope, codec, flags });
    }
    let kind = Kind(u16::from_le_bytes([k0, k1]));
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(FormatError::TooLarge { bytes: length, max: FRAME_BYTES_MAX });
    }
    let Some((body, rest)) = after.split_at_checked(length) else {
        return Err(FormatError::Short { have: after.len(), need: length });
    };
    let stated = u32::from_le_bytes([c0, c1, c2, c3]);
    let found = crc32c::crc32c_append(crc32c::crc32c(&header[..HEADER_BYTES - 4]), body);
    if found != stated {
        return Err(FormatError::Checksum { kind, found, stated });
    }
    let schema = u16::from_le_bytes([s0, s1]);
    Ok((Frame { kind, schema, body }, rest))
}

/// Decodes a whole body under a limit.
///
/// What the decoder may claim is a small multiple of what it was given, in steps because the limit is a
/// type: integers of variable length claim up to nine times the bytes they take.
fn body<B: DeserializeOwned>(frame: &Frame<'_>) -> Result<B, FormatError> {
    const KIB: usize = 1024;
    let standard = bincode::config::standard();
    let bytes = frame.body;
    let read = match bytes.len() {
        0..=512 => decode_with(bytes, standard.with_limit::<{ 8 * KIB }>()),
        513..=8_192 => decode_with(bytes, standard.with_limit::<{ 128 * KIB }>()),
        8_193..=131_072 => decode_with(bytes, standard.with_limit::<{ 2 * KIB * KIB }>()),
        131_073..=2_097_152 => decode_with(bytes, standard.with_limit::<{ 32 * KIB * KIB }>()),
        _ => decode_with(bytes, standard.with_limit::<{ 512 * KIB * KIB }>()),
    };
    let (value, used) = read.map_err(|error| malformed(frame.kind, &error))?;
    if used != bytes.len() {
        return Err(FormatError::Trailing(bytes.len() - used));
    }
    Ok(value)
}

fn decode_with<B: DeserializeOwned, C: bincode::config::Config>(
    bytes: &[u8],
    config: C,
) -> Result<(B, usize), bincode::error::DecodeError> {
    bincode::serde::decode_from_slice(bytes, config)
}

fn malformed(kind: Kind, error: &impl std::fmt::Debug) -> FormatError {
    FormatError::Malformed { kind, reason: format!("{error:?}") }
}
