//! Durable appends per second, beside the floor: the same bytes in one preallocated file by `pwrite` and `fdatasync`.
//!
//! Only the ratio of a `log` line to the `floor` line of the same batch says anything; the flush itself varies with the
//! machine and its neighbours.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)] // a bench that cannot write has nothing to report

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use store::log::{Log, Options};

const PAYLOAD_BYTES: usize = 300;
const FILE_BYTES: u64 = 64 << 20;
/// What a frame adds to a payload of this size: the floor writes the same number of bytes.
const FRAME_BYTES: usize = (32 + PAYLOAD_BYTES).next_multiple_of(8);

/// Preallocated files, one after the other. They are kept, as the log's are: blocks and pages that were freed are faster the
/// second time.
struct Floor {
    file: File,
    end: u64,
    number: u64,
}

impl Floor {
    fn new(dir: &Path, number: u64) -> Self {
        let file = File::create(dir.join(format!("floor-{number}"))).expect("create");
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, FILE_BYTES)
            .expect("reserve");
        file.sync_all().expect("flush");
        Self {
            file,
            end: 4096,
            number,
        }
    }

    fn append(&mut self, dir: &Path, bytes: &[u8]) {
        if self.end + bytes.len() as u64 > FILE_BYTES {
            *self = Self::new(dir, self.number + 1);
        }
        self.file.write_all_at(bytes, self.end).expect("write");
        self.file.sync_data().expect("flush");
        self.end += bytes.len() as u64;
    }
}

fn appends(criterion: &mut Criterion) {
    // On the disk of the build, not in a temporary folder that may be memory.
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (mut log, _) = Log::open(&home.path().join("log"), Options::default()).expect("a log");
    let mut floor = Floor::new(home.path(), 1);
    let mut group = criterion.benchmark_group("log");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_secs(1));
    for batch in [1, 16, 64, 512] {
        let payload = vec![0x5A; PAYLOAD_BYTES];
        let payloads: Vec<&[u8]> = vec![&payload; batch];
        let bytes = vec![0x5A; FRAME_BYTES * batch];
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::new("floor", batch), |bencher| {
            bencher.iter(|| floor.append(home.path(), &bytes));
        });
        group.bench_function(BenchmarkId::new("append", batch), |bencher| {
            bencher.iter(|| log.append(&payloads).expect("append"));
        });
        // The two above run one after the other, and the disk changes its mind in between; this one alternates.
        let (floor_median, log_median) = alternating(
            || floor.append(home.path(), &bytes),
            || {
                log.append(&payloads).expect("append");
            },
        );
        println!(
            "log/ratio/{batch}: {:.3} of the floor (medians of 301 alternating batches: {log_median:?} to {floor_median:?})",
            floor_median.as_secs_f64() / log_median.as_secs_f64()
        );
    }
    group.finish();
}

/// The median times of two things, done in turns.
fn alternating(mut first: impl FnMut(), mut second: impl FnMut()) -> (Duration, Duration) {
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..301 {
        for (times, act) in [
            (&mut firsts, &mut first as &mut dyn FnMut()),
            (&mut seconds, &mut second),
        ] {
            let start = Instant::now();
            act();
            times.push(start.elapsed());
        }
    }
    firsts.sort_unstable();
    seconds.sort_unstable();
    (firsts[150], seconds[150])
}

criterion_group!(benches, appends);
criterion_main!(benches);
