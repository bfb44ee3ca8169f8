//! A true ledger verifies, and whatever is done to it is found and named.

// A table of what is changed to what reads better with `=`.
#![allow(clippy::assigning_clones)]

mod tamperings;

use campaign::verify::{Draw, Kind, Report, Row, What, verify};
use machine::luck::Seed;

use crate::ledger::{Ledger, play, play_days, play_on_terms};
use tamperings::{TAMPERINGS, draw, find};

fn check(ledger: &Ledger) -> Report {
    verify(&ledger.promise(), ledger.rows.iter().cloned())
}

#[test]
fn a_true_ledger_verifies_and_has_met_everything() {
    let ledger = play();
    let report = check(&ledger);
    assert_eq!(report.findings, vec![]);
    assert_eq!((report.draws, report.participants), (2_400, 40));
    // The crowd has met all that a draw can meet; else the rest of this file would prove little.
    let draws: Vec<&Draw> = ledger
        .rows
        .iter()
        .filter_map(|row| {
            if let What::Draw { draw } = &row.what {
                Some(draw)
            } else {
                None
            }
        })
        .collect();
    let count = |wanted: &dyn Fn(&&&Draw) -> bool| draws.iter().filter(wanted).count();
    assert!(count(&|draw| draw.pity) > 50);
    assert!(count(&|draw| draw.pity && draw.given.is_none()) > 5);
    assert!(count(&|draw| !draw.had.is_empty()) > 50);
    assert!(count(&|draw| draw.exhausted.iter().any(|key| key == "stock/coupon")) > 50);
    assert!(count(&|draw| draw.exhausted.iter().any(|key| key.starts_with("budget"))) > 5);
    // The mugs waited for their releases: there were some again after there were none.
    let mugs = draws.iter().filter(|draw| draw.rolled == "mug");
    let gone: Vec<bool> = mugs
        .map(|draw| draw.exhausted.iter().any(|key| key == "stock/mug"))
        .collect();
    assert!(gone.windows(2).filter(|two| *two == [true, false]).count() >= 2);
    assert!(count(&|draw| draw.given.as_deref() == Some("card")) > 0);
    assert!(count(&|draw| draw.rolled == "laptop" && draw.given.as_deref() == Some("laptop")) > 1);
}

#[test]
fn what_days_draw_verifies_and_a_row_that_was_changed_does_not() {
    let ledger = play_days();
    let report = check(&ledger);
    assert_eq!(report.findings, vec![]);
    assert_eq!((report.draws, report.participants), (440, 40));
    let met = |wanted: &dyn Fn(&Draw) -> bool| {
        let mut rows = ledger.rows.iter();
        assert!(rows.any(|row| matches!(&row.what, What::Draw { draw } if wanted(draw))));
    };
    met(&|draw| draw.purpose == "streak/total-3" && draw.given.is_none());
    met(&|draw| draw.exhausted.iter().any(|key| key == "stock/few"));
    met(&|draw| !draw.had.is_empty());
    let at = find(&ledger, |draw| draw.rolled == "mug");
    for change in [
        |draw: &mut Draw| draw.pick = 0,
        |draw: &mut Draw| draw.misses = 1,
        |draw: &mut Draw| draw.purpose = "streak/total-3".to_owned(),
    ] {
        let mut tampered = ledger.clone();
        change(draw(&mut tampered.rows[at]));
        let number = tampered.rows[at].number;
        let findings = check(&tampered).findings;
        assert!(findings.iter().any(|finding| finding.row == Some(number)));
    }
}

#[test]
fn a_participants_rows_verify_without_the_rest() {
    let mut ledger = play();
    let user = ledger.rows[0].user.clone();
    ledger.rows.retain(|row| row.user == user);
    let mut promise = ledger.promise();
    promise.whole = false;
    let report = verify(&promise, ledger.rows.iter().cloned());
    assert_eq!(report.findings, vec![]);
    assert!(report.draws > 20);
    // Of the whole ledger they are not.
    assert!(
        check(&ledger)
            .findings
            .iter()
            .any(|finding| finding.kind == Kind::Number)
    );
}

#[test]
fn every_row_survives_its_way_through_json() {
    let ledger = play();
    for row in &ledger.rows {
        let line = serde_json::to_string(row).unwrap();
        assert_eq!(&serde_json::from_str::<Row>(&line).unwrap(), row);
    }
    let foreign = r#"{"number":1,"tenant":"a","campaign":"b","edition":1,"lane":"live","revision":1,"user":"x","event":"draw","from":"user","at":"2026-12-01T10:00:00+08:00","type":"message","message":{"name":"hello"}}"#;
    assert_eq!(
        serde_json::from_str::<Row>(foreign).unwrap().what,
        What::Message
    );
}

