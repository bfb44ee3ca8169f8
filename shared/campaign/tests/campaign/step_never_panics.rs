//! 100,000 generated cases: whatever a campaign that passed the check is asked, `step` answers, and what it answers
//! keeps the promises that everything else stands on.
//!
//! A case is one step: a random campaign, a participant as random events have made it, a random event, payload, claims,
//! time and list of what is exhausted. A failure prints the seed and the campaign's file.

use std::collections::BTreeMap;

use campaign::check::Files;
use campaign::play::{Act, Refused, Stage};
use campaign::{Activity, Input, Source, Tenant, link, lower, story};
use machine::expr::Fault;
use machine::ids::Pseudonym;
use machine::input::{Facts, Known, Payload, User};
use machine::luck::{Seed, Seeded};
use machine::model::{Campaign, Sender};
use machine::participant::Participant;
use machine::step::{Call, No, step};
use machine::world::{CounterKey, Left};
use machine::{Millis, Type, Value};
use serde_json::{Map, json};

use crate::generate::campaigns;
use crate::generate::dice::Dice;
use crate::generate::promises::{looked_at, sound};
use crate::support;

/// Cases in all; each campaign takes its share.
const CASES: usize = 100_000;
const STEPS_EACH: usize = 200;

/// How many of the steps of a campaign are committed to a world, too.
const STAGED_EACH: usize = 20;

const DAY_MS: i64 = 86_400_000;

#[test]
fn step_answers_whatever_it_is_asked() {
    let (tenant, files) = story::example_tenant().unwrap();
    let mut seen = Seen::default();
    let mut seed = 0;
    while seen.steps < CASES {
        seed += 1;
        let mut dice = Dice(seed);
        let text = campaigns::campaign(&mut dice);
        let context = Failing { seed, text: &text };
        seen.campaigns += 1;
        let Some(campaign) = checked(&text, &tenant, &files) else {
            continue;
        };
        seen.sound += 1;
        steps(&campaign, &mut dice, &mut seen);
        staged(&campaign, &mut dice, &mut seen);
        drop(context);
    }
    println!("{seen:?}");
    assert!(
        seen.sound * 2 > seen.campaigns,
        "most generated campaigns should pass the check: {seen:?}"
    );
    let quiet = [
        seen.decided,
        seen.granted,
        seen.drawn,
        seen.rejected,
        seen.faults,
        seen.timed,
        seen.committed,
    ];
    assert!(
        quiet.iter().all(|count| *count > CASES / 1000),
        "some answers were hardly ever given: {seen:?}"
    );
}

/// What happened, to be sure that it did.
#[derive(Debug, Default)]
struct Seen {
    campaigns: usize,
    sound: usize,
    steps: usize,
    decided: usize,
    granted: usize,
    drawn: usize,
    rejected: usize,
    faults: usize,
    timed: usize,
    committed: usize,
    exhausted: usize,
}

/// Says which case it was, if the test fails within.
struct Failing<'a> {
    seed: u64,
    text: &'a str,
}

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}, campaign:\n{}", self.seed, self.text);
        }
    }
}

fn checked(text: &str, tenant: &Tenant, files: &Files) -> Option<Campaign> {
    let all: Vec<&dyn Activity> = support::all();
    let input = Input {
        campaign: "random",
        source: Source::new("random.yaml", text),
        tenant,
        files,
    };
    // Random arithmetic fails when it runs, and a check would find out: here it is wanted.
    let definition = lower(&input, &all).definition?;
    let bytes = campaign::encode(&definition);
    assert_eq!(
        bytes,
        campaign::encode(&lower(&input, &all).definition?),
        "a file has one definition"
    );
    let read_back = campaign::encode(&campaign::decode(&bytes).unwrap());
    assert!(read_back == bytes, "a definition is read back as it was");
    Some(link(definition, 1).unwrap())
}

/// Someone's circumstances.
struct Person {
    user: User,
    facts: Facts,
}

fn person(campaign: &Campaign, dice: &mut Dice) -> Person {
    let mut claims = Map::new();
    if dice.once_in(2) {
        claims.insert("level".to_owned(), json!(dice.int()));
        claims.insert("tags".to_owned(), json!(["vip", "new"]));
        claims.insert("signed_up".to_owned(), json!(dice.int() / 1000));
    }
    let known = campaign.facts.iter().map(|fact| {
        let is = match fact.ty() {
            Type::Bool => Known::Yes,
            Type::Str => Known::Is(Value::Str("x".into())),
            _ => Known::Is(Value::Int(dice.int())),
        };
        [is, Known::No, Known::Unknown, Known::NotAsked][dice.below(4)].clone()
    });
    let known: Vec<Known> = known.collect();
    Person {
        user: User::read(&campaign.claims, &claims),
        facts: Facts::settle(&campaign.facts, known),
    }
}

fn event(campaign: &Campaign, dice: &mut Dice) -> Option<(u16, Payload)> {
    if dice.once_in(20) {
        return None;
    }
    let at = dice.below(campaign.events.len());
    let declared = &campaign.events[at];
    let mut body = Map::new();
    for field in &declared.payload {
        let value = match field.name.as_str() {
            "right" => json!(dice.once_in(2)),
            "note" => json!(["", "x", "a longer note", "签到"][dice.below(4)]),
            "day" => json!(
                [
                    "2026-03-02",
                    "2026-03-05",
                    "1970-01-01",
                    "9999-12-31",
                    "0001-01-01"
                ][dice.below(5)]
            ),
            _ => json!(dice.int().clamp(field.at_least, field.at_most)),
        };
        if dice.once_in(2) || field.default.is_none() {
            body.insert(field.name.clone(), value);
        }
    }
    Payload::read(declared, &body)
        .ok()
        .map(|payload| (at as u16, payload))
}

