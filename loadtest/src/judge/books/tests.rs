use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::scenario::{Campaign, Picked, Population, Provoke};

/// A scenario with one campaign; only its names matter here.
pub fn scenario() -> Scenario {
    Scenario {
        name: "test".to_owned(),
        title: String::new(),
        seed: 1,
        campaigns: vec![Campaign {
            tenant: "acme".to_owned(),
            campaign: "wheel".to_owned(),
        }],
        population: Population {
            users: 10,
            picked: Picked::InTurn,
            bots: 0.0,
            addresses: None,
            mark: "load".to_owned(),
            claims: BTreeMap::new(),
        },
        journeys: Vec::new(),
        arrivals: Vec::new(),
        limits: Vec::new(),
        provoke: Provoke {
            replay: 0.0,
            drop: 0.0,
        },
        patience: Duration::from_secs(1),
        connections: 1,
    }
}

/// The answer to a draw that gave these grants.
pub fn gave(ids: &[&str]) -> String {
    let grants: Vec<_> = ids
        .iter()
        .map(|id| serde_json::json!({ "id": id, "title": "\u{5956}\"" }))
        .collect();
    serde_json::json!({ "campaign": "wheel", "grants": grants, "lane": "live", "version": 1 })
        .to_string()
}

/// An event's call and its answer: `None` is lost after it was sent.
pub fn hear(
    book: &mut Book,
    user: u64,
    key: &str,
    again: Again,
    answer: Option<(u16, bool, &str)>,
) {
    let call = Call {
        campaign: 0,
        user,
        kind: Kind::Event("draw"),
        key,
        again,
        due: Duration::ZERO,
    };
    let answer = match answer {
        Some((status, replayed, body)) => Answer::Came {
            status,
            replayed,
            body: body.as_bytes(),
        },
        None => Answer::Lost(Lost::OnPurpose),
    };
    book.heard(&call, &answer);
}

const A: &str = "aa256ebee9eb0f2c271a392e348bf2d5";
const B: &str = "bb256ebee9eb0f2c271a392e348bf2d5";

fn state(book: &Book, key: &str) -> Option<State> {
    book.pages[0]
        .keys
        .get(&key_digest(key))
        .map(|kept| kept.state)
}

/// One answer, and whether it was asked for again.
type Came<'a> = (Again, Option<(u16, bool, &'a str)>);

