//! One record on disk: how a payload becomes a frame, and when a frame is valid.
//!
//! It holds bytes and checksums. It never touches a file, and never decides what a bad frame means.

/// The largest payload, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 16 << 20;

/// Bytes of a frame before its payload.
pub(super) const HEADER_BYTES: usize = 32;
/// Frames start at multiples of this.
pub(super) const ALIGN: usize = 8;

/// The size of the frame of a payload of `len` bytes.
pub(super) const fn frame_bytes(len: usize) -> usize {
    (HEADER_BYTES + len).next_multiple_of(ALIGN)
}

/// What a frame says about itself, before anything is checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub crc: u32,
    pub len: u32,
    pub seq: u64,
    pub synced: u64,
    pub chain: u32,
}

impl Header {
    pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> Self {
        Self {
            crc: u32_at(bytes, 0),
            len: u32_at(bytes, 4),
            seq: u64_at(bytes, 8),
            synced: u64_at(bytes, 16),
            chain: u32_at(bytes, 24),
        }
    }

    /// The size of the whole frame, if the length can be one.
    pub(super) fn frame_bytes(&self) -> Option<usize> {
        let len = self.len as usize;
        (len <= MAX_PAYLOAD_BYTES).then(|| frame_bytes(len))
    }
}

/// Appends the frame of `payload` to `out` and returns its checksum, the chain of the next frame.
pub(super) fn write(
    out: &mut Vec<u8>,
    salt: u32,
    seq: u64,
    synced: u64,
    chain: u32,
    payload: &[u8],
) -> u32 {
    let start = out.len();
    let end = start + frame_bytes(payload.len());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&synced.to_le_bytes());
    out.extend_from_slice(&chain.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    out.resize(end, 0);
    let crc = checksum(salt, &out[start..end]);
    out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    crc
}

/// The checksum that belongs in the first four bytes of `frame`.
pub(super) fn checksum(salt: u32, frame: &[u8]) -> u32 {
    crc32c::crc32c_append(salt, &frame[4..])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut raw = [0; 4];
    raw.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(raw)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut raw = [0; 8];
    raw.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(raw)
}