fn sender(campaign: &Campaign, event: Option<u16>, dice: &mut Dice) -> Sender {
    let any = [
        Sender::User,
        Sender::Backend,
        Sender::Timer,
        Sender::Campaign,
    ][dice.below(4)];
    let declared = event.map(|event| &campaign.events[usize::from(event)].from);
    match declared {
        Some(from) if !dice.once_in(10) => from[dice.below(from.len())],
        _ => any,
    }
}

fn exhausted(campaign: &Campaign, day: i32, dice: &mut Dice) -> Vec<Left> {
    let mut keys: Vec<CounterKey> = campaign
        .rewards
        .iter()
        .map(|reward| CounterKey::Stock(reward.id.clone()))
        .collect();
    keys.extend([CounterKey::Budget, CounterKey::BudgetDay(day)]);
    keys.retain(|_| dice.once_in(6));
    keys.into_iter()
        .map(|key| Left {
            key,
            left: dice.below(3) as i64 * 100,
        })
        .collect()
}

/// Steps of a few participants, each as the steps before have made it.
fn steps(campaign: &Campaign, dice: &mut Dice, seen: &mut Seen) {
    let opens = campaign.window.opens;
    let mut people: Vec<(Person, Participant, Millis)> = (0..3)
        .map(|_| {
            let now = opens + dice.below(100) as i64 * DAY_MS - DAY_MS;
            (person(campaign, dice), Participant::new(campaign, now), now)
        })
        .collect();
    for _ in 0..STEPS_EACH {
        let at = dice.below(people.len());
        let (person, participant, clock) = &mut people[at];
        // Mostly minutes and days; now and then an instant that no clock shows.
        let extreme = dice.once_in(12);
        let now = match dice.below(6) {
            _ if extreme => dice.int(),
            0 => *clock + dice.below(40) as i64 * DAY_MS,
            1 => *clock - DAY_MS,
            2 => *clock + DAY_MS,
            _ => *clock + dice.below(60) as i64 * 60_000,
        };
        let happens = event(campaign, dice);
        let who = Pseudonym([at as u8; 16]);
        let draws = Seeded::new(&Seed([7; 32]), &campaign.path(), 1, &who);
        let exhausted = exhausted(campaign, campaign.calendar.day(now), dice);
        let call = Call {
            campaign,
            participant,
            user: &person.user,
            sender: sender(campaign, happens.as_ref().map(|(event, _)| *event), dice),
            event: happens.as_ref().map(|(event, payload)| (*event, payload)),
            facts: &person.facts,
            now,
            rehearsal: dice.once_in(10),
            draws: &draws,
            exhausted: &exhausted,
        };
        let answer = step(&call);
        assert_eq!(
            answer,
            step(&call),
            "the same arguments give the same answer"
        );
        looked_at(&call, &answer);
        seen.steps += 1;
        match answer {
            Ok(decision) => {
                sound(&call, &decision);
                seen.decided += 1;
                seen.granted += decision.grants.len();
                seen.drawn += usize::from(decision.core.draws > participant.core.draws);
                seen.timed += usize::from(decision.timer.is_some());
                // A record that has been at the end of time stays there: follow few of those.
                if !extreme || dice.once_in(40) {
                    participant.core = decision.core;
                    participant.grants.extend(decision.grants);
                    *clock = now.clamp(opens - DAY_MS, campaign.window.claim_until + DAY_MS);
                }
            }
            Err(No::Rejected(_)) => seen.rejected += 1,
            Err(No::Fault(fault)) => {
                assert!(
                    matches!(fault, Fault::Overflow | Fault::DivisionByZero),
                    "a checked campaign met {fault}"
                );
                seen.faults += 1;
            }
        }
    }
}

/// Plays in a world: what is rejected changes nothing, and no counter passes its bound.
fn staged(campaign: &Campaign, dice: &mut Dice, seen: &mut Seen) {
    let mut now = campaign.window.opens;
    let mut stage = Stage::open(campaign.definition(), dice.roll(), &BTreeMap::new(), now).unwrap();
    let person = person(campaign, dice);
    for _ in 0..STAGED_EACH {
        now += dice.below(2000) as i64 * 60_000;
        let happens = event(campaign, dice);
        let who = Pseudonym([dice.below(3) as u8; 16]);
        let act = Act {
            who,
            user: &person.user,
            facts: &person.facts,
            sender: sender(campaign, happens.as_ref().map(|(event, _)| *event), dice),
            event: happens.as_ref().map(|(event, payload)| (*event, payload)),
            now,
        };
        let before = stage.record(&who, now);
        match stage.play(&act) {
            Ok(played) => {
                seen.committed += 1;
                let record = stage.record(&who, now).unwrap();
                assert_eq!(record.core, played.decision.core);
            }
            Err(Refused::Rejected(_) | Refused::Fault(Fault::Overflow | Fault::DivisionByZero)) => {
                assert_eq!(
                    stage.record(&who, now),
                    before,
                    "a rejected event changes nothing"
                );
            }
            Err(other) => panic!("{other}"),
        }
    }
    for lane in stage
        .world()
        .campaigns
        .values()
        .map(|campaign| &campaign.live_lane)
    {
        for (key, counter) in &lane.counters {
            assert!(counter.issued <= counter.ceiling, "{key} was over-issued");
            seen.exhausted += usize::from(counter.issued == counter.ceiling);
        }
    }
}
