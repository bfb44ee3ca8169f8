//! Reading the frames of one segment, in order, with one frame in memory; and what lies behind a bad one.
//!
//! It says what is there. What that means for the log is decided in `recover`, `reader` and `backup`.
use std::io;

use super::disk::DiskFile;
use super::frame::{self, ALIGN, HEADER_BYTES, Header};
use super::segment;

/// How much is read at once, in bytes; the buffer grows to one frame where that is more.
const CHUNK_BYTES: usize = 256 << 10;

/// Walks over the frames of a segment.
#[derive(Debug)]
pub(super) struct Scan {
    file: Box<dyn DiskFile>,
    salt: u32,
    /// Where the next frame starts, in bytes.
    offset: u64,
    /// A window of the file that starts at `buffer_offset`.
    buffer: Vec<u8>,
    buffer_offset: u64,
}

/// What stands at the place of the next frame.
#[derive(Debug)]
pub(super) enum Step {
    /// The frame that belongs there; its payload is [`Scan::payload`].
    Frame(Header),
    /// Zeros, or the end of the file.
    End,
    /// Something else; why it is not the frame.
    Bad(&'static str),
}

impl Scan {
    /// Starts at the first frame of `file`.
    pub(super) fn new(file: Box<dyn DiskFile>, salt: u32) -> Self {
        let offset = segment::HEADER_BYTES as u64;
        Self {
            file,
            salt,
            offset,
            buffer: Vec::new(),
            buffer_offset: offset,
        }
    }

    /// Where the next frame starts, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Gives the file back.
    pub(super) fn into_file(self) -> Box<dyn DiskFile> {
        self.file
    }

    /// Reads the next frame, which must have this seq and follow a frame with this checksum. Moves on only over a valid one.
    pub(super) fn next(&mut self, seq: u64, chain: u32) -> io::Result<Step> {
        let Some(header) = self.header()? else {
            return Ok(Step::End);
        };
        if header.iter().all(|byte| *byte == 0) {
            return Ok(Step::End);
        }
        let header = Header::read(&header);
        let Some(bytes) = header.frame_bytes() else {
            return Ok(Step::Bad("length is out of range"));
        };
        let salt = self.salt;
        let Some(frame) = self.window(bytes)? else {
            return Ok(Step::Bad("frame runs over the end of the file"));
        };
        if frame::checksum(salt, frame) != header.crc {
            return Ok(Step::Bad("checksum does not match"));
        }
        if header.seq != seq {
            return Ok(Step::Bad("place holds another record"));
        }
        if header.chain != chain || header.synced >= seq {
            return Ok(Step::Bad("frame does not follow the frame before it"));
        }
        self.offset += bytes as u64;
        Ok(Step::Frame(header))
    }

    /// The payload of the frame that [`Scan::next`] returned last.
    pub(super) fn payload(&self, header: &Header) -> &[u8] {
        let end = (self.offset - self.buffer_offset) as usize;
        let len = header.len as usize;
        let start = end - frame::frame_bytes(len) + HEADER_BYTES;
        &self.buffer[start..start + len]
    }

    fn header(&mut self) -> io::Result<Option<[u8; HEADER_BYTES]>> {
        let mut header = [0; HEADER_BYTES];
        Ok(self.window(HEADER_BYTES)?.map(|bytes| {
            header.copy_from_slice(bytes);
            header
        }))
    }

    /// The next `bytes` bytes of the file; `None` if it ends before.
    fn window(&mut self, bytes: usize) -> io::Result<Option<&[u8]>> {
        let mut start = (self.offset - self.buffer_offset) as usize;
        if self.buffer.len() < start + bytes {
            let want = bytes.max(CHUNK_BYTES);
            self.buffer.clear();
            self.buffer.resize(want, 0);
            if want == CHUNK_BYTES {
                self.buffer.shrink_to(CHUNK_BYTES);
            }
            let count = self.file.read_at(&mut self.buffer, self.offset)?;
            self.buffer.truncate(count);
            self.buffer_offset = self.offset;
            start = 0;
        }
        Ok(self.buffer.get(start..start + bytes))
    }
}

/// What lies behind the last good frame of a log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// One past the last byte that is not zero; 0 if all are zero.
    pub dirty_end: u64,
    /// The highest `synced` of the valid frames found there.
    pub synced: u64,
}

/// Looks through everything from `from` (a multiple of 8) to the end of the file for bytes and for valid frames of records
/// after `seq`. A torn frame does not say where the next one starts, so each aligned place is tried.
pub(super) fn tail(file: &dyn DiskFile, salt: u32, from: u64, seq: u64) -> io::Result<Tail> {
    let size = file.len()?;
    let mut tail = Tail::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut offset = from;
    while offset < size {
        let count = file.read_at(&mut chunk, offset)?;
        if count == 0 {
            break;
        }
        if let Some(last) = chunk[..count].iter().rposition(|byte| *byte != 0) {
            tail.dirty_end = offset + last as u64 + 1;
            for at in (0..=last).step_by(ALIGN) {
                let here = offset + at as u64;
                let header = match chunk[..count]
                    .get(at..at + HEADER_BYTES)
                    .and_then(|bytes| bytes.try_into().ok())
                {
                    Some(bytes) => Header::read(bytes),
                    None => header_at(file, here)?,
                };
                // Cheap tests first: most places are in the middle of a payload.
                let furthest = seq + (here - from) / HEADER_BYTES as u64;
                let plausible = (seq + 1..=furthest).contains(&header.seq)
                    && (seq..header.seq).contains(&header.synced);
                if plausible && header.synced > tail.synced && is_valid(file, salt, here, &header)?
                {
                    tail.synced = header.synced;
                }
            }
        }
        offset += count as u64;
    }
    Ok(tail)
}

/// The bytes at `offset` as a header; beyond the end of the file they count as zeros.
fn header_at(file: &dyn DiskFile, offset: u64) -> io::Result<Header> {
    let mut bytes = [0; HEADER_BYTES];
    file.read_at(&mut bytes, offset)?;
    Ok(Header::read(&bytes))
}

/// Whether the frame with this header is whole.
fn is_valid(file: &dyn DiskFile, salt: u32, offset: u64, header: &Header) -> io::Result<bool> {
    let Some(len) = header.frame_bytes() else {
        return Ok(false);
    };
    let mut frame = vec![0; len];
    Ok(file.read_at(&mut frame, offset)? == len && frame::checksum(salt, &frame) == header.crc)
}
