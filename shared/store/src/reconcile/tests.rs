//! Sound books agree; each kind of damage is found and named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

mod books;

use std::sync::Arc;

use machine::Value;
use machine::ids::{Period, Pseudonym};
use machine::ledger::{AmendedRow, GrantRow, MessageRow, Row, TEAM_DAY};
use machine::participant::Status;
use machine::world::{Counter, CounterKey};

use super::*;
use crate::conformance::sample::{START, live, user};

use books::{Books, sound};

/// The kinds of differences that are found, whether in one pass or in several.
async fn kinds(books: &Books) -> Vec<&'static str> {
    let mut all = Vec::new();
    for rows_a_pass in [u64::MAX, 5] {
        let report = reconcile_by(books, &live(), rows_a_pass).await.unwrap();
        let report = report.unwrap();
        assert_eq!(report.found, report.differences.len() as u64);
        let mut kinds: Vec<_> = report.differences.iter().map(Difference::kind).collect();
        kinds.sort_unstable();
        all.push(kinds);
    }
    assert_eq!(all[0], all[1], "passes make no difference");
    all.remove(0)
}

fn grants(rows: &mut [LedgerRow]) -> impl Iterator<Item = (u64, &mut GrantRow)> {
    rows.iter_mut().filter_map(|row| match &mut row.row {
        Row::Grant(grant) => Some((row.number, grant)),
        _ => None,
    })
}

fn counter<'a>(books: &'a mut Books, name: &str) -> &'a mut Counter {
    let found = books.lane.counters.iter_mut();
    let mut found = found.filter(|(key, _)| key.to_string() == name);
    &mut found.next().unwrap().1
}

#[tokio::test]
async fn sound_books_agree() {
    let books = sound();
    assert_eq!(
        books.lane.counters.len(),
        3,
        "the day of the sample's clock is the test's: {:?}",
        books.lane.counters
    );
    assert_eq!(kinds(&books).await, [""; 0]);
    let report = reconcile(&books, &live()).await.unwrap().unwrap();
    assert_eq!(
        (
            report.rows,
            report.draws,
            report.grants,
            report.participants
        ),
        (27, 18, 9, 6)
    );
    assert!(report.agrees());
}

/// Books in which so many of a team are counted for a day, and so many have their row.
fn teams(counted: u32, booked: u32) -> Books {
    let (team, day): (Arc<str>, Day) = ("red".into(), books::DAY);
    let mut books = sound();
    if counted > 0 {
        books.tallies.push((team.clone(), day, counted));
    }
    for _ in 0..booked {
        let mut row = books.rows.last().unwrap().clone();
        row.number += 1;
        row.row = Row::Message(MessageRow {
            message: TEAM_DAY.into(),
            fields: vec![
                ("team".into(), Value::Str(team.clone())),
                ("day".into(), Value::Int(i64::from(day))),
            ],
        });
        books.rows.push(row);
        books.lane.rows += 1;
    }
    books
}

#[tokio::test]
async fn nobody_is_counted_without_a_row_and_no_row_is_without_a_tally() {
    for (counted, booked) in [(0, 0), (1, 1), (3, 3)] {
        assert_eq!(kinds(&teams(counted, booked)).await, [""; 0]);
    }
    for (counted, booked) in [(1, 0), (0, 1), (2, 1), (1, 2)] {
        let found = kinds(&teams(counted, booked)).await;
        assert_eq!(
            found,
            ["counter-differs"],
            "{counted} counted, {booked} booked"
        );
    }
}

type Damage = fn(&mut Books);

