//! One event of one caller, from the record to the committed answer: recall, step, commit, again when the record moved
//! on or a counter ran out meanwhile.
//!
//! A rejection goes out only after a read of the store in this same call found neither a remembered answer nor a newer
//! record. `Stale` and `Exhausted` tries are bounded; a spin is not re-rolled, since its luck depends on the seed and
//! the participant's draw index alone.

use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::input::{Payload, PayloadError, User};
use machine::model::Sender;
use machine::participant::Participant;
use machine::step::{Call, Decision, No, Rejection, closed, step};
use machine::world::{Answer, Attribution, Commit, Left, Outcome, Pause, Recalled};
use machine::{Campaign, Facts, Fault, Millis};
use serde_json::{Map, Value as Json};
use store::{Asked, Lease, Store};

use crate::served::{Served, TenantShell};
use crate::telemetry::meters::{Tried, commit_try, grant};

/// How often a record may move on under a call.
const STALE_TRIES: u32 = 8;

/// How often counters may run out under a call. Each answer names all that is gone, so a chain needs few.
const EXHAUSTED_TRIES: u32 = 16;

/// Who calls, for what.
#[derive(Debug)]
pub struct Caller<'a> {
    /// The tenant.
    pub shell: &'a TenantShell,
    /// The campaign.
    pub served: &'a Served,
    /// The member id; empty when only the pseudonym is known, as to a sweep.
    pub member: &'a str,
    /// The member's pseudonym.
    pub user: Pseudonym,
    /// Their claims, as the token has them; none for a back end or a timer.
    pub claims: Option<&'a Map<String, Json>>,
    /// The lane, once it is settled.
    pub lane: Lane,
    /// Whether the window's opening is not waited for.
    pub rehearsal: bool,
    /// The clock, of this lane.
    pub now: Millis,
    /// The language of the answer.
    pub language: &'a str,
}

/// An event as it was sent.
#[derive(Debug)]
pub struct Sent<'a> {
    /// Its name.
    pub event: &'a str,
    /// Who sends it.
    pub sender: Sender,
    /// Its body.
    pub body: &'a Map<String, Json>,
    /// The idempotency key.
    pub key: &'a str,
    /// SHA-256 of the event and the meaning of the body.
    pub fingerprint: &'a [u8; 32],
    /// The version that the client saw.
    pub if_match: Option<u64>,
    /// Where it came from.
    pub attribution: Attribution,
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The body.
    pub body: Answer,
    /// Whether this was answered before.
    pub replayed: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failed {
    /// The rules' no.
    Rejected(Rejection, Arc<Campaign>),
    /// Ops staff stopped it.
    Paused(Pause),
    /// The campaign has no such event.
    NoSuchEvent,
    /// The body is not what the event carries.
    Payload(PayloadError),
    /// The client saw an older version.
    StalePage(u64),
    /// The key was used for something else.
    KeyReused,
    /// A rule could not be evaluated.
    Rule(Fault),
    /// A counter is missing.
    Frozen(String),
    /// Too many others changed the same things.
    Contended,
    /// What is live has changed and this process has not loaded it yet.
    Behind,
    /// The store did not answer a read in time.
    Slow,
    /// The store failed.
    Store(store::Error),
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// Makes an answer's bytes from a decision. A rule that fails while the answer is made refuses the whole event: nothing
/// was committed yet.
pub type Render<'a> =
    &'a (dyn Fn(&Call<'_>, &Decision, Option<&Pause>) -> Result<Answer, Fault> + Sync);

