//! Opening again: locks, snapshots, backups.

use super::sample::{giving, live, user};
use super::*;
use crate::log::{self, Disk};

async fn play(store: &Embedded, from: u64, to: u64) {
    for number in from..to {
        let mut made = giving(
            sample::commit(user(number % 7), number / 7, &format!("k{number}")),
            "mug",
        );
        made.timer = (number % 3 == 0).then_some(number as i64);
        assert!(committed(&commit(store, made).await), "{number}");
    }
}

#[tokio::test]
async fn one_process_opens_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    assert_eq!(store.folder(), home.path());
    let error = crate::embedded::open(home.path()).unwrap_err();
    assert!(
        matches!(&error, OpenError::Log(log::OpenError::Locked { .. })),
        "{error}"
    );
    let words = error.to_string();
    assert!(
        words.contains(&format!("in process {}", std::process::id())),
        "{words}"
    );
    drop(store);
    crate::embedded::open(home.path()).unwrap();
}

#[tokio::test]
async fn dropping_waits_for_what_was_handed_over() {
    let disk = disk();
    let store = set(&disk, 1000).await;
    for number in 0..500 {
        drop(store.commit(Box::new(giving(
            sample::commit(user(number), 0, "a"),
            "mug",
        ))));
    }
    drop(store);
    let store = open(&disk).unwrap();
    assert_eq!(
        store.lane(&live()).await.unwrap().unwrap().participants,
        500
    );
}

#[tokio::test]
async fn a_snapshot_and_the_rest_are_the_whole() {
    let disk = disk();
    let store = set(&disk, 1000).await;
    play(&store, 0, 100).await;
    drop(store);
    let often = Options {
        snapshot_after: 60,
        ..SMALL
    };
    let open_often = || open_on(Arc::new(disk.clone()), &dir(), often).unwrap();
    let snapshots = || {
        let names = disk.list(&dir()).unwrap();
        names
            .iter()
            .filter(|name| name.starts_with("snapshot-"))
            .count()
    };
    let store = open_often();
    assert_eq!(snapshots(), 1);
    play(&store, 100, 150).await;
    drop(store);
    // Too little has happened since for another one.
    let store = open_often();
    assert_eq!(snapshots(), 1);
    play(&store, 150, 250).await;
    let whole = (world(&store), store.state.read().index.clone());
    let rows = store.ledger(&live(), 0, 10_000).await.unwrap();
    drop(store);
    let store = open_often();
    assert_eq!(snapshots(), 2);
    assert_eq!((world(&store), store.state.read().index.clone()), whole);
    drop(store);

    // Without snapshots the same comes out, from the log alone.
    for name in disk.list(&dir()).unwrap() {
        if name.starts_with("snapshot-") {
            disk.remove(&dir().join(name)).unwrap();
        }
    }
    let store = open(&disk).unwrap();
    assert_eq!((world(&store), store.state.read().index.clone()), whole);
    assert_eq!(store.ledger(&live(), 0, 10_000).await.unwrap(), rows);
}

/// What is purged stays out of sight, by the log as by a snapshot, and never begins again.
#[tokio::test]
async fn a_purge_outlives_the_process() {
    let disk = disk();
    let store = set(&disk, 1000).await;
    play(&store, 0, 30).await;
    let purge = sample::admin(Action::Purge {
        campaign: sample::CAMPAIGN.into(),
        edition: 1,
        reason: None,
    });
    let outcome = store.admin(Box::new(purge)).await.unwrap();
    assert!(matches!(outcome, AdminOutcome::Done(_)), "{outcome:?}");
    let whole = world(&store);
    drop(store);
    let often = Options {
        snapshot_after: 1,
        ..SMALL
    };
    // The first of them replays the log and writes a snapshot, which the second reads.
    for options in [often, SMALL] {
        let store = open_on(Arc::new(disk.clone()), &dir(), options).unwrap();
        assert_eq!(world(&store), whole);
        assert_eq!(store.ledger(&live(), 0, 100).await.unwrap(), []);
        assert_eq!(store.history(sample::TENANT, user(1), 9).await.unwrap(), []);
        let again = sample::admin(sample::publish("{}", &[], None));
        let outcome = store.admin(Box::new(again)).await.unwrap();
        assert!(matches!(outcome, AdminOutcome::Refused(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_snapshot_of_another_version_is_passed_over() {
    let disk = disk();
    let store = set(&disk, 1000).await;
    play(&store, 0, 30).await;
    let whole = world(&store);
    drop(store);
    log::snapshot::write_on(&disk, &dir(), 20, &mut |out| {
        out.write_all(b"\xff\xff\xff\xffnew")
    })
    .unwrap();
    assert_eq!(world(&open(&disk).unwrap()), whole);
    // Nor is a disk that takes no snapshot a reason not to open.
    let often = Options {
        snapshot_after: 1,
        ..SMALL
    };
    let calls = disk.inner.after_kill();
    let before = calls.calls();
    drop(open_on(Arc::new(calls.clone()), &dir(), SMALL).unwrap());
    let opening = calls.calls() - before;
    for at in 0..opening + 3 {
        let full = disk.inner.after_kill();
        full.fail_at(at, log::fault::Fault::NoSpace);
        if let Ok(store) = open_on(Arc::new(full), &dir(), often) {
            assert_eq!(world(&store), whole);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_committing_is_a_prefix() {
    let disk = disk();
    let store = Arc::new(set(&disk, 100_000).await);
    let playing = tokio::spawn({
        let store = store.clone();
        async move { play(&store, 0, 3000).await }
    });
    let mut copies = Vec::new();
    while !playing.is_finished() && copies.len() < 40 {
        let dest = PathBuf::from(format!("/copy-{}", copies.len()));
        copies.push(store.backup(dest).await.unwrap());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    playing.await.unwrap();
    let all = store.ledger(&live(), 0, 100_000).await.unwrap();
    assert!(copies.len() > 2, "{copies:?}");
    for copied in copies {
        let copy = open_on(Arc::new(disk.clone()), &copied.dest, SMALL).unwrap();
        let rows = copy.ledger(&live(), 0, 100_000).await.unwrap();
        assert_eq!(rows.len() as u64, 2 * copied.last_change.saturating_sub(2));
        assert_eq!(rows, all[..rows.len()]);
        let lane = copy.lane(&live()).await.unwrap().unwrap();
        assert_eq!(lane.rows, rows.len() as u64);
        assert_eq!(
            lane.counters
                .iter()
                .map(|(_, counter)| counter.issued)
                .max(),
            Some(rows.len() as i64 / 2)
        );
    }
    let again = store.backup("/copy-0".into()).await.unwrap_err();
    assert!(again.to_string().contains("not empty"), "{again}");
}

#[tokio::test]
async fn a_change_that_does_not_fit_is_refused() {
    let disk = disk();
    let store = set(&disk, 1000).await;
    play(&store, 0, 3).await;
    drop(store);
    // A well-formed record that nothing of this store could have written.
    let options = log::Options {
        segment_bytes: SMALL.segment_bytes,
        ..log::Options::default()
    };
    let (mut raw, _) = log::Log::open_on(Arc::new(disk.clone()), &dir(), options).unwrap();
    let stale = machine::world::Change::Commit(Box::new(sample::commit(user(0), 0, "zz")));
    raw.append(&[&crate::embedded::record::encode(&stale, Vec::new()).unwrap()])
        .unwrap();
    drop(raw);
    let error = open(&disk).unwrap_err();
    assert!(matches!(&error, OpenError::Meaning { .. }), "{error}");
    assert!(error.to_string().contains("record 6"), "{error}");
}
