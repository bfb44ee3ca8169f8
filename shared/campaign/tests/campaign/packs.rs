//! Packs as users find them, whoever comes when: a choice is made once, a stage is claimed once, a window never gives more
//! than its stock, and nothing is given by halves. Played by the real step on the real world.

use std::collections::BTreeMap;
use std::sync::Arc;

use campaign::play::{Act, Refused, Stage};
use machine::calendar::Millis;
use machine::ids::{Period, Pseudonym};
use machine::input::{Facts, Payload, User};
use machine::model::{Definition, Sender};
use machine::step::Rejection;
use machine::value::Value;
use machine::world::CounterKey;
use proptest::prelude::*;

use crate::sound;

const HOUR: Millis = 3_600_000;

fn definition(text: &str) -> Definition {
    sound::definition("packs", text)
}

const HEAD: &str = "
activity: gift-pack
title: { zh-CN: 测试, en: Test }
timezone: America/New_York
opens: 2026-10-25
closes: 2026-11-10
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 1 }
  mug: { title: { zh-CN: 杯, en: Mug }, kind: physical, stock: 3, cost: 1.00 }
  pen: { title: { zh-CN: 笔, en: Pen }, kind: physical, stock: 2, cost: 1.00 }
  cap: { title: { zh-CN: 帽, en: Cap }, kind: physical, stock: 1, cost: 1.00 }
budget: { total: 100.00 }
";

fn stage(pack: &str) -> (Stage, Millis) {
    let definition = definition(&format!("{HEAD}pack: {pack}\n"));
    let opens = definition.window.opens;
    let stage = Stage::open(&definition, 7, &BTreeMap::new(), opens).unwrap();
    (stage, opens)
}

fn claim(
    stage: &mut Stage,
    who: u8,
    fields: Vec<Value>,
    now: Millis,
) -> Result<Vec<String>, Refused> {
    let campaign = stage.campaign().unwrap();
    let (user, facts) = (User::nobody(&campaign.claims), Facts::default());
    let payload = Payload { fields };
    let act = Act {
        who: Pseudonym([who; 16]),
        user: &user,
        facts: &facts,
        sender: Sender::User,
        event: Some((campaign.event("claim").unwrap(), &payload)),
        now,
    };
    let played = stage.play(&act)?;
    Ok(played.rewards().into_iter().map(str::to_owned).collect())
}

/// How often each user was given what, by their grants.
fn given(stage: &Stage, who: u8) -> Vec<(u16, Period, u16)> {
    let record = stage.record(&Pseudonym([who; 16]), 0).unwrap();
    let grants = record.grants.iter();
    grants
        .map(|grant| (grant.rule, grant.period, grant.reward))
        .collect()
}