#[tokio::test]
async fn every_kind_of_damage_is_named() {
    let rows: &[(&str, Damage, &[&str])] = &[
        (
            "a row is gone that was nobody's last draw and gave nothing",
            |books| {
                // The first draw of the second user: the next one shows the gap, too.
                let at = books.rows.iter().position(|row| row.user == user(1));
                books.rows.remove(at.unwrap());
            },
            &["draw-index", "rows-missing"],
        ),
        (
            "the ledger's end is gone",
            |books| {
                let last = books.rows.pop().unwrap();
                assert!(matches!(last.row, Row::Draw(_)));
            },
            &["draws-differ", "rows-missing"],
        ),
        (
            "a row stands there twice",
            |books| {
                let draw = books.rows[0].clone();
                books.rows.insert(1, draw);
            },
            &["draw-index", "row-twice"],
        ),
        (
            "a unit was given twice",
            |books| {
                let mut grants = grants(&mut books.rows);
                let serial = grants.next().unwrap().1.serial;
                grants.next().unwrap().1.serial = serial;
            },
            &["serial-twice", "serials-missing"],
        ),
        (
            "a unit beyond what was issued",
            |books| grants(&mut books.rows).last().unwrap().1.serial = Some(u64::MAX),
            &["serial-beyond", "serials-missing"],
        ),
        (
            "a unit without its number",
            |books| grants(&mut books.rows).last().unwrap().1.serial = None,
            &["counter-differs", "no-serial", "serials-missing"],
        ),
        (
            "a counter of stock went back, as after a failover",
            |books| counter(books, "stock/mug").issued -= 1,
            &["counter-differs", "serial-beyond"],
        ),
        (
            "a counter of stock ran ahead",
            |books| counter(books, "stock/mug").issued += 1,
            &["counter-differs", "serials-missing"],
        ),
        (
            "more is gone than there was",
            |books| counter(books, "stock/mug").ceiling = 8,
            &["overdrawn"],
        ),
        (
            "the budget forgot a grant",
            |books| counter(books, "budget").issued -= 10,
            &["counter-differs"],
        ),
        (
            "the day's budget forgot a grant",
            |books| {
                books.lane.counters.iter_mut().for_each(|(key, counter)| {
                    if matches!(key, CounterKey::BudgetDay(_)) {
                        counter.issued -= 10;
                    }
                });
            },
            &["counter-differs"],
        ),
        (
            "a grant was booked at another cost",
            |books| grants(&mut books.rows).next().unwrap().1.cost = 11,
            &["counter-differs", "counter-differs"],
        ),
        (
            "a counter is lost",
            |books| {
                books
                    .lane
                    .counters
                    .retain(|(key, _)| *key != CounterKey::Budget);
            },
            &["counter-differs"],
        ),
        (
            "a record lost a grant",
            |books| {
                books.people[0].1.grants.pop();
            },
            &["not-in-record"],
        ),
        (
            "a record has a grant that was never booked",
            |books| {
                let mut grant = books.people[0].1.grants[0].clone();
                grant.period = Period::Draw(77);
                books.people[0].1.grants.push(grant);
            },
            &["not-in-ledger"],
        ),
        (
            "a record has a grant twice",
            |books| {
                let grant = books.people[0].1.grants[0].clone();
                books.people[0].1.grants.push(grant);
            },
            &["not-in-ledger"],
        ),
        (
            "a record's grant was taken back, and the ledger has no row of it",
            |books| books.people[0].1.grants[0].status = Status::Reversed,
            &["status-differs"],
        ),
        (
            "a grant was held by the ledger, and the record goes on",
            |books| {
                let (owner, grant) = (books.people[0].0, books.people[0].1.grants[0].clone());
                amended(books, owner, grant.period, Status::Held);
            },
            &["status-differs"],
        ),
        (
            "a grant was taken back that there never was",
            |books| {
                let owner = books.people[0].0;
                amended(books, owner, Period::Draw(77), Status::Reversed);
            },
            &["amends-nothing"],
        ),
        (
            "a record has another reward than was booked",
            |books| books.people[0].1.grants[0].reward = 1,
            &["other-reward"],
        ),
        (
            "a record's grant is of another rule",
            |books| books.people[0].1.grants[0].rule = 1,
            &["not-in-ledger", "not-in-record"],
        ),
        (
            "a record's grant is of no rule",
            |books| books.people[0].1.grants[0].rule = u16::MAX,
            &["nameless", "not-in-record"],
        ),
        (
            "a grant was booked twice",
            |books| {
                let period = grants(&mut books.rows).next().unwrap().1.period;
                let owner = books.people[0].0;
                let again = books.rows.iter_mut().filter(|row| row.user == owner);
                let again = again.filter_map(|row| match &mut row.row {
                    Row::Grant(grant) => Some(grant),
                    _ => None,
                });
                again.last().unwrap().period = period;
            },
            &["grant-twice", "not-in-ledger"],
        ),
        (
            "a record counts a draw more",
            |books| books.people[3].1.core.draws += 1,
            &["draws-differ"],
        ),
        (
            "a record counts a draw less",
            |books| books.people[3].1.core.draws -= 1,
            &["draws-differ"],
        ),
        (
            "a record is lost",
            |books| drop(books.people.pop()),
            &["no-record"],
        ),
        (
            "a definition is not readable",
            |books| books.definition = b"{}".to_vec(),
            &["counter-differs", "counter-differs", "unknown-revision"],
        ),
    ];
    for (what, damage, expected) in rows {
        let mut books = sound();
        damage(&mut books);
        assert_eq!(kinds(&books).await, *expected, "{what}");
    }
}

