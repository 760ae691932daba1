//! The bytes of everything that outlives a process or crosses to another one.
//!
//! Every piece is a frame: a 16-byte header (magic, envelope, codec, kind, schema, length, CRC32C) and
//! a body. Kinds are numbers of one registry ([`Kind`]), never reused. Bodies are frozen structs, in a
//! module for each schema ([`v1`]): after a release a change is a new struct beside the old one, and the
//! bytes each release wrote stay in `testdata` and decode for ever.
//!
//! A body holds no enum (codes are `u16`, an unknown one is an error that names it), no map without an
//! order, no `usize`, no float. Decoding takes a limit from the size of what it was given, and every
//! byte must be used up.
//!
//! This module and its children are the only ones that name bincode.

mod command;
mod entry;
mod frame;
mod kind;
pub mod v1;

pub use command::{RECORD_BYTES_MAX, check_command, command_name, decode_command, encode_command};
pub(crate) use entry::{decode_entry, encode_entry};
pub(crate) use frame::body_bytes;
pub use frame::{Body, FRAME_BYTES_MAX, Frame, HEADER_BYTES, decode, encode, open, seal, split};
pub use kind::Kind;

/// Why bytes could not be read, or a value not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Fewer bytes than the header or the length in it asks for.
    #[error("frame cut short: {have} bytes of {need}")]
    Short {
        /// Bytes there are.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// Not a frame, or one of a later envelope.
    #[error(
        "not a frame of this format: magic {magic:#04x}, envelope {envelope}, codec {codec}, flags {flags:#04x}"
    )]
    NotAFrame {
        /// First byte.
        magic: u8,
        /// Second.
        envelope: u8,
        /// Third.
        codec: u8,
        /// Fourth.
        flags: u8,
    },
    /// Bytes changed since they were written.
    #[error("checksum of a {kind} frame is {found:#010x}, its header says {stated:#010x}")]
    Checksum {
        /// Kind in the header, which may itself be wrong.
        kind: Kind,
        /// Checksum of what is there.
        found: u32,
        /// Checksum in the header.
        stated: u32,
    },
    /// Bytes after the end.
    #[error("{0} bytes too many after the end")]
    Trailing(usize),
    /// More than a frame or record may hold.
    #[error("{bytes} bytes, at most {max} fit")]
    TooLarge {
        /// Size.
        bytes: usize,
        /// Limit.
        max: usize,
    },
    /// A kind or schema this binary does not know.
    #[error("this binary is too old for {kind} schema {schema}")]
    TooNew {
        /// Kind.
        kind: Kind,
        /// Schema.
        schema: u16,
    },
    /// Another kind than the one asked for.
    #[error("{found} where {expected} was expected")]
    WrongKind {
        /// What was asked for.
        expected: Kind,
        /// What is there.
        found: Kind,
    },
    /// A code inside a body that this binary does not know.
    #[error("this binary is too old for {what} code {code}")]
    UnknownCode {
        /// Of what.
        what: &'static str,
        /// The code.
        code: u16,
    },
    /// The body is not what its kind and schema say.
    #[error("malformed {kind} body: {reason}")]
    Malformed {
        /// Kind.
        kind: Kind,
        /// What the decoder said.
        reason: String,
    },
}

impl From<FormatError> for std::io::Error {
    fn from(error: FormatError) -> Self {
        std::io::Error::new(std::io::ErrorKind::InvalidData, error)
    }
}
