//! Schema 1 of every body. Frozen: a change is a new struct in a new module.

mod account;
mod budget;
mod command;
mod event;
mod key;
mod mirror;
mod outcome;
mod provider;
mod raft;
mod rpc;
mod scope;
mod snapshot;
mod usage;

pub use account::*;
pub use budget::*;
pub use command::*;
pub use event::*;
pub use key::*;
pub(crate) use mirror::{Mirror, pair};
use mirror::{codes, mirror};
pub use outcome::*;
pub use provider::*;
pub use raft::*;
pub use rpc::*;
pub use scope::*;
pub(crate) use snapshot::Section;
pub use snapshot::*;
pub use usage::*;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// Bytes, written in one piece and not as a list of numbers.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl Visitor<'_> for Take {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Take)
    }
}

/// Gives a struct its place in the registry.
macro_rules! body {
    ($name:ident, $kind:ident) => {
        impl crate::format::Body for $name {
            const KIND: crate::format::Kind = crate::format::Kind::$kind;
            const SCHEMA: u16 = 1;
        }
    };
}
use body;
