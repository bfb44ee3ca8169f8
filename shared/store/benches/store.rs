//! The embedded store against the disk itself: how many durable commits a second, when 1, 16, 64 or 512 callers wait at a time.
//!
//! "floor" is one write and one `fdatasync` of as many bytes in a preallocated file: what no store that keeps its word can beat.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking
#![allow(missing_docs)] // criterion's macros make public items

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use machine::luck::Seed;
use machine::world::{Action, Outcome};
use store::conformance::sample;
use store::embedded::Options;
use store::{Embedded, Later, Store};

const USERS: u64 = 100_000;

/// Commits that go on for ever: users in turn, each step on the version before.
struct Load {
    store: Embedded,
    at: u64,
}

impl Load {
    fn new(folder: &Path, runtime: &tokio::runtime::Runtime) -> Self {
        let store = store::embedded::open(folder).expect("a new store");
        runtime.block_on(async {
            for action in [
                Action::CreateTenant {
                    secret: Seed([9; 32]),
                },
                sample::publish("{}", &[("mug", u32::MAX)], None),
            ] {
                store
                    .admin(Box::new(sample::admin(action)))
                    .await
                    .expect("an answer");
            }
        });
        Self { store, at: 0 }
    }

    /// Hands over `count` commits at once and waits for all answers.
    async fn commit(&mut self, count: u64) {
        let made = |at: u64| {
            let made = sample::commit(sample::user(at % USERS), at / USERS, &format!("key-{at}"));
            if at.is_multiple_of(4) && at < USERS {
                sample::giving(made, "mug")
            } else {
                made
            }
        };
        let later: Vec<Later<'_, Outcome>> = (self.at..self.at + count)
            .map(|at| self.store.commit(Box::new(made(at))))
            .collect();
        for later in later {
            let outcome = later.await.expect("an outcome");
            assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
        }
        self.at += count;
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        println!("store/commits: {} in all", self.at);
    }
}

/// A preallocated file that is written round and round.
struct Floor {
    file: File,
    offset: u64,
}

impl Floor {
    const BYTES: u64 = 64 << 20;

    fn new(folder: &Path) -> Self {
        let file = File::create(folder.join("floor")).expect("a file");
        file.write_all_at(&vec![0; Self::BYTES as usize], 0)
            .expect("room");
        file.sync_all().expect("a flush");
        Self { file, offset: 0 }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.offset + bytes.len() as u64 > Self::BYTES {
            self.offset = 0;
        }
        self.file.write_all_at(bytes, self.offset).expect("a write");
        self.file.sync_data().expect("a flush");
        self.offset += bytes.len() as u64;
    }
}

fn commits(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let home = tempfile::tempdir_in(".").expect("a folder on the disk that counts");
    let mut load = Load::new(home.path(), &runtime);
    let mut floor = Floor::new(home.path());
    let mut group = criterion.benchmark_group("store/commit");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_millis(500));
    for waiting in [1, 16, 64, 512] {
        group.throughput(Throughput::Elements(waiting));
        group.bench_function(waiting.to_string(), |bencher| {
            bencher.iter(|| runtime.block_on(load.commit(waiting)));
        });
        // What another program does to the disk changes from second to second; in turns it hits both alike.
        let bytes = vec![7; 320 * waiting as usize];
        let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
        for _ in 0..201 {
            let start = Instant::now();
            floor.append(&bytes);
            firsts.push(start.elapsed());
            let start = Instant::now();
            runtime.block_on(load.commit(waiting));
            seconds.push(start.elapsed());
        }
        firsts.sort_unstable();
        seconds.sort_unstable();
        let per_second = |time: Duration| waiting as f64 / time.as_secs_f64();
        println!(
            "store/ratio/{waiting}: {:.0} commits/s, the floor {:.0}/s: {:.2} of it (medians of 201 alternating batches)",
            per_second(seconds[100]),
            per_second(firsts[100]),
            firsts[100].as_secs_f64() / seconds[100].as_secs_f64()
        );
    }
    group.finish();
    let key = sample::live();
    criterion.bench_function("store/recall", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            at = (at + 7919) % USERS;
            runtime
                .block_on(load.store.recall(&key, sample::user(at), None))
                .expect("a read")
        });
    });
    drop(load);
    opening(home.path());
}

/// How long a start takes with everything to replay, and with a snapshot.
fn opening(folder: &Path) {
    let timed = |snapshot_after| {
        let options = Options {
            snapshot_after,
            ..Options::default()
        };
        let start = Instant::now();
        let store = store::embedded::open_with(folder, options).expect("it opens");
        let time = start.elapsed();
        drop(store);
        time
    };
    let log_bytes: u64 = std::fs::read_dir(folder)
        .expect("its folder")
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|file| file.len())
        .sum();
    println!(
        "store/open: {:?} to replay it all ({} MiB of files), {:?} with writing a snapshot, {:?} from the snapshot",
        timed(u64::MAX),
        log_bytes >> 20,
        timed(1),
        timed(u64::MAX)
    );
}

criterion_group!(benches, commits);
criterion_main!(benches);
