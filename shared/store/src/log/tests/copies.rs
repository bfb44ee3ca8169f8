//! Snapshots, backups and restores.
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::log::fault::Fault;

fn dest() -> PathBuf {
    PathBuf::from("/copy")
}

fn write_snapshot(disk: &FaultDisk, seq: u64) {
    snapshot::write_on(disk, &dir(), seq, &mut |out| {
        out.write_all(&seq.to_le_bytes())
    })
    .unwrap();
}

fn newest(disk: &FaultDisk) -> (Option<u64>, usize) {
    let newest = snapshot::newest_on(disk, &dir()).unwrap();
    let seq = newest.snapshot.map(|mut snapshot| {
        let mut body = Vec::new();
        snapshot.read_to_end(&mut body).unwrap();
        assert_eq!(body, snapshot.seq.to_le_bytes());
        snapshot.seq
    });
    (seq, newest.damaged.len())
}

#[test]
fn the_newest_two_snapshots_are_kept_and_no_segment_goes() {
    let disk = log_of(&[30, 30, 30]);
    let before = segments(&disk);
    assert_eq!(newest(&disk), (None, 0));
    for seq in [10, 20, 30] {
        write_snapshot(&disk, seq);
        assert_eq!(newest(&disk), (Some(seq), 0));
    }
    assert_eq!(snapshot::list(&disk, &dir()).unwrap(), [20, 30]);
    assert_eq!(segments(&disk), before);
}

#[test]
fn any_damage_to_a_snapshot_makes_the_older_one_count() {
    let whole = log_of(&[30]);
    write_snapshot(&whole, 10);
    write_snapshot(&whole, 20);
    let path = dir().join(snapshot::name(20));
    let bytes = whole.bytes(&path);
    for at in 0..bytes.len() {
        for cut in [false, true] {
            let disk = whole.after_kill();
            let mut bytes = bytes.clone();
            bytes[at] ^= 4;
            if cut {
                bytes.truncate(at);
            }
            disk.set_bytes(&path, bytes);
            assert_eq!(newest(&disk), (Some(10), 1), "byte {at}");
        }
    }
    for seq in [10, 20] {
        whole.set_bytes(&dir().join(snapshot::name(seq)), vec![0; 50]);
    }
    assert_eq!(newest(&whole), (None, 2));
}

#[test]
fn a_snapshot_that_fails_leaves_the_old_ones() {
    let whole = log_of(&[30]);
    write_snapshot(&whole, 10);
    for fault in [Fault::NoSpace, Fault::Io, Fault::PowerOff] {
        for at in 0..4 {
            let disk = whole.after_kill();
            disk.fail_at(at, fault);
            let body = &mut |out: &mut dyn std::io::Write| out.write_all(&20_u64.to_le_bytes());
            let error = snapshot::write_on(&disk, &dir(), 20, body).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("snapshot-00000000000000000020.bin"),
                "{error}"
            );
            let next = disk.after_power_loss(at);
            // Before the rename the old one counts; after it, either is right.
            let (seq, damaged) = newest(&next);
            assert!(
                damaged == 0 && (seq == Some(10) || (seq == Some(20) && at >= 3)),
                "{fault:?} at {at}: {seq:?}"
            );
            write_snapshot(&next, 30);
            assert!(
                !next
                    .list(&dir())
                    .unwrap()
                    .iter()
                    .any(|name| name.contains("tmp"))
            );
        }
    }
}

#[test]
fn a_log_that_ends_before_a_snapshot_is_refused() {
    let disk = log_of(&[30]);
    write_snapshot(&disk, 30);
    remove(&disk, &dir().join(mark::NAME));
    remove(&disk, &segments(&disk)[0]);
    assert!(matches!(
        open(&disk),
        Err(OpenError::Lost {
            last_seq: 0,
            durable_seq: 30,
            ..
        })
    ));
}

