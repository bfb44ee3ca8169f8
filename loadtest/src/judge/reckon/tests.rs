use super::*;
use crate::call::Again;
use crate::judge::books::tests::{gave, hear, scenario};
use crate::judge::row::Stock;
use crate::judge::truth::{Basis, Check};
use proptest::prelude::*;

/// One that was given, as the ledger has it.
#[derive(Clone)]
struct Given {
    id: String,
    user: u64,
    key: String,
    reward: &'static str,
    period: String,
    serial: u64,
    at: &'static str,
    event: bool,
}

/// A target and what a run heard of it, sound until something is planted.
struct World {
    book: Book,
    ledger: Vec<Given>,
    lane: LaneStats,
}

const NOON: &str = "2026-11-28T12:00:00+08:00";

/// Ten users drew once each and won; unit by unit, of a stock of ten and a budget of 100.00, 100.00 a day.
fn sound() -> World {
    let mut book = Book::new(&scenario());
    let mut ledger = Vec::new();
    for user in 0..10_u64 {
        let (id, key) = (format!("{:032x}", 0xabc0 + user), format!("k{user}"));
        let answer = gave(&[&id]);
        if user % 3 == 0 {
            hear(&mut book, user, &key, Again::First, None);
            hear(
                &mut book,
                user,
                &key,
                Again::Retry,
                Some((200, true, &answer)),
            );
        } else {
            hear(
                &mut book,
                user,
                &key,
                Again::First,
                Some((200, false, &answer)),
            );
        }
        hear(
            &mut book,
            user,
            &key,
            Again::Replay,
            Some((200, true, &answer)),
        );
        let given = Given {
            id,
            user,
            key,
            reward: "coupon",
            period: "draw-0".to_owned(),
            serial: user,
            at: NOON,
            event: true,
        };
        ledger.push(given);
    }
    let money = |ceiling: &str| {
        Some(Budget {
            spent: "100.00".to_owned(),
            ceiling: ceiling.to_owned(),
        })
    };
    let lane = LaneStats {
        lane: "live".to_owned(),
        stock: vec![Stock {
            reward: "coupon".to_owned(),
            issued: 10,
            ceiling: 10,
        }],
        budget: money("100.00"),
        budget_today: money("100.00"),
    };
    World { book, ledger, lane }
}

/// What the judge says of it.
fn judged(world: &World) -> Truth {
    let pages = &world.book.pages[0];
    let began = DateTime::parse_from_rfc3339("2026-11-28T03:59:59.500Z").unwrap();
    let mut reckoning = Reckoning::new(&world.book, pages, began, 0, 1);
    let mut truth = Truth::new(Basis::Ledger);
    truth.heard(pages);
    for (number, given) in world.ledger.iter().enumerate() {
        let line = serde_json::json!({
            "number": number, "revision": 1, "user": format!("{:032x}", given.user), "event": given.event.then_some("draw"),
            "from": "user", "at": given.at, "request_id": given.key, "type": "grant", "facts": { "list \"x\"": false },
            "grant": { "id": given.id, "rule": "wheel-coupon", "reward": given.reward, "period": given.period, "n": 1,
                "title": { "en": "\u{a5}10" }, "cost": "10.00", "serial": given.serial },
        });
        let line = line.to_string();
        reckoning.row(&serde_json::from_str(&line).unwrap());
    }
    reckoning.end(
        &Ended {
            lane: &world.lane,
            whole: true,
        },
        &mut truth,
    );
    truth.settle();
    truth
}

fn check(truth: &Truth, id: Id) -> &Check {
    truth.checks.iter().find(|check| check.id == id).unwrap()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let truth = judged(&sound());
    assert!(truth.holds(), "{truth:#?}");
    let looked_at = Id::ALL.map(|id| check(&truth, id).looked_at);
    assert_eq!(looked_at, [10; 8]);
    assert_eq!((truth.unknown.keys, truth.unknown.done), (0, Some(0)));
}

/// Plants one fault; says which checks must find it and how often.
type Plant = fn(&mut World) -> Vec<(Id, u64)>;

