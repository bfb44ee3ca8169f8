//! Slow, failing and full disks: nothing is told before it is durable, and nothing told is lost.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use machine::world::{Action, Outcome};

use super::sample::{answer, giving, live, user};
use super::*;
use crate::{Asked, Later};

/// Whether it is answered already, after everything that could run has run.
async fn answered<T>(later: &mut Later<'_, T>) -> Option<Result<T, Error>> {
    for _ in 0..5 {
        let now = poll_fn(|context| match later.as_mut().poll(context) {
            Poll::Ready(found) => Poll::Ready(Some(found)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(found) = now.await {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    None
}

#[tokio::test]
async fn nothing_is_told_before_it_is_durable() {
    let disk = disk();
    let store = set(&disk, 10).await;
    commit(&store, sample::commit(user(2), 0, "a"))
        .await
        .unwrap();
    let held = disk.hold();
    let mut first = store.commit(Box::new(giving(sample::commit(user(1), 0, "a"), "mug")));
    disk.until_held();

    // The writer has applied it, and waits for the disk. A twin must wait too (C6), and so must whoever reads it.
    let live = live();
    let fingerprint = sample::fingerprint("a");
    let asked = Asked {
        key: "a",
        fingerprint: &fingerprint,
        now: sample::START,
    };
    let mut twin = store.commit(Box::new(giving(sample::commit(user(1), 0, "a"), "mug")));
    let mut recalled = store.recall(&live, user(1), Some(asked));
    let mut lane = store.lane(&live);
    let mut published = store.published();
    assert!(answered(&mut first).await.is_none());
    assert!(answered(&mut twin).await.is_none());
    assert!(answered(&mut recalled).await.is_none());
    assert!(answered(&mut lane).await.is_none());
    assert!(answered(&mut published).await.is_none());
    // Someone else's record is not kept from them, and the ledger ends where the disk does.
    let other = store.recall(&live, user(2), None).await.unwrap();
    assert_eq!(other.participant.unwrap().core.version, 1);
    assert_eq!(store.ledger(&live, 0, 100).await.unwrap().len(), 1);

    drop(held);
    assert!(committed(&first.await));
    assert_eq!(
        twin.await.unwrap(),
        Outcome::Replayed(answer(user(1), 0, "a"))
    );
    assert_eq!(
        recalled.await.unwrap().answer,
        Some(Ok(answer(user(1), 0, "a")))
    );
    assert_eq!(lane.await.unwrap().unwrap().rows, 3);
    assert_eq!(published.await.unwrap()[0].granted_rules.len(), 1);
    assert_eq!(store.ledger(&live, 0, 100).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_publish_is_not_seen_before_it_is_durable() {
    let disk = disk();
    let store = set(&disk, 10).await;
    let mut changes = store.changes();
    changes.mark_unchanged();
    let held = disk.hold();
    let mut second = store.admin(Box::new(sample::admin(sample::publish("2", &[], None))));
    disk.until_held();
    let live = live();
    let mut recalled = store.recall(&live, user(1), None);
    assert!(answered(&mut second).await.is_none());
    assert!(answered(&mut recalled).await.is_none());
    assert!(!changes.has_changed().unwrap());
    drop(held);
    second.await.unwrap();
    assert_eq!(recalled.await.unwrap().live[0].revision, 2);
    assert!(changes.has_changed().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_waits_for_one_flush_however_busy_the_store_is() {
    let disk = disk();
    let store = Arc::new(set(&disk, 10).await);
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..64 {
        let store = store.clone();
        writers.spawn(async move {
            for at in 0..200 {
                let made = sample::commit(user(number), at, &format!("k{at}"));
                assert!(committed(&commit(&store, made).await));
            }
        });
    }
    let mut reads = 0;
    while !writers.is_empty() {
        let live = live();
        let read = tokio::time::timeout(Duration::from_secs(5), store.lane(&live)).await;
        read.expect("a read must not starve").unwrap();
        reads += 1;
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
    }
    assert!(reads > 20, "{reads}");
}

#[tokio::test]
async fn after_a_failed_flush_the_store_stops() {
    let disk = disk();
    let store = set(&disk, 10).await;
    let acked = sample::commit(user(1), 0, "a");
    assert!(committed(&commit(&store, acked.clone()).await));
    let held = disk.hold();
    let under_way = store.commit(Box::new(sample::commit(user(2), 0, "a")));
    disk.until_held();
    let waiting = store.commit(Box::new(sample::commit(user(3), 0, "a")));
    let live = live();
    let reading = store.lane(&live);
    disk.fail(true);
    drop(held);
    assert!(matches!(under_way.await, Err(Error::Unknown(_))));
    // It was never applied, and so it is known what became of it.
    assert!(matches!(waiting.await, Err(Error::NotWritten(_))));
    assert!(matches!(reading.await, Err(Error::Read(_))));

    disk.fail(false);
    let later = commit(&store, sample::commit(user(4), 0, "a")).await;
    assert!(
        matches!(&later, Err(Error::NotWritten(why)) if why.contains("stopped")),
        "{later:?}"
    );
    let resume = Action::Resume {
        campaign: "spring".into(),
        edition: 1,
    };
    let later = store.admin(Box::new(sample::admin(resume))).await;
    assert!(matches!(later, Err(Error::NotWritten(_))));
    assert!(matches!(
        store.recall(&live, user(1), None).await,
        Err(Error::Read(_))
    ));
    assert!(matches!(store.published().await, Err(Error::Read(_))));
    assert!(matches!(
        store.ledger(&live, 0, 9).await,
        Err(Error::Read(_))
    ));
    assert!(matches!(
        store.history("acme", user(1), 9).await,
        Err(Error::Read(_))
    ));
    assert!(matches!(store.due(&live, 0, 9).await, Err(Error::Read(_))));
    assert!(matches!(
        store.backup("/copy".into()).await,
        Err(Error::Read(_))
    ));
    assert!(
        store
            .health()
            .failure
            .unwrap()
            .contains("input/output error")
    );
    drop(store);

    // What was acknowledged is there, whether the process was killed or the power went.
    for after in [disk.inner.after_kill(), disk.inner.after_power_loss(3)] {
        let store = open(&SwitchDisk::new(after)).unwrap();
        assert_eq!(
            commit(&store, acked.clone()).await.unwrap(),
            Outcome::Replayed(acked.answer.clone())
        );
        let versions = [2, 3, 4].map(|number| sample::commit(user(number), 0, "a"));
        for made in versions {
            let key = made.answer.clone();
            match commit(&store, made).await.unwrap() {
                Outcome::Committed(_) => {}
                Outcome::Replayed(bytes) => assert_eq!(bytes, key),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_later() {
    let disk = disk();
    let store = set(&disk, 1000).await;
    disk.full(true);
    let mut sent = Vec::new();
    let refused = loop {
        let number = sent.len() as u64;
        let made = giving(sample::commit(user(number), 0, "a"), "mug");
        let before = world(&store);
        match commit(&store, made.clone()).await {
            Ok(Outcome::Committed(_)) => sent.push(made),
            Err(Error::NotWritten(why)) => {
                assert_eq!(world(&store), before);
                assert!(why.contains("free some space"), "{why}");
                break made;
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(sent.len() > 10);
    // Reads are served, and it still is the world that a restart finds.
    assert_eq!(
        store.lane(&live()).await.unwrap().unwrap().participants,
        sent.len() as u64
    );
    assert!(store.health().failure.is_none());
    let restarted = open(&SwitchDisk::new(disk.inner.after_kill())).unwrap();
    assert_eq!(world(&restarted), world(&store));
    drop(restarted);

    disk.full(false);
    assert!(committed(&commit(&store, refused).await));
    let rows = store.ledger(&live(), 0, 10_000).await.unwrap();
    assert_eq!(rows.len(), 2 * (sent.len() + 1));
    let before = world(&store);
    drop(store);
    assert_eq!(world(&open(&disk).unwrap()), before);
}

#[tokio::test]
async fn what_no_record_can_hold_is_refused_alone() {
    let disk = disk();
    let store = set(&disk, 10).await;
    let mut huge = sample::commit(user(1), 0, "a");
    huge.answer = vec![0; crate::log::MAX_PAYLOAD_BYTES].into();
    let held = disk.hold();
    let first = store.commit(Box::new(sample::commit(user(2), 0, "a")));
    disk.until_held();
    let (with_it, huge) = (
        sample::commit(user(3), 0, "a"),
        store.commit(Box::new(huge)),
    );
    let with_it = store.commit(Box::new(with_it));
    drop(held);
    assert!(matches!(huge.await, Err(Error::NotWritten(_))));
    assert!(committed(&first.await) && committed(&with_it.await));
}

#[tokio::test]
async fn a_store_that_lags_says_busy_and_answers_the_rest() {
    let disk = disk();
    let store = set(&disk, 10).await;
    let held = disk.hold();
    let mut first = store.commit(Box::new(sample::commit(user(0), 0, "a")));
    disk.until_held();
    assert!(answered(&mut first).await.is_none());
    let waiting: Vec<_> = (1..=crate::embedded::QUEUE as u64)
        .map(|number| store.commit(Box::new(sample::commit(user(number), 0, "a"))))
        .collect();
    let refused = commit(&store, sample::commit(user(u64::MAX), 0, "a")).await;
    assert_eq!(refused, Err(Error::Busy));
    drop(held);
    assert!(committed(&first.await));
    for later in waiting {
        assert!(committed(&later.await));
    }
    assert!(committed(
        &commit(&store, sample::commit(user(u64::MAX), 0, "a")).await
    ));
}

#[tokio::test]
async fn after_a_panic_of_the_writer_the_store_stops() {
    let disk = disk();
    let store = set(&disk, 10).await;
    assert!(committed(
        &commit(&store, sample::commit(user(1), 0, "a")).await
    ));
    let look = crate::embedded::Request::Look(Box::new(|_| panic!("as a bug would")));
    store.send(look).unwrap();
    let under_way = commit(&store, sample::commit(user(2), 0, "a")).await;
    assert!(
        matches!(&under_way, Err(Error::Unknown(_) | Error::NotWritten(_))),
        "{under_way:?}"
    );
    while store.health().failure.is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let read = store.recall(&live(), user(1), None).await;
    assert!(matches!(&read, Err(Error::Read(why)) if why.contains("panicked")));
    drop(store);
    let store = open(&disk).unwrap();
    let found = store.recall(&live(), user(1), None).await.unwrap();
    assert_eq!(found.participant.unwrap().core.version, 1);
}
