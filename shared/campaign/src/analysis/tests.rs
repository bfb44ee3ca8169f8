//! What is called impossible never happens: random campaigns, played by random people. Each transition that can't fire is
//! made to lead into a state of its own, where nobody may ever be seen; and each variable is held against what it may be.

use machine::expr::Fault;
use machine::ids::Pseudonym;
use machine::input::{Facts, Known as Finding, Payload, User};
use machine::luck::{Seed, Seeded};
use machine::model::{Campaign, Definition, Sender, State, Transition};
use machine::participant::Participant;
use machine::step::{Call, No, step};
use machine::{Millis, Value};
use serde_json::{Map, json};

use super::flow::{self, Found, List};
use super::places::Places;
use super::range::Known;
use super::ranges::Ranges;
use super::trial;
use crate::check::{Files, Input, lower};
use crate::diagnostic::Diagnostics;
use crate::document::parse;
use crate::{Activity, Source, Tenant, link, story};

#[path = "../../tests/generate/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod generate;
#[path = "../../tests/support/mod.rs"]
mod support;

use generate::campaigns;
use generate::dice::Dice;

const CAMPAIGNS: u64 = 400;
const STEPS_EACH: usize = 150;
const DAY_MS: i64 = 86_400_000;

#[test]
fn what_is_called_impossible_never_happens() {
    let (tenant, files) = story::example_tenant().unwrap();
    let (mut dead, mut alive, mut steps, mut bounded) = (0, 0, 0, 0);
    for seed in 0..CAMPAIGNS {
        let mut dice = Dice(seed + 10_000);
        let text = campaigns::campaign(&mut dice);
        let Some(definition) = lowered(&text, &tenant, &files) else {
            continue;
        };
        let ranges = Ranges::new(&definition);
        let found = flow::explore(&ranges);
        dead += found.tried.values().filter(|tried| !tried.may_fire).count();
        alive += found.tried.values().filter(|tried| tried.may_fire).count();
        bounded += found
            .vars
            .iter()
            .flatten()
            .map(|vars| told(vars))
            .sum::<usize>();
        let trap = trapped(&definition, &found);
        steps += play(&trap, &found, &mut dice, &format!("seed {seed}:\n{text}"));
    }
    println!("{dead} dead, {alive} alive, {bounded} variables bounded, {steps} steps");
    assert!(dead > 100 && alive > 1_000 && bounded > 1_000 && steps > 10_000);
}

#[test]
fn a_trial_has_one_outcome() {
    let (tenant, files) = story::example_tenant().unwrap();
    let mut told = 0;
    for seed in 0..40 {
        let text = campaigns::campaign(&mut Dice(seed));
        let Some(definition) = lowered(&text, &tenant, &files) else {
            continue;
        };
        let source = Source::new("random.yaml", text.as_str());
        let root = parse(&source, &mut Diagnostics::new()).unwrap();
        let Some(machine) = root.get("machine") else {
            continue;
        };
        let places = Places {
            machine,
            root: &root,
        };
        let run = || {
            let mut out = Diagnostics::new();
            trial::report(&definition, places, &mut out);
            out.lines()
        };
        let said = run();
        assert_eq!(said, run(), "{text}");
        told += said.lines().count();
    }
    assert!(told > 10, "random arithmetic fails often");
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

/// How many of these say anything.
fn told(vars: &[Known]) -> usize {
    let says = |known: &&Known| match known {
        Known::Int(range) => range.low > i64::MIN || range.high < i64::MAX,
        Known::Bool(truth) => !(truth.yes && truth.no),
        Known::Text(texts) => texts.is_some(),
        Known::Other => false,
    };
    vars.iter().filter(says).count()
}

/// The definition, with one more state into which all dead transitions lead.
fn trapped(definition: &Definition, found: &Found) -> Campaign {
    let mut definition = definition.clone();
    let trap = definition.machine.states.len() as u16;
    for ((list, place), tried) in &found.tried {
        if tried.may_fire {
            continue;
        }
        let machine = &mut definition.machine;
        let transition = match list {
            List::Own(state, on) => &mut machine.states[*state].events[*on].transitions[*place],
            List::Wide(on) => &mut machine.events[*on].transitions[*place],
            List::Always(state) => &mut machine.states[*state].always[*place],
            List::After(state) => &mut machine.states[*state].after[*place].transition,
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

fn play(campaign: &Campaign, found: &Found, dice: &mut Dice, case: &str) -> usize {
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
                .map(|_| [Finding::Yes, Finding::No][dice.below(2)])
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

fn within(campaign: &Campaign, participant: &Participant, found: &Found, case: &str) {
    let state = usize::from(participant.core.state);
    assert!(state < found.vars.len(), "a dead transition fired\n{case}");
    let name = &campaign.machine.states[state].name;
    let known = found.vars[state]
        .as_ref()
        .unwrap_or_else(|| panic!("`{name}` was reached\n{case}"));
    for ((value, known), var) in participant
        .core
        .vars
        .iter()
        .zip(known.iter())
        .zip(&campaign.vars)
    {
        let holds = match (value, known) {
            (Value::Int(value), Known::Int(range)) => (range.low..=range.high).contains(value),
            (Value::Bool(value), Known::Bool(truth)) => truth.may(*value),
            (Value::Str(value), Known::Text(Some(texts))) => texts.contains(value),
            _ => true,
        };
        assert!(
            holds,
            "`{}` is {value:?} in `{name}`, not of {known:?}\n{case}",
            var.name
        );
    }
}

fn payload(campaign: &Campaign, event: u16, dice: &mut Dice) -> Payload {
    let fields = &campaign.events[usize::from(event)].payload;
    let value = |field: &machine::model::Field, dice: &mut Dice| match field.ty {
        machine::Type::Bool => Value::Bool(dice.once_in(2)),
        machine::Type::Str => Value::Str(["", "x", "签到"][dice.below(3)].into()),
        machine::Type::Date => Value::Int(campaign.window.opens / DAY_MS + dice.below(10) as i64),
        _ => Value::Int(dice.int().clamp(field.at_least, field.at_most)),
    };
    Payload {
        fields: fields.iter().map(|field| value(field, dice)).collect(),
    }
}
