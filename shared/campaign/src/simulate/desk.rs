//! Where events are decided and made true: the real step, the real commit, in a world of one run. Whatever the machine
//! does here is what production does; nothing is decided in this file.
//!
//! The world holds the counters (stock, budgets) for the whole run, but only one participant at a time: the record of
//! whoever visits is put in before and taken out after. A commit looks at nobody else's record, so the outcome is the same,
//! and the world stays small and near. What a store keeps for retries is forgotten at once, since nobody here retries.

use std::collections::VecDeque;
use std::sync::Arc;

use machine::Millis;
use machine::expr::Fault;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::input::{Facts, Payload, User};
use machine::luck::Seed;
use machine::model::{Campaign, Definition, Sender};
use machine::participant::Participant;
use machine::raffle::Told;
use machine::step::{Call, Decision, No, Rejection, step, tell};
use machine::view::{Possible, standing, view};
use machine::world::{
    Action, Admin, AdminOutcome, Attribution, CampaignWorld, Commit, Entry, LaneWorld, Left,
    Outcome, Publication, Remembered, World, apply_admin, apply_within,
};

use super::SimulateError;
use super::dice::Lot;
use crate::codec::{decode, encode, link};

/// How often a decision is made again before it is given up: as [`crate::play`].
const TRIES: usize = 64;

/// The world of one run.
pub struct Desk<'w> {
    /// What runs.
    pub campaign: Campaign,
    /// All that the campaign's world holds.
    world: CampaignWorld,
    /// The one commit, filled anew each time: most of it is always the same.
    commit: Commit,
    /// What was exhausted for the event in hand.
    pub exhausted: Vec<Left>,
    /// How many steps were made, and how many of them committed.
    pub steps: u64,
    /// How many commits came true.
    pub commits: u64,
    seed: u64,
    /// Room for what a store keeps for retries, handed from visitor to visitor.
    room: VecDeque<Remembered>,
    /// Who wants to see every commit that came true, its rows stamped.
    witness: Option<&'w mut dyn FnMut(&Commit)>,
}

/// A participant between visits.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The record; none for somebody who was never here.
    pub participant: Option<Arc<Participant>>,
    /// When time alone changes it next.
    pub timer: Option<Millis>,
}

/// Somebody at the desk.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// Their number, from 0.
    pub number: u64,
    /// Their claims.
    pub user: &'a User,
    /// What was looked up about them.
    pub facts: &'a Facts,
    /// When.
    pub now: Millis,
}

/// Why nothing was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The rules' no.
    Rejected(Rejection),
    /// A rule could not be evaluated: production answers `rule-failed`.
    Fault(Fault),
    /// The store would not have it: a bug.
    Broken(SimulateError),
}

/// The pseudonym of a number.
pub fn pseudonym(number: u64) -> Pseudonym {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Pseudonym(bytes)
}

impl<'w> Desk<'w> {
    /// Publishes a definition in a new world.
    pub fn open(
        definition: &Definition,
        seed: u64,
        witness: Option<&'w mut dyn FnMut(&Commit)>,
    ) -> Result<Self, SimulateError> {
        let bytes = encode(definition);
        // Read anew: names are shared by counting references, and runs on several threads would fight over the counts.
        let own = decode(&bytes).map_err(|error| SimulateError::Campaign(error.to_string()))?;
        let campaign = link(own, 1).map_err(|error| SimulateError::Campaign(error.to_string()))?;
        let mut world = World::default();
        for change in openings(&campaign, bytes.into()) {
            match apply_admin(&mut world, &change) {
                AdminOutcome::Done(_) => {}
                other => return Err(SimulateError::Campaign(format!("{other:?}"))),
            }
        }
        let key = CampaignKey {
            tenant: campaign.tenant.clone(),
            campaign: campaign.campaign.clone(),
            edition: campaign.edition,
            lane: Lane::Live,
        };
        let commit = Commit {
            revision: campaign.revision,
            user: pseudonym(0),
            expected: 0,
            event: None,
            sender: Sender::User,
            key: "visit".into(),
            fingerprint: [0; 32],
            at: 0,
            attribution: Attribution::default(),
            core: Participant::new(&campaign, 0).core,
            grants: Vec::new(),
            moves: Vec::new(),
            alternatives: Vec::new(),
            rows: Vec::new(),
            first_row: 0,
            timer: None,
            answer: [].into(),
            carried: None,
            heard: Vec::new(),
            seen: None,
            campaign: key,
        };
        let (_, world) = world
            .campaigns
            .pop_first()
            .ok_or_else(|| SimulateError::Campaign("it has no world".to_owned()))?;
        Ok(Self {
            campaign,
            world,
            commit,
            exhausted: Vec::new(),
            steps: 0,
            commits: 0,
            seed,
            room: VecDeque::new(),
            witness,
        })
    }

    /// What the campaign's world began with: for whoever replays what a witness saw.
    pub fn openings(definition: &Definition) -> Vec<Admin> {
        openings(definition, encode(definition).into())
    }

    /// The lane that is played in, to be looked at.
    pub fn lane_now(&self) -> &LaneWorld {
        &self.world.live_lane
    }

    fn lane(&mut self) -> &mut LaneWorld {
        &mut self.world.live_lane
    }

    /// Puts a participant in.
    pub fn seat(&mut self, number: u64, record: Record) {
        let Some(participant) = record.participant else {
            return;
        };
        let entry = Entry {
            participant,
            remembered: std::mem::take(&mut self.room),
            units: Vec::new(),
            timer: record.timer,
        };
        self.lane().participants.insert(pseudonym(number), entry);
    }

