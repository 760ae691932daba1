//! Bytes from anywhere: reading them fails or gives a value, and takes no more memory than they may ask.

use crate::samples::commands;
use proptest::prelude::*;
use storage::format::v1::{
    InitClusterV1, PutProviderV1, Rpc, WireAppendRequest, WireMembership, WireSnapshotInstall,
};
use storage::format::{self, Body, FormatError, HEADER_BYTES, Kind};

/// Reads a body of any bytes under a header that is right.
fn read<B: Body>(body: &[u8]) -> Result<B, FormatError> {
    format::decode(&format::seal(B::KIND, B::SCHEMA, body).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = format::split(&bytes);
        let _ = format::decode_command(&bytes);
        for kind in Kind::ALL {
            let framed = format::seal(*kind, 1, &bytes).unwrap();
            let _ = format::decode_command(&framed);
        }
        let _ = read::<Rpc>(&bytes);
        let _ = read::<WireAppendRequest>(&bytes);
        let _ = read::<WireMembership>(&bytes);
        let _ = read::<WireSnapshotInstall>(&bytes);
    }

    #[test]
    fn what_reads_is_written_back_to_the_same_bytes_or_shorter(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(rpc) = read::<Rpc>(&bytes) {
            let written = format::encode(&rpc).unwrap();
            prop_assert!(written.len() <= HEADER_BYTES + bytes.len());
            prop_assert_eq!(format::decode::<Rpc>(&written).unwrap(), rpc);
        }
    }

    #[test]
    fn a_flipped_bit_is_always_noticed(which in 0usize..commands().len(), place in any::<usize>(), bit in 0u8..8) {
        let (_, command) = &commands()[which];
        let mut bytes = format::encode_command(command).unwrap();
        let at = place % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(format::decode_command(&bytes).is_err());
    }

    #[test]
    fn cut_short_or_with_more_behind_it_is_refused(which in 0usize..commands().len(), place in any::<usize>()) {
        let (_, command) = &commands()[which];
        let bytes = format::encode_command(command).unwrap();
        prop_assert!(format::decode_command(&bytes[..place % bytes.len()]).is_err());
        let longer = [bytes.as_slice(), &[0]].concat();
        prop_assert_eq!(format::decode_command(&longer), Err(FormatError::Trailing(1)));
    }
}

#[test]
fn a_length_that_promises_terabytes_is_refused_without_asking_for_them() {
    // 2^40 as a length, in the variable-length form: 0xfd and eight bytes.
    let huge = [&[0xfd][..], &(1u64 << 40).to_le_bytes()].concat();
    for refused in [
        read::<Rpc>(&huge).map(drop),
        read::<InitClusterV1>(&huge).map(drop),
        read::<PutProviderV1>(&huge).map(drop),
        read::<WireMembership>(&huge).map(drop),
    ] {
        assert!(matches!(refused, Err(FormatError::Malformed { .. })), "{refused:?}");
    }
}

#[test]
fn bytes_after_a_body_are_refused() {
    let bytes = format::encode(&WireMembership { configs: vec![], members: vec![] }).unwrap();
    let longer = [&bytes[HEADER_BYTES..], &[0, 0]].concat();
    assert_eq!(read::<WireMembership>(&longer), Err(FormatError::Trailing(2)));
}

#[test]
fn a_kind_or_schema_of_a_later_binary_is_named() {
    let later = format::seal(Kind(0x00ff), 1, &[]).unwrap();
    let refused = format::decode_command(&later).unwrap_err();
    assert_eq!(refused.to_string(), "this binary is too old for kind 0x00ff schema 1");
    let later = format::seal(Kind::REFILL, 2, &[]).unwrap();
    let refused = format::decode_command(&later).unwrap_err();
    assert_eq!(refused.to_string(), "this binary is too old for refill schema 2");
}
