//! The writing end: open, append, rotate.
//!
//! It holds the one place that acknowledges. It never reads records back (`reader`) and never judges an old log (`recover`).
use std::any::Any;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{Disk, LockError, RealDisk};
use super::error::{AppendError, Failure, NotWritten, OpenError};
use super::frame::{self, MAX_PAYLOAD_BYTES};
use super::mark::Mark;
use super::reader::Reader;
use super::recover::{self, Extent, Recovered};
use super::segment::{self, CreateError, Header, Segment};

/// The largest batch, in bytes with its frames.
pub const MAX_BATCH_BYTES: u64 = 256 << 20;

/// A buffer above this is given back after its batch.
const KEPT_BUFFER_BYTES: usize = 4 << 20;
const MIN_SEGMENT_BYTES: u64 = 8 << 10;

/// How a log is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The size of a segment, reserved when it is created; in bytes, at least 8 KiB (less counts as that). A batch that is
    /// larger gets a segment of its own size.
    pub segment_bytes: u64,
    /// Open reads and verifies the records from here on; segments that end before it are checked by their headers only (a
    /// reader verifies what it reads in any case). 1, the default, verifies everything. With a snapshot at `seq`, `seq + 1`
    /// is enough for a quick start.
    pub verify_from: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            verify_from: 1,
        }
    }
}

/// An open log: the only writer of its folder.
#[derive(Debug)]
pub struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    segment_bytes: u64,
    segment: Segment,
    mark: Mark,
    next_seq: u64,
    /// The checksum of the last frame.
    chain: u32,
    durable: Arc<AtomicU64>,
    buffer: Vec<u8>,
    failed: Option<Failure>,
    _lock: Box<dyn Any + Send + Sync>,
}

