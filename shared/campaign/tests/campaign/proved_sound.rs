//! What is called impossible never happens: random campaigns, played by random people. Each transition that can't fire is
//! made to lead into a state of its own, where nobody may ever be seen; and each variable is held against what it may be.

use machine::expr::Fault;
use machine::ids::Pseudonym;
use machine::input::{Facts, Known as Finding, Payload, User};
use machine::luck::{Seed, Seeded};
use machine::model::{Campaign, Definition, Sender, State, Transition};
use machine::participant::Participant;
use machine::step::{Call, No, step};
use machine::{Millis, Type, Value};
use serde_json::{Map, json};

use campaign::analysis::{List, Proved};
use campaign::check::Files;
use campaign::{Activity, Input, Source, Tenant, check, link, lower, story};

use crate::generate::campaigns;
use crate::generate::dice::Dice;
use crate::support;

const CAMPAIGNS: u64 = 400;
const STEPS_EACH: usize = 150;
const DAY_MS: i64 = 86_400_000;

#[test]
fn what_is_called_impossible_never_happens() {
    let (tenant, files) = story::example_tenant().unwrap();
    let (mut dead, mut steps, mut bounded) = (0, 0, 0);
    for seed in 0..CAMPAIGNS {
        let mut dice = Dice(seed + 10_000);
        let text = campaigns::campaign(&mut dice);
        let Some(definition) = lowered(&text, &tenant, &files) else {
            continue;
        };
        let found = Proved::of(&definition);
        dead += found.never_fire().count();
        bounded += found.bounded();
        let trap = trapped(&definition, &found);
        steps += play(&trap, &found, &mut dice, &format!("seed {seed}:\n{text}"));
    }
    println!("{dead} transitions never fire, {bounded} variables are bounded, {steps} steps");
    assert!(dead > 100 && bounded > 1_000 && steps > 10_000);
}

#[test]
fn a_file_has_one_answer() {
    let (tenant, files) = story::example_tenant().unwrap();
    let all: Vec<&dyn Activity> = support::all();
    let mut said = 0;
    for seed in 0..20 {
        let text = campaigns::campaign(&mut Dice(seed));
        let input = Input {
            campaign: "random",
            source: Source::new("random.yaml", text.as_str()),
            tenant: &tenant,
            files: &files,
        };
        let lines = check(&input, &all).diagnostics.lines();
        assert_eq!(lines, check(&input, &all).diagnostics.lines(), "{text}");
        said += lines.matches("E0614").count();
    }
    assert!(said > 5, "random arithmetic fails often");
}

fn lowered(text: &str, tenant: &Tenant, files: &Files) -> Option<Definition> {
    let all: Vec<&dyn Activity> = support::all();
    let input = Input {
        campaign: "random",
        source: Source::new("random.yaml", text),
        tenant,
        files,
    };
    lower(&input, &all).definition
}

/// The definition, with one more state into which all dead transitions lead.
fn trapped(definition: &Definition, found: &Proved) -> Campaign {
    let mut definition = definition.clone();
    let trap = definition.machine.states.len() as u16;
    for (list, place) in found.never_fire() {
        let machine = &mut definition.machine;
        let transition = match list {
            List::Own(state, on) => &mut machine.states[state].events[on].transitions[place],
            List::Wide(on) => &mut machine.events[on].transitions[place],
            List::Always(state) => &mut machine.states[state].always[place],
            List::After(state) => &mut machine.states[state].after[place].transition,
        };
        *transition = Transition {
            when: transition.when.clone(),
            to: Some(trap),
            ..Transition::default()
        };
    }
    definition.machine.states.push(State {
        name: "trap".into(),
        last: true,
        ..State::default()
    });
    link(definition, 1).unwrap()
}

