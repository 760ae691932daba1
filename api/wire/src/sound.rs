//! How long a recording can be at most, out of its bytes alone.
//!
//! Formats whose silence takes nearly no bytes cannot be bounded: FLAC, Opus, and what comes in containers
//! with time stamps of their own.

/// MPEG's layers take 8 kbit a second at least (ISO 11172-3 and 13818-3): a byte lasts a millisecond at
/// most.
const MPEG_MS_PER_BYTE: u64 = 1;

/// Milliseconds that a file lasts at most; `None` where nothing bounds it.
pub(crate) fn ms_max(file: &[u8]) -> Option<u64> {
    if let Some(rest) = file.strip_prefix(b"RIFF") {
        return wave(rest, file.len());
    }
    let frames = behind_tag(file)?;
    is_mpeg(frames).then_some(file.len() as u64 * MPEG_MS_PER_BYTE)
}

/// Without an ID3 tag at the beginning; other formats may have one, too.
fn behind_tag(file: &[u8]) -> Option<&[u8]> {
    let Some(tag) = file.strip_prefix(b"ID3") else { return Some(file) };
    let size = tag.get(3..7)?;
    let size = size.iter().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
    file.get(10 + size..)
}

/// Whether a frame of MPEG audio begins here: eleven bits set, and a layer that is none of AAC's.
fn is_mpeg(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, second, ..] => second & 0xe0 == 0xe0 && second & 0x06 != 0,
        _ => false,
    }
}

/// Samples of a fixed size, at the rate that the header states; readers know no other.
fn wave(rest: &[u8], bytes: usize) -> Option<u64> {
    const PLAIN: [u16; 5] = [1, 3, 6, 7, 0xfffe];
    let mut chunks = rest.get(4..)?.strip_prefix(b"WAVE")?;
    let format = loop {
        let (name, size) = (chunks.get(..4)?, chunks.get(4..8)?);
        let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
        if name == b"fmt " {
            break chunks.get(8..8 + size.min(64))?;
        }
        // Chunks have an even length.
        chunks = chunks.get(8usize.checked_add(size)?.checked_add(size % 2)?..)?;
    };
    let word = |at: usize| Some(u16::from_le_bytes(format.get(at..at + 2)?.try_into().ok()?));
    let rate = u32::from_le_bytes(format.get(4..8)?.try_into().ok()?);
    let (channels, block, bits) = (word(2)?, word(12)?, word(14)?);
    let fits = u32::from(channels) * u32::from(bits.div_ceil(8)) == u32::from(block);
    let per_second = u64::from(rate) * u64::from(block);
    if !PLAIN.contains(&word(0)?) || !fits || per_second == 0 {
        return None;
    }
    Some((bytes as u64).saturating_mul(1_000).div_ceil(per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(tag: u16, rate: u32, block: u16, bits: u16, data: usize) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVEjunk\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        file.extend(tag.to_le_bytes());
        file.extend(1u16.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend((rate * u32::from(block)).to_le_bytes());
        file.extend(block.to_le_bytes());
        file.extend(bits.to_le_bytes());
        file.extend(vec![0; data]);
        file
    }

    #[test]
    fn a_wave_lasts_as_long_as_its_samples_and_its_header_would() {
        let second = wave(1, 16_000, 2, 16, 32_000);
        assert_eq!(ms_max(&second), Some((second.len() as u64 * 1_000).div_ceil(32_000)));
        assert_eq!(ms_max(&wave(2, 16_000, 2, 16, 100)), None);
        assert_eq!(ms_max(&wave(1, 16_000, 1, 16, 100)), None);
        assert_eq!(ms_max(&wave(1, 0, 2, 16, 100)), None);
        assert_eq!(ms_max(b"RIFF\0\0\0\0WAVEfmt "), None);
    }

    #[test]
    fn a_millisecond_of_mpeg_takes_a_byte() {
        assert_eq!(ms_max(&[0xff, 0xfb, 0x90, 0]), Some(4));
        let tagged = [b"ID3\x04\0\0\0\0\0\x01x".as_slice(), &[0xff, 0xf3]].concat();
        assert_eq!(ms_max(&tagged), Some(13));
    }

    #[test]
    fn what_may_be_silent_for_nothing_is_not_bounded() {
        let aac: &[u8] = &[0xff, 0xf1, 0x50];
        let flac_behind_a_tag: &[u8] = b"ID3\x04\0\0\0\0\0\0fLaC";
        let cut: &[u8] = b"ID3\x04\0\0\x7f\x7f\x7f\x7f";
        for file in
            [b"", b"fLaC".as_slice(), b"OggS", b"\0\0\0\x20ftypM4A ", aac, flac_behind_a_tag, cut]
        {
            assert_eq!(ms_max(file), None, "{file:?}");
        }
    }
}