/// Carries out one event.
pub async fn act(
    store: &dyn Store,
    caller: &Caller<'_>,
    sent: &Sent<'_>,
    render: Render<'_>,
) -> Result<Answered, Failed> {
    let key = caller.served.key(caller.lane);
    let user = caller.user;
    let asked = Asked {
        key: sent.key,
        fingerprint: sent.fingerprint,
        now: caller.now,
    };
    let Recalled {
        answer,
        participant,
        live,
        pause,
    } = store.recall(&key, user, Some(asked)).await?;
    match answer {
        Some(Ok(body)) => {
            return Ok(Answered {
                body,
                replayed: true,
            });
        }
        Some(Err(_)) => return Err(Failed::KeyReused),
        None => {}
    }
    let Some(campaign) = caller.served.revision_of(&user) else {
        return Err(Failed::Behind);
    };
    if !live.iter().any(|live| live.revision == campaign.revision) {
        return Err(Failed::Behind);
    }
    let prepared = Prepared::new(caller, sent, campaign)?;
    let pause = match pause {
        Some(pause) if pause.stops(Some(sent.event)) => {
            // What the window forbids, a pause need not.
            let no = closed(campaign, prepared.event, caller.now, caller.rehearsal);
            return Err(no.map_or(Failed::Paused(pause), |no| {
                Failed::Rejected(no, campaign.clone())
            }));
        }
        other_event => other_event,
    };
    let draws = caller.served.draws(caller.lane, &user);
    let mut known = participant;
    let mut exhausted: Vec<Left> = Vec::new();
    let (mut stale, mut gone) = (0, 0);
    loop {
        let record = record(caller, known.as_ref(), campaign)?;
        if sent
            .if_match
            .is_some_and(|version| version != record.core.version)
        {
            return Err(Failed::StalePage(record.core.version));
        }
        let call = Call {
            campaign,
            participant: &record,
            user: &prepared.user,
            sender: sent.sender,
            event: Some((prepared.event, &prepared.payload)),
            facts: &prepared.facts,
            now: caller.now,
            rehearsal: caller.rehearsal,
            draws: &draws,
            exhausted: &exhausted,
        };
        let decision = match step(&call) {
            Ok(decision) => decision,
            Err(No::Rejected(rejection)) => {
                return Err(Failed::Rejected(rejection, campaign.clone()));
            }
            Err(No::Fault(fault)) => return Err(Failed::Rule(fault)),
        };
        let body = render(&call, &decision, pause.as_ref()).map_err(Failed::Rule)?;
        let granted: Vec<u16> = decision.grants.iter().map(|grant| grant.reward).collect();
        let commit = Commit {
            event: Some(campaign_event(campaign, prepared.event, sent.event)),
            sender: sent.sender,
            key: sent.key.into(),
            fingerprint: *sent.fingerprint,
            attribution: Attribution {
                facts: prepared.facts.found().to_vec(),
                ..sent.attribution.clone()
            },
            answer: body.clone(),
            ..of_time(caller, &key, &record, decision)
        };
        match store.commit(Box::new(commit)).await? {
            Outcome::Committed(_) => {
                commit_try(Tried::Committed);
                count(&key, campaign, &granted);
                return Ok(Answered {
                    body,
                    replayed: false,
                });
            }
            Outcome::Replayed(body) => {
                commit_try(Tried::Replayed);
                return Ok(Answered {
                    body,
                    replayed: true,
                });
            }
            Outcome::KeyReused => return Err(Failed::KeyReused),
            Outcome::Stale(current) => {
                commit_try(Tried::Stale);
                stale += 1;
                known = current;
            }
            Outcome::Exhausted(left) => {
                commit_try(Tried::Exhausted);
                gone += 1;
                Left::learn(&mut exhausted, left);
            }
            Outcome::Superseded => return Err(Failed::Behind),
            Outcome::Paused(pause) => return Err(Failed::Paused(pause)),
            Outcome::Frozen(counter) => return Err(Failed::Frozen(counter.to_string())),
        }
        if stale > STALE_TRIES || gone > EXHAUSTED_TRIES {
            return Err(Failed::Contended);
        }
    }
}