impl Log {
    /// Opens the log in `dir`, which is created if it does not exist; repairs a torn tail.
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Recovered), OpenError> {
        Self::open_on(Arc::new(RealDisk), dir, options)
    }

    /// [`Log::open`] on another disk.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
    ) -> Result<(Self, Recovered), OpenError> {
        disk.create_folder(dir)
            .map_err(OpenError::io("create", dir))?;
        let lock = disk.lock(dir).map_err(|error| match error {
            LockError::Held(pid) => OpenError::Locked {
                dir: dir.to_owned(),
                pid,
            },
            LockError::Io(source) => OpenError::io("lock", dir)(source),
        })?;
        let segment_bytes = options.segment_bytes.max(MIN_SEGMENT_BYTES);
        let found = recover::inspect(
            disk.as_ref(),
            dir,
            Extent::All {
                verify_from: options.verify_from,
            },
        )?;
        let next_seq = found.last_seq + 1;
        let segment = if let Some(segment) = recover::repair(disk.as_ref(), &found)? {
            segment
        } else {
            let header = Header {
                salt: disk.entropy(),
                first_seq: next_seq,
                chain: found.chain,
            };
            let created = segment::create(disk.as_ref(), dir, header, segment_bytes);
            created.map_err(|error| match error {
                CreateError::NotCreated(source) | CreateError::NotSynced(source) => {
                    OpenError::io("create the first segment in", dir)(source)
                }
            })?
        };
        // Only now, as everything that was found is durable. The folder's flush is for the repair, too.
        let mark = Mark::create(disk.as_ref(), dir, found.last_seq)
            .map_err(OpenError::io("write `durable` in", dir))?;
        disk.sync_folder(dir).map_err(OpenError::io("flush", dir))?;
        let recovered = Recovered {
            segments: found.pieces.len().max(1),
            ..found.recovered()
        };
        if recovered.torn_bytes > 0 {
            tracing::warn!(
                dir = %dir.display(), last_seq = recovered.last_seq, torn_bytes = recovered.torn_bytes,
                "cut unacknowledged writes from the end of the log, as after a crash"
            );
        }
        let log = Self {
            disk,
            dir: dir.to_owned(),
            segment_bytes,
            segment,
            mark,
            next_seq,
            chain: found.chain,
            durable: Arc::new(AtomicU64::new(found.last_seq)),
            buffer: Vec::new(),
            failed: None,
            _lock: lock,
        };
        Ok((log, recovered))
    }

    /// Makes sure that a batch of payloads of at most these sizes (in bytes) will find room, creating the next segment now
    /// if it must. For a caller that cannot take back what it does between deciding on a batch and appending it: after this,
    /// [`Log::append`] of such a batch succeeds or is fatal.
    pub fn reserve(&mut self, sizes: impl IntoIterator<Item = usize>) -> Result<(), AppendError> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone().into());
        }
        let bytes = batch_bytes(sizes)?;
        if self.segment.end + bytes > self.segment.size {
            self.rotate(bytes)?;
        }
        Ok(())
    }

    /// Appends the payloads as consecutive records with one write and one flush, and returns their sequence numbers (start
    /// included, end excluded) once all are durable. After a crash before that, none, some first ones, or all of them are there.
    ///
    /// Blocks for the time of a flush: call it from a thread of its own. An empty batch does nothing.
    pub fn append(&mut self, payloads: &[&[u8]]) -> Result<Range<u64>, AppendError> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone().into());
        }
        let start = self.next_seq;
        if payloads.is_empty() {
            return Ok(start..start);
        }
        let bytes = batch_bytes(payloads.iter().map(|payload| payload.len()))?;
        if self.segment.end + bytes > self.segment.size {
            self.rotate(bytes)?;
        }
        let synced = start - 1;
        let mut chain = self.chain;
        self.buffer.clear();
        for (seq, payload) in (start..).zip(payloads) {
            chain = frame::write(
                &mut self.buffer,
                self.segment.salt,
                seq,
                synced,
                chain,
                payload,
            );
        }
        // From here on bytes may be on the disk: an error leaves nobody knowing which.
        if let Err(error) = self
            .segment
            .file
            .write_all_at(&self.buffer, self.segment.end)
        {
            return Err(self.fail("write", &error));
        }
        if let Err(error) = self.segment.file.sync_data() {
            return Err(self.fail("flush", &error));
        }
        let end = start + payloads.len() as u64;
        self.segment.end += bytes;
        self.next_seq = end;
        self.chain = chain;
        self.durable.store(end - 1, Ordering::Release);
        self.mark.note(end - 1);
        if self.buffer.capacity() > KEPT_BUFFER_BYTES {
            self.buffer = Vec::new();
        }
        Ok(start..end)
    }

    /// The sequence number of the last durable record, 0 if there is none.
    pub fn durable_seq(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Reads this log from other threads while it is written, up to what is durable.
    pub fn reader(&self) -> Reader {
        Reader::new(
            Arc::clone(&self.disk),
            self.dir.clone(),
            Arc::clone(&self.durable),
        )
    }

    /// Goes on to a new segment with room for a batch of `bytes` bytes.
    fn rotate(&mut self, bytes: u64) -> Result<(), AppendError> {
        let size = self.segment_bytes.max(segment::HEADER_BYTES as u64 + bytes);
        let header = Header {
            salt: self.disk.entropy(),
            first_seq: self.next_seq,
            chain: self.chain,
        };
        match segment::create(self.disk.as_ref(), &self.dir, header, size) {
            Ok(segment) => {
                self.segment = segment;
                // A good moment, as this one had to wait for the disk anyway.
                self.mark.sync();
                Ok(())
            }
            Err(CreateError::NotCreated(source)) => {
                let path = self.dir.join(segment::name(header.first_seq));
                Err(NotWritten::NoSegment {
                    path,
                    bytes: size,
                    source,
                }
                .into())
            }
            Err(CreateError::NotSynced(error)) => Err(self.fail("flush the segment after", &error)),
        }
    }

    fn fail(&mut self, doing: &'static str, error: &std::io::Error) -> AppendError {
        let failure = Failure {
            doing,
            path: self.segment.path.clone(),
            message: error.to_string(),
        };
        self.failed = Some(failure.clone());
        failure.into()
    }
}

impl Drop for Log {
    /// After a clean stop, damage anywhere in the log is told from a torn write.
    fn drop(&mut self) {
        if self.failed.is_none() {
            self.mark.sync();
        }
    }
}

/// The size of a batch on disk, if it may be written.
fn batch_bytes(sizes: impl IntoIterator<Item = usize>) -> Result<u64, NotWritten> {
    let mut bytes = 0;
    for (index, size) in sizes.into_iter().enumerate() {
        if size > MAX_PAYLOAD_BYTES {
            return Err(NotWritten::PayloadTooLarge {
                index,
                bytes: size,
                max: MAX_PAYLOAD_BYTES,
            });
        }
        bytes += frame::frame_bytes(size) as u64;
    }
    if bytes > MAX_BATCH_BYTES {
        return Err(NotWritten::BatchTooLarge {
            bytes,
            max: MAX_BATCH_BYTES,
        });
    }
    Ok(bytes)
}