#[test]
fn what_is_known_of_a_key_follows_from_all_its_answers() {
    use Again::{First, Retry};
    let yes = gave(&[A]);
    let lost: Came<'_> = (First, None);
    let cases: [(&[Came<'_>], State); 9] = [
        (&[(First, Some((200, false, &yes)))], State::Said),
        (&[(First, Some((409, false, "{}")))], State::No),
        (&[(First, Some((503, false, "{}")))], State::Open),
        (&[lost], State::Open),
        (&[lost, (Retry, None)], State::Open),
        (&[lost, (Retry, Some((200, true, &yes)))], State::Said),
        (&[lost, (Retry, Some((409, false, "{}")))], State::Settled),
        (
            &[(First, Some((409, false, "{}"))), (Retry, None)],
            State::Open,
        ),
        (
            &[(First, Some((200, false, &yes))), (Retry, None)],
            State::Said,
        ),
    ];
    for (answers, want) in cases {
        let mut book = Book::new(&scenario());
        for (again, answer) in answers {
            hear(&mut book, 3, "k", *again, *answer);
        }
        assert_eq!(state(&book, "k"), Some(want), "{answers:?}");
        assert_eq!(book.pages[0].unlike.count, 0);
    }
}

#[test]
fn a_call_that_never_left_is_not_kept() {
    let mut book = Book::new(&scenario());
    let call = Call {
        campaign: 0,
        user: 1,
        kind: Kind::Event("draw"),
        key: "k",
        again: Again::First,
        due: Duration::ZERO,
    };
    book.heard(&call, &Answer::Lost(Lost::Refused));
    assert_eq!(state(&book, "k"), None);
}

#[test]
fn only_the_same_bytes_said_to_be_replayed_are_a_replay() {
    let (yes, other) = (gave(&[A]), gave(&[]));
    for (answer, faults, replays) in [
        ((200, true, &*yes), 0, 1),
        ((200, true, &*other), 1, 1),
        ((200, false, &*yes), 1, 1),
        ((409, false, "{}"), 1, 0),
        ((422, false, "{}"), 1, 0),
        ((429, false, "{}"), 0, 0),
        ((503, false, "{}"), 0, 0),
    ] {
        let mut book = Book::new(&scenario());
        hear(&mut book, 3, "k", Again::First, Some((200, false, &yes)));
        hear(&mut book, 3, "k", Again::Replay, Some(answer));
        let page = &book.pages[0];
        assert_eq!(
            (page.unlike.count, page.replays),
            (faults, replays),
            "{answer:?}"
        );
        if faults > 0 {
            assert_eq!(page.unlike.examples[0].ids["key"], "k");
            assert_eq!(page.unlike.examples[0].ids["user"], "load-3");
        }
    }
    // A no is not remembered: it may be another one later, or a yes.
    let mut book = Book::new(&scenario());
    hear(&mut book, 3, "k", Again::First, Some((409, false, "{}")));
    hear(&mut book, 3, "k", Again::Replay, Some((200, false, &yes)));
    assert_eq!(book.pages[0].unlike.count, 0);
}

#[test]
fn what_is_promised_is_kept_once_and_what_is_promised_twice_is_found() {
    let mut book = Book::new(&scenario());
    hear(
        &mut book,
        1,
        "k1",
        Again::First,
        Some((200, false, &gave(&[A, B]))),
    );
    let view = gave(&[A, B]);
    let call = Call {
        campaign: 0,
        user: 1,
        kind: Kind::View,
        key: "",
        again: Again::First,
        due: Duration::ZERO,
    };
    let answer = Answer::Came {
        status: 200,
        replayed: false,
        body: view.as_bytes(),
    };
    book.heard(&call, &answer);
    assert_eq!(book.pages[0].promises.len(), 2);
    assert_eq!(book.pages[0].twice.count, 0);
    hear(
        &mut book,
        1,
        "k2",
        Again::First,
        Some((200, false, &gave(&[A]))),
    );
    assert_eq!(book.pages[0].twice.count, 1);
    book.heard(&Call { user: 2, ..call }, &answer);
    assert_eq!(book.pages[0].twice.count, 3);
}

#[test]
fn the_test_lane_promises_nothing_and_what_cannot_be_read_is_a_fault() {
    let mut book = Book::new(&scenario());
    let test = gave(&[A]).replace("live", "test");
    hear(&mut book, 1, "k1", Again::First, Some((200, false, &test)));
    assert!(book.pages[0].promises.is_empty());
    for (at, body) in ["", "{}", "{\"grants\":[{}]}", "<html>"].iter().enumerate() {
        hear(
            &mut book,
            1,
            &format!("bad{at}"),
            Again::First,
            Some((200, false, body)),
        );
    }
    assert_eq!(book.pages[0].unread.count, 4);
}

#[test]
fn a_key_of_two_users_says_nothing_of_either() {
    let mut book = Book::new(&scenario());
    hear(
        &mut book,
        1,
        "k",
        Again::First,
        Some((200, false, &gave(&[A]))),
    );
    hear(
        &mut book,
        2,
        "k",
        Again::First,
        Some((200, false, &gave(&[B]))),
    );
    assert_eq!(state(&book, "k"), Some(State::Shared));
    assert_eq!(book.pages[0].unlike.count, 0);
}

#[test]
fn the_books_of_threads_are_held_against_each_other() {
    let (one, two) = (gave(&[A]), gave(&[B]));
    let join = |first: Option<(u16, bool, &str)>, second: Option<(u16, bool, &str)>| {
        let mut books = [Book::new(&scenario()), Book::new(&scenario())];
        hear(&mut books[0], 1, "k", Again::First, first);
        hear(&mut books[1], 1, "k", Again::Replay, second);
        Book::join(books).unwrap()
    };
    let same = join(Some((200, false, &one)), Some((200, true, &one)));
    assert_eq!(
        (state(&same, "k"), same.pages[0].unlike.count),
        (Some(State::Said), 0)
    );
    assert_eq!((same.pages[0].replays, same.pages[0].twice.count), (1, 0));
    let unlike = join(Some((200, false, &one)), Some((200, true, &two)));
    assert_eq!(unlike.pages[0].unlike.count, 1);
    let found = join(None, Some((200, true, &one)));
    assert_eq!(state(&found, "k"), Some(State::Said));
    let settled = join(None, Some((409, false, "{}")));
    assert_eq!(state(&settled, "k"), Some(State::Settled));
    assert!(Book::join([]).is_none());
}
