//! Runs: repeatable, within all bounds, and the very commits that a store would take.

use campaign::simulate::{Asked, Forecast, Plan, Profile, Rate, Tally};
use machine::model::RewardKind;
use machine::world::{Change, Commit, CounterKey, World, apply};
use proptest::prelude::*;

use super::campaigns::{ALL, PACK, WHEEL, campaign, definition, plan, profile};

fn all(plan: &Plan) -> Vec<Tally> {
    (0..plan.runs)
        .map(|number| plan.run(number, || {}).unwrap())
        .collect()
}

/// What must hold of any run of any campaign.
fn conserves(plan: &Plan, run: &Tally) {
    let definition = &plan.definition;
    assert!(run.participants >= u64::from(plan.users));
    assert_eq!(
        run.states.iter().sum::<u64>() + run.refused,
        run.participants
    );
    assert_eq!(run.costs.values().sum::<u64>(), run.participants);
    let of_people: i64 = run.costs.iter().map(|(cost, n)| cost * *n as i64).sum();
    assert_eq!(of_people, run.cost());
    assert_eq!(run.arrivals_by_day.iter().sum::<u64>(), run.participants);
    assert_eq!(run.visits_by_day.iter().sum::<u64>(), run.visits);
    let mut cost = 0;
    for (reward, given) in definition.rewards.iter().zip(&run.rewards) {
        assert_eq!(given.by_day.iter().sum::<u64>(), given.won);
        cost += reward.cost * given.won as i64;
        if let Some(stock) = reward.stock {
            assert!(given.won <= u64::from(stock), "{}", reward.id);
            assert_eq!(given.gone.is_some(), given.won == u64::from(stock));
        }
    }
    assert_eq!(cost, run.cost());
    if let Some(budget) = &definition.budget {
        assert!(run.cost() <= budget.total);
        let cap = budget.per_day.unwrap_or(i64::MAX);
        assert!(run.cost_by_day.iter().all(|cost| *cost <= cap));
    }
    for drawn in &run.draws {
        assert_eq!(drawn.rolled.iter().sum::<u64>() + drawn.pity, drawn.made);
        assert_eq!(drawn.given.iter().sum::<u64>(), drawn.made);
    }
    assert!(run.commits <= run.steps);
}

#[test]
fn nothing_comes_of_nothing() {
    for (name, yaml) in ALL {
        let plan = plan(name, yaml, 400, 7);
        let runs = all(&plan);
        for run in &runs {
            conserves(&plan, run);
            assert!(run.visits > run.participants, "{name}");
            assert!(run.participants > 400, "{name}: sharing brings people");
            assert!(!run.rejections.is_empty(), "{name}");
        }
        assert_ne!(runs[0], runs[1], "{name}: runs differ");
    }
}

#[test]
fn everything_that_can_happen_happens() {
    let plan = plan("wheel", WHEEL, 400, 7);
    let run = plan.run(0, || {}).unwrap();
    let short = |place: usize| run.rewards[place].short_days;
    assert!(short(1) > 1, "the day's coupons run out on several days");
    assert!(run.capped_days > 0, "and so does the day's budget");
    assert!(run.draws[0].pity > 0);
    for code in ["no-chances", "not-eligible"] {
        assert!(run.rejections.contains_key(code), "{:?}", run.rejections);
    }
}

#[test]
fn one_seed_is_one_forecast() {
    for (name, yaml) in ALL {
        let plan = plan(name, yaml, 150, 11);
        let forward = all(&plan);
        let backward: Vec<Tally> = (0..plan.runs)
            .rev()
            .map(|number| plan.run(number, || {}).unwrap())
            .collect();
        assert!(forward.iter().eq(backward.iter().rev()), "{name}");
        let other = Plan {
            seed: 12,
            ..plan.clone()
        };
        assert_ne!(all(&other), forward, "{name}");
    }
}