#[test]
fn a_backup_opens_and_holds_exactly_the_records_up_to_its_end() {
    let disk = log_of(&[30, 30, 30]);
    write_snapshot(&disk, 40);
    write_snapshot(&disk, 80);
    for last in 0..=90 {
        let disk = disk.after_kill();
        let copied = backup_on(&disk, &dir(), &dest(), last).unwrap();
        let snapshots = [40, 80].iter().filter(|seq| **seq <= last).count();
        assert_eq!((copied.last_seq, copied.snapshots), (last, snapshots));
        assert_eq!(verify_on(&disk, &dest()).unwrap().torn_bytes, 0);
        let (mut log, recovered) = Log::open_on(Arc::new(disk.clone()), &dest(), SMALL).unwrap();
        assert_eq!((recovered.last_seq, recovered.torn_bytes), (last, 0));
        append(&mut log, 9).unwrap();
        assert_eq!(check_all(&log), last + 9);
    }
    assert!(matches!(
        backup_on(&disk, &dir(), &dest(), 91),
        Err(BackupError::Source(_))
    ));
}

#[test]
fn only_an_empty_folder_is_written_to_and_only_a_whole_backup_is_restored() {
    let disk = log_of(&[30, 30]);
    disk.set_bytes(&dest().join("x"), vec![]);
    assert!(matches!(
        backup_on(&disk, &dir(), &dest(), 5),
        Err(BackupError::NotEmpty { .. })
    ));
    assert!(matches!(
        restore_on(&disk, &dir(), &dest()),
        Err(BackupError::NotEmpty { .. })
    ));
    disk.remove(&dest().join("x")).unwrap();

    // Broken off at any call, a backup is not taken for one.
    let calls = {
        let disk = disk.after_kill();
        let before = disk.calls();
        backup_on(&disk, &dir(), &dest(), 60).unwrap();
        disk.calls() - before
    };
    let into = PathBuf::from("/restored");
    for at in 0..calls {
        let disk = disk.after_kill();
        disk.fail_at(at, Fault::PowerOff);
        backup_on(&disk, &dir(), &dest(), 60).unwrap_err();
        let next = disk.after_power_loss(at);
        match restore_on(&next, &dest(), &into) {
            // What says that the copy is whole is written last, by the last three calls: it may be there although the power went.
            Ok(copied) => assert!(
                copied.last_seq == 60 && at + 3 >= calls,
                "call {at} of {calls}"
            ),
            Err(error) => assert!(
                matches!(error, BackupError::Unfinished { .. }),
                "call {at}: {error}"
            ),
        }
    }

    // A whole one comes back; a damaged one does not.
    backup_on(&disk, &dir(), &dest(), 60).unwrap();
    let copied = restore_on(&disk, &dest(), &into).unwrap();
    assert_eq!(copied.last_seq, 60);
    assert_eq!(
        check_all(
            &Log::open_on(Arc::new(disk.clone()), &into, SMALL)
                .unwrap()
                .0
        ),
        60
    );
    let path = dest().join(segment::name(1));
    let mut bytes = disk.bytes(&path);
    bytes[4999] ^= 1;
    disk.set_bytes(&path, bytes);
    let error = restore_on(&disk, &dest(), Path::new("/other")).unwrap_err();
    assert!(
        matches!(error, BackupError::Source(OpenError::Corrupt { .. })),
        "{error}"
    );
    assert!(disk.list(Path::new("/other")).unwrap().is_empty());
}

#[test]
fn a_backup_and_readers_run_beside_the_writer() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("log");
    let (mut log, _) = Log::open(&dir, SMALL).unwrap();
    append(&mut log, 40).unwrap();
    let reader = log.reader();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                append(&mut log, 7).unwrap();
            }
            log.durable_seq()
        });
        let mut last = 0;
        for round in 0..8 {
            let durable_seq = reader.durable_seq();
            let dest = home.path().join(format!("copy-{round}"));
            let copied = backup(&dir, &dest, durable_seq).unwrap();
            assert_eq!(copied.last_seq, durable_seq);
            let (copy, recovered) = Log::open(&dest, SMALL).unwrap();
            assert_eq!((recovered.last_seq, recovered.torn_bytes), (durable_seq, 0));
            assert_eq!(check_all(&copy), durable_seq);
            for record in reader.records_from(last + 1).unwrap() {
                let record = record.unwrap();
                assert_eq!((record.seq, record.payload), (last + 1, payload(last + 1)));
                last += 1;
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writing.join().unwrap() >= last && last > 0);
    });
}
