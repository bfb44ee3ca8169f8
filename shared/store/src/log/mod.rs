//! The durable log: append-only, checksummed, cut into segments; one `fdatasync` for each batch.
//!
//! It holds bytes in order and the promise about them: **what [`Log::append`] has returned survives a loss of power.** There
//! is no switch that turns the flush off. It never holds rules, campaigns or keys: a payload is bytes, and what they mean is
//! the embedded store's business.
//!
//! Segments are never deleted: together they are the ledger. [`snapshot`]s only make a start faster.
//!
//! # A folder
//!
//! | File | Holds |
//! | --- | --- |
//! | `lock` | the advisory lock of the one process that writes here, and its process id |
//! | `00000000000000000001.log` … | segments, each named by the first sequence number in it |
//! | `durable` | a lower bound of what was durable, see the end of this text |
//! | `snapshot-00000000000000000042.bin` | the caller's state after record 42; the newest two are kept |
//!
//! # A segment (all numbers little-endian)
//!
//! 4096 bytes of header, then frames, then zeros up to the preallocated size.
//! Header: magic `GALALOG\0`, version `u32`, salt `u32`, first seq `u64`, chain `u32` (the checksum of the last frame of the
//! segment before, 0 in the first), zeros, and in its last four bytes the CRC32C of all bytes before.
//!
//! Frame, a multiple of 8 bytes: CRC32C `u32`, payload length `u32`, seq `u64`, `synced` `u64`, chain `u32`, zero `u32`,
//! payload, zeros. The CRC is seeded with the segment's salt and covers everything after itself, the padding too. `synced` is
//! the highest seq known to be durable when the frame was written. The chain is the CRC of the frame before, so that each
//! frame's checksum depends on the whole log before it: frames lost, repeated, reordered or spliced in from another log do not
//! fit. That guards against accidents, **not against an attacker**, who can compute a CRC. The salt is random for each segment:
//! a payload that was crafted to look like a frame is not taken for one.
//!
//! # What a damaged log means
//!
//! The first bad frame of the last segment is where a crash tore the tail: the tail is zeroed and [`Recovered::torn_bytes`]
//! says how much. It is corruption, and opening is refused, when something proves that the bad frame had been durable: a valid
//! frame behind it whose `synced` reaches it, the `durable` file, or a snapshot. In an earlier segment every bad frame is
//! corruption, for the log goes on to a new segment only when the old one is durable.
//!
//! The file `durable` is written after each flush and not flushed itself (so it costs no disk round trip): it may lag, and
//! never runs ahead. After a killed process it is exact; after a loss of power it lags by some seconds, and then damage in the
//! very last batch cannot be told from a torn write.
mod backup;
mod disk;
mod error;
mod frame;
mod mark;
mod reader;
mod recover;
mod scan;
mod segment;
pub mod snapshot;
mod writer;

#[cfg(test)]
pub mod fault;
#[cfg(test)]
mod tests;

pub use backup::{BackupError, Copied, backup, backup_on, restore, restore_on, verify, verify_on};
pub use disk::{Disk, DiskFile, LockError, RealDisk};
pub use error::{AppendError, Failure, NotWritten, OpenError};
pub use frame::MAX_PAYLOAD_BYTES;
pub use reader::{ReadError, Reader, Record, Records};
pub use recover::Recovered;
pub use writer::{Log, MAX_BATCH_BYTES, Options};