/// What the simulator committed is what the embedded store's log would hold: replayed with everybody in one world, every
/// commit comes true, with the same rows and serials, and the counters stand where the run says.
#[test]
fn a_store_would_have_taken_every_commit() {
    for (name, yaml) in ALL {
        let plan = plan(name, yaml, 150, 3);
        let mut commits: Vec<Commit> = Vec::new();
        let mut keep = |commit: &Commit| commits.push(commit.clone());
        let run = plan.run_before(1, Some(&mut keep), || {}).unwrap();
        assert_eq!(
            run,
            plan.run(1, || {}).unwrap(),
            "{name}: nobody is changed by being watched"
        );
        let mut world = World::default();
        for admin in plan.openings() {
            assert!(apply(&mut world, &mut Change::Admin(Box::new(admin))));
        }
        assert_eq!(commits.len() as u64, run.commits);
        let mut before = i64::MIN;
        for (number, commit) in commits.iter().enumerate() {
            assert!(commit.at >= before, "{name}: time runs forward");
            before = commit.at;
            let mut again = commit.clone();
            // Everybody's requests have keys of their own.
            again.key = number.to_string().into();
            let mut change = Change::Commit(Box::new(again));
            assert!(apply(&mut world, &mut change), "{name}: commit {number}");
            let Change::Commit(again) = change else {
                unreachable!()
            };
            assert_eq!(again.rows, commit.rows, "{name}: serials");
            assert_eq!(again.first_row, commit.first_row, "{name}");
        }
        let key = &commits[0].campaign;
        let lane = world.lane(key).unwrap();
        let issued = |key: &CounterKey| lane.counters.get(key).map_or(0, |counter| counter.issued);
        for (reward, given) in plan.definition.rewards.iter().zip(&run.rewards) {
            if reward.stock.is_some() {
                let stock = CounterKey::Stock(reward.id.clone());
                assert_eq!(issued(&stock) as u64, given.won, "{name}: {}", reward.id);
            }
        }
        if plan.definition.budget.is_some() {
            assert_eq!(issued(&CounterKey::Budget), run.cost(), "{name}");
        }
        assert_eq!(
            lane.participants.len() as u64,
            run.participants - run.refused
        );
        let mut states = vec![0; run.states.len()];
        for entry in lane.participants.values() {
            states[usize::from(entry.participant.core.state)] += 1;
        }
        assert_eq!(states, run.states, "{name}");
    }
}

#[test]
fn time_acts_on_those_who_stay_away() {
    let plan = plan("quest", super::campaigns::QUEST, 300, 5);
    let mut timers = 0;
    let mut keep = |commit: &Commit| {
        if commit.event.is_none() {
            assert_eq!(commit.at, commit.core.now, "a timer fires when it is due");
            timers += 1;
        }
    };
    let run = plan.run_before(0, Some(&mut keep), || {}).unwrap();
    assert!(timers > 20, "{timers}");
    assert_eq!(run.rewards[1].won, 25, "and gives what it promises");
}

#[test]
fn two_campaigns_meet_the_same_people() {
    let better = WHEEL.replace("odds: 20%", "odds: 60%");
    let one = plan("wheel", WHEEL, 300, 9).run(0, || {}).unwrap();
    let other = plan("wheel", &better, 300, 9).run(0, || {}).unwrap();
    assert_eq!(one.visits_by_day, other.visits_by_day);
    assert_eq!(one.arrivals_by_day, other.arrivals_by_day);
    assert_ne!(one.draws, other.draws);
}

#[test]
fn odds_are_realised() {
    let plan = plan("wheel", WHEEL, 3_000, 1);
    let forecast = Forecast::of(&plan, &all(&plan));
    let wheel = &forecast.wheels[0];
    assert!(wheel.rolls > 20_000);
    for slice in &wheel.slices {
        let expected = wheel.rolls as f64 * slice.parts as f64 / slice.of as f64;
        let off = (slice.rolled as f64 - expected).abs();
        assert!(
            off < 6.0 * expected.sqrt() + 1.0,
            "{slice:?} of {}",
            wheel.rolls
        );
    }
}

#[test]
fn a_forecast_keeps_its_shape() {
    let plan = plan("wheel", WHEEL, 200, 1);
    let forecast = Forecast::of(&plan, &all(&plan));
    insta::assert_json_snapshot!(forecast.to_json());
}

/// What it prints as `profile` is a profile.
#[test]
fn the_profile_of_a_forecast_can_be_read_again() {
    let plan = plan("wheel", WHEEL, 200, 1);
    let campaign = campaign("wheel", WHEEL);
    let text = serde_json::to_string_pretty(&plan.profile).unwrap();
    assert_eq!(profile(&campaign, &text).unwrap(), plan.profile);
    let usual = serde_json::to_string(&Profile::default()).unwrap();
    assert_eq!(profile(&campaign, &usual).unwrap(), Profile::default());
}

