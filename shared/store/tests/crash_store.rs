//! Real processes killed with SIGKILL while they commit: what was acknowledged is there, byte for byte, and no unit of stock
//! is given twice or lost.
//!
//! The test runs itself again as a child that commits under load and prints each acknowledgement; the parent kills it at a
//! moment of chance, opens the folder and holds it against what was printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use machine::ids::CampaignKey;
use machine::ledger::Row;
use machine::luck::Seed;
use machine::world::{Action, Commit, Outcome, Publication};
use store::conformance::sample;
use store::embedded::{Options, open_with};
use store::{Asked, LedgerRow, Store};

const KILLS: u64 = 200;
/// A campaign is played by this many children in a row, so that both plenty and shortage are seen.
const KILLS_PER_CAMPAIGN: u64 = 20;
const TASKS: u64 = 12;
const USERS: u64 = 400;
const STOCK: [(&str, u32); 2] = [("mug", 60), ("cup", 25)];

/// Small segments and frequent snapshots: crashes fall into these too.
const OPTIONS: Options = Options {
    snapshot_after: 400,
    segment_bytes: 64 << 10,
};

const FOLDER: &str = "GALA_CRASH_FOLDER";
const LIFE: &str = "GALA_CRASH_LIFE";

fn campaign(life: u64) -> CampaignKey {
    let number = life / KILLS_PER_CAMPAIGN;
    CampaignKey {
        campaign: format!("spring-{number}").into(),
        ..sample::live()
    }
}

/// A unit of `reward` to a user that saw `expected`, or, without one, a step that gives nothing.
fn step(
    campaign: &CampaignKey,
    user: u64,
    expected: u64,
    key: &str,
    reward: Option<&str>,
) -> Commit {
    let mut made = sample::commit(sample::user(user), expected, key);
    made.campaign = campaign.clone();
    if let Some(reward) = reward {
        made = sample::giving(made, reward);
    }
    made
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Not a test of its own: what the parent starts.
#[test]
fn crash_child_commits_until_it_is_killed() {
    let (Ok(folder), Ok(life)) = (std::env::var(FOLDER), std::env::var(LIFE)) else {
        return;
    };
    let life: u64 = life.parse().expect("a number");
    let store =
        Arc::new(open_with(Path::new(&folder), OPTIONS).expect("the folder opens after any crash"));
    let out = Arc::new(Mutex::new(std::io::stdout()));
    runtime().block_on(async {
        let key = campaign(life);
        let mut publish = sample::admin(sample::publish("{}", &STOCK, None));
        if let Action::Publish(Publication { campaign, .. }) = &mut publish.action {
            *campaign = key.campaign.clone();
        }
        for change in [
            sample::admin(Action::CreateTenant {
                secret: Seed([9; 32]),
            }),
            publish,
        ] {
            store.admin(Box::new(change)).await.expect("an answer");
        }
        println!("ready");
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            tasks.spawn(play(store.clone(), out.clone(), key.clone(), life, task));
        }
        // A child that was forgotten ends by itself.
        let _ = tokio::time::timeout(Duration::from_secs(20), tasks.join_next()).await;
    });
}

