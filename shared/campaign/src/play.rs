//! One campaign on a stage: a world in memory, a campaign published in it, and people who play. Stories, the simulator
//! and tests act through here, so that they run the real step and the real commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::Millis;
use machine::expr::Fault;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::input::{Facts, Payload, User};
use machine::ledger::Row;
use machine::luck::{NoDraws, Seed, Seeded};
use machine::migrate::migrate;
use machine::model::{Campaign, Definition, LinkError, Sender};
use machine::participant::Participant;
use machine::raffle::Told;
use machine::step::{Call, Decision, No, Rejection, step, tell};
use machine::view::{View, view};
use machine::world::{
    Action, Admin, AdminOutcome, Applied, Attribution, Commit, Counter, CounterKey, LaneWorld,
    Left, Outcome, Publication, World, apply_admin, apply_commit,
};

use crate::codec::{encode, link};

/// How often a decision is made again before the stage gives up. A `when_gone` chain needs one more try a link at most,
/// since each answer names all that is gone.
const TRIES: usize = 64;

/// A world with one campaign in it.
#[derive(Debug)]
pub struct Stage {
    world: World,
    key: CampaignKey,
    /// The revisions, from 1; the last is live.
    revisions: BTreeMap<u32, Arc<Campaign>>,
    seed: Seed,
    /// How many commits were tried: makes each one's idempotency key.
    tried: u64,
}

/// Someone doing something, or time passing for them.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// Who.
    pub who: Pseudonym,
    /// Their claims.
    pub user: &'a User,
    /// What was looked up about them.
    pub facts: &'a Facts,
    /// Who sends the event.
    pub sender: Sender,
    /// Which event, and what it carries; none: only time passes.
    pub event: Option<(u16, &'a Payload)>,
    /// When.
    pub now: Millis,
}

/// What was decided and committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The decision, its rows stamped with their serials.
    pub decision: Decision,
    /// What the commit stamped.
    pub applied: Applied,
}

/// Why nothing was committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The rules' no.
    #[error("rejected: {}", .0.code())]
    Rejected(Rejection),
    /// A rule could not be evaluated.
    #[error("a rule failed: {0}")]
    Fault(#[from] Fault),
    /// A counter that should exist does not.
    #[error("counter `{0}` is missing")]
    Frozen(CounterKey),
    /// The commit was refused for a reason a stage should never give.
    #[error("the commit was refused: {0}")]
    Commit(String),
}

impl From<No> for Refused {
    fn from(no: No) -> Self {
        match no {
            No::Rejected(rejection) => Self::Rejected(rejection),
            No::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Why a definition can't be put on a stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStaged {
    /// Its blocks can't be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The world refused to publish it.
    #[error("the definition was not published: {0}")]
    Unpublished(String),
}

impl Stage {
    /// Publishes a definition in a new world. `seed` decides every draw; `stock` overrides the config's figures.
    pub fn open(
        definition: &Definition,
        seed: u64,
        stock: &BTreeMap<String, u32>,
        at: Millis,
    ) -> Result<Self, NotStaged> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let seed = Seed(bytes);
        let key = CampaignKey {
            tenant: definition.tenant.clone(),
            campaign: definition.campaign.clone(),
            edition: definition.edition,
            lane: Lane::Live,
        };
        let mut stage = Self {
            world: World::default(),
            key,
            revisions: BTreeMap::new(),
            seed: seed.clone(),
            tried: 0,
        };
        stage.admin(Action::CreateTenant { secret: seed }, at)?;
        stage.publish(definition, stock, at)?;
        Ok(stage)
    }

    /// Publishes a definition as the next revision and makes it live; its number.
    pub fn publish(
        &mut self,
        definition: &Definition,
        stock: &BTreeMap<String, u32>,
        at: Millis,
    ) -> Result<u32, NotStaged> {
        let mut definition = definition.clone();
        for reward in &mut definition.rewards {
            let other = stock.get(&*reward.id).copied();
            reward.stock = reward.stock.map(|configured| other.unwrap_or(configured));
        }
        let publish = Action::Publish(Publication {
            campaign: self.key.campaign.clone(),
            edition: self.key.edition,
            definition: encode(&definition).into(),
            stock: blocks::figures(&definition),
            budget: definition.budget.as_ref().map(|budget| budget.total),
            seeds: (self.seed.clone(), self.seed.clone()),
        });
        let revision = self.admin(publish, at)?.unwrap_or(0);
        self.revisions
            .insert(revision, Arc::new(link(definition, revision)?));
        Ok(revision)
    }

    fn admin(&mut self, action: Action, at: Millis) -> Result<Option<u32>, NotStaged> {
        let change = Admin {
            tenant: self.key.tenant.clone(),
            by: "stage".into(),
            at,
            key: None,
            action,
            why: None,
        };
        match apply_admin(&mut self.world, &change) {
            AdminOutcome::Done(done) => Ok(done.revision),
            other => Err(NotStaged::Unpublished(format!("{other:?}"))),
        }
    }

    /// The live revision.
    pub fn campaign(&self) -> Option<Arc<Campaign>> {
        self.revisions
            .last_key_value()
            .map(|(_, campaign)| campaign.clone())
    }

    /// The lane that is played in.
    pub fn lane(&self) -> Option<&LaneWorld> {
        self.world.lane(&self.key)
    }

    /// Has others use a code as often as it may be.
    pub fn use_up(&mut self, code: Pseudonym) {
        let key = &self.key;
        let path = (key.tenant.clone(), key.campaign.clone(), key.edition);
        if let Some(campaign) = self.world.campaigns.get_mut(&path) {
            let used = Counter {
                issued: i64::MAX,
                ceiling: i64::MAX,
                configured: 0,
                shortfall: 0,
            };
            let counters = &mut campaign.live_lane.counters;
            counters.insert(CounterKey::Code(code), used);
        }
    }

    /// The world, to be looked at.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Someone's record under the live revision; that of a newcomer at `now` if they were never here.
    pub fn record(&self, who: &Pseudonym, now: Millis) -> Option<Arc<Participant>> {
        let live = self.campaign()?;
        let entry = self
            .world
            .lane(&self.key)
            .and_then(|lane| lane.participants.get(who));
        let Some(entry) = entry else {
            return Some(Arc::new(Participant::new(&live, now)));
        };
        let record = entry.participant.clone();
        if record.core.revision == live.revision {
            return Some(record);
        }
        let old = self.revisions.get(&record.core.revision)?;
        Some(Arc::new(migrate(&record, old, &live)))
    }

    /// Someone's draws.
    pub fn draws(&self, who: &Pseudonym) -> Seeded {
        let path = format!("{}/{}", self.key.tenant, self.key.campaign);
        Seeded::new(&self.seed, &path, self.key.edition, who)
    }

    /// Whom time changes next, up to `now`.
    pub fn due(&self, now: Millis) -> Vec<Pseudonym> {
        self.world.due(&self.key, now, usize::MAX)
    }

    /// Looks at someone's page; nothing is committed.
    pub fn look<R>(&self, act: &Act<'_>, read: impl FnOnce(&View<'_>) -> R) -> Result<R, Refused> {
        let missing = || Refused::Commit("nothing is published".to_owned());
        let live = self.campaign().ok_or_else(missing)?;
        let participant = self.record(&act.who, act.now).ok_or_else(missing)?;
        let call = Call {
            campaign: &live,
            participant: &participant,
            user: act.user,
            sender: act.sender,
            event: None,
            facts: act.facts,
            now: act.now,
            rehearsal: false,
            draws: &NoDraws,
            exhausted: &[],
        };
        Ok(read(&view(&call)?))
    }