/// Every quota is what the records' grants say it is.
fn counted(stage: &Stage) {
    let campaign = stage.campaign().unwrap();
    let lane = &stage.world().campaigns.values().next().unwrap().live_lane;
    for (key, counter) in &lane.counters {
        let CounterKey::Quota(rule, day) = key else {
            continue;
        };
        let records = lane.participants.values();
        let grants = records.flat_map(|entry| &entry.participant.grants);
        let booked = grants
            .filter(|grant| grant.rule_id(&campaign.rules_of_giving) == Some(&**rule))
            .filter(|grant| grant.period == Period::Day(*day) && grant.n == 1);
        assert_eq!(counter.issued, booked.count() as i64, "{key}");
        assert!(counter.issued <= counter.ceiling, "{key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_choice_is_made_once_and_nothing_is_given_by_halves(
        tries in prop::collection::vec((0_u8..6, 0_usize..3), 1..24),
    ) {
        let (mut stage, opens) = stage("{ always: [points], choose: { of: [mug, pen, cap] } }");
        let names = ["mug", "pen", "cap"];
        let mut left = [3, 2, 1];
        let mut had = std::collections::BTreeSet::new();
        for (who, which) in tries {
            let name = names[which];
            let got = claim(&mut stage, who, vec![Value::Str(name.into())], opens);
            if had.contains(&who) {
                prop_assert_eq!(got, Err(Refused::Rejected(Rejection::Custom("already-claimed".into()))));
            } else if left[which] == 0 {
                let sold_out = matches!(got, Err(Refused::Rejected(Rejection::SoldOut { .. })));
                prop_assert!(sold_out);
                prop_assert!(given(&stage, who).is_empty());
            } else {
                prop_assert_eq!(got, Ok(vec!["points".to_owned(), name.to_owned()]));
                left[which] -= 1;
                had.insert(who);
            }
        }
    }

    #[test]
    fn a_stage_is_claimed_once_and_not_before_its_day(
        hours in prop::collection::vec(0_i64..40, 1..24),
        lost: bool,
    ) {
        let late = if lost { "lost" } else { "keep" };
        let (mut stage, opens) = stage(&format!(
            "{{ stages: {{ 1: [points], 3: [points, mug], 7: [pen] }}, late: {late} }}"
        ));
        let campaign = stage.campaign().unwrap();
        let mut now = opens;
        let (mut first, mut claimed): (Option<i32>, Vec<i32>) = (None, Vec::new());
        for hours in hours {
            now += hours * HOUR;
            if now >= campaign.window.closes {
                break;
            }
            let today = campaign.calendar.day(now);
            let number = first.map_or(1, |first| today - first + 1);
            let open = [1, 3, 7].into_iter().find(|day| {
                !claimed.contains(day) && if lost { number == *day } else { number >= *day }
            });
            let got = claim(&mut stage, 1, vec![], now);
            match (open, got) {
                (Some(day), Ok(_)) => {
                    claimed.push(day);
                    first.get_or_insert(today);
                }
                (None, Err(Refused::Rejected(Rejection::Later { code, next_at }))) => {
                    prop_assert_eq!(&*code, "stage-not-open");
                    // It opens as its day begins, whatever clocks did in between.
                    let at = next_at.unwrap();
                    prop_assert!(at > now);
                    prop_assert_eq!(campaign.calendar.start_of(campaign.calendar.day(at)), at);
                    let next = campaign.calendar.day(at) - first.unwrap() + 1;
                    prop_assert!([3, 7].contains(&next) && next > number);
                }
                (None, Err(Refused::Rejected(Rejection::Custom(_)))) => {
                    let to_come = [3, 7].into_iter().any(|day| day > number);
                    prop_assert!(!to_come || claimed.contains(&7));
                }
                (open, got) => prop_assert!(false, "{open:?} {got:?}"),
            }
        }
        let rules = given(&stage, 1);
        let mut once = rules.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), rules.len());
    }

    #[test]
    fn a_window_never_gives_more_than_its_stock(
        calls in prop::collection::vec((0_u8..8, 0_i64..24 * 4), 1..60),
    ) {
        let (mut stage, opens) = stage(
            "{ always: [points, mug], flash: { windows: [\
               { from: '10:00', until: '12:00', stock: 2 }, { from: '20:00', until: '00:00', stock: 1 }], again: each_day } }",
        );
        let campaign = stage.campaign().unwrap();
        let mut calls = calls;
        calls.sort_by_key(|(_, quarter)| *quarter);
        let mut by_window: BTreeMap<(i32, bool), usize> = BTreeMap::new();
        let mut mugs = 0;
        for (who, quarter) in calls {
            let now = opens + quarter * HOUR / 2;
            let day = campaign.calendar.day(now);
            let (ten, twelve) = (campaign.calendar.clock(day, 36_000), campaign.calendar.clock(day, 43_200));
            let evening = campaign.calendar.clock(day, 72_000);
            let window = if (ten..twelve).contains(&now) {
                Some((day, false))
            } else {
                (now >= evening).then_some((day, true))
            };
            match (claim(&mut stage, who, vec![], now), window) {
                (Ok(_), Some(window)) => {
                    *by_window.entry(window).or_default() += 1;
                    mugs += 1;
                }
                (Ok(_), None) => prop_assert!(false, "outside of every window"),
                (Err(Refused::Rejected(Rejection::SoldOut { .. })), Some((day, late))) => {
                    let most = if late { 1 } else { 2 };
                    prop_assert!(mugs == 3 || by_window.get(&(day, late)) == Some(&most));
                }
                (Err(Refused::Rejected(Rejection::Later { code, next_at })), window) => {
                    prop_assert_eq!(&*code == "outside-window", window.is_none() && &*code != "already-claimed");
                    prop_assert!(next_at.is_some_and(|at| at > now));
                }
                (other, _) => prop_assert!(false, "{other:?}"),
            }
        }
        for ((_, late), got) in by_window {
            let most = if late { 1 } else { 2 };
            prop_assert!(got <= most);
        }
        prop_assert!(mugs <= 3);
        counted(&stage);
    }
}

