//! One event of one caller, from the record to the committed answer: step, commit, again when the record moved on or a
//! counter ran out meanwhile.
//!
//! The embedded store is asked first (`recall`), which costs next to nothing. A remote one is not: the step is made on the
//! record as this process saw it last ([`LastSeen`]) and committed at once, since a commit on an old record changes nothing
//! and brings the current one. But nothing is refused on such a guess: the record may be old, or the call may be a retry of
//! one that was committed. A no goes out only after the store was asked in this same call and had neither a remembered
//! answer nor a newer record. `Stale` and `Exhausted` tries are bounded; a spin is not re-rolled, since its luck depends on
//! the seed and the participant's draw index alone.

mod attempt;
mod drawn;
mod fit;
mod hear;
mod seen;
mod tick;

use std::sync::Arc;
use std::time::{Duration, Instant};

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::input::{PayloadError, User};
use machine::model::Sender;
use machine::participant::Participant;
use machine::step::{Call, Decision, Rejection};
use machine::world::{Answer, Attribution, Left, Outcome, Pause};
use machine::{Campaign, Fault, Millis};
use serde_json::{Map, Value as Json};
use store::{Asked, Store};

use self::attempt::{Known, attempt, look_up};
use crate::ask::Answers;
use crate::lists::Listed;
use crate::redeem::Typed;
use crate::served::{Served, TenantShell};
use crate::telemetry::meters::{Tried, commit_took, commit_try, grant};

pub use drawn::tell;
pub use fit::{MAX_CLOCK_OFF_MS, clock_off, fit};
pub use hear::{Message, Told, hear};
pub use seen::LastSeen;
pub use tick::tick;

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
    /// What the store says of the lists that the campaign asks for; nothing where only time or another campaign acts.
    pub listed: Listed,
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
    /// The code that it brings, whose digest the body has.
    pub code: Option<&'a Typed>,
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

impl Answered {
    /// An answer that was given before.
    fn again(body: Answer) -> Self {
        Self {
            body,
            replayed: true,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failed {
    /// The rules' no.
    Rejected(Rejection, Arc<Campaign>),
    /// Ops staff stopped it.
    Paused(Pause),
    /// The user is kept from taking part.
    Blocked,
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
    /// There were too many wrong codes; after how long one may be tried again.
    TooManyTries(Duration),
    /// Too many others changed the same things.
    Contended,
    /// What is live has changed and this process has not loaded it yet.
    Behind,
    /// The store does not give the durability that the campaign declares; why, for staff.
    UnderDurable(String),
    /// This machine's clock is this many milliseconds ahead of the store's: it would give wrong days.
    ClockOff(i64),
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
    seen: &LastSeen,
    caller: &Caller<'_>,
    sent: &Sent<'_>,
    render: Render<'_>,
) -> Result<Answered, Failed> {
    fit(store, caller.served)?;
    let key = caller.served.key(caller.lane);
    let remote = store.is_remote();
    seen.follow(store.rewinds());
    // What to step on next; none: the store is to be asked.
    let mut next = remote.then(|| Known::guessed(caller, seen.get(&key, caller.user)));
    let mut exhausted: Vec<Left> = Vec::new();
    let (mut stale, mut gone) = (0, 0);
    // Asked once in a call, so that all of its steps are made on the same; and not for one that was answered before, where the
    // store says so first.
    let mut answers = Answers::default();
    loop {
        let known = match next.take() {
            Some(known) => known,
            None => match recall(store, seen, caller, sent, &key).await? {
                Recollection::Answer(body) => return Ok(Answered::again(body)),
                Recollection::Record(known) => known,
            },
        };
        look_up(store, caller, sent, &known, &mut answers).await;
        let commit = match attempt(caller, sent, render, &key, &known, &exhausted, &answers) {
            Ok(commit) => commit,
            Err(_) if known.guessed => continue,
            Err(no) => return Err(no),
        };
        let body = commit.answer.clone();
        let granted: Vec<u16> = commit.grants.iter().map(|grant| grant.reward).collect();
        let after = remote.then(|| known.after(&commit));
        let begun = Instant::now();
        let outcome = store.commit(Box::new(commit)).await;
        commit_took(begun.elapsed());
        if matches!(outcome, Err(store::Error::Unknown(_))) {
            seen.forget_all();
        }
        match outcome? {
            Outcome::Committed(applied) => {
                commit_try(Tried::Committed);
                if remote {
                    seen.keep(
                        &key,
                        caller.user,
                        after.map(|after| after.at(applied.version)),
                    );
                }
                count(caller, &key, &granted);
                return Ok(Answered {
                    body,
                    replayed: false,
                });
            }
            Outcome::Replayed(body) => {
                commit_try(Tried::Replayed);
                return Ok(Answered::again(body));
            }
            Outcome::KeyReused => return Err(Failed::KeyReused),
            Outcome::Stale(current) => {
                commit_try(Tried::Stale);
                stale += 1;
                if remote {
                    seen.keep(&key, caller.user, current.clone());
                }
                next = Some(known.told(current));
            }
            Outcome::Exhausted(left) => {
                commit_try(Tried::Exhausted);
                gone += 1;
                Left::learn(&mut exhausted, left);
                let current = known.participant.clone();
                next = Some(known.told(current));
            }
            Outcome::Superseded => return Err(Failed::Behind),
            Outcome::Paused(pause) => return Err(Failed::Paused(pause)),
            Outcome::Blocked(_) => return Err(Failed::Blocked),
            Outcome::Frozen(counter) => return Err(Failed::Frozen(counter.to_string())),
        }
        if stale > STALE_TRIES || gone > EXHAUSTED_TRIES {
            return Err(Failed::Contended);
        }
    }
}

/// What the store said when it was asked.
enum Recollection {
    /// This call was answered before.
    Answer(Answer),
    /// It was not; this is what there is.
    Record(Known),
}

async fn recall(
    store: &dyn Store,
    seen: &LastSeen,
    caller: &Caller<'_>,
    sent: &Sent<'_>,
    key: &CampaignKey,
) -> Result<Recollection, Failed> {
    let asked = Asked {
        key: sent.key,
        fingerprint: sent.fingerprint,
        now: caller.now,
    };
    let recalled = store.recall(key, caller.user, Some(asked)).await?;
    if store.is_remote() {
        seen.keep(key, caller.user, recalled.participant.clone());
    }
    match recalled.answer {
        Some(Ok(body)) => Ok(Recollection::Answer(body)),
        Some(Err(_)) => Err(Failed::KeyReused),
        None => Ok(Recollection::Record(Known {
            participant: recalled.participant,
            live: Some(recalled.live),
            pause: recalled.pause,
            blocked: recalled
                .blocked
                .is_some_and(|blocked| blocked.holds(caller.now)),
            guessed: false,
        })),
    }
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

/// The caller's claims as the campaign declares them.
pub fn user_of(campaign: &Campaign, claims: Option<&Map<String, Json>>) -> User {
    claims.map_or_else(
        || User::nobody(&campaign.claims),
        |claims| User::read(&campaign.claims, claims),
    )
}

/// Counts what was given in the live lane.
fn count(caller: &Caller<'_>, key: &CampaignKey, granted: &[u16]) {
    let Some(campaign) = caller.served.revision_of(&caller.user) else {
        return;
    };
    let given = granted.iter().filter(|_| key.lane == Lane::Live);
    for reward in given.filter_map(|reward| campaign.rewards.get(usize::from(*reward))) {
        grant(&key.tenant, &key.campaign, &reward.id);
    }
}