fn play(campaign: &Campaign, found: &Proved, dice: &mut Dice, case: &str) -> usize {
    let opens = campaign.window.opens;
    let mut decided = 0;
    let mut people: Vec<(User, Facts, Participant, Millis)> = (0..3)
        .map(|_| {
            let mut claims = Map::new();
            if dice.once_in(2) {
                claims.insert("level".to_owned(), json!(dice.int()));
                claims.insert("tags".to_owned(), json!(["vip", "new"]));
                claims.insert("signed_up".to_owned(), json!(dice.int() / 1000));
            }
            let facts = campaign.facts.iter();
            let facts: Vec<Finding> = facts
                .map(|fact| {
                    let is = match fact.ty() {
                        Type::Bool => Finding::Yes,
                        Type::Str => Finding::Is(Value::Str(dice.one(&["x", "hi"]).into())),
                        _ => Finding::Is(Value::Int(dice.int())),
                    };
                    [is, Finding::No, Finding::Unknown][dice.below(3)].clone()
                })
                .collect();
            let user = User::read(&campaign.claims, &claims);
            let facts = Facts::settle(&campaign.facts, facts);
            (user, facts, Participant::new(campaign, opens), opens)
        })
        .collect();
    for _ in 0..STEPS_EACH {
        let at = dice.below(people.len());
        let (user, facts, participant, clock) = &mut people[at];
        let now = match dice.below(6) {
            0 => *clock + dice.below(30) as i64 * DAY_MS,
            1 => *clock - DAY_MS,
            _ => *clock + dice.below(400) as i64 * 60_000,
        };
        let event = dice.below(campaign.events.len()) as u16;
        let payload = payload(campaign, event, dice);
        let from = &campaign.events[usize::from(event)].from;
        let sender = from[dice.below(from.len())];
        let nobody = User::nobody(&campaign.claims);
        let draws = Seeded::new(
            &Seed([7; 32]),
            &campaign.path(),
            1,
            &Pseudonym([at as u8; 16]),
        );
        let answer = step(&Call {
            campaign,
            participant,
            user: if sender == Sender::User {
                user
            } else {
                &nobody
            },
            sender,
            event: (!dice.once_in(8)).then_some((event, &payload)),
            facts,
            now,
            rehearsal: false,
            draws: &draws,
            exhausted: &[],
        });
        match answer {
            Ok(decision) => {
                participant.core = decision.core;
                participant.grants.extend(decision.grants);
                *clock = now.clamp(opens, campaign.window.claim_until + DAY_MS);
                within(campaign, participant, found, case);
                decided += 1;
            }
            Err(No::Fault(fault)) => assert!(
                matches!(fault, Fault::Overflow | Fault::DivisionByZero),
                "{fault}\n{case}"
            ),
            Err(No::Rejected(_)) => {}
        }
    }
    decided
}

fn within(campaign: &Campaign, participant: &Participant, found: &Proved, case: &str) {
    let state = usize::from(participant.core.state);
    let name = &campaign.machine.states[state].name;
    assert!(found.reaches(state), "`{name}` was reached\n{case}");
    for (slot, (value, var)) in participant.core.vars.iter().zip(&campaign.vars).enumerate() {
        assert!(
            found.admits(state, slot, value),
            "`{}` is {value:?} in `{name}`\n{case}",
            var.name
        );
    }
}

fn payload(campaign: &Campaign, event: u16, dice: &mut Dice) -> Payload {
    let fields = &campaign.events[usize::from(event)].payload;
    let value = |field: &machine::model::Field, dice: &mut Dice| match field.ty {
        Type::Bool => Value::Bool(dice.once_in(2)),
        Type::Str => Value::Str(["", "x", "签到"][dice.below(3)].into()),
        Type::Date => Value::Int(campaign.window.opens / DAY_MS + dice.below(10) as i64),
        _ => Value::Int(dice.int().clamp(field.at_least, field.at_most)),
    };
    Payload {
        fields: fields.iter().map(|field| value(field, dice)).collect(),
    }
}
