//! A JPEG cut at its restart markers. Between two of them stands the code of so many blocks, which depends on no other: that is
//! what the markers are for. Only files that we wrote are cut here, not strangers'.

use std::ops::Range;

/// A JPEG in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segments {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The coded blocks between two markers, in the order of blocks: bytes of the file, markers not included.
    pub coded: Vec<Range<usize>>,
}

impl Segments {
    /// Cuts a file; none where it is not one that our encoder writes.
    pub fn cut(bytes: Vec<u8>) -> Option<Self> {
        let start = head(&bytes)?;
        let mut coded = Vec::new();
        let mut from = start;
        let mut at = start;
        loop {
            at += bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
            match bytes.get(at + 1)? {
                // A coded 0xFF, marked as such.
                0x00 => at += 2,
                0xD0..=0xD7 => {
                    coded.push(from..at);
                    at += 2;
                    from = at;
                }
                0xD9 => {
                    coded.push(from..at);
                    return Some(Self { bytes, coded });
                }
                _ => return None,
            }
        }
    }

    /// The code between two markers.
    pub fn code(&self, index: usize) -> &[u8] {
        self.coded
            .get(index)
            .and_then(|range| self.bytes.get(range.clone()))
            .unwrap_or(&[])
    }
}

/// Where the first coded block begins: behind the header of the only scan.
fn head(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        let [0xFF, marker, high, low] = *bytes.get(at..at + 4)? else {
            return None;
        };
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xDA {
            return Some(at);
        }
    }
}
