//! The files of lists: there after a restart and in a backup, gone when no list names them, and never half a list.

use std::path::Path;

use machine::ids::Pseudonym;
use machine::world::Lines;

use super::sample::{self, user};
use super::*;

async fn put(store: &Embedded, list: &str, members: impl IntoIterator<Item = u64>) {
    let change = sample::admin(Action::PutList {
        list: list.into(),
        version: "".into(),
        members: 0,
        lines: Lines::default(),
        sha256: [7; 32],
    });
    let mut members: Vec<Pseudonym> = members.into_iter().map(user).collect();
    members.sort_unstable();
    let outcome = store.put_list(Box::new(change), members).await.unwrap();
    assert!(matches!(outcome, AdminOutcome::Done(_)), "{outcome:?}");
}

/// Whether `number` is on the list as it is now.
async fn on(store: &Embedded, list: &str, number: u64) -> Option<bool> {
    let lists = store.lists(sample::TENANT).await.unwrap();
    let found = lists.into_iter().find(|(name, _)| **name == *list)?;
    let versions = [found.1.version];
    let said = store.listed(sample::TENANT, &versions, user(number)).await;
    said.unwrap()[0]
}

async fn tenant(store: &Embedded) {
    let secret = Seed([9; 32]);
    let create = sample::admin(Action::CreateTenant { secret });
    store.admin(Box::new(create)).await.unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.join("lists")).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn lists_outlive_a_restart_and_are_in_a_backup() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let store = crate::embedded::open(&data).unwrap();
    tenant(&store).await;
    put(&store, "vip", 0..200_000).await;
    put(&store, "staff", [3]).await;
    let copy = home.path().join("copy");
    store.backup(copy.clone()).await.unwrap();
    put(&store, "vip", [5]).await;
    assert_eq!(files(&data).len(), 2);
    drop(store);
    let store = crate::embedded::open(&data).unwrap();
    let said = [4, 5].map(|number| (number, Some(number == 5)));
    for (number, expected) in said {
        assert_eq!(on(&store, "vip", number).await, expected);
    }
    assert_eq!(on(&store, "staff", 3).await, Some(true));
    let dropping = sample::admin(Action::DropList {
        list: "staff".into(),
    });
    store.admin(Box::new(dropping)).await.unwrap();
    assert_eq!(files(&data).len(), 1);
    // The copy is as it was, restored or not.
    let restored = home.path().join("restored");
    crate::log::restore(&copy, &restored).unwrap();
    for folder in [copy, restored] {
        let copy = crate::embedded::open(&folder).unwrap();
        assert_eq!(on(&copy, "vip", 199_999).await, Some(true));
        assert_eq!(on(&copy, "vip", 200_000).await, Some(false));
        assert_eq!(on(&copy, "staff", 3).await, Some(true));
    }
}

#[tokio::test]
async fn a_damaged_list_is_unknown_until_it_is_put_again() {
    let home = tempfile::tempdir().unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    tenant(&store).await;
    put(&store, "vip", 0..100).await;
    drop(store);
    let file = files(home.path()).remove(0);
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[700] ^= 1;
    for damaged in [flipped, whole[..whole.len() - 16].to_vec(), Vec::new()] {
        std::fs::write(&file, damaged).unwrap();
        let store = crate::embedded::open(home.path()).unwrap();
        assert_eq!(on(&store, "vip", 5).await, None);
    }
    std::fs::write(&file, whole).unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    assert_eq!(on(&store, "vip", 5).await, Some(true));
    drop(store);
    std::fs::remove_file(&file).unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    assert_eq!(on(&store, "vip", 5).await, None);
    put(&store, "vip", 0..10).await;
    assert_eq!(on(&store, "vip", 5).await, Some(true));
}

/// What a put that came to nothing left behind is gone at the next start.
#[tokio::test]
async fn nothing_is_left_behind() {
    let home = tempfile::tempdir().unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    tenant(&store).await;
    put(&store, "vip", 0..10).await;
    drop(store);
    let stray = home.path().join("lists").join("0f".repeat(16));
    std::fs::write(&stray, b"half of it").unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    assert!(!stray.exists());
    assert_eq!(on(&store, "vip", 5).await, Some(true));
}
