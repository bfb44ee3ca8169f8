//! The width and height of a picture file, from its first bytes and without decoding anything.

/// Pixels across and down of a PNG, JPEG or WebP; none where that cannot be said.
pub(super) fn measure(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some((
            u32::from_be_bytes(four(bytes, 16)?),
            u32::from_be_bytes(four(bytes, 20)?),
        )),
        [0xff, 0xd8, ..] => jpeg(bytes),
        [b'R', b'I', b'F', b'F', ..] => webp(bytes),
        _ => None,
    }
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at + 4)?.try_into().ok()
}

fn pair(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The first frame header.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1).filter(|_| bytes.get(at) == Some(&0xff))?;
        match marker {
            0xff => at += 1,
            0xc4 | 0xc8 | 0xcc => at += 2 + usize::from(pair(bytes, at + 2)?),
            0xc0..=0xcf => {
                return Some((
                    u32::from(pair(bytes, at + 7)?),
                    u32::from(pair(bytes, at + 5)?),
                ));
            }
            0x01 | 0xd0..=0xd7 => at += 2,
            0xd8..=0xda => return None,
            _ => at += 2 + usize::from(pair(bytes, at + 2)?),
        }
    }
}

fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let byte = |at: usize| bytes.get(at).copied().map(u32::from);
    match &four(bytes, 12)? {
        b"VP8X" => {
            let three = |at: usize| Some(byte(at)? | byte(at + 1)? << 8 | byte(at + 2)? << 16);
            Some((three(24)? + 1, three(27)? + 1))
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(four(bytes, 21)?);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => {
            let two = |at: usize| Some(byte(at)? | byte(at + 1)? << 8);
            Some((two(26)? & 0x3fff, two(28)? & 0x3fff))
        }
        _ => None,
    }
}
