//! A disk that refuses: what was not written may be tried again, what is unknown never.
use super::*;
use crate::log::fault::Fault;

/// The calls of an append that does not rotate, in order.
const WRITE: u64 = 0;
const FLUSH: u64 = 1;

#[test]
fn a_failed_write_or_flush_closes_the_log() {
    for (at, fault, says) in [
        (WRITE, Fault::Io, "could not write"),
        (WRITE, Fault::NoSpace, "could not write"),
        (FLUSH, Fault::Io, "could not flush"),
        (FLUSH, Fault::NoSpace, "could not flush"),
    ] {
        let disk = FaultDisk::new(5);
        let (mut log, _) = open(&disk).unwrap();
        append(&mut log, 4).unwrap();
        disk.fail_at(at, fault);
        for _ in 0..3 {
            let calls = disk.calls();
            let Err(AppendError::Fatal(failure)) = append(&mut log, 2) else {
                panic!("{says}")
            };
            assert!(failure.to_string().contains(says), "{failure}");
            assert!(calls == disk.calls() || calls == 0 || disk.calls() <= calls + 2);
            assert_eq!(log.durable_seq(), 4, "nothing is acknowledged");
        }
        let calls = disk.calls();
        assert!(append(&mut log, 1).is_err());
        assert!(log.append(&[]).is_err());
        assert_eq!(calls, disk.calls(), "a closed log does not touch the disk");
        // What was durable can still be read, and is there after the loss of power that such a disk announces.
        assert_eq!(check_all(&log), 4);
        let (log, recovered) = open(&disk.after_power_loss(1)).unwrap();
        assert!((4..=6).contains(&recovered.last_seq));
        check_all(&log);
    }
}

#[test]
fn what_a_restart_finds_after_a_failed_flush_is_made_durable_before_it_counts() {
    let mut kept = 0;
    for seed in 0..50 {
        let disk = FaultDisk::new(seed);
        let (mut log, _) = open(&disk).unwrap();
        append(&mut log, 4).unwrap();
        disk.fail_at(FLUSH, Fault::Io);
        assert!(append(&mut log, 8).is_err());
        // The process starts again. The page cache shows all twelve records, and takes them for written.
        let restarted = disk.after_kill();
        let (log, recovered) = open(&restarted).unwrap();
        assert_eq!(recovered.last_seq, 12);
        let (after, recovered) = open(&restarted.after_power_loss(seed)).unwrap();
        assert_eq!(recovered.last_seq, log.durable_seq());
        kept += check_all(&after);
    }
    assert_eq!(kept, 50 * 12);
}

#[test]
fn no_space_for_the_next_segment_is_not_fatal() {
    // Creating the file, reserving it, writing its header.
    for at in 0..3 {
        let disk = FaultDisk::new(5);
        let (mut log, _) = open(&disk).unwrap();
        let mut segments_before = segments(&disk);
        append(&mut log, 30).unwrap();
        disk.fail_at(at, Fault::NoSpace);
        let error = append(&mut log, 30).unwrap_err();
        assert!(
            matches!(error, AppendError::NotWritten(NotWritten::NoSegment { .. })),
            "{error:?}"
        );
        assert_eq!(segments(&disk), segments_before, "nothing is left behind");
        assert_eq!(log.durable_seq(), 30);
        // A small batch still fits, and with space again all goes on.
        append(&mut log, 1).unwrap();
        append(&mut log, 30).unwrap();
        segments_before = segments(&disk);
        assert_eq!(segments_before.len(), 2);
        drop(log);
        assert_eq!(check_all(&open(&disk.after_power_loss(2)).unwrap().0), 61);
    }
}

#[test]
fn a_failed_flush_in_a_rotation_is_fatal() {
    // The header's flush, the folder's flush.
    for at in 3..5 {
        let disk = FaultDisk::new(6);
        let (mut log, _) = open(&disk).unwrap();
        append(&mut log, 30).unwrap();
        disk.fail_at(at, Fault::Io);
        assert!(matches!(append(&mut log, 30), Err(AppendError::Fatal(_))));
        assert!(matches!(append(&mut log, 1), Err(AppendError::Fatal(_))));
        for seed in 0..8 {
            assert_eq!(
                check_all(&open(&disk.after_power_loss(seed)).unwrap().0),
                30
            );
        }
        assert_eq!(check_all(&open(&disk.after_kill()).unwrap().0), 30);
    }
}

#[test]
fn what_is_too_large_is_refused_and_forgotten() {
    let disk = FaultDisk::new(5);
    let (mut log, _) = open(&disk).unwrap();
    append(&mut log, 1).unwrap();
    let calls = disk.calls();
    let large = vec![1; MAX_PAYLOAD_BYTES + 1];
    let Err(AppendError::NotWritten(error)) = log.append(&[b"small", &large]) else {
        panic!()
    };
    assert_eq!(
        error.to_string(),
        "payload 1 of the batch has 16777217 bytes, the limit is 16777216: split it"
    );
    let most = &large[1..];
    assert!(matches!(
        log.append(&[most; 16]),
        Err(AppendError::NotWritten(NotWritten::BatchTooLarge { .. }))
    ));
    assert_eq!(calls, disk.calls());
    // The largest payload that is allowed gets a segment of its own size.
    assert_eq!(log.append(&[most]).unwrap(), 2..3);
    append_and_reopen(&disk, log, most);
}

fn append_and_reopen(disk: &FaultDisk, mut log: Log, large: &[u8]) {
    append(&mut log, 1).unwrap();
    drop(log);
    let (log, recovered) = open(disk).unwrap();
    assert_eq!(recovered.last_seq, 3);
    let records: Vec<Record> = log
        .reader()
        .records_from(2)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(records[0].payload == large && records[1].payload == payload(3));
}

#[test]
fn an_empty_batch_costs_nothing_and_an_empty_payload_is_a_record() {
    let disk = FaultDisk::new(5);
    let (mut log, _) = open(&disk).unwrap();
    let calls = disk.calls();
    assert_eq!(log.append(&[]).unwrap(), 1..1);
    assert_eq!(calls, disk.calls());
    assert_eq!(log.append(&[b"", b""]).unwrap(), 1..3);
    drop(log);
    let (log, recovered) = open(&disk).unwrap();
    assert_eq!(recovered.last_seq, 2);
    assert!(
        log.reader()
            .records_from(0)
            .unwrap()
            .all(|record| record.unwrap().payload.is_empty())
    );
}

#[test]
fn an_append_is_one_write_and_one_flush() {
    let disk = FaultDisk::new(5);
    let (mut log, _) = open(&disk).unwrap();
    let calls = disk.calls();
    append(&mut log, 20).unwrap();
    assert_eq!(
        disk.calls() - calls,
        3,
        "and the note in `durable`, which is not flushed"
    );
}
