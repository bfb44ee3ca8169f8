//! Trial runs: all short sequences of events, with a few choices for each payload, each way a draw may come out, and time
//! passing, played by the real step from the shortest to the longest. What comes to light this way is true: there is an
//! example. What does not may be true all the same. The bound is a number of steps and never a time, so that one file has
//! one answer on every machine.

mod choices;
mod example;
mod fault;
mod record;

use std::collections::{BTreeMap, BTreeSet};

use machine::Millis;
use machine::calendar::Day;
use machine::expr::Fault;
use machine::input::Payload;
use machine::luck::{Draws, Entropy, Luck};
use machine::model::{Action, Campaign, Definition, Sender};
use machine::participant::Participant;
use machine::step::{Call, Decision, No, step};

use crate::codec::link;
use crate::codes;
use crate::diagnostic::Diagnostics;

use self::choices::{Choices, Person};
use super::places::Places;
use super::programs;

/// The most steps that are tried, over all persons.
const MOST_STEPS: usize = 12_000;

/// The most records that are kept of one person.
const MOST_RECORDS: usize = 4_000;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The shortest way into each state, in words.
    pub ways: BTreeMap<u16, String>,
    /// The promises that were kept.
    kept: BTreeSet<u16>,
    /// How many records were looked at, if those were all there are.
    all: Option<usize>,
}

/// Tries a definition, where there is anything in it that could come to light.
pub(super) fn report(definition: &Definition, places: Places<'_>, out: &mut Diagnostics) -> Seen {
    if !worth_it(definition) {
        return Seen::default();
    }
    let Ok(campaign) = link(definition.clone(), 0) else {
        return Seen::default();
    };
    let choices = Choices::new(&campaign);
    let persons = choices.persons();
    let mut seen = Seen {
        all: Some(0),
        ..Seen::default()
    };
    let mut told = BTreeSet::new();
    for person in persons {
        let mut run = Run {
            campaign: &campaign,
            choices: &choices,
            person,
            records: Vec::new(),
            known: BTreeSet::new(),
            steps: MOST_STEPS / persons.len().max(1),
            faults: BTreeMap::new(),
        };
        let complete = run.go(&mut seen);
        seen.all = seen
            .all
            .filter(|_| complete)
            .map(|all| all + run.records.len());
        for fault in run.faults.into_values() {
            if told.insert((fault.state, fault.event)) {
                fault::tell(&campaign, person, &fault, places, out);
            }
        }
    }
    if persons.is_empty() {
        seen.all = None;
    }
    seen
}

/// Whether anything can come to light: arithmetic that may fail, a promise of the machine's own, or a state without a way on.
fn worth_it(definition: &Definition) -> bool {
    let mut found = programs::calculates(definition);
    programs::actions(definition, &mut |action| {
        found |= matches!(action, Action::Give(_));
    });
    let stuck = |state: &machine::model::State| !state.last && state.events.is_empty();
    found || definition.machine.states.len() > 1 && definition.machine.states.iter().any(stuck)
}

/// A record, and how it came about.
#[derive(Debug)]
pub(super) struct Record {
    participant: Participant,
    /// When time alone changes it next.
    timer: Option<Millis>,
    /// The record before, and what was done to it; nothing for the first.
    before: Option<(usize, Done)>,
}

/// What was done to a record.
#[derive(Debug, Clone)]
pub(super) struct Done {
    at: Millis,
    /// None: time passed.
    event: Option<(u16, Payload)>,
    outcome: Option<&'static str>,
}

/// A rule that failed, and how.
#[derive(Debug)]
pub(super) struct Failure {
    state: u16,
    /// None: time passed.
    event: Option<u16>,
    fault: Fault,
    participant: Participant,
    done: Done,
    /// The events before, in words.
    way: String,
}

struct Run<'a> {
    campaign: &'a Campaign,
    choices: &'a Choices,
    person: &'a Person,
    records: Vec<Record>,
    known: BTreeSet<u64>,
    /// How many steps are left.
    steps: usize,
    faults: BTreeMap<(u16, Option<u16>), Failure>,
}

/// Draws that all have the same luck.
struct Fixed(Entropy);

impl Draws for Fixed {
    fn at(&self, _index: u64, _purpose: &str) -> Luck {
        Luck::new(self.0)
    }
}

