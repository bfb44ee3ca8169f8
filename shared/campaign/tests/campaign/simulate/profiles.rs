//! Profiles: read against their campaign, or all that is wrong with them at once.

use campaign::simulate::Rate;
use campaign::simulate::profile::Arrivals;

use super::campaigns::{QUEST, WHEEL, WORDS, campaign, profile};

#[test]
fn a_profile_says_what_people_do() {
    let read = profile(
        &campaign("quest", QUEST),
        "
users: 5_000
days: 10
arrivals: even
hours: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9, 9, 9, 1]
returns: { next_day: 1/3 }
events: { answer: { rate: 80%, tries: 3 } }
payload: { answer: { seconds: [10, 20], right: true } }
claims: { level: [{ value: 1, share: 20% }, { value: 2, share: 5% }], tags: [{ value: [vip], share: 1% }] }
",
    )
    .unwrap();
    assert_eq!((read.users, read.days), (Some(5_000), Some(10)));
    assert_eq!(read.arrivals, Arrivals::Even);
    assert_eq!(read.returns.next_day, Rate::new(1, 3));
    assert_eq!(
        read.returns.later,
        Rate::percent(4),
        "what is not said stays"
    );
    assert_eq!(read.events["answer"].tries, 3);
    assert_eq!(read.payload["answer"]["seconds"].len(), 2);
    assert_eq!(read.claims["level"][1].share, Rate::percent(5));
}

#[test]
fn everything_wrong_is_said_at_once_and_at_its_place() {
    let text = "
usres: 5
users: 0
arrivals: sometimes
hours: [1, 2, 3]
returns: { next_day: rest, later: 140% }
presses_anyway: often
events: { drw: { rate: 10% }, order-paid: { tries: 1 } }
backend: { draw: 10%, order-payed: 1% }
payload: { draw: { what: 1 } }
claims: { levle: [], level: [{ value: x, share: 10% }] }
lists: { stuff: 10% }
";
    insta::assert_snapshot!(profile(&campaign("wheel", WHEEL), text).unwrap_err());
}

#[test]
fn shares_of_one_claim_are_no_more_than_all() {
    let text = "claims: { level: [{ value: 1, share: 70% }, { value: 2, share: 40% }] }";
    let said = profile(&campaign("wheel", WHEEL), text).unwrap_err();
    assert!(
        said.contains("E0115 1:18 the shares of `level` are more than all people"),
        "{said}"
    );
}

#[test]
fn a_payload_keeps_to_its_range() {
    let text = "payload: { answer: { seconds: [10, 100] } }";
    let said = profile(&campaign("quest", QUEST), text).unwrap_err();
    assert!(
        said.contains("E0102 1:36 `seconds` takes 0 to 90, not 100"),
        "{said}"
    );
    let day = "payload: { make-up: { day: [2026-12-03] } }";
    assert!(profile(&campaign("words", WORDS), day).is_ok());
}