/// New York puts its clocks back on 2026-11-01: 01:00 to 02:00 is shown twice. And forward on 2026-03-08, over 02:00 to 03:00.
#[test]
fn a_window_that_exists_twice_or_not_at_all_is_as_it_says() {
    let rows = [
        // What is shown twice is the first of the two.
        ("01:00", "01:30", "2026-11-01T01:10:00-04:00", true),
        ("01:00", "01:30", "2026-11-01T01:10:00-05:00", false),
        // What spans both lasts longer.
        ("01:00", "03:00", "2026-11-01T01:10:00-05:00", true),
        ("00:30", "01:30", "2026-11-01T01:29:59-04:00", true),
        ("00:30", "01:30", "2026-11-01T01:29:59-05:00", false),
        // What clocks jump over does not happen; the rest of what they jump into does.
        ("02:10", "02:50", "2026-03-08T03:00:00-04:00", false),
        ("02:10", "02:50", "2026-03-08T01:59:59-05:00", false),
        ("02:30", "03:30", "2026-03-08T03:00:00-04:00", true),
        ("02:30", "03:30", "2026-03-08T03:30:00-04:00", false),
    ];
    for (from, until, at, open) in rows {
        let head = HEAD.replace("opens: 2026-10-25", "opens: 2026-03-01");
        let text = format!(
            "{head}pack: {{ always: [points], flash: {{ windows: [{{ from: '{from}', until: '{until}', stock: 9 }}] }} }}\n"
        );
        let definition = definition(&text);
        let mut stage =
            Stage::open(&definition, 7, &BTreeMap::new(), definition.window.opens).unwrap();
        let now = chrono::DateTime::parse_from_rfc3339(at)
            .unwrap()
            .timestamp_millis();
        let got = claim(&mut stage, 1, vec![], now);
        assert_eq!(got.is_ok(), open, "{from} {until} {at}: {got:?}");
    }
}

/// A revision that brings a later stage brings it for those, too, who had claimed all there was.
#[test]
fn a_later_stage_is_for_those_too_who_had_claimed_all() {
    let (mut stage, opens) = stage("{ stages: { 1: [points], 3: [mug] } }");
    let day = |number: i64| opens + (number - 1) * 24 * HOUR + HOUR;
    assert_eq!(
        claim(&mut stage, 1, vec![], day(1)),
        Ok(vec!["points".to_owned()])
    );
    assert_eq!(
        claim(&mut stage, 1, vec![], day(3)),
        Ok(vec!["mug".to_owned()])
    );
    let code = |got: Result<Vec<String>, Refused>| match got {
        Err(Refused::Rejected(no)) => no.code().to_owned(),
        got => format!("{got:?}"),
    };
    assert_eq!(
        code(claim(&mut stage, 1, vec![], day(3))),
        "already-claimed"
    );
    let longer = "pack: { stages: { 1: [points], 3: [mug], 9: [pen], 12: [points] } }";
    let longer = definition(&format!("{HEAD}{longer}\n"));
    stage.publish(&longer, &BTreeMap::new(), day(4)).unwrap();
    assert_eq!(code(claim(&mut stage, 1, vec![], day(5))), "stage-not-open");
    assert_eq!(
        claim(&mut stage, 1, vec![], day(9)),
        Ok(vec!["pen".to_owned()])
    );
    assert_eq!(code(claim(&mut stage, 1, vec![], day(9))), "stage-not-open");
    assert_eq!(
        claim(&mut stage, 1, vec![], day(12)),
        Ok(vec!["points".to_owned()])
    );
    assert_eq!(
        code(claim(&mut stage, 1, vec![], day(13))),
        "already-claimed"
    );
}

/// A block's rule that has given something can be continued by another: the error says how, and nobody gets it twice.
#[test]
fn a_blocks_rule_moves_as_the_error_says() {
    let (mut stage, opens) = stage("[points]");
    assert!(claim(&mut stage, 1, vec![], opens).is_ok());
    let old = stage.campaign().unwrap();
    let granted = [Arc::from("pack-points")];
    let against = |new: &Definition| -> Vec<String> {
        let all = machine::migrate::stranded(&old, new, &granted, opens);
        all.iter().map(ToString::to_string).collect()
    };
    let text = format!("{HEAD}pack: [mug, pen]\n");
    let said = against(&definition(&text));
    assert_eq!(
        said,
        [
            "rule `pack-points` has granted and is gone: keep it, or say which one continues it \
          (`rules_moved: { pack-points: pack-pen }`)"
        ]
    );
    let moved = definition(&format!("{text}rules_moved: {{ pack-points: pack-pen }}\n"));
    assert!(against(&moved).is_empty());
    stage.publish(&moved, &BTreeMap::new(), opens).unwrap();
    let again = claim(&mut stage, 1, vec![], opens);
    assert!(matches!(again, Err(Refused::Rejected(no)) if no.code() == "already-claimed"));
}
