//! The log under test: crashes, damage, failing disks, copies, and the real disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

mod copies;
mod crash;
mod damage;
mod failing;
mod real;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::FaultDisk;
use super::*;

/// Small segments, so that every run rotates.
const SMALL: Options = Options {
    segment_bytes: 16 << 10,
    verify_from: 1,
};

fn dir() -> PathBuf {
    PathBuf::from("/log")
}

/// What record `seq` must hold: up to some hundred bytes, with zeros and 8-byte patterns among them.
fn payload(seq: u64) -> Vec<u8> {
    let len = (seq.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize % 600;
    (0..len)
        .map(|at| {
            if at % 7 == 0 {
                0
            } else {
                (seq as usize * 31 + at) as u8
            }
        })
        .collect()
}

fn open(disk: &FaultDisk) -> Result<(Log, Recovered), OpenError> {
    Log::open_on(Arc::new(disk.clone()), &dir(), SMALL)
}

/// Appends the next `count` records as one batch.
fn append(log: &mut Log, count: u64) -> Result<u64, AppendError> {
    let start = log.durable_seq() + 1;
    let payloads: Vec<Vec<u8>> = (start..start + count).map(payload).collect();
    let borrowed: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let range = log.append(&borrowed)?;
    assert_eq!(range, start..start + count);
    Ok(range.end - 1)
}

/// Reads everything back and returns the last record.
fn check_all(log: &Log) -> u64 {
    let mut last = 0;
    for record in log.reader().records_from(1).unwrap() {
        let record = record.unwrap();
        assert_eq!(record.seq, last + 1);
        assert_eq!(record.payload, payload(record.seq), "record {}", record.seq);
        last = record.seq;
    }
    assert_eq!(last, log.durable_seq());
    last
}

/// A disk with a log of batches of these sizes, cleanly closed.
fn log_of(batches: &[u64]) -> FaultDisk {
    let disk = FaultDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    for count in batches {
        append(&mut log, *count).unwrap();
    }
    disk
}

/// The segment files of the test folder, in order.
fn segments(disk: &FaultDisk) -> Vec<PathBuf> {
    segment::list(disk, &dir())
        .unwrap()
        .into_iter()
        .map(|seq| dir().join(segment::name(seq)))
        .collect()
}

fn remove(disk: &FaultDisk, path: &Path) {
    disk.remove(path).unwrap();
    disk.sync_folder(&dir()).unwrap();
}