#[test]
fn every_tampering_is_found_and_named() {
    let honest = play();
    for (what, tamper, kind) in TAMPERINGS {
        let mut ledger = honest.clone();
        let row = tamper(&mut ledger);
        let report = check(&ledger);
        let named = report
            .findings
            .iter()
            .any(|finding| finding.kind == *kind && (row.is_none() || finding.row == row));
        assert!(
            named,
            "{what}: {kind:?} at {row:?} is not among {:?}",
            report.findings.iter().take(8).collect::<Vec<_>>()
        );
        assert!(!report.holds());
    }
}

#[test]
fn a_report_of_a_wrong_seed_stays_short() {
    let mut ledger = play();
    ledger.seed = Seed([9; 32]);
    let report = check(&ledger);
    assert!(report.wrong > 1_000);
    assert_eq!(report.findings.len(), Report::KEPT);
    assert!(
        report.findings[0]
            .to_string()
            .starts_with("the seed is not the promised one: its SHA-256 is ")
    );
}

#[test]
fn a_ledger_on_terms_verifies_and_has_met_everything() {
    let ledger = play_on_terms();
    let report = check(&ledger);
    assert_eq!(report.findings, vec![]);
    let draws: Vec<&Draw> = ledger
        .rows
        .iter()
        .filter_map(|row| match &row.what {
            What::Draw { draw } => Some(draw),
            _ => None,
        })
        .collect();
    assert!(draws.len() > 1_200, "{}", draws.len());
    let count = |wanted: &dyn Fn(&&&Draw) -> bool| draws.iter().filter(wanted).count();
    for tier in [Some(1), Some(2), None] {
        assert!(count(&|draw| draw.tier == tier) > 50, "{tier:?}");
    }
    // What days draw takes indices, and is no draw of the wheel.
    assert!(count(&|draw| draw.made.is_some_and(|made| made < draw.index)) > 500);
    assert!(count(&|draw| !draw.excluded.is_empty()) > 5);
    assert!(count(&|draw| draw.had.contains(&"mug".to_owned())) > 5);
    assert!(count(&|draw| draw.had.contains(&"badge".to_owned())) > 50);
    assert!(count(&|draw| draw.pity && draw.given.as_deref() == Some("badge")) > 0);
    assert!(count(&|draw| draw.exhausted.iter().any(|key| key == "stock/mug")) > 50);
}

/// What is done, to which draws, how, and what is said of it.
type OfTerms = (&'static str, fn(&Draw) -> bool, fn(&mut Draw), Kind);

#[test]
fn what_is_done_to_terms_is_found_and_named() {
    let tamperings: &[OfTerms] = &[
        (
            "a tier",
            |draw| draw.tier == Some(1),
            |draw| draw.tier = Some(2),
            Kind::Rolled,
        ),
        (
            "no tier",
            |draw| draw.tier == Some(2),
            |draw| draw.tier = None,
            Kind::Rolled,
        ),
        (
            "days' draws as the wheel's",
            |draw| draw.made.is_some(),
            |draw| draw.made = None,
            Kind::Index,
        ),
        (
            "fewer draws of the wheel",
            |draw| draw.made.is_some_and(|made| made > 2) && draw.tier.is_none(),
            |draw| draw.made = Some(0),
            Kind::Rolled,
        ),
        (
            "excluded from what is for everybody",
            |draw| draw.rolled == "badge" && draw.given.is_some(),
            |draw| draw.excluded.push("badge".to_owned()),
            Kind::Excluded,
        ),
        (
            "excluded who was given it",
            |draw| draw.given.as_deref() == Some("laptop"),
            |draw| draw.excluded.push("laptop".to_owned()),
            Kind::Given,
        ),
        (
            "a false claim of having had a day's",
            |draw| draw.given.as_deref() == Some("badge") && draw.index == 0,
            |draw| draw.had.push("badge".to_owned()),
            Kind::Had,
        ),
        (
            "a day that was not yet",
            |draw| draw.index == 0,
            |draw| draw.day = Some("2027-01-01".to_owned()),
            Kind::Day,
        ),
        (
            "a day that comes back",
            |draw| draw.index == 20,
            |draw| draw.day = Some("2025-12-31".to_owned()),
            Kind::Day,
        ),
        (
            "no day",
            |draw| draw.given.as_deref() == Some("badge"),
            |draw| draw.day = None,
            Kind::Day,
        ),
        (
            "no day at all",
            |draw| draw.given.is_none(),
            |draw| draw.day = None,
            Kind::Limit,
        ),
        (
            "no calendar's day",
            |draw| draw.given.is_none(),
            |draw| draw.day = Some("2026-02-30".to_owned()),
            Kind::Day,
        ),
    ];
    let honest = play_on_terms();
    for (what, wanted, tamper, kind) in tamperings {
        let mut ledger = honest.clone();
        let row = find(&ledger, wanted);
        tamper(draw(&mut ledger.rows[row]));
        let number = ledger.rows[row].number;
        let report = check(&ledger);
        let found = report
            .findings
            .iter()
            .any(|finding| finding.kind == *kind && finding.row == Some(number));
        assert!(found, "{what}: {:?}", report.findings);
    }
}