    /// Takes the participant out again.
    pub fn rise(&mut self, number: u64) -> Record {
        let lane = self.lane();
        lane.timers.clear();
        let Some(entry) = lane.participants.remove(&pseudonym(number)) else {
            return Record::default();
        };
        self.room = entry.remembered;
        Record {
            participant: Some(entry.participant),
            timer: entry.timer,
        }
    }

    fn call<T>(
        &self,
        visitor: &Visitor<'_>,
        sender: Sender,
        event: Option<(u16, &Payload)>,
        then: impl FnOnce(&Call<'_>) -> T,
    ) -> T {
        let newcomer;
        let seated = &self.world.live_lane.participants;
        let participant = if let Some(entry) = seated.get(&pseudonym(visitor.number)) {
            &*entry.participant
        } else {
            newcomer = Participant::new(&self.campaign, visitor.now);
            &newcomer
        };
        then(&Call {
            campaign: &self.campaign,
            participant,
            user: visitor.user,
            sender,
            event,
            facts: visitor.facts,
            now: visitor.now,
            rehearsal: false,
            draws: &Lot {
                seed: self.seed,
                who: visitor.number,
            },
            exhausted: &self.exhausted,
        })
    }

    /// What the page shows: the events that users may send, and which are possible.
    pub fn look(&mut self, visitor: &Visitor<'_>) -> Result<Vec<Possible>, Fault> {
        self.exhausted.clear();
        self.call(visitor, Sender::User, None, |call| {
            view(call).map(|view| view.events)
        })
    }

    /// Whether the page shows one event as possible.
    pub fn offers(&mut self, visitor: &Visitor<'_>, event: u16) -> Result<bool, Fault> {
        self.exhausted.clear();
        self.call(visitor, Sender::User, None, |call| {
            standing(call, event).map(|no| no.is_none())
        })
    }

    /// Decides and commits, again with what the commit says is exhausted until it holds; what came true is [`Desk::last`].
    pub fn play(
        &mut self,
        visitor: &Visitor<'_>,
        sender: Sender,
        event: Option<(u16, &Payload)>,
    ) -> Result<(), Refusal> {
        self.made(visitor, sender, event, |call| step(call).map(Some))
            .map(drop)
    }

    /// Tells somebody what a draw from entries came to for them; whether that was news.
    pub fn tell(&mut self, visitor: &Visitor<'_>, told: &Told<'_>) -> Result<bool, Refusal> {
        self.made(visitor, Sender::Timer, None, |call| tell(call, told))
    }

    /// Decides and commits; whether there was anything to commit.
    fn made(
        &mut self,
        visitor: &Visitor<'_>,
        sender: Sender,
        event: Option<(u16, &Payload)>,
        decide: impl Fn(&Call<'_>) -> Result<Option<Decision>, No>,
    ) -> Result<bool, Refusal> {
        self.exhausted.clear();
        for _ in 0..TRIES {
            self.steps += 1;
            let decided = self.call(visitor, sender, event, |call| {
                decide(call).map(|decision| (decision, call.participant.core.version))
            });
            let (decision, version) = match decided {
                Ok((Some(decision), version)) => (decision, version),
                Ok((None, _)) => return Ok(false),
                Err(No::Rejected(rejection)) => return Err(Refusal::Rejected(rejection)),
                Err(No::Fault(fault)) => return Err(Refusal::Fault(fault)),
            };
            let commit = &mut self.commit;
            commit.user = pseudonym(visitor.number);
            commit.expected = version;
            commit.event = event
                .and_then(|(event, _)| self.campaign.events.get(usize::from(event)))
                .map(|event| event.name.clone());
            commit.sender = sender;
            commit.at = visitor.now;
            commit.core = decision.core;
            commit.grants = decision.grants;
            commit.moves = decision.moves;
            commit.alternatives = decision.alternatives;
            commit.rows = decision.rows;
            commit.timer = decision.timer;
            match apply_within(None, &mut self.world, commit) {
                Outcome::Committed(_) => {
                    self.committed();
                    return Ok(true);
                }
                Outcome::Exhausted(left) => Left::learn(&mut self.exhausted, left),
                other => {
                    return Err(Refusal::Broken(SimulateError::Refused(format!(
                        "{other:?}"
                    ))));
                }
            }
        }
        Err(Refusal::Broken(SimulateError::Refused(format!(
            "not settled after {TRIES} tries"
        ))))
    }

    /// The commit that came true last.
    pub fn last(&self) -> &Commit {
        &self.commit
    }

    fn committed(&mut self) {
        self.commits += 1;
        let user = self.commit.user;
        if let Some(entry) = self.lane().participants.get_mut(&user) {
            entry.remembered.clear();
        }
        if let Some(witness) = &mut self.witness {
            witness(&self.commit);
        }
    }
}

fn openings(definition: &Definition, bytes: Arc<[u8]>) -> Vec<Admin> {
    let at = definition.window.opens;
    let seed = Seed([0; 32]);
    let change = |action| Admin {
        tenant: definition.tenant.clone(),
        by: "simulator".into(),
        at,
        key: None,
        action,
        why: None,
    };
    vec![
        change(Action::CreateTenant {
            secret: seed.clone(),
        }),
        change(Action::Publish(Publication {
            campaign: definition.campaign.clone(),
            edition: definition.edition,
            definition: bytes,
            stock: blocks::figures(definition),
            budget: definition.budget.as_ref().map(|budget| budget.total),
            seeds: (seed.clone(), seed),
        })),
    ]
}
