//! The files of codes: there after a restart and in a backup, for nobody else's eyes, gone when no pool names them, and never half of
//! one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use machine::world::{CodeLines, CodesPut, Owner};

use super::sample;
use super::*;
use crate::codes::Codes;

fn owner() -> Owner {
    Owner {
        campaign: "spring".into(),
        edition: 1,
        reward: "mug".into(),
        from: 0,
    }
}

async fn put(store: &Embedded, numbers: std::ops::Range<u32>) -> Result<CodesPut, Error> {
    let change = sample::admin(Action::PutCodes {
        pool: "course".into(),
        version: "".into(),
        codes: 0,
        lines: CodeLines::default(),
        sha256: [7; 32],
    });
    let mut codes = Codes::default();
    for number in numbers {
        codes.push(format!("C{number}").as_bytes());
    }
    match store.put_codes(Box::new(change), codes).await? {
        AdminOutcome::Done(done) => Ok(done.codes.unwrap()),
        other => panic!("{other:?}"),
    }
}

async fn code(store: &Embedded, serial: u64) -> Option<String> {
    let (owner, serials) = (owner(), [serial]);
    let found = store.codes(sample::TENANT, "course", &owner, &serials);
    found.await.unwrap()[0].as_ref().map(ToString::to_string)
}

async fn begin(store: &Embedded) {
    let secret = Seed([9; 32]);
    let bind = Action::BindPool {
        pool: "course".into(),
        owner: owner(),
    };
    for action in [Action::CreateTenant { secret }, bind] {
        store.admin(Box::new(sample::admin(action))).await.unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.join("codes")).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn codes_outlive_a_restart_and_are_in_a_backup() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let store = crate::embedded::open(&data).unwrap();
    begin(&store).await;
    put(&store, 0..200_000).await.unwrap();
    let copy = home.path().join("copy");
    store.backup(copy.clone()).await.unwrap();
    assert_eq!(put(&store, 199_990..200_010).await.unwrap().added, 10);
    assert_eq!(files(&data).len(), 2);
    for file in files(&data).iter().chain(&files(&copy)) {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    drop(store);
    // A stray file of a put that was broken off.
    let stray = data.join("codes").join("0f".repeat(16));
    std::fs::write(&stray, b"half of it").unwrap();
    let store = crate::embedded::open(&data).unwrap();
    assert!(!stray.exists());
    assert_eq!(code(&store, 200_009).await.as_deref(), Some("C200009"));
    assert_eq!(code(&store, 200_010).await, None);
    let restored = home.path().join("restored");
    crate::log::restore(&copy, &restored).unwrap();
    for folder in [copy, restored] {
        let copy = crate::embedded::open(&folder).unwrap();
        assert_eq!(code(&copy, 199_999).await.as_deref(), Some("C199999"));
        assert_eq!(code(&copy, 200_000).await, None);
    }
}

#[tokio::test]
async fn damaged_codes_are_not_told_and_nothing_is_put_beside_them() {
    let home = tempfile::tempdir().unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    begin(&store).await;
    put(&store, 0..100).await.unwrap();
    drop(store);
    let file = files(home.path()).remove(0);
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[70] ^= 1;
    for damaged in [flipped, whole[..whole.len() - 4].to_vec(), Vec::new()] {
        std::fs::write(&file, damaged).unwrap();
        let store = crate::embedded::open(home.path()).unwrap();
        assert_eq!(code(&store, 5).await, None);
        // What is in there is not known, so a code might be put twice.
        assert!(put(&store, 200..201).await.is_err());
    }
    std::fs::write(&file, whole).unwrap();
    let store = crate::embedded::open(home.path()).unwrap();
    assert_eq!(code(&store, 5).await.as_deref(), Some("C5"));
}
