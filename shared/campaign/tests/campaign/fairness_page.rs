//! The page that tells strangers how to verify draws: the Python on it, as it stands there, agrees with what was played,
//! and disagrees once something was changed.

// A purpose of this file alone: it runs another language's program on files.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fs;
use std::path::Path;
use std::process::Command;

use campaign::verify::{Kind, Row, What, verify};
use machine::ids::hex;
use machine::luck::Seed;

use crate::ledger::{self, Ledger, play, play_days, play_on_terms};

const PAGE: &str = include_str!("../../../../docs/FAIRNESS.md");

/// The page's only Python block.
fn program() -> &'static str {
    let mut blocks = PAGE.split("```python\n").skip(1);
    let block = blocks.next().expect("the page has a block of Python");
    assert!(blocks.next().is_none(), "the page has one block of Python");
    block.split("```").next().expect("the block ends")
}

/// Runs the page's program; whether it is content, and what it prints.
fn run(ledger: &Ledger) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let lines: String = ledger
        .rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap() + "\n")
        .collect();
    let mut arguments = vec![
        write("verify.py", program().as_bytes()),
        write("ledger.ndjson", lines.as_bytes()),
        hex(&ledger.seed.0),
        hex(&ledger.commitment),
    ];
    for (number, published) in &ledger.revisions {
        let path = write(&format!("definition-{number}.json"), &published.definition);
        assert!(
            !path.contains('='),
            "the program's arguments are split at `=`"
        );
        arguments.push(format!("{number}={path}={}", hex(&published.sha256)));
    }
    let run = Command::new("python3")
        .args(["-I", "-B"])
        .args(&arguments)
        .current_dir(Path::new(folder.path()))
        .output();
    let run = run.expect("this test runs the verifier of docs/FAIRNESS.md: install python3 (apt-get install python3)");
    let said =
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    (run.status.success(), said)
}

#[test]
fn the_pages_program_agrees_with_what_was_played() {
    let ledger = play();
    assert!(
        ledger
            .rows
            .iter()
            .filter(|row| matches!(row.what, What::Draw { .. }))
            .count()
            >= 2_000
    );
    assert_eq!(run(&ledger), (true, "verified\n".to_owned()));
    let mut days = play_days();
    assert_eq!(run(&days), (true, "verified\n".to_owned()));
    let draws = days.rows.iter_mut().filter_map(|row| match &mut row.what {
        What::Draw { draw } => Some(draw),
        _ => None,
    });
    draws.for_each(|draw| draw.misses += 1);
    assert!(!run(&days).0);
}