const PLANTS: &[(&str, Plant)] = &[
    ("eleven units of ten, with serials of their own", |world| {
        world.lane.stock[0].ceiling = 9;
        vec![(Id::Oversold, 1)]
    }),
    ("a counter beyond its ceiling", |world| {
        world.lane.stock[0].issued = 13;
        vec![(Id::Oversold, 3)]
    }),
    ("a counter that forgot", |world| {
        world.lane.stock[0].issued = 8;
        vec![(Id::Oversold, 2)]
    }),
    ("one unit twice", |world| {
        world.ledger[4].serial = 3;
        vec![(Id::Serials, 1)]
    }),
    ("one row twice", |world| {
        world.ledger[9] = world.ledger[8].clone();
        world.ledger[9].serial = 9;
        vec![(Id::DoubleGrants, 1), (Id::PromisedMissing, 1)]
    }),
    ("one deed under two ids", |world| {
        let again = Given {
            id: "f".repeat(32),
            key: "staff".to_owned(),
            ..world.ledger[2].clone()
        };
        world.ledger[9] = Given { serial: 9, ..again };
        vec![(Id::DoubleGrants, 1), (Id::PromisedMissing, 1)]
    }),
    ("two answers that give the same", |world| {
        let answer = gave(&[&world.ledger[5].id]);
        hear(
            &mut world.book,
            5,
            "other",
            Again::First,
            Some((200, false, &answer)),
        );
        vec![(Id::PromisedTwice, 1)]
    }),
    ("a promise without a row", |world| {
        hear(
            &mut world.book,
            5,
            "more",
            Again::First,
            Some((200, false, &gave(&[&"e".repeat(32)]))),
        );
        vec![(Id::PromisedMissing, 1)]
    }),
    ("a row that its answer does not name", |world| {
        hear(
            &mut world.book,
            5,
            "silent",
            Again::First,
            Some((200, false, &gave(&[]))),
        );
        let more = Given {
            id: "d".repeat(32),
            key: "silent".to_owned(),
            reward: "badge",
            period: "ever".to_owned(),
            ..world.ledger[5].clone()
        };
        world.ledger[5] = Given { serial: 0, ..more };
        world.book.pages[0]
            .promises
            .remove(&GrantId::of(&format!("{:032x}", 0xabc5)));
        world.book.pages[0].keys.remove(&key_digest("k5"));
        vec![(Id::GivenUnsaid, 1)]
    }),
    ("a row after a no", |world| {
        hear(
            &mut world.book,
            11,
            "no",
            Again::First,
            Some((409, false, "{}")),
        );
        world.ledger.push(Given {
            id: "c".repeat(32),
            key: "no".to_owned(),
            reward: "badge",
            user: 11,
            serial: 0,
            ..world.ledger[0].clone()
        });
        // It cost something, too.
        vec![(Id::GivenUnsaid, 1), (Id::Budget, 2)]
    }),
    ("more than the budget", |world| {
        world.lane.budget.as_mut().unwrap().ceiling = "99.99".to_owned();
        vec![(Id::Budget, 1)]
    }),
    ("more than the day's", |world| {
        world.lane.budget_today.as_mut().unwrap().ceiling = "90".to_owned();
        vec![(Id::Budget, 1)]
    }),
    ("a replay that differs", |world| {
        hear(
            &mut world.book,
            4,
            "k4",
            Again::Replay,
            Some((200, true, &gave(&[]))),
        );
        vec![(Id::Replays, 1)]
    }),
    ("a yes that cannot be read", |world| {
        hear(
            &mut world.book,
            4,
            "odd",
            Again::First,
            Some((200, false, "ok")),
        );
        vec![(Id::PromisedMissing, 1)]
    }),
];

#[test]
fn every_fault_is_found_by_its_check_and_by_no_other() {
    for (what, plant) in PLANTS {
        let mut world = sound();
        let want: BTreeMap<Id, u64> = plant(&mut world).into_iter().collect();
        let truth = judged(&world);
        let found: BTreeMap<Id, u64> = truth
            .checks
            .iter()
            .filter(|check| check.faults > 0)
            .map(|check| (check.id, check.faults))
            .collect();
        assert_eq!(found, want, "{what}: {truth:#?}");
        for check in truth.checks.iter().filter(|check| check.faults > 0) {
            assert!(!check.examples.is_empty(), "{what}: {check:?}");
        }
    }
}

#[test]
fn what_no_call_of_the_run_did_is_not_held_against_its_answers() {
    let mut world = sound();
    // Before the run, by staff, and where only time passed: all of it in the ledger, none of it said to anybody of the run.
    world.lane.stock.clear();
    (world.lane.budget, world.lane.budget_today) = (None, None);
    for (id, key, event, at) in [
        ("1", "an-earlier-run", true, "2026-11-27T12:00:00+08:00"),
        ("2", "by-staff", true, NOON),
        ("3", "k3", false, NOON),
    ] {
        let more = Given {
            id: id.repeat(32),
            key: key.to_owned(),
            at,
            event,
            period: format!("draw-{id}"),
            ..world.ledger[3].clone()
        };
        world.ledger.push(Given {
            serial: 100 + world.ledger.len() as u64,
            ..more
        });
    }
    let truth = judged(&world);
    assert!(truth.holds(), "{truth:#?}");
    assert!(check(&truth, Id::Budget).not_made.is_some());
}