/// Lets time alone act on a participant: delayed transitions that are due; under a lease where several processes could do so.
/// True if something was committed.
pub async fn tick(
    store: &dyn Store,
    caller: &Caller<'_>,
    under: Option<&Lease>,
) -> Result<bool, Failed> {
    let key = caller.served.key(caller.lane);
    let user = caller.user;
    let recalled = store.recall(&key, user, None).await?;
    let Some(known) = recalled.participant else {
        return Ok(false);
    };
    let Some(campaign) = caller.served.revision_of(&user) else {
        return Err(Failed::Behind);
    };
    let record = record(caller, Some(&known), campaign)?;
    let (nobody, facts) = (User::nobody(&campaign.claims), Facts::default());
    let draws = caller.served.draws(caller.lane, &user);
    let mut exhausted: Vec<Left> = Vec::new();
    for _ in 0..EXHAUSTED_TRIES {
        let call = Call {
            campaign,
            participant: &record,
            user: &nobody,
            sender: Sender::Timer,
            event: None,
            facts: &facts,
            now: caller.now,
            rehearsal: caller.rehearsal,
            draws: &draws,
            exhausted: &exhausted,
        };
        let decision = match step(&call) {
            Ok(decision) => decision,
            Err(No::Rejected(_)) => return Ok(false),
            Err(No::Fault(fault)) => return Err(Failed::Rule(fault)),
        };
        let granted: Vec<u16> = decision.grants.iter().map(|grant| grant.reward).collect();
        let commit = Box::new(of_time(caller, &key, &record, decision));
        let outcome = match under {
            Some(lease) => store.commit_under(commit, lease).await?,
            None => store.commit(commit).await?,
        };
        match outcome {
            Outcome::Committed(_) => {
                count(&key, campaign, &granted);
                return Ok(true);
            }
            Outcome::Exhausted(left) => Left::learn(&mut exhausted, left),
            // Someone else was quicker, or it is stopped: the next sweep looks again.
            _ => return Ok(false),
        }
    }
    Err(Failed::Contended)
}

/// The record as this process's live revision understands it.
pub fn record(
    caller: &Caller<'_>,
    known: Option<&Arc<Participant>>,
    campaign: &Campaign,
) -> Result<Arc<Participant>, Failed> {
    if known.is_some_and(|known| !caller.served.revisions.contains_key(&known.core.revision)) {
        // Written under a revision that was published after this process last looked.
        return Err(Failed::Behind);
    }
    caller
        .served
        .record(known, campaign, caller.now)
        .map_err(Failed::Rule)
}

/// What makes a decision true that time alone brought about; an event puts its own name, key and answer in.
fn of_time(
    caller: &Caller<'_>,
    key: &CampaignKey,
    record: &Participant,
    decision: Decision,
) -> Commit {
    Commit {
        campaign: key.clone(),
        revision: decision.core.revision,
        user: caller.user,
        expected: record.core.version,
        event: None,
        sender: Sender::Timer,
        // No client can send this one: keys are printable.
        key: format!("\u{1}timer-{}", record.core.version).into(),
        fingerprint: [0; 32],
        at: caller.now,
        attribution: Attribution::default(),
        core: decision.core,
        grants: decision.grants,
        moves: decision.moves,
        alternatives: decision.alternatives,
        rows: decision.rows,
        first_row: 0,
        timer: decision.timer,
        answer: Arc::from([]),
    }
}

/// A call's inputs, read against the campaign's declarations.
struct Prepared {
    user: User,
    event: u16,
    payload: Payload,
    facts: Facts,
}

impl Prepared {
    fn new(caller: &Caller<'_>, sent: &Sent<'_>, campaign: &Arc<Campaign>) -> Result<Self, Failed> {
        let event = campaign.event(sent.event).ok_or(Failed::NoSuchEvent)?;
        let declared = campaign
            .events
            .get(usize::from(event))
            .ok_or(Failed::NoSuchEvent)?;
        // Who may not send it shall not learn more than that.
        if !declared.from.contains(&sent.sender) {
            return Err(Failed::Rejected(Rejection::Forbidden, campaign.clone()));
        }
        let payload = Payload::read(declared, sent.body).map_err(Failed::Payload)?;
        let user = user_of(campaign, caller.claims);
        let facts = caller.shell.facts(campaign, caller.member);
        Ok(Self {
            user,
            event,
            payload,
            facts,
        })
    }
}

/// The caller's claims as the campaign declares them.
pub fn user_of(campaign: &Campaign, claims: Option<&Map<String, Json>>) -> User {
    claims.map_or_else(
        || User::nobody(&campaign.claims),
        |claims| User::read(&campaign.claims, claims),
    )
}

/// Counts what was given in the live lane.
fn count(key: &CampaignKey, campaign: &Campaign, granted: &[u16]) {
    let given = granted.iter().filter(|_| key.lane == Lane::Live);
    for reward in given.filter_map(|reward| campaign.rewards.get(usize::from(*reward))) {
        grant(&key.tenant, &key.campaign, &reward.id);
    }
}

fn campaign_event(campaign: &Campaign, event: u16, name: &str) -> Arc<str> {
    campaign
        .events
        .get(usize::from(event))
        .map_or_else(|| name.into(), |event| event.name.clone())
}
