//! Sound books agree; each kind of damage is found and named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use machine::Millis;
use machine::ids::{CampaignKey, Period, Pseudonym};
use machine::ledger::{AmendedRow, DrawRow, GrantRow, Rolled, Row};
use machine::luck::Seed;
use machine::model::Durability;
use machine::participant::{Participant, Status};
use machine::world::{
    Action, Admin, AdminOutcome, AuditEntry, Bound, Commit, Counter, CounterKey, Draft, Outcome,
    Parked, Parking, Recalled, Revision, World, apply_admin, apply_commit,
};
use tokio::sync::watch;

use super::*;
use crate::conformance::sample::{
    START, admin, commit, costing, giving, live, moving, publish, user,
};
use crate::{Asked, Copied, Health, Later, Page, Published};

/// Two rules, of which the samples' grants use the first; a budget for days.
const DEFINITION: &str = r#"{
    "rules_of_giving": [{ "id": "wheel-mug", "was": [] }, { "id": "wheel-hat", "was": [] }],
    "rewards": [{ "id": "mug", "stock": 20 }, { "id": "hat", "stock": null }],
    "budget": { "total": 1000, "per_day": 500, "when_spent": null },
    "calendar": { "timezone": "Asia/Shanghai", "day_starts_secs": 0, "skip_days": [] }
}"#;

/// The day of [`crate::conformance::sample::START`] in the definition's timezone.
const DAY: i32 = 20_833;

/// A lane's books, to be read and to be damaged.
#[derive(Debug, Clone)]
struct Books {
    definition: Vec<u8>,
    lane: Lane,
    rows: Vec<LedgerRow>,
    people: Vec<(Pseudonym, Participant)>,
    /// How many rows there are from the second look at the lane on.
    later: Option<u64>,
    looks: Arc<AtomicU64>,
}

/// Six users with three draws each; every second draw wins a mug for 10.
fn sound() -> Books {
    let mut world = World::default();
    let create = Action::CreateTenant {
        secret: Seed([9; 32]),
    };
    for action in [create, publish(DEFINITION, &[("mug", 20)], Some(1000))] {
        assert!(matches!(
            apply_admin(&mut world, &admin(action)),
            AdminOutcome::Done(_)
        ));
    }
    let mut rows = Vec::new();
    for draw in 0..3 {
        for number in 0..6 {
            let mut made = step(user(number), draw, (number + draw) % 2 == 0);
            let outcome = apply_commit(&mut world, &mut made);
            assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
            rows.extend(LedgerRow::of(&made));
        }
    }
    let held = world.lane(&live()).unwrap();
    Books {
        definition: DEFINITION.into(),
        lane: Lane {
            seed: held.seed.clone(),
            clock_offset: 0,
            counters: held.counters.clone().into_iter().collect(),
            participants: held.participants.len() as u64,
            rows: held.rows,
        },
        people: held
            .participants
            .iter()
            .map(|(user, entry)| (*user, (*entry.participant).clone()))
            .collect(),
        rows,
        later: None,
        looks: Arc::default(),
    }
}

fn step(user: Pseudonym, draw: u64, wins: bool) -> Commit {
    let mut made = commit(user, draw, &format!("k-{draw}"));
    made.core.draws = draw + 1;
    made.rows = vec![Row::Draw(DrawRow {
        index: draw,
        purpose: "wheel".into(),
        rolled: Rolled {
            pick: 1,
            of: 2,
            reward: "mug".into(),
            pity: false,
        },
        misses: 0,
        given: wins.then(|| "mug".into()),
        exhausted: Vec::new(),
        had: Vec::new(),
    })];
    if wins {
        made = costing(giving(made, "mug"), 10);
        let mut day = moving(CounterKey::BudgetDay(DAY), 10);
        day.bound = Bound::Given(500);
        made.moves.push(day);
        for row in &mut made.rows {
            if let Row::Grant(grant) = row {
                grant.cost = 10;
            }
        }
    }
    made
}