#[test]
fn what_nobody_knows_is_named_and_looked_up() {
    let mut world = sound();
    hear(&mut world.book, 20, "lost-and-done", Again::First, None);
    hear(
        &mut world.book,
        21,
        "lost",
        Again::First,
        Some((503, false, "{}")),
    );
    hear(&mut world.book, 22, "late", Again::First, None);
    hear(
        &mut world.book,
        22,
        "late",
        Again::Retry,
        Some((409, false, "{}")),
    );
    world.lane.stock[0] = Stock {
        reward: "coupon".to_owned(),
        issued: 12,
        ceiling: 12,
    };
    (world.lane.budget, world.lane.budget_today) = (None, None);
    for (user, key) in [(20, "lost-and-done"), (22, "late")] {
        let serial = world.ledger.len() as u64;
        world.ledger.push(Given {
            id: format!("{user:032x}"),
            user,
            key: key.to_owned(),
            serial,
            ..world.ledger[0].clone()
        });
    }
    let truth = judged(&world);
    assert!(truth.holds(), "{truth:#?}");
    let unknown = &truth.unknown;
    assert_eq!(
        (unknown.keys, unknown.done, unknown.refused_and_done),
        (2, Some(1), Some(1))
    );
}

#[test]
fn a_day_begins_when_the_campaign_says() {
    let mut world = sound();
    world.lane.budget = None;
    world.lane.budget_today = Some(Budget {
        spent: "50.00".to_owned(),
        ceiling: "50.00".to_owned(),
    });
    for given in &mut world.ledger[..5] {
        given.at = "2026-11-29T03:00:00+08:00";
    }
    let day = |day_starts: i64| {
        let pages = &world.book.pages[0];
        let began = DateTime::parse_from_rfc3339("2026-11-28T00:00:00Z").unwrap();
        let mut reckoning = Reckoning::new(&world.book, pages, began, day_starts, 1);
        for given in &world.ledger {
            let line = format!(
                r#"{{"number":0,"revision":1,"user":"u{}","event":"draw","from":"user","at":"{}","grant":{{"id":"{}","rule":"r","reward":"coupon","period":"ever","n":1,"cost":"10.00"}}}}"#,
                given.user, given.at, given.id
            );
            reckoning.row(&serde_json::from_str(&line).unwrap());
        }
        reckoning.overrun(&world.lane).count
    };
    assert_eq!(day(0), 0, "five on each of two days");
    assert_eq!(day(4 * 3600), 1, "three in the morning is the day before");
}

#[test]
fn without_a_ledger_a_sample_of_grants_is_looked_at() {
    let world = sound();
    let pages = &world.book.pages[0];
    let look = |most: usize, forgets: Option<u32>| {
        let mut truth = Truth::new(Basis::Answers);
        truth.heard(pages);
        let grants = |user: u32| -> Result<Vec<String>, ()> {
            let has = (Some(user) != forgets).then(|| format!("{:032x}", 0xabc0 + u64::from(user)));
            Ok(has.into_iter().collect())
        };
        sample(&world.book, pages, most, grants, &mut truth).unwrap();
        truth.settle();
        (check(&truth, Id::PromisedMissing).looked_at, truth.faults())
    };
    assert_eq!(look(100, None), (10, 0));
    assert_eq!(look(5, None), (5, 0));
    assert_eq!(look(100, Some(7)), (10, 1));
    let truth = Truth::new(Basis::Answers);
    let not_made = truth.checks.iter().filter(|check| check.not_made.is_some());
    assert_eq!(not_made.count(), 5);
}

#[test]
fn money_is_exact() {
    for (text, amount) in [
        ("10.00", Some(10_000_000)),
        ("-0.5", Some(-500_000)),
        ("7", Some(7_000_000)),
        ("1e3", None),
        ("", None),
        (".5", None),
        ("1.0000001", None),
    ] {
        assert_eq!(money(text), amount, "{text}");
    }
    assert_eq!(
        (decimal(10_500_000), decimal(1)),
        ("10.50".to_owned(), "0.000001".to_owned())
    );
}

proptest! {
    /// The parts of a run find what one judge of all would have found.
    #[test]
    fn truths_of_parts_add_up(split in proptest::collection::vec(any::<bool>(), 10), wrong in 0_usize..10) {
        let world = sound();
        let mut parts = [Book::new(&scenario()), Book::new(&scenario())];
        for (given, second) in world.ledger.iter().zip(&split) {
            let book = &mut parts[usize::from(*second)];
            hear(book, given.user, &given.key, Again::First, Some((200, false, &gave(&[&given.id]))));
            hear(book, given.user, &given.key, Again::Replay, Some((200, true, &gave(&[&given.id]))));
        }
        let mut ledger = world.ledger.clone();
        ledger.remove(wrong);
        let [one, two] = parts.map(|book| judged(&World { book, ledger: ledger.clone(), lane: world.lane.clone() }));
        let whole = judged(&World { book: world.book, ledger, lane: world.lane });
        let mut merged = one;
        merged.merge(&two);
        for (merged, whole) in merged.checks.iter().zip(&whole.checks) {
            prop_assert_eq!((merged.id, merged.faults, merged.looked_at), (whole.id, whole.faults, whole.looked_at));
        }
    }
}