async fn play(
    store: Arc<dyn Store>,
    out: Arc<Mutex<std::io::Stdout>>,
    campaign: CampaignKey,
    life: u64,
    task: u64,
) {
    for at in 0.. {
        // Neighbouring tasks meet at the same users.
        let user = (life * 31 + (task / 2) * 17 + at * 7) % USERS;
        let key = format!("{life}-{task}-{at}");
        let mut gone = BTreeSet::new();
        loop {
            let who = sample::user(user);
            let found = store
                .recall(&campaign, who, None)
                .await
                .expect("a read")
                .participant;
            let expected = found.as_ref().map_or(0, |found| found.core.version);
            // One unit for each user: the promise that must hold over crashes.
            let had = found.is_some_and(|found| !found.grants.is_empty());
            let reward = STOCK
                .iter()
                .map(|(reward, _)| *reward)
                .find(|reward| !gone.contains(reward));
            let made = step(&campaign, user, expected, &key, reward.filter(|_| !had));
            match store.commit(Box::new(made)).await.expect("an outcome") {
                Outcome::Committed(applied) => {
                    let mut out = out.lock().expect("not poisoned");
                    let line = format!(
                        "ack {user} {key} {expected} {} {}\n",
                        applied.version, applied.first_row
                    );
                    out.write_all(line.as_bytes())
                        .expect("a parent that listens");
                    out.flush().expect("a parent that listens");
                    break;
                }
                Outcome::Exhausted(left) => {
                    let named =
                        |reward: &&str| left.iter().any(|one| one.key == sample::stock(reward));
                    gone.extend(STOCK.iter().map(|(reward, _)| *reward).filter(named));
                }
                Outcome::Stale(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// What a child was told.
#[derive(Debug, Clone)]
struct Ack {
    campaign: CampaignKey,
    user: u64,
    key: String,
    expected: u64,
    version: u64,
    first_row: u64,
}

fn parse(line: &str, campaign: &CampaignKey) -> Option<Ack> {
    let mut words = line.split_once("ack ")?.1.split(' ');
    let mut number = || words.next()?.parse().ok();
    let user = number()?;
    let key = words.next()?.to_owned();
    let mut number = || words.next()?.parse().ok();
    Some(Ack {
        campaign: campaign.clone(),
        user,
        key,
        expected: number()?,
        version: number()?,
        first_row: number()?,
    })
}

/// When a child is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after its start: it may still be opening the folder.
    AfterStart(Duration),
    /// So long after it began to commit.
    AfterReady(Duration),
}

/// Starts a child, kills it at the moment and returns what it printed.
fn live_and_die(folder: &Path, life: u64, moment: Moment) -> Vec<Ack> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "crash_child_commits_until_it_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let (ready, is_ready) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let (mut acks, mut line, campaign) = (Vec::new(), String::new(), campaign(life));
        while out.read_line(&mut line).is_ok_and(|read| read > 0) {
            // The last line may be cut in the middle: without its end it is no acknowledgement.
            if let Some(whole) = line.strip_suffix('\n') {
                if whole.ends_with("ready") {
                    // The parent may have stopped waiting.
                    let _ = ready.send(());
                }
                acks.extend(parse(whole, &campaign));
            }
            line.clear();
        }
        acks
    });
    match moment {
        Moment::AfterStart(span) => std::thread::sleep(span),
        Moment::AfterReady(span) => {
            is_ready
                .recv_timeout(Duration::from_secs(30))
                .expect("a child that gets ready");
            std::thread::sleep(span);
        }
    }
    child.kill().expect("a kill");
    let status = child.wait().expect("its end");
    assert!(
        !status.success() && status.code().is_none(),
        "the child ended by itself: {status}"
    );
    reading.join().expect("its lines")
}

#[derive(Debug, Default)]
struct Report {
    kills: u64,
    before_the_first_ack: u64,
    acks: u64,
    replays: u64,
    unacked_but_there: u64,
    units: u64,
    sold_out: u64,
}

async fn check(store: &dyn Store, acks: &[Ack], report: &mut Report) {
    for ack in acks {
        let made = step(&ack.campaign, ack.user, ack.expected, &ack.key, None);
        let asked = Asked {
            key: &made.key,
            fingerprint: &made.fingerprint,
            now: made.at,
        };
        let recalled = store
            .recall(&made.campaign, made.user, Some(asked))
            .await
            .expect("a read");
        let version = recalled
            .participant
            .expect("an acknowledged participant")
            .core
            .version;
        assert!(
            version >= ack.version,
            "{ack:?}: only version {version} is there"
        );
        if version - ack.version < 16 {
            assert_eq!(recalled.answer, Some(Ok(made.answer.clone())), "{ack:?}");
            let again = store
                .commit(Box::new(made.clone()))
                .await
                .expect("an outcome");
            assert_eq!(again, Outcome::Replayed(made.answer), "{ack:?}");
            report.replays += 1;
        }
    }
}

/// The books of a campaign: every ack has its rows, every unit its serial, every user at most one unit.
async fn audit(store: &dyn Store, campaign: &CampaignKey, acks: &[Ack], report: &mut Report) {
    let Some(lane) = store.lane(campaign).await.expect("a read") else {
        return;
    };
    let rows = store.ledger(campaign, 0, usize::MAX).await.expect("a read");
    assert!(rows.iter().map(|row| row.number).eq(0..lane.rows));
    for ack in acks {
        let row = &rows[ack.first_row as usize];
        assert_eq!(
            (row.user, &*row.attribution.request_id),
            (sample::user(ack.user), ack.key.as_str())
        );
    }
    let keys: BTreeSet<&str> = rows
        .iter()
        .map(|row| &*row.attribution.request_id)
        .collect();
    report.unacked_but_there += (keys.len() - acks.len()) as u64;
    let given: Vec<(&LedgerRow, &str, u64)> = rows
        .iter()
        .filter_map(|row| match &row.row {
            Row::Grant(grant) => Some((row, &*grant.reward, grant.serial.expect("a serial"))),
            _ => None,
        })
        .collect();
    let users: BTreeSet<_> = given.iter().map(|(row, ..)| row.user).collect();
    assert_eq!(users.len(), given.len(), "a user was given two units");
    let mut serials: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (_, reward, serial) in &given {
        assert!(
            serials.entry(reward).or_default().insert(*serial),
            "{reward} {serial} was given twice"
        );
    }
    for (reward, units) in STOCK {
        let counter = lane
            .counters
            .iter()
            .find(|(key, _)| *key == sample::stock(reward))
            .expect("a counter")
            .1;
        let issued = serials.get(reward).map_or(0, BTreeSet::len) as i64;
        let left = counter.ceiling - counter.issued;
        assert_eq!(
            (counter.issued, issued + left),
            (issued, i64::from(units)),
            "{reward} in {campaign}"
        );
        report.sold_out += u64::from(left == 0);
    }
    report.units += given.len() as u64;
}

#[test]
fn crash_store_keeps_what_it_acknowledged() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (runtime, began) = (runtime(), Instant::now());
    let mut report = Report::default();
    let mut acks: Vec<Ack> = Vec::new();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for life in 0..KILLS {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let moment = if life % 4 == 0 {
            Moment::AfterStart(Duration::from_micros(5_000 + chance % 100_000))
        } else {
            Moment::AfterReady(Duration::from_micros(chance % 60_000))
        };
        let new = live_and_die(home.path(), life, moment);
        report.kills += 1;
        report.acks += new.len() as u64;
        report.before_the_first_ack += u64::from(new.is_empty());
        let store = open_with(home.path(), OPTIONS).expect("the folder opens after any crash");
        runtime.block_on(check(&store, &new, &mut report));
        acks.extend(new);
        if life % KILLS_PER_CAMPAIGN == KILLS_PER_CAMPAIGN - 1 {
            let campaign = campaign(life);
            let own: Vec<Ack> = acks
                .iter()
                .filter(|ack| ack.campaign == campaign)
                .cloned()
                .collect();
            runtime.block_on(audit(&store, &campaign, &own, &mut report));
        }
    }
    // And all of it once more at the end: nothing was lost later either.
    let store = open_with(home.path(), OPTIONS).expect("the folder opens");
    runtime.block_on(check(&store, &acks, &mut report));
    println!("{report:?} in {:.1} s", began.elapsed().as_secs_f64());
    assert!(
        report.acks > KILLS && report.sold_out > 0,
        "too little happened: {report:?}"
    );
}
