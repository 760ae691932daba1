//! How a ledger type and the struct it is written as turn into each other, field by field.
//!
//! A body names every field of what it mirrors: one that is added to the ledger and not here does not
//! compile, and so cannot be forgotten on one node and known on another.

use super::Bytes;
use crate::format::FormatError;
use ledger::{KeyHash, NodeId, UnixMillis};
use std::collections::{BTreeMap, BTreeSet};

/// A type of the ledger that is written as `W`.
pub(crate) trait Mirror<W>: Sized {
    /// What is written.
    fn out(&self) -> W;

    /// What was read.
    ///
    /// # Errors
    /// A code this binary does not know, or parts that do not belong together.
    fn back(wire: W) -> Result<Self, FormatError>;
}

macro_rules! alike {
    ($($type:ty),*) => {
        $(
            impl Mirror<$type> for $type {
                fn out(&self) -> $type {
                    self.clone()
                }
                fn back(wire: $type) -> Result<$type, FormatError> {
                    Ok(wire)
                }
            }
        )*
    };
}
alike!(bool, u8, u32, u64, i64, String, [u8; 8], [u8; 24], [u8; 32]);

macro_rules! around {
    ($($type:ident($inner:ty)),*) => {
        $(
            impl Mirror<$inner> for $type {
                fn out(&self) -> $inner {
                    self.0
                }
                fn back(wire: $inner) -> Result<$type, FormatError> {
                    Ok($type(wire))
                }
            }
        )*
    };
}
around!(UnixMillis(u64), NodeId(u64), KeyHash([u8; 32]));

impl Mirror<Bytes> for Vec<u8> {
    fn out(&self) -> Bytes {
        Bytes(self.clone())
    }
    fn back(wire: Bytes) -> Result<Self, FormatError> {
        Ok(wire.0)
    }
}

impl<W, T: Mirror<W>> Mirror<Option<W>> for Option<T> {
    fn out(&self) -> Option<W> {
        self.as_ref().map(T::out)
    }
    fn back(wire: Option<W>) -> Result<Self, FormatError> {
        wire.map(T::back).transpose()
    }
}

impl<W, T: Mirror<W>> Mirror<Vec<W>> for Vec<T> {
    fn out(&self) -> Vec<W> {
        self.iter().map(T::out).collect()
    }
    fn back(wire: Vec<W>) -> Result<Self, FormatError> {
        wire.into_iter().map(T::back).collect()
    }
}

impl<W, T: Mirror<W> + Ord> Mirror<Vec<W>> for BTreeSet<T> {
    fn out(&self) -> Vec<W> {
        self.iter().map(T::out).collect()
    }
    fn back(wire: Vec<W>) -> Result<Self, FormatError> {
        wire.into_iter().map(T::back).collect()
    }
}

impl<A, B, K: Mirror<A> + Ord, V: Mirror<B>> Mirror<Vec<(A, B)>> for BTreeMap<K, V> {
    fn out(&self) -> Vec<(A, B)> {
        self.iter().map(pair).collect()
    }
    fn back(wire: Vec<(A, B)>) -> Result<Self, FormatError> {
        wire.into_iter().map(<(K, V)>::back).collect()
    }
}

impl<A, B, K: Mirror<A>, V: Mirror<B>> Mirror<(A, B)> for (K, V) {
    fn out(&self) -> (A, B) {
        pair((&self.0, &self.1))
    }
    fn back((key, value): (A, B)) -> Result<Self, FormatError> {
        Ok((K::back(key)?, V::back(value)?))
    }
}

/// Writes one entry of a map.
pub(crate) fn pair<A, B, K: Mirror<A>, V: Mirror<B>>((key, value): (&K, &V)) -> (A, B) {
    (key.out(), value.out())
}

/// A struct and the one it mirrors, whose fields have the same names.
macro_rules! mirror {
    ($(
        $(#[$doc:meta])*
        $wire:ident for $type:ident { $($field:ident: $kind:ty),* $(,)? }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[expect(missing_docs, reason = "fields are those of the type it mirrors")]
            pub struct $wire { $(pub $field: $kind),* }

            impl crate::format::v1::Mirror<$wire> for $type {
                fn out(&self) -> $wire {
                    $wire { $($field: crate::format::v1::Mirror::<$kind>::out(&self.$field)),* }
                }
                fn back(wire: $wire) -> Result<$type, crate::format::FormatError> {
                    Ok($type { $($field: crate::format::v1::Mirror::<$kind>::back(wire.$field)?),* })
                }
            }
        )*
    };
}
pub(super) use mirror;

/// The codes of an enum without anything inside.
macro_rules! codes {
    ($type:ident, $what:literal { $($code:literal => $variant:ident),* $(,)? }) => {
        impl crate::format::v1::Mirror<u16> for $type {
            fn out(&self) -> u16 {
                match self {
                    $($type::$variant => $code),*
                }
            }
            fn back(code: u16) -> Result<$type, crate::format::FormatError> {
                match code {
                    $($code => Ok($type::$variant),)*
                    code => Err(crate::format::FormatError::UnknownCode { what: $what, code }),
                }
            }
        }
    };
}
pub(super) use codes;