impl Store for Books {
    fn lane<'a>(&'a self, _key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        Box::pin(async {
            let mut lane = self.lane.clone();
            if self.looks.fetch_add(1, Ordering::Relaxed) > 0 {
                lane.rows = self.later.unwrap_or(lane.rows);
            }
            Ok(Some(lane))
        })
    }

    fn ledger<'a>(
        &'a self,
        _key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        let rows = self.rows.iter().filter(move |row| row.number >= from);
        Box::pin(async move { Ok(rows.take(most).cloned().collect()) })
    }

    fn participants<'a>(
        &'a self,
        _key: &'a CampaignKey,
        from: Option<&'a str>,
        _most: usize,
    ) -> Later<'a, Page> {
        let from: usize = from.map_or(0, |from| from.parse().unwrap());
        // Pages of two that overlap: a walk may tell of one twice.
        let page = self.people.iter().skip(from).take(3);
        let participants = page
            .map(|(user, record)| (*user, Arc::new(record.clone())))
            .collect();
        let next = (from + 2 < self.people.len()).then(|| (from + 2).to_string());
        Box::pin(async move { Ok(Page { participants, next }) })
    }

    fn revision<'a>(
        &'a self,
        _tenant: &'a str,
        _campaign: &'a str,
        _edition: u32,
        _revision: u32,
    ) -> Later<'a, Option<Revision>> {
        Box::pin(async {
            Ok(Some(Revision {
                sha256: [0; 32],
                definition: self.definition.clone().into(),
                at: 0,
                by: "ops".into(),
            }))
        })
    }

    fn commit(&self, _commit: Box<Commit>) -> Later<'_, Outcome> {
        unreachable!("it only reads")
    }

    fn commit_under<'a>(
        &'a self,
        _commit: Box<Commit>,
        _lease: &'a crate::Lease,
    ) -> Later<'a, Outcome> {
        unreachable!("it only reads")
    }

    fn lease<'a>(
        &'a self,
        _key: &'a CampaignKey,
        _job: &'a str,
        _term: std::time::Duration,
    ) -> Later<'a, Option<crate::Lease>> {
        unreachable!("it only reads")
    }

    fn recall<'a>(
        &'a self,
        _key: &'a CampaignKey,
        _user: Pseudonym,
        _asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled> {
        unreachable!()
    }

    fn admin(&self, _change: Box<Admin>) -> Later<'_, AdminOutcome> {
        unreachable!()
    }

    fn tenant_secret<'a>(&'a self, _tenant: &'a str) -> Later<'a, Option<Seed>> {
        unreachable!()
    }

    fn published(&self) -> Later<'_, Vec<Published>> {
        unreachable!()
    }

    fn history<'a>(
        &'a self,
        _tenant: &'a str,
        _user: Pseudonym,
        _most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        unreachable!()
    }

    fn block<'a>(&'a self, _: &'a str, _: Pseudonym) -> Later<'a, Option<machine::world::Block>> {
        unreachable!()
    }

    fn due<'a>(
        &'a self,
        _key: &'a CampaignKey,
        _now: Millis,
        _most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        unreachable!()
    }

    fn audit<'a>(&'a self, _tenant: &'a str, _from: u64) -> Later<'a, Vec<AuditEntry>> {
        unreachable!()
    }

    fn mark<'a>(&'a self, _key: &'a CampaignKey, _name: &'a str, _at: u64) -> Later<'a, u64> {
        unreachable!()
    }

    fn marks<'a>(&'a self, _key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>> {
        unreachable!()
    }

    fn park<'a>(&'a self, _tenant: &'a str, _parked: Parked) -> Later<'a, u64> {
        unreachable!()
    }

    fn parking<'a>(&'a self, _tenant: &'a str) -> Later<'a, Parking> {
        unreachable!()
    }

    fn drafts<'a>(&'a self, _tenant: &'a str) -> Later<'a, Vec<Draft>> {
        unreachable!("it reads lanes")
    }

    fn draft<'a>(&'a self, _tenant: &'a str, _campaign: &'a str) -> Later<'a, Option<Draft>> {
        unreachable!("it reads lanes")
    }

    fn parked<'a>(&'a self, _tenant: &'a str, _id: &'a str) -> Later<'a, Option<Parked>> {
        unreachable!()
    }

    fn backup(&self, _dest: PathBuf) -> Later<'_, Copied> {
        unreachable!()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        unreachable!()
    }

    fn health(&self) -> Health {
        Health {
            durability: Durability::Strict,
            failure: None,
        }
    }
}

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
        Row::Draw(_) | Row::Message(_) | Row::Hand(_) | Row::Amended(_) => None,
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