/// Records that are ahead of the counters' moment are held against the rows that came meanwhile.
#[tokio::test]
async fn calls_may_come_in_meanwhile() {
    // A grant and its draw came after the look at the lane, and the records have them.
    let mut books = sound();
    let at = books.rows.iter().position(|row| row.number == 24).unwrap();
    assert_eq!(books.rows.len(), 27);
    let mut before = sound();
    for row in &books.rows[at..] {
        if let Row::Grant(_) = row.row {
            counter(&mut before, "stock/mug").issued -= 1;
            counter(&mut before, "budget").issued -= 10;
            for (key, counter) in &mut before.lane.counters {
                if matches!(key, CounterKey::BudgetDay(_)) {
                    counter.issued -= 10;
                }
            }
        }
    }
    books.lane = before.lane;
    books.lane.rows = 24;
    books.later = Some(27);
    let report = reconcile(&books, &live()).await.unwrap().unwrap();
    assert_eq!(report.differences, []);
    // The same without the rows: then nobody booked what the records have.
    books.rows.truncate(at);
    books.looks = Arc::default();
    let report = reconcile(&books, &live()).await.unwrap().unwrap();
    assert!(!report.agrees());
}

/// Appends a row that makes this of a user's mug.
fn amended(books: &mut Books, user: Pseudonym, period: Period, now: Status) {
    let mut row = books.rows.last().unwrap().clone();
    row.number += 1;
    row.user = user;
    row.row = Row::Amended(AmendedRow {
        rule: "wheel-mug".into(),
        reward: "mug".into(),
        period,
        n: 1,
        was: Status::Pending,
        now,
        taken: 0,
        by: "risk".into(),
        why: "a test".into(),
    });
    books.lane.rows += 1;
    books.rows.push(row);
}

/// Settled as reconciled: what was held, taken back and given is told apart, and what does not add up is named.
#[tokio::test]
async fn a_settlement_is_of_books_that_agree() {
    let mut books = sound();
    let settle = async |books: &Books| {
        let settled = crate::settlement::settle(books, &live(), None, START).await;
        settled.unwrap().unwrap()
    };
    let before = settle(&books).await;
    assert_eq!(before.differences, []);
    let total = before.total();
    assert_eq!((total.issued, total.outstanding, total.cost), (9, 9, 90));
    let of = |place: usize| {
        (
            books.people[place].0,
            books.people[place].1.grants[0].period,
        )
    };
    let (first, second) = (of(0), of(1));
    amended(&mut books, first.0, first.1, Status::Held);
    amended(&mut books, second.0, second.1, Status::Reversed);
    amended(&mut books, first.0, first.1, Status::Reversed);
    amended(&mut books, first.0, first.1, Status::Reversed);
    let after = settle(&books).await;
    let total = after.total();
    assert_eq!(after.differences, []);
    assert_eq!((total.issued, total.reversed, total.outstanding), (9, 2, 7));
    assert_eq!((total.cost, total.cost_reversed), (90, 20));
    // Before that, they were not.
    let settled = crate::settlement::settle(&books, &live(), Some(START), START).await;
    assert_eq!(settled.unwrap().unwrap().total().issued, 0);
    amended(&mut books, first.0, Period::Draw(77), Status::Reversed);
    books.lane.counters[0].1.issued += 1;
    let kinds: Vec<_> = settle(&books)
        .await
        .differences
        .iter()
        .map(Difference::kind)
        .collect();
    assert_eq!(kinds, ["counter-differs", "amends-nothing"]);
    books.rows.remove(3);
    let kinds: Vec<_> = settle(&books)
        .await
        .differences
        .iter()
        .map(Difference::kind)
        .collect();
    assert!(kinds.contains(&"rows-missing"), "{kinds:?}");
}
