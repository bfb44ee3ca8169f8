//! Tasks held against a model that counts on its fingers: reports in any order, over days and weeks, and claims in between.

use std::collections::BTreeMap;

use campaign::play::{Act, Refused, Stage};
use machine::calendar::{Calendar, Millis};
use machine::ids::Pseudonym;
use machine::input::{Facts, Payload, User};
use machine::model::Sender;
use machine::step::Rejection;
use machine::value::Value;
use proptest::prelude::*;

use crate::sound;

const TEXT: &str = "
activity: custom
title: { zh-CN: 测试, en: Test }
timezone: America/New_York
opens: 2026-10-25
closes: 2027-03-20
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 1 }
  cup: { title: { zh-CN: 杯, en: Cup }, kind: coupon }
  pin: { title: { zh-CN: 针, en: Pin }, kind: coupon }
tasks:
  walk: { title: { zh-CN: 走, en: Walk }, from: backend, goal: 3, per_day: 2, earns: { points: 5 } }
  spend: { title: { zh-CN: 买, en: Spend }, from: backend, goal: { sum: amount, at_least: 10 }, per_week: 3, gives: cup }
  stroll: { title: { zh-CN: 逛, en: Stroll }, event: walk, goal: 2, after: spend, gives: pin, claim: by-hand }
machine: { initial: a, states: { a: {} } }
";

/// What a person would note down of one task.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Note {
    within: i32,
    progress: i64,
    done: i64,
}

impl Note {
    /// How it stands within this day or week.
    fn at(self, within: i32) -> Self {
        if self.within == within {
            self
        } else {
            Self {
                within,
                progress: 0,
                done: 0,
            }
        }
    }

    /// One report: how often it was done by that.
    fn report(&mut self, by: i64, goal: i64, times: i64) -> i64 {
        let mut done = 0;
        for _ in 0..by {
            if self.done == times {
                break;
            }
            self.progress += 1;
            if self.progress == goal {
                self.done += 1;
                done += 1;
                self.progress = 0;
            }
        }
        done
    }
}

#[derive(Debug, Clone)]
enum Doing {
    Walk,
    Spend(i64),
    Claim(String),
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        3 => Just(Doing::Walk),
        2 => (0_i64..25).prop_map(Doing::Spend),
        1 => Just(Doing::Claim("stroll".to_owned())),
    ]
}

fn stage() -> (Stage, Millis) {
    stage_of(TEXT)
}

fn stage_of(text: &str) -> (Stage, Millis) {
    let definition = sound::definition("tasks", text);
    let opens = definition.window.opens;
    let stage = Stage::open(&definition, 7, &BTreeMap::new(), opens).unwrap();
    (stage, opens)
}

fn send(stage: &mut Stage, doing: Doing, now: Millis) -> Result<Vec<String>, Refused> {
    let campaign = stage.campaign().unwrap();
    let (user, facts) = (User::nobody(&campaign.claims), Facts::default());
    let (event, sender, fields) = match doing {
        Doing::Walk => ("walk", Sender::Backend, vec![]),
        Doing::Spend(amount) => ("spend", Sender::Backend, vec![Value::Int(amount)]),
        Doing::Claim(task) => (
            "claim-task",
            Sender::User,
            vec![Value::Str(task.as_str().into())],
        ),
    };
    let payload = Payload { fields };
    let act = Act {
        who: Pseudonym([1; 16]),
        user: &user,
        facts: &facts,
        sender,
        event: Some((campaign.event(event).unwrap(), &payload)),
        now,
    };
    let played = stage.play(&act)?;
    Ok(played.rewards().into_iter().map(str::to_owned).collect())
}

