//! What a commit through the Redis store costs: one at a time against grouped, how flat it stays as a campaign grows, and what
//! a participant weighs.
//!
//! `cargo bench -p store --bench redis [-- [grouped] [flat] [weight] [--people 1000000]]`. Only ratios count, and CPU for each
//! commit: the client shares the machine with the server. Each cell is the median of five rounds, interleaved where ways are
//! compared. Five million participants take some 6 GB.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement that can't be made says so by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use machine::luck::Seed;
use machine::participant::Participant;
use machine::world::{Action, Commit, Outcome};
use store::Store;
use store::conformance::sample::{admin, commit, giving, live, publish, user};
use store::redis::keys::OfLane;
use store::redis::{Grouping, Redis};
use testbed::Server;

const ROUNDS: usize = 5;
const SPAN: Duration = Duration::from_secs(1);
const ANSWER_BYTES: usize = 600;
const SIZES: [u64; 5] = [1000, 10_000, 100_000, 1_000_000, 5_000_000];

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

/// How long a load goes on.
#[derive(Clone, Copy)]
enum Until {
    /// So long.
    Over(Duration),
    /// Until so many users have been here.
    Here(u64),
}

/// What a commit through the Redis store costs.
#[derive(Debug, Parser)]
struct Args {
    /// What is measured; all of it if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// The most participants of `flat`
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1000..))]
    people: u64,
    /// What cargo says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// One at a time against grouped
    Grouped,
    /// As a campaign grows
    Flat,
    /// What a participant weighs
    Weight,
}

fn main() {
    let args = Args::parse();
    let wants = |what| args.what.is_empty() || args.what.contains(&what);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        if wants(What::Grouped) {
            grouped().await;
        }
        if wants(What::Flat) {
            flat(args.people).await;
        }
        if wants(What::Weight) {
            weight().await;
        }
    });
}

