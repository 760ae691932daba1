//! A vector: numbers as JSON, or their bits in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chat::Raw;
use crate::json::{Out, items, text};

/// How vectors are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As numbers.
    #[default]
    Floats,
    /// As 32-bit floats, little end first, in base64.
    Base64,
}

/// A vector as its provider wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vector {
    /// The JSON array of its numbers.
    Floats(Raw),
    /// Its 32-bit floats, little end first, in base64.
    Base64(String),
}

impl Vector {
    /// A vector out of an array of numbers or a string.
    pub(super) fn read(value: &str) -> Option<Self> {
        if let Some(data) = text(value) {
            return Some(Self::Base64(data));
        }
        value.starts_with('[').then(|| Self::Floats(Raw::new(value)))
    }

    /// The JSON array of its numbers; empty where the bits are none.
    #[must_use]
    pub fn floats(&self) -> String {
        match self {
            Self::Floats(raw) => raw.as_str().to_owned(),
            Self::Base64(data) => {
                let bytes = STANDARD.decode(data).unwrap_or_default();
                let (numbers, _) = bytes.as_chunks::<4>();
                let written = numbers.iter().map(|bits| number(f32::from_le_bytes(*bits)));
                format!("[{}]", written.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Its 32-bit floats in base64.
    #[must_use]
    pub fn base64(&self) -> String {
        match self {
            Self::Base64(data) => data.clone(),
            Self::Floats(raw) => {
                let numbers = items(raw.as_str()).unwrap_or_default();
                let bits = numbers.iter().filter_map(|number| number.parse::<f32>().ok());
                STANDARD.encode(bits.flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
            }
        }
    }

    /// Writes it as an item of a list.
    pub(super) fn write_item(&self, out: &mut Out) {
        out.raw_item(&self.floats());
    }

    /// Writes it as a member.
    pub(super) fn write(&self, out: &mut Out, key: &str, encoding: Encoding) {
        match encoding {
            Encoding::Floats => out.raw(key, &self.floats()),
            Encoding::Base64 => out.text(key, &self.base64()),
        }
    }
}

/// A number as JSON, which knows neither infinity nor the lack of a number.
fn number(value: f32) -> String {
    if value.is_finite() { value.to_string() } else { "0".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bits_are_the_same_vector() {
        let floats = Vector::read("[0.1, -2.5e-3,3]").unwrap();
        let bits = Vector::Base64(floats.base64());
        assert_eq!(bits.floats(), "[0.1,-0.0025,3]");
        assert_eq!(bits.base64(), floats.base64());
        assert_eq!(Vector::Base64("no!".to_owned()).floats(), "[]");
        assert_eq!(Vector::read("{}"), None);
    }
}