fn code(refused: &Refused) -> String {
    match refused {
        Refused::Rejected(rejection) => rejection.code().to_owned(),
        _ => String::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_task_is_done_as_often_as_it_was_reported_and_earns_once_each_time(
        steps in prop::collection::vec((doing(), 0_i64..30), 1..60),
    ) {
        let (mut stage, opens) = stage();
        let campaign = stage.campaign().unwrap();
        let (mut walk, mut spend, mut stroll) = (Note::default(), Note::default(), Note::default());
        let (mut points, mut claimed, mut now) = (0, false, opens);
        for (doing, hours) in steps {
            now += hours * 3_600_000;
            let today = campaign.calendar.day(now);
            let week = Calendar::week(today);
            (walk, spend) = (walk.at(today), spend.at(week));
            let got = send(&mut stage, doing.clone(), now);
            match doing {
                Doing::Walk => {
                    let open = stroll.done == 0 && spend.done > 0;
                    if walk.done == 2 && !open {
                        let why = if stroll.done == 0 { "task-locked" } else { "task-done" };
                        let refused = got.unwrap_err();
                        prop_assert_eq!(code(&refused), why);
                        if let Refused::Rejected(Rejection::Later { next_at, .. }) = refused {
                            prop_assert_eq!(next_at, Some(campaign.calendar.start_of(today + 1)));
                        }
                        continue;
                    }
                    points += 5 * walk.report(1, 3, 2);
                    if open {
                        stroll.report(1, 2, 1);
                    }
                    prop_assert_eq!(got, Ok(vec![]));
                }
                Doing::Spend(amount) => {
                    if spend.done == 3 {
                        prop_assert_eq!(code(&got.unwrap_err()), "task-done");
                        continue;
                    }
                    let cups = spend.report(amount, 10, 3);
                    prop_assert_eq!(got, Ok(vec!["cup".to_owned(); cups as usize]));
                }
                Doing::Claim(_) => {
                    if stroll.done == 0 {
                        prop_assert_eq!(code(&got.unwrap_err()), "task-not-done");
                    } else if claimed {
                        prop_assert_eq!(code(&got.unwrap_err()), "task-claimed");
                    } else {
                        prop_assert_eq!(got, Ok(vec!["pin".to_owned()]));
                        claimed = true;
                    }
                }
            }
            let record = stage.record(&Pseudonym([1; 16]), now).unwrap();
            let slot = campaign.vars.iter().position(|var| var.name == "points").unwrap();
            prop_assert_eq!(&record.core.vars[slot], &Value::Int(points));
        }
        // No promise was kept twice.
        let record = stage.record(&Pseudonym([1; 16]), now).unwrap();
        let mut kept: Vec<_> = record.grants.iter().map(|grant| (grant.rule, grant.period, grant.n)).collect();
        let all = kept.len();
        kept.sort_unstable();
        kept.dedup();
        prop_assert_eq!(kept.len(), all);
    }
}

/// A reward that its user has had for good takes nothing else of the claim with it; one that they have had for today waits.
#[test]
fn a_claim_is_not_lost_with_a_reward_that_was_had() {
    const HAD: &str = "
activity: custom
title: { zh-CN: 测试, en: Test }
timezone: UTC
opens: 2026-11-02
closes: 2026-12-20
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 1 }
  cup: { title: { zh-CN: 杯, en: Cup }, kind: coupon, per_user: 1 }
  pin: { title: { zh-CN: 针, en: Pin }, kind: coupon, per_user: { day: 1 } }
tasks:
  walk: { title: { zh-CN: 走, en: Walk }, from: backend, goal: 1, per_week: 2, earns: { points: 5 }, gives: cup, claim: by-hand }
  spend: { title: { zh-CN: 买, en: Spend }, from: backend, goal: { sum: amount, at_least: 1 }, per_week: 2, gives: pin, claim: by-hand }
machine: { initial: a, states: { a: {} } }
";
    let (mut stage, opens) = stage_of(HAD);
    let campaign = stage.campaign().unwrap();
    let claim = |task: &str, now: Millis, stage: &mut Stage| {
        let got = send(stage, Doing::Claim(task.to_owned()), now);
        got.map_err(|refused| code(&refused))
    };
    for doing in [Doing::Walk, Doing::Walk, Doing::Spend(2)] {
        send(&mut stage, doing, opens).unwrap();
    }
    assert_eq!(claim("walk", opens, &mut stage), Ok(vec!["cup".to_owned()]));
    assert_eq!(claim("walk", opens, &mut stage), Ok(vec![]));
    assert_eq!(
        claim("walk", opens, &mut stage),
        Err("task-claimed".to_owned())
    );
    let slot = campaign
        .vars
        .iter()
        .position(|var| var.name == "points")
        .unwrap();
    let record = stage.record(&Pseudonym([1; 16]), opens).unwrap();
    assert_eq!(record.core.vars[slot], Value::Int(10));
    let tomorrow = opens + 86_400_000;
    assert_eq!(
        claim("spend", opens, &mut stage),
        Ok(vec!["pin".to_owned()])
    );
    assert_eq!(
        claim("spend", opens, &mut stage),
        Err("not-possible".to_owned())
    );
    assert_eq!(
        claim("spend", tomorrow, &mut stage),
        Ok(vec!["pin".to_owned()])
    );
}