/// One at a time against grouped, at several numbers of callers.
async fn grouped() {
    let way = |in_flight, most_commits| Grouping {
        in_flight,
        most_commits,
    };
    let ways = [
        ("one at a time", way(4096, 1)),
        ("2 x 32, the product's", Grouping::default()),
        ("1 x 32", way(1, 32)),
        ("3 x 32", way(3, 32)),
        ("4 x 32", way(4, 32)),
        ("2 x 16", way(2, 16)),
        ("2 x 64", way(2, 64)),
    ];
    println!("| callers | way | commits/s | x one at a time | p50 us | Redis CPU us a commit |");
    println!("|---|---|---|---|---|---|");
    for callers in [1, 8, 64, 256] {
        let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for (at, (_, grouping)) in ways.iter().enumerate() {
                let stage = Stage::set().await;
                let store = stage.open(*grouping).await;
                cells[at].push(stage.come(&store, callers, Until::Over(SPAN)).await);
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

/// The cost of a commit as participants come: of newcomers, and of those who were here.
async fn flat(most: u64) {
    println!(
        "\n| participants | newcomers/s | Redis CPU us | known/s | Redis CPU us | bytes a newcomer: an answer of {ANSWER_BYTES} and two ledger rows with it |"
    );
    println!("|---|---|---|---|---|---|");
    let stage = Stage::set().await;
    let store = stage.open(Grouping::default()).await;
    let versions: Arc<Vec<AtomicU64>> = Arc::new((0..most).map(|_| AtomicU64::new(1)).collect());
    for people in SIZES {
        if people > most {
            break;
        }
        let (before, here) = (stage.memory(), stage.next.load(Ordering::Relaxed));
        stage.come(&store, 256, Until::Here(people)).await;
        let came = stage.next.load(Ordering::Relaxed) - here;
        let bytes = (stage.memory() - before) / came as f64;
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS as u64 {
            known.push(stage.go_on(&store, people, &versions, round).await);
            new.push(stage.come(&store, 64, Until::Over(SPAN / 10)).await);
        }
        let (known, new) = (median(&known), median(&new));
        println!(
            "| {people} | {:.0} | {:.1} | {:.0} | {:.1} | {bytes:.0} |",
            new.per_sec, new.server_us, known.per_sec, known.server_us,
        );
    }
}

/// What a participant weighs by itself, and its answer apart; nobody has a ledger row.
async fn weight() {
    const PEOPLE: u64 = 100_000;
    println!(
        "\n| grants | answers of {ANSWER_BYTES} bytes remembered | bytes a participant, its key with it | bytes in the stream of answers |"
    );
    println!("|---|---|---|---|");
    for grants in [0, 1, 10] {
        for remembered in [0, 1] {
            let stage = Stage::set().await;
            let store = stage.open(Grouping::default()).await;
            let empty = stage.memory();
            let made = move |number: u64| {
                let mut made = commit(user(number), 0, "a");
                for _ in 0..grants {
                    made = giving(made, "mug");
                }
                made.rows.clear();
                made.moves.clear();
                made.answer = vec![b'x'; ANSWER_BYTES].into();
                if remembered == 0 {
                    made.event = None;
                }
                made
            };
            stage.run(&store, 256, Until::Here(PEOPLE), made).await;
            let answers = stage.weighs_answers();
            let own = stage.memory() - empty - answers;
            let came = stage.next.load(Ordering::Relaxed) as f64;
            println!(
                "| {grants} | {remembered} | {:.0} | {:.0} |",
                own / came,
                answers / came
            );
        }
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
    async fn come(&self, store: &Arc<Redis>, callers: u64, until: Until) -> Cell {
        let made = |number| {
            let mut made = giving(commit(user(number), 0, "a"), "mug");
            made.answer = vec![b'x'; ANSWER_BYTES].into();
            made
        };
        self.run(store, callers, until, made).await
    }

    /// Newcomers who do what `made` says.
    async fn run(
        &self,
        store: &Arc<Redis>,
        callers: u64,
        until: Until,
        made: impl Fn(u64) -> Commit + Send + Sync + 'static,
    ) -> Cell {
        let next = Arc::new(AtomicU64::new(self.next.load(Ordering::Relaxed)));
        let users = next.clone();
        let newcomer = move |_| {
            let number = users.fetch_add(1, Ordering::Relaxed);
            (number, made(number))
        };
        let cell = self.measure(store, callers, until, newcomer).await;
        self.next
            .store(next.load(Ordering::Relaxed), Ordering::Relaxed);
        cell
    }

    /// The first `people` go on, all over the keys: a record replaced, one message row, nothing remembered. Each caller has
    /// users of its own, so that two commits of one user are never under way.
    async fn go_on(
        &self,
        store: &Arc<Redis>,
        people: u64,
        versions: &Arc<Vec<AtomicU64>>,
        round: u64,
    ) -> Cell {
        const CALLERS: u64 = 64;
        const STRIDE: u64 = 611_953;
        let each = people / CALLERS;
        let versions = versions.clone();
        let steps: Vec<AtomicU64> = (0..CALLERS).map(|_| AtomicU64::new(round * 7919)).collect();
        let made = move |caller: u64| {
            let step = steps[caller as usize].fetch_add(1, Ordering::Relaxed);
            let number = caller + CALLERS * (step * STRIDE % each);
            let version = versions[number as usize].fetch_add(1, Ordering::Relaxed);
            let mut made = commit(user(number), version, "b");
            made.event = None;
            let before = if version == 1 { "a" } else { "b" };
            let mut core = commit(user(number), version - 1, before).core;
            core.version = version;
            made.seen = Some(Arc::new(Participant {
                core,
                grants: Vec::new(),
                heard: Vec::new(),
            }));
            (0, made)
        };
        self.measure(store, CALLERS, Until::Over(SPAN / 2), made)
            .await
    }

    /// `made` gets its caller's number, and gives the user's, which [`Until::Here`] looks at.
    async fn measure(
        &self,
        store: &Arc<Redis>,
        callers: u64,
        until: Until,
        made: impl Fn(u64) -> (u64, Commit) + Send + Sync + 'static,
    ) -> Cell {
        let made = Arc::new(made);
        let before = self.cpu_us();
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..callers {
            let (store, made) = (store.clone(), made.clone());
            tasks.spawn(async move {
                let mut took = Vec::new();
                loop {
                    let (number, commit) = made(caller);
                    let start = Instant::now();
                    let outcome = store.commit(Box::new(commit)).await.expect("an outcome");
                    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
                    took.push(start.elapsed().as_secs_f64() * 1e6);
                    let is_over = match until {
                        Until::Over(span) => began.elapsed() >= span,
                        Until::Here(most) => number + callers >= most,
                    };
                    if is_over {
                        return took;
                    }
                }
            });
        }
        let mut took: Vec<f64> = tasks.join_all().await.concat();
        took.sort_by(f64::total_cmp);
        let done = took.len() as f64;
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
        let used = self.server.info("used_memory").expect("used_memory");
        used.parse().expect("bytes")
    }

    /// Bytes of the stream of answers, all of it looked at; 0 of none.
    fn weighs_answers(&self) -> f64 {
        let key = OfLane::new(&live()).answers().to_string();
        let told = self
            .server
            .command(&["MEMORY", "USAGE", &key, "SAMPLES", "0"]);
        match told {
            redis::Value::Int(bytes) => bytes as f64,
            _ => 0.0,
        }
    }
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