impl Run<'_> {
    /// Goes through all records, the nearest first. True if those are all there are.
    fn go(&mut self, seen: &mut Seen) -> bool {
        let opens = self.campaign.window.opens;
        self.records.push(Record {
            participant: Participant::new(self.campaign, opens),
            timer: None,
            before: None,
        });
        let mut at = 0;
        while at < self.records.len() {
            if !self.one(at, seen) {
                return false;
            }
            at += 1;
        }
        true
    }

    /// All that can be done to one record. False once the bound is met.
    fn one(&mut self, at: usize, seen: &mut Seen) -> bool {
        let Some(record) = self.records.get(at) else {
            return true;
        };
        let (now, timer) = (record.participant.core.now, record.timer);
        let state = record.participant.core.state;
        if record.participant.core.version > 0 && !seen.ways.contains_key(&state) {
            seen.ways
                .insert(state, example::way(self.campaign, &self.records, at));
        }
        let today = self.campaign.calendar.day(now);
        for event in 0..self.campaign.events.len() as u16 {
            for payload in self.choices.payloads(event, today) {
                if !self.lucky(at, now, Some(&(event, payload)), seen) {
                    return false;
                }
            }
        }
        for later in self.later(today, timer) {
            if !self.lucky(at, later, None, seen) {
                return false;
            }
        }
        true
    }

    /// The instants at which something is different: the next day, and the next delayed transition.
    fn later(&self, today: Day, timer: Option<Millis>) -> Vec<Millis> {
        let next = self.campaign.calendar.start_of(today.saturating_add(1));
        let mut all: Vec<Millis> = timer.into_iter().chain([next]).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|at| *at < self.campaign.window.claim_until);
        all
    }

    /// One step, with each luck that makes a difference.
    fn lucky(
        &mut self,
        at: usize,
        now: Millis,
        event: Option<&(u16, Payload)>,
        seen: &mut Seen,
    ) -> bool {
        let mut drew = false;
        for (number, luck) in self.choices.lucks.iter().enumerate() {
            if number > 0 && !drew {
                break;
            }
            if self.steps == 0 || self.records.len() >= MOST_RECORDS {
                return false;
            }
            self.steps -= 1;
            let Some(record) = self.records.get(at) else {
                return true;
            };
            let draws = record.participant.core.draws;
            let sender = event.map_or(Sender::User, |(event, _)| self.choices.sender(*event));
            let call = Call {
                campaign: self.campaign,
                participant: &record.participant,
                user: self.person.user(sender),
                sender,
                event: event.map(|(event, payload)| (*event, payload)),
                facts: &self.person.facts,
                now,
                rehearsal: false,
                draws: &Fixed(*luck),
                exhausted: &[],
            };
            let answer = step(&call);
            let mut done = Done {
                at: now,
                event: event.cloned(),
                outcome: None,
            };
            match answer {
                Ok(decision) => {
                    drew = decision.core.draws > draws;
                    done.outcome = decision.outcome;
                    seen.kept
                        .extend(decision.grants.iter().map(|grant| grant.rule));
                    self.keep(at, decision, done);
                }
                Err(No::Fault(fault @ (Fault::Overflow | Fault::DivisionByZero))) => {
                    self.failed(at, fault, done);
                }
                Err(_) => {}
            }
        }
        true
    }

    fn keep(&mut self, at: usize, decision: Decision, done: Done) {
        let Some(record) = self.records.get(at) else {
            return;
        };
        let mut grants = record.participant.grants.clone();
        grants.extend(decision.grants);
        let participant = Participant {
            core: decision.core,
            grants,
            heard: record.participant.heard.clone(),
        };
        if self.known.insert(record::mark(&participant)) {
            self.records.push(Record {
                participant,
                timer: decision.timer,
                before: Some((at, done)),
            });
        }
    }

    fn failed(&mut self, at: usize, fault: Fault, done: Done) {
        let Some(record) = self.records.get(at) else {
            return;
        };
        let state = record.participant.core.state;
        let event = done.event.as_ref().map(|(event, _)| *event);
        let campaign = self.campaign;
        self.faults
            .entry((state, event))
            .or_insert_with(|| Failure {
                state,
                event,
                fault,
                participant: record.participant.clone(),
                way: example::way(campaign, &self.records, at),
                done,
            });
    }
}

/// Promises of the machine's own that nothing has kept, although everything was tried that there is to be tried.
pub(super) fn unkept(
    definition: &Definition,
    seen: &Seen,
    places: Places<'_>,
    out: &mut Diagnostics,
) {
    let Some(all) = seen.all else { return };
    let mut told = BTreeSet::new();
    programs::actions(definition, &mut |action| {
        let Action::Give(give) = action else { return };
        if seen.kept.contains(&give.rule) || !told.insert(give.rule) {
            return;
        }
        let rule = definition.rules_of_giving.get(usize::from(give.rule));
        let place = places.state(usize::from(definition.machine.initial));
        let (Some(rule), Some(place)) = (rule, place.filter(|place| places.own(place))) else {
            return;
        };
        let message = format!(
            "no sequence of events that was tried keeps the promise `{}`; whether one does is not proved",
            rule.id
        );
        out.note(codes::NEVER_SEEN, place, message).help(format!(
            "{all} situations were tried from here: write a story in which it is given"
        ));
    });
}