/// What is done, and how.
type Tampering = (&'static str, fn(&mut Ledger));

#[test]
fn the_pages_program_finds_what_ours_finds() {
    let honest = play();
    let tamperings: [Tampering; 9] = [
        ("a row dropped", |ledger| {
            ledger.rows.remove(77);
        }),
        ("another seed", |ledger| ledger.seed = Seed([9; 32])),
        ("another definition", |ledger| {
            let other = campaign::encode(&ledger::definition(500));
            ledger.revisions.get_mut(&1).unwrap().definition = other;
        }),
        ("a pick", |ledger| {
            change(ledger, |draw| !draw.pity, |draw| draw.pick += 1);
        }),
        ("a miss", |ledger| {
            change(ledger, |draw| draw.misses == 2, |draw| draw.misses = 1);
        }),
        ("a prize", |ledger| {
            change(
                ledger,
                |draw| draw.given.is_some(),
                |draw| draw.given = None,
            );
        }),
        ("a false claim of stock", |ledger| {
            change(
                ledger,
                |draw| draw.given.as_deref() == Some("mug"),
                |draw| draw.exhausted.push("stock/mug".to_owned()),
            );
        }),
        ("a false claim of a later release", |ledger| {
            let gone = |row: &&mut Row| matches!(&row.what, What::Draw { draw } if draw.exhausted == ["stock/mug"]);
            let row = ledger.rows.iter_mut().find(gone).unwrap();
            row.at = Some("2036-01-01T00:00:00+08:00".to_owned());
        }),
        ("a false claim of having had", |ledger| {
            change(
                ledger,
                |draw| draw.given.as_deref() == Some("laptop"),
                |draw| draw.had.push("laptop".to_owned()),
            );
        }),
    ];
    for (what, tamper) in tamperings {
        let mut ledger = honest.clone();
        tamper(&mut ledger);
        let ours = verify(&ledger.promise(), ledger.rows.iter().cloned());
        let (content, said) = run(&ledger);
        assert!(!content && !ours.holds(), "{what}: {said}");
        assert!(!said.contains("Traceback"), "{what}: {said}");
        // The same kinds of findings at the same rows.
        let lines = || said.lines().filter_map(|line| line.split_once(": "));
        for finding in ours.findings.iter().take(20) {
            let kind = serde_json::to_value(finding.kind).unwrap();
            let row = finding.row.map(|row| format!("row {row}: "));
            let same = lines().any(|(found, rest)| {
                kind == found
                    && row
                        .as_ref()
                        .is_none_or(|row| rest.starts_with(row.as_str()))
            });
            assert!(same, "{what}: {finding} is not in {said:.2000}");
        }
        let kept = ours.wrong < 1_000;
        assert!(
            !kept || said.ends_with(&format!("{} findings\n", ours.wrong)),
            "{what}: {} and {said:.2000}",
            ours.wrong
        );
        assert!(
            ours.findings
                .iter()
                .all(|finding| finding.kind != Kind::Foreign)
        );
    }
}

fn change(
    ledger: &mut Ledger,
    wanted: fn(&campaign::verify::Draw) -> bool,
    with: fn(&mut campaign::verify::Draw),
) {
    let draws = ledger.rows.iter_mut().filter_map(|row| {
        if let What::Draw { draw } = &mut row.what {
            Some(draw)
        } else {
            None
        }
    });
    if let Some(draw) = { draws }.find(|draw| wanted(draw)) {
        with(draw);
    }
}

#[test]
fn the_pages_program_knows_terms_as_ours_does() {
    let honest = play_on_terms();
    assert_eq!(run(&honest), (true, "verified\n".to_owned()));
    let tamperings: [Tampering; 8] = [
        ("days' draws as the wheel's", |ledger| {
            change(ledger, |draw| draw.made.is_some(), |draw| draw.made = None);
        }),
        ("a tier", |ledger| {
            change(ledger, |draw| draw.tier == Some(1), |draw| draw.tier = None);
        }),
        ("an exclusion", |ledger| {
            change(
                ledger,
                |draw| draw.rolled == "badge" && draw.given.is_some(),
                |draw| draw.excluded.push("badge".to_owned()),
            );
        }),
        ("a day to come", |ledger| {
            change(
                ledger,
                |draw| draw.index == 9,
                |draw| {
                    draw.day = Some("2027-01-01".to_owned());
                },
            );
        }),
        ("a day before", |ledger| {
            change(
                ledger,
                |draw| draw.index == 20,
                |draw| {
                    draw.day = Some("2025-12-31".to_owned());
                },
            );
        }),
        ("no day", |ledger| {
            change(
                ledger,
                |draw| draw.given.as_deref() == Some("badge"),
                |draw| draw.day = None,
            );
        }),
        ("no calendar's day", |ledger| {
            change(
                ledger,
                |draw| draw.given.is_none(),
                |draw| {
                    draw.day = Some("2026-02-30".to_owned());
                },
            );
        }),
        ("a day's badge twice", |ledger| {
            change(
                ledger,
                |draw| draw.had == ["badge"] && draw.given.is_none(),
                |draw| {
                    draw.had.clear();
                    draw.given = Some("badge".to_owned());
                },
            );
        }),
    ];
    for (what, tamper) in tamperings {
        let mut ledger = honest.clone();
        tamper(&mut ledger);
        let ours = verify(&ledger.promise(), ledger.rows.iter().cloned());
        let (content, said) = run(&ledger);
        assert!(!content && !ours.holds(), "{what}: {said}");
        let mut theirs: Vec<String> = said
            .lines()
            .filter_map(|line| {
                let (kind, rest) = line.split_once(": row ")?;
                Some(format!("{kind} {}", rest.split_once(':')?.0))
            })
            .collect();
        let mut own: Vec<String> = ours
            .findings
            .iter()
            .map(|finding| {
                let kind = serde_json::to_value(finding.kind).unwrap();
                format!("{} {}", kind.as_str().unwrap(), finding.row.unwrap())
            })
            .collect();
        theirs.sort();
        own.sort();
        assert_eq!(theirs, own, "{what}: {said}");
    }
}

/// The numbers of the page's worked example are those of the code's golden test.
#[test]
fn the_worked_example_is_true() {
    use machine::ids::Pseudonym;
    use machine::luck::Seeded;
    let seed = Seed([9; 32]);
    let entropy =
        Seeded::new(&seed, "acme/spring-wheel", 1, &Pseudonym([7; 16])).entropy(3, "wheel");
    assert!(PAGE.contains(&hex(&entropy)));
    assert!(PAGE.contains(&hex(&seed.commitment())));
}

/// A reward that staff had stopped is passed over like one that is gone, whatever is left of it; and what staff do by hand has
/// rows that a verification has no business with.
#[test]
fn what_staff_did_is_understood_by_both() {
    let mut ledger = play();
    let mut stopped = 0;
    for row in &mut ledger.rows {
        if let What::Draw { draw } = &mut row.what {
            for key in &mut draw.exhausted {
                if let Some(reward) = key.strip_prefix("stock/") {
                    *key = format!("stopped/{reward}");
                    stopped += 1;
                }
            }
        }
    }
    assert!(stopped > 50);
    assert!(verify(&ledger.promise(), ledger.rows.clone()).holds());
    assert_eq!(run(&ledger), (true, "verified\n".to_owned()));
    for what in ["hand", "amended"] {
        let row = format!(
            r#"{{"number":0,"tenant":"a","campaign":"b","edition":1,"lane":"live","revision":1,"user":"00","type":"{what}","{what}":{{}}}}"#
        );
        let row: Row = serde_json::from_str(&row).unwrap();
        assert_eq!(row.what, What::Message);
    }
}