    /// Decides and commits, again with what the commit says is exhausted until it holds.
    pub fn play(&mut self, act: &Act<'_>) -> Result<Played, Refused> {
        let played = self.made(act, |call| step(call).map(Some))?;
        played.ok_or_else(|| Refused::Commit("an event came to nothing".to_owned()))
    }

    /// Tells somebody what a draw from entries came to for them; none: it is no news to them.
    pub fn tell(&mut self, act: &Act<'_>, told: &Told<'_>) -> Result<Option<Played>, Refused> {
        self.made(act, |call| tell(call, told))
    }

    fn made(
        &mut self,
        act: &Act<'_>,
        decide: impl Fn(&Call<'_>) -> Result<Option<Decision>, No>,
    ) -> Result<Option<Played>, Refused> {
        let missing = || Refused::Commit("nothing is published".to_owned());
        let live = self.campaign().ok_or_else(missing)?;
        let draws = self.draws(&act.who);
        let mut exhausted: Vec<Left> = Vec::new();
        for _ in 0..TRIES {
            let participant = self.record(&act.who, act.now).ok_or_else(missing)?;
            let decided = decide(&Call {
                campaign: &live,
                participant: &participant,
                user: act.user,
                sender: act.sender,
                event: act.event,
                facts: act.facts,
                now: act.now,
                rehearsal: false,
                draws: &draws,
                exhausted: &exhausted,
            })?;
            let Some(mut decision) = decided else {
                return Ok(None);
            };
            let mut commit = self.commit(act, &live, &participant, &decision);
            match apply_commit(&mut self.world, &mut commit) {
                Outcome::Committed(applied) => {
                    decision.rows = commit.rows;
                    return Ok(Some(Played { decision, applied }));
                }
                Outcome::Exhausted(left) => Left::learn(&mut exhausted, left),
                Outcome::Stale(_) => {}
                Outcome::Frozen(counter) => return Err(Refused::Frozen(counter)),
                other => return Err(Refused::Commit(format!("{other:?}"))),
            }
        }
        Err(Refused::Commit(format!("not settled after {TRIES} tries")))
    }

    fn commit(
        &mut self,
        act: &Act<'_>,
        live: &Campaign,
        record: &Participant,
        decision: &Decision,
    ) -> Commit {
        self.tried += 1;
        let stored = self
            .world
            .lane(&self.key)
            .and_then(|lane| lane.participants.get(&act.who));
        // Carried over from another revision, the grants stand in other places.
        let moved = stored.is_some_and(|stored| stored.participant.core.revision != live.revision);
        Commit {
            campaign: self.key.clone(),
            revision: live.revision,
            user: act.who,
            expected: record.core.version,
            event: act
                .event
                .and_then(|(event, _)| live.events.get(usize::from(event)))
                .map(|event| event.name.clone()),
            sender: act.sender,
            key: self.tried.to_string().into(),
            fingerprint: [0; 32],
            at: act.now,
            attribution: Attribution::default(),
            core: decision.core.clone(),
            grants: decision.grants.clone(),
            moves: decision.moves.clone(),
            alternatives: decision.alternatives.clone(),
            rows: decision.rows.clone(),
            first_row: 0,
            timer: decision.timer,
            answer: [].into(),
            carried: moved.then(|| record.grants.clone()),
            heard: decision.heard.clone(),
            seen: None,
        }
    }
}

impl Played {
    /// The ids of the rewards given, in order.
    pub fn rewards(&self) -> Vec<&str> {
        let given = self.decision.rows.iter().filter_map(|row| match row {
            Row::Grant(grant) => Some(&*grant.reward),
            _ => None,
        });
        given.collect()
    }
}
