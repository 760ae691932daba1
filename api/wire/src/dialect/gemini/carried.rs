//! Signatures: bytes in base64, Gemini's own as they are, another maker's sealed inside.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::chat::{GOOGLE, Sealed, seal, unseal};

/// With or without padding: clients write signatures anew.
const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, EITHER);
const OF_ADDRESSES: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, EITHER);

/// What a signature stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) kind: Sealed,
    pub(super) format: String,
    pub(super) data: String,
}

/// Reads a signature.
pub(super) fn read(signature: String) -> Carried {
    let bytes = PLAIN.decode(&signature).or_else(|_| OF_ADDRESSES.decode(&signature));
    let sealed = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match sealed.as_deref().and_then(unseal) {
        Some((kind, format, data)) => {
            Carried { kind, format: format.to_owned(), data: data.to_owned() }
        }
        None => Carried { kind: Sealed::Thought, format: GOOGLE.to_owned(), data: signature },
    }
}

/// Writes a signature; `format` is its maker's, where anybody said.
pub(super) fn write(kind: Sealed, format: Option<&str>, data: &str) -> String {
    match format {
        Some(GOOGLE) => data.to_owned(),
        maker => PLAIN.encode(seal(kind, maker.unwrap_or("unknown"), data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_others_come_back_with_their_maker_in_either_alphabet() {
        let data = "Eq>>??QB".repeat(9);
        let written = write(Sealed::Redacted, Some("anthropic-claude-v1"), &data);
        let expected =
            Carried { kind: Sealed::Redacted, format: "anthropic-claude-v1".to_owned(), data };
        let anew = written.replace('+', "-").replace('/', "_").replace('=', "");
        for signature in [written, anew] {
            assert_eq!(read(signature), expected);
        }
    }

    #[test]
    fn geminis_own_signatures_stay_as_they_are() {
        for signature in ["EpMCCpACARFNMg/oQoWXnPZO", "not base64!", ""] {
            let carried = read(signature.to_owned());
            assert_eq!((carried.format.as_str(), carried.data.as_str()), (GOOGLE, signature));
            assert_eq!(write(carried.kind, Some(&carried.format), &carried.data), signature);
        }
    }
}
