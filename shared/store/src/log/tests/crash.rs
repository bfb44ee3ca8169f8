//! Loss of power at every I/O call: what was acknowledged is there, nothing comes behind a gap, and the log always opens.
use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::log::fault::Fault;

/// What a run had been promised when the power went, as sequence numbers.
#[derive(Debug, Default, Clone, Copy)]
struct Promised {
    acked: u64,
    tried: u64,
    snapshot: u64,
}

/// Appends batches, and takes a snapshot now and then, until all is done or something fails.
fn run(
    disk: &FaultDisk,
    batches: u64,
    promised: &mut Promised,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut log, recovered) = open(disk)?;
    promised.acked = promised.acked.max(recovered.last_seq);
    for batch in 0..batches {
        let count = 1 + payload(batch + 1).len() as u64 % 7;
        promised.tried = log.durable_seq() + count;
        promised.acked = append(&mut log, count)?;
        if batch % 50 == 49 {
            let seq = promised.acked;
            snapshot::write_on(disk, &dir(), seq, &mut |out| out.write_all(&state(seq)))?;
            promised.snapshot = seq;
        }
    }
    Ok(())
}

fn state(seq: u64) -> Vec<u8> {
    payload(seq).repeat(5)
}

/// Opens a disk after a crash and holds it against what had been promised.
fn check(disk: &FaultDisk, promised: Promised) -> (Log, Recovered) {
    let verified = verify_on(disk, &dir());
    let (log, recovered) = open(disk).unwrap_or_else(|error| panic!("{promised:?}: {error}"));
    assert_eq!(verified.unwrap().last_seq, recovered.last_seq);
    assert!(
        recovered.last_seq >= promised.acked,
        "lost: {promised:?}, {recovered:?}"
    );
    assert!(
        recovered.last_seq <= promised.tried.max(promised.acked),
        "ghost: {promised:?}, {recovered:?}"
    );
    assert_eq!(check_all(&log), recovered.last_seq);
    let newest = snapshot::newest_on(disk, &dir()).unwrap();
    assert!(newest.damaged.is_empty(), "{newest:?}");
    let found = newest.snapshot.map_or(0, |mut snapshot| {
        let mut body = Vec::new();
        snapshot.read_to_end(&mut body).unwrap();
        assert_eq!(body, state(snapshot.seq));
        snapshot.seq
    });
    assert!(
        found >= promised.snapshot && found <= recovered.last_seq,
        "{found}: {promised:?}"
    );
    (log, recovered)
}

/// Every `k` of a run of `batches` batches that is `part` modulo `parts`, with `images` outcomes each.
fn every_call(batches: u64, images: u64, part: u64, parts: u64) {
    let whole = FaultDisk::new(0);
    run(&whole, batches, &mut Promised::default()).unwrap();
    let (mut opened, mut torn, mut unacked_kept) = (0, 0, 0);
    for k in (0..whole.calls()).filter(|k| k % parts == part) {
        let disk = FaultDisk::new(k);
        disk.fail_at(k, Fault::PowerOff);
        let mut promised = Promised::default();
        let ended = run(&disk, batches, &mut promised);
        assert!(
            disk.is_off() && (ended.is_err() || k + 3 >= whole.calls()),
            "call {k}: {ended:?}"
        );
        for image in 0..images {
            let next = disk.after_power_loss(k * images + image);
            let (mut log, recovered) = check(&next, promised);
            torn += u64::from(recovered.torn_bytes > 0);
            unacked_kept += u64::from(recovered.last_seq > promised.acked);
            opened += 1;
            // And it goes on, through another crash right after the answer.
            let acked = append(&mut log, 3).unwrap();
            let again = next.after_power_loss(image);
            check(
                &again,
                Promised {
                    acked,
                    tried: acked,
                    snapshot: promised.snapshot,
                },
            );
        }
    }
    println!(
        "{opened} images opened: {torn} with a torn tail, {unacked_kept} with unacknowledged records kept"
    );
    assert!(
        torn > 0 && unacked_kept > 0,
        "the interesting outcomes were not seen"
    );
}

#[test]
fn power_loss_at_every_call_a() {
    every_call(250, 3, 0, 2);
}

#[test]
fn power_loss_at_every_call_b() {
    every_call(250, 3, 1, 2);
}

/// C9 at full length. `cargo nextest run -p store --release --run-ignored only`.
#[test]
#[ignore = "long: a run of 2,000 I/O calls, over 10,000 images"]
fn power_loss_at_every_call_of_a_long_run() {
    every_call(650, 5, 0, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several lives in a row, each ended by a power loss or a kill at any call, also during the open.
    #[test]
    fn many_lives(lives in proptest::collection::vec((0..120_u64, any::<u64>(), any::<bool>()), 1..8)) {
        let mut disk = FaultDisk::new(7);
        let mut promised = Promised::default();
        for (at, seed, kill) in lives {
            disk.fail_at(at, Fault::PowerOff);
            let _ = run(&disk, 60, &mut promised);
            disk = if kill { disk.after_kill() } else { disk.after_power_loss(seed) };
        }
        check(&disk, promised);
    }

    /// As above, but lives end by failing flushes and writes, and the next one finds the lying page cache.
    #[test]
    fn lives_with_failing_flushes(
        lives in proptest::collection::vec((0..60_u64, 0..60_u64, any::<u64>(), any::<bool>()), 1..6),
    ) {
        let mut disk = FaultDisk::new(9);
        let mut promised = Promised::default();
        for (at, off_at, seed, no_space) in lives {
            disk.fail_at(at, if no_space { Fault::NoSpace } else { Fault::Io });
            let _ = run(&disk, 30, &mut promised);
            let restarted = disk.after_kill();
            restarted.fail_at(off_at, Fault::PowerOff);
            let _ = run(&restarted, 30, &mut promised);
            disk = restarted.after_power_loss(seed);
        }
        check(&disk, promised);
    }
}
