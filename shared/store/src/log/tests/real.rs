//! The real file system: the lock, the files, and what they are after each start.
use std::fs;
use std::process::Command;

use super::*;

#[test]
fn records_survive_rotation_and_reopening() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("a/b/log");
    let mut total = 0;
    for round in 1..=5 {
        let (mut log, recovered) = Log::open(&dir, SMALL).unwrap();
        assert_eq!((recovered.last_seq, recovered.torn_bytes), (total, 0));
        for count in [1, 16, round * 10] {
            total = append(&mut log, count).unwrap();
        }
        assert_eq!(check_all(&log), total);
        for from in [1, total / 2, total, total + 1] {
            let count = log.reader().records_from(from).unwrap().count() as u64;
            assert_eq!(count, total + 1 - from.max(1));
        }
    }
    let sizes: Vec<u64> = segment::list(&RealDisk, &dir)
        .unwrap()
        .into_iter()
        .map(|seq| fs::metadata(dir.join(segment::name(seq))).unwrap().len())
        .collect();
    assert!(
        sizes.len() > 4 && sizes.iter().all(|size| *size >= SMALL.segment_bytes),
        "{sizes:?}"
    );
}

#[test]
fn records_can_be_lent_instead_of_copied() {
    let home = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(home.path(), SMALL).unwrap();
    append(&mut log, 100).unwrap();
    let mut records = log.reader().records_from(50).unwrap();
    append(&mut log, 10).unwrap();
    let mut next = 50;
    while let Some((seq, lent)) = records.next_record().unwrap() {
        assert_eq!((seq, lent), (next, payload(next).as_slice()));
        next += 1;
    }
    assert_eq!(next, 101, "the end is fixed when reading begins");
}

#[test]
fn a_second_opener_is_told_who_holds_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(home.path(), SMALL).unwrap();
    let text = Log::open(home.path(), SMALL)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        text.contains(home.path().to_str().unwrap())
            && text.contains(&std::process::id().to_string()),
        "{text}"
    );
    drop(log);
    Log::open(home.path(), SMALL).unwrap();
}

/// Set for the child of the test below: the folder that it opens.
const CHILD_DIR: &str = "GALA_LOG_TEST_CHILD_DIR";

#[test]
fn a_second_process_is_refused_and_a_killed_one_lets_go() {
    if let Some(dir) = std::env::var_os(CHILD_DIR) {
        // The child: say how it went, then wait for the kill.
        let opened = Log::open(Path::new(&dir), SMALL);
        fs::write(Path::new(&dir).join("opened"), opened.is_ok().to_string()).unwrap();
        if let Ok((mut log, _)) = opened {
            append(&mut log, 5).unwrap();
            fs::write(Path::new(&dir).join("appended"), "").unwrap();
            std::thread::sleep(std::time::Duration::from_mins(1));
        }
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let spawn = || {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "log::tests::real::a_second_process_is_refused_and_a_killed_one_lets_go",
            ])
            .env(CHILD_DIR, home.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let (log, _) = Log::open(home.path(), SMALL).unwrap();
    spawn().wait().unwrap();
    assert_eq!(
        fs::read_to_string(home.path().join("opened")).unwrap(),
        "false"
    );
    drop(log);

    let mut child = spawn();
    for _ in 0..600 {
        if home.path().join("appended").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let error = Log::open(home.path(), SMALL).map(|_| ()).unwrap_err();
    assert!(
        matches!(error, OpenError::Locked { pid: Some(pid), .. } if pid == child.id()),
        "{error}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let (log, recovered) = Log::open(home.path(), SMALL).unwrap();
    assert_eq!((recovered.last_seq, recovered.torn_bytes), (5, 0));
    assert_eq!(check_all(&log), 5);
}
