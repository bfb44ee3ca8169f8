//! What a commit through the Redis store costs: one at a time against grouped, and how flat it stays as a campaign grows.
//!
//! `cargo bench -p store --bench redis [-- --people 1000000]`. Only ratios count, and CPU for each commit: the client shares the
//! machine with the server. Each cell is the median of five interleaved rounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement that can't be made says so by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use machine::luck::Seed;
use machine::world::{Action, Outcome};
use store::Store;
use store::conformance::sample::{admin, commit, giving, publish, user};
use store::redis::{Grouping, Redis};
use testbed::Server;

const ROUNDS: usize = 5;
const SPAN: Duration = Duration::from_millis(1500);
const ANSWER_BYTES: usize = 600;

/// A redis-server of its own, with a campaign in it.
struct Stage {
    server: Server,
    /// The next user that was never here.
    next: AtomicU64,
}

#[derive(Clone, Copy)]
struct Cell {
    per_sec: f64,
    p50_us: f64,
    server_us: f64,
}

fn main() {
    let people = std::env::args()
        .skip_while(|arg| arg != "--people")
        .nth(1)
        .map_or(100_000, |number| number.parse().expect("a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        grouped().await;
        flat(people).await;
    });
}

/// One at a time against grouped, at several numbers of callers.
async fn grouped() {
    let ways = [
        (
            "one at a time",
            Grouping {
                in_flight: 4096,
                most_commits: 1,
            },
        ),
        ("grouped (2 x 32)", Grouping::default()),
        (
            "grouped (1 x 32)",
            Grouping {
                in_flight: 1,
                most_commits: 32,
            },
        ),
        (
            "grouped (2 x 16)",
            Grouping {
                in_flight: 2,
                most_commits: 16,
            },
        ),
        (
            "grouped (4 x 32)",
            Grouping {
                in_flight: 4,
                most_commits: 32,
            },
        ),
    ];
    println!("| callers | way | commits/s | x one at a time | p50 us | Redis CPU us a commit |");
    println!("|---|---|---|---|---|---|");
    for callers in [1, 8, 64, 256] {
        let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for (at, (_, grouping)) in ways.iter().enumerate() {
                let stage = Stage::set().await;
                let store = stage.open(*grouping).await;
                cells[at].push(stage.load(&store, callers, SPAN).await);
            }
        }
        let medians: Vec<Cell> = cells.iter().map(|cells| median(cells)).collect();
        for ((name, _), cell) in ways.iter().zip(&medians) {
            println!(
                "| {callers} | {name} | {:.0} | {:.2} | {:.0} | {:.1} |",
                cell.per_sec,
                cell.per_sec / medians[0].per_sec,
                cell.p50_us,
                cell.server_us
            );
        }
    }
}

/// The cost of a commit as participants come, and their memory.
async fn flat(most: u64) {
    println!(
        "\n| participants | commits/s | Redis CPU us a commit | bytes a participant (one answer of {ANSWER_BYTES} bytes each) |"
    );
    println!("|---|---|---|---|");
    let stage = Stage::set().await;
    let store = stage.open(Grouping::default()).await;
    let empty = stage.memory();
    let mut people = 1000;
    while people <= most {
        while stage.next.load(Ordering::Relaxed) < people {
            stage.load(&store, 256, Duration::from_millis(200)).await;
        }
        let cell = stage.load(&store, 64, SPAN).await;
        let now = stage.next.load(Ordering::Relaxed);
        println!(
            "| {now} | {:.0} | {:.1} | {:.0} |",
            cell.per_sec,
            cell.server_us,
            (stage.memory() - empty) / now as f64
        );
        people *= 10;
    }
}

impl Stage {
    async fn set() -> Self {
        let server = Server::start();
        let stage = Self {
            server,
            next: AtomicU64::new(0),
        };
        let store = stage.open(Grouping::default()).await;
        let create = Action::CreateTenant {
            secret: Seed([9; 32]),
        };
        store
            .admin(Box::new(admin(create)))
            .await
            .expect("a tenant");
        let stock = [("mug", u32::MAX)];
        store
            .admin(Box::new(admin(publish(
                "{\"durability\":\"standard\"}",
                &stock,
                None,
            ))))
            .await
            .expect("a campaign");
        stage
    }

    async fn open(&self, grouping: Grouping) -> Arc<Redis> {
        let address = self.server.address().parse().expect("an address");
        let store = store::redis::open_with(&address, grouping).await;
        Arc::new(store.expect("a store"))
    }

    /// Newcomers who each win a unit: one message row, one grant row, one counter, one remembered answer.
    async fn load(&self, store: &Arc<Redis>, callers: u64, span: Duration) -> Cell {
        let before = self.cpu_us();
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        let next = Arc::new(AtomicU64::new(self.next.load(Ordering::Relaxed)));
        let first = next.load(Ordering::Relaxed);
        for _ in 0..callers {
            let (store, next) = (store.clone(), next.clone());
            tasks.spawn(async move {
                let mut took = Vec::new();
                while began.elapsed() < span {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let mut made = giving(commit(user(number), 0, "a"), "mug");
                    made.answer = vec![b'x'; ANSWER_BYTES].into();
                    let start = Instant::now();
                    let outcome = store.commit(Box::new(made)).await.expect("an outcome");
                    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
                    took.push(start.elapsed().as_secs_f64() * 1e6);
                }
                took
            });
        }
        let mut took: Vec<f64> = tasks.join_all().await.concat();
        took.sort_by(f64::total_cmp);
        let done = (next.load(Ordering::Relaxed) - first) as f64;
        self.next
            .store(next.load(Ordering::Relaxed), Ordering::Relaxed);
        Cell {
            per_sec: done / began.elapsed().as_secs_f64(),
            p50_us: took[took.len() / 2],
            server_us: (self.cpu_us() - before) / done,
        }
    }

    /// CPU that the server has used, in microseconds.
    fn cpu_us(&self) -> f64 {
        let path = format!("/proc/{}/schedstat", self.server.pid());
        let text = std::fs::read_to_string(path).expect("the kernel's figures");
        let nanos: f64 = text
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .expect("nanoseconds");
        nanos / 1000.0
    }

    fn memory(&self) -> f64 {
        let info = self.server.command(&["INFO", "memory"]);
        let redis::Value::BulkString(text) = info else {
            let redis::Value::VerbatimString { text, .. } = info else {
                panic!("INFO answered {info:?}");
            };
            return used(&text);
        };
        used(&String::from_utf8_lossy(&text))
    }
}

fn used(text: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    line.expect("used_memory").trim().parse().expect("bytes")
}

fn median(cells: &[Cell]) -> Cell {
    let mut sorted = cells.to_vec();
    sorted.sort_by(|one, two| one.per_sec.total_cmp(&two.per_sec));
    let mut middle = sorted[sorted.len() / 2];
    sorted.sort_by(|one, two| one.server_us.total_cmp(&two.server_us));
    middle.server_us = sorted[sorted.len() / 2].server_us;
    sorted.sort_by(|one, two| one.p50_us.total_cmp(&two.p50_us));
    middle.p50_us = sorted[sorted.len() / 2].p50_us;
    middle
}