#[test]
fn a_plan_keeps_to_the_window() {
    let of = |asked: Asked| Plan::new(definition("wheel", WHEEL), Profile::default(), &asked);
    let plan = of(Asked::default()).unwrap();
    assert_eq!((plan.days, plan.users, plan.runs), (8, 100_000, 20));
    let last = Asked {
        first: Some(plan.first + 7),
        users: Some(1_000_000),
        ..Asked::default()
    };
    let plan = of(last).unwrap();
    assert_eq!((plan.days, plan.runs), (1, 5));
    for first in [plan.first - 8, plan.first + 1] {
        let error = of(Asked {
            first: Some(first),
            ..Asked::default()
        });
        assert!(error.unwrap_err().to_string().contains("is not open on"));
    }
    let nobody = Profile {
        arrivals: campaign::simulate::profile::Arrivals::Days(vec![0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ..Profile::default()
    };
    let error = Plan::new(definition("wheel", WHEEL), nobody, &Asked::default());
    assert!(error.unwrap_err().to_string().contains("nobody comes"));
}

#[test]
fn who_may_not_comes_to_nothing() {
    let plan = plan("pack", PACK, 200, 1);
    let nobody = Profile {
        claims: std::collections::BTreeMap::default(),
        ..plan.profile.clone()
    };
    let plan = Plan {
        profile: nobody,
        ..plan
    };
    let run = plan.run(0, || {}).unwrap();
    assert_eq!(run.refused, run.participants);
    assert_eq!((run.commits, run.cost()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whoever_comes_nothing_is_given_twice(
        which in 0usize..4, seed in any::<u64>(), users in 1u32..80, days in 1u32..15,
        rates in proptest::array::uniform6(0u64..=100),
    ) {
        let (name, yaml) = ALL[which];
        let base = plan(name, yaml, 100, seed);
        let mut profile = base.profile.clone();
        let [_, next, later, anyway, shares, brings] = rates.map(Rate::percent);
        let same = rates[0];
        profile.arrivals = campaign::simulate::profile::Arrivals::Launch;
        // At 100 % people stay until midnight, and have hundreds of visits.
        profile.returns.same_day = Rate::percent(same / 2);
        profile.returns.next_day = next;
        profile.returns.later = later;
        profile.presses_anyway = anyway;
        profile.share.rate = shares;
        profile.share.brings = brings;
        let asked = Asked { users: Some(users), days: Some(days), seed, runs: Some(1), ..Asked::default() };
        let plan = Plan::new(base.definition, profile, &asked).unwrap();
        let run = plan.run(0, || {}).unwrap();
        conserves(&plan, &run);
        let forecast = Forecast::of(&plan, &[run]);
        prop_assert!(forecast.rewards.iter().all(|reward| reward.kind != RewardKind::Nothing));
    }
}

/// For newcomers by first sight, who get another reward by the rank that a service tells.
const STRANGERS: &str = "
activity: gift-pack
title: Strangers
opens: 2026-11-01
closes: 2026-11-08
facts:
  newcomer: { by: first-sight, when_unknown: false }
  rank: { ask: crm, type: string, when_unknown: none }
  level: { ask: crm, type: int, when_unknown: 0 }
audience: { all_of: [{ fact: newcomer }, { when: \"facts.rank != 'silver'\" }, { when: facts.level < 3 }] }
rewards: { book: { title: Book, kind: coupon } }
";

#[test]
fn what_is_found_out_about_people_is_drawn_as_the_profile_says() {
    let given = |facts: &str| {
        let text = format!(
            "events: {{ claim: {{ rate: 100%, tries: 1 }} }}\nshare: {{ rate: 0% }}\n{facts}"
        );
        let profile = profile(&campaign("strangers", STRANGERS), &text).unwrap();
        let asked = Asked {
            users: Some(2000),
            days: Some(7),
            seed: 3,
            runs: Some(1),
            ..Asked::default()
        };
        let plan = Plan::new(definition("strangers", STRANGERS), profile, &asked).unwrap();
        plan.run(0, || {}).unwrap().rewards[0].won
    };
    assert_eq!(given(""), 2000, "everybody is new, and of no rank");
    assert_eq!(given("facts: { newcomer: 0% }"), 0);
    let some = given("facts: { newcomer: 30% }");
    assert!((540..660).contains(&some), "{some}");
    let ranks = "facts: { rank: [{ value: gold, share: 10% }, { value: silver, share: 40% }] }";
    let some = given(ranks);
    assert!((1120..1280).contains(&some), "{some}");
    let some = given("facts: { level: [{ value: 3, share: 50% }, { value: 1, share: 50% }] }");
    assert!((920..1080).contains(&some), "{some}");
}
