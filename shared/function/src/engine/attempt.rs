//! One attempt: from what is known of a participant to the commit that would make an event true, or to a no. Pure: whether
//! what is known still holds is for the store to say.

use std::sync::Arc;

use machine::Campaign;
use machine::ids::CampaignKey;
use machine::input::{Facts, Payload, User};
use machine::model::Sender;
use machine::participant::Participant;
use machine::step::{Call, Decision, No, Rejection, closed, step};
use machine::world::{Attribution, Commit, Left, Live, Pause};

use store::Store;

use super::seen::Seen;
use super::{Caller, Failed, Render, Sent, record, user_of};
use crate::ask::{Answers, NoAnswer, Whom};

/// What an attempt is made on.
pub(super) struct Known {
    /// The record; none: a newcomer.
    pub participant: Option<Arc<Participant>>,
    /// The live revisions; none: those that this process serves.
    pub live: Option<Vec<Live>>,
    /// Whether it is paused.
    pub pause: Option<Pause>,
    /// Whether the user is blocked; where the store was not asked, the commit says so.
    pub blocked: bool,
    /// Whether the store was not asked in this call: nothing may be refused on this.
    pub guessed: bool,
}

impl Known {
    /// What this process saw last.
    pub fn guessed(caller: &Caller<'_>, participant: Option<Arc<Participant>>) -> Self {
        let pause = caller.served.pause.clone();
        Self {
            participant,
            live: None,
            pause: pause.filter(|_| caller.lane == machine::ids::Lane::Live),
            blocked: false,
            guessed: true,
        }
    }

    /// What a commit's refusal tells: it looked for a remembered answer, at the live set, the pause and the blocks first, and
    /// then found this record. That is all that a recall would have said.
    pub fn told(self, participant: Option<Arc<Participant>>) -> Self {
        Self {
            participant,
            guessed: false,
            ..self
        }
    }

    /// The record as a commit will leave it.
    pub fn after(&self, commit: &Commit) -> Seen {
        let before = self.participant.as_deref();
        let kept = before.map_or(&[][..], |before| &before.grants);
        let grants = commit.carried.as_deref().unwrap_or(kept);
        Seen(Participant {
            core: commit.core.clone(),
            grants: grants.iter().chain(&commit.grants).cloned().collect(),
            heard: commit.heard.clone(),
        })
    }
}

/// The commit that makes the event true.
pub(super) fn attempt(
    caller: &Caller<'_>,
    sent: &Sent<'_>,
    render: Render<'_>,
    key: &CampaignKey,
    known: &Known,
    exhausted: &[Left],
    answers: &Answers,
) -> Result<Commit, Failed> {
    let campaign = caller
        .served
        .revision_of(&caller.user)
        .ok_or(Failed::Behind)?;
    let is_own = |live: &Vec<Live>| caller.served.is_own(live, &caller.user, campaign);
    if !known.live.as_ref().is_none_or(is_own) {
        return Err(Failed::Behind);
    }
    let mut prepared = Prepared::new(caller, sent, campaign, answers)?;
    if let Some(pause) = &known.pause
        && pause.stops(Some(sent.event))
    {
        // What the window forbids, a pause need not.
        let no = closed(campaign, prepared.event, caller.now, caller.rehearsal);
        return Err(no.map_or_else(
            || Failed::Paused(pause.clone()),
            |no| Failed::Rejected(no, campaign.clone()),
        ));
    }
    if known.blocked {
        return Err(Failed::Blocked);
    }
    match answers.no {
        Some(NoAnswer::TooMany(wait)) => return Err(Failed::TooManyTries(wait)),
        Some(NoAnswer::Slow) => return Err(Failed::Slow),
        None => {}
    }
    let record = record(caller, known.participant.as_ref(), campaign)?;
    if sent
        .if_match
        .is_some_and(|version| version != record.core.version)
    {
        return Err(Failed::StalePage(record.core.version));
    }
    let found = std::mem::take(&mut prepared.facts);
    prepared.facts = found.with_kept(&campaign.facts, &record.core);
    let draws = caller.served.draws(caller.lane, &caller.user);
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
        exhausted,
    };
    let decision = step(&call).map_err(|no| match no {
        No::Rejected(rejection) => Failed::Rejected(rejection, campaign.clone()),
        No::Fault(fault) => Failed::Rule(fault),
    })?;
    let body = render(&call, &decision, known.pause.as_ref()).map_err(Failed::Rule)?;
    Ok(Commit {
        event: Some(prepared.name),
        sender: sent.sender,
        key: sent.key.into(),
        fingerprint: *sent.fingerprint,
        attribution: Attribution {
            facts: prepared.facts.used().to_vec(),
            variant: caller.served.variant(campaign.revision),
            ..sent.attribution.clone()
        },
        answer: body,
        ..of_time(caller, key, known.participant.as_ref(), &record, decision)
    })
}

/// Asks the tenant's services what an event needs that can be taken at all: for one that is refused before any rule is looked
/// at, nobody is asked. What was answered before in this call is not asked again, nor what the record keeps; what only a pause or a
/// block kept from being asked is asked for after all once the store knows better.
pub(super) async fn look_up(
    store: &dyn Store,
    caller: &Caller<'_>,
    sent: &Sent<'_>,
    known: &Known,
    answers: &mut Answers,
) {
    let Some(campaign) = caller.served.revision_of(&caller.user) else {
        return;
    };
    let Some(event) = campaign.event(sent.event) else {
        return;
    };
    let wanted = answers.without(campaign.asks(event, sent.sender));
    let paused = known.pause.as_ref();
    if wanted.is_empty() || known.blocked || paused.is_some_and(|it| it.stops(Some(sent.event))) {
        return;
    }
    let shut = closed(campaign, event, caller.now, caller.rehearsal).is_some();
    if shut || Prepared::new(caller, sent, campaign, &Answers::default()).is_err() {
        return;
    }
    let Ok(record) = record(caller, known.participant.as_ref(), campaign) else {
        return;
    };
    let wanted = campaign.open(wanted, &record.core);
    let who = Whom {
        store,
        key: &caller.served.key(caller.lane),
        member: caller.member,
        user: caller.user,
        claims: &user_of(campaign, caller.claims),
        now: caller.now,
        code: sent.code,
    };
    answers.extend(caller.shell.ask(campaign, &wanted, &who).await);
}

/// What makes a decision true that time alone brought about; an event puts its own name, key and answer in. `stored` is the
/// record as the store has it, `record` as the live revision understands it.
pub(super) fn of_time(
    caller: &Caller<'_>,
    key: &CampaignKey,
    stored: Option<&Arc<Participant>>,
    record: &Participant,
    decision: Decision,
) -> Commit {
    let carried = stored
        .filter(|stored| stored.core.revision != record.core.revision && !stored.grants.is_empty())
        .map(|_| record.grants.clone());
    Commit {
        carried,
        seen: stored.cloned(),
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
        attribution: Attribution {
            variant: caller.served.variant(decision.core.revision),
            ..Attribution::default()
        },
        core: decision.core,
        grants: decision.grants,
        moves: decision.moves,
        alternatives: decision.alternatives,
        rows: decision.rows,
        heard: decision.heard,
        first_row: 0,
        timer: decision.timer,
        answer: Arc::from([]),
    }
}

/// A call's inputs, read against the campaign's declarations.
struct Prepared {
    user: User,
    event: u16,
    name: Arc<str>,
    payload: Payload,
    facts: Facts,
}

impl Prepared {
    fn new(
        caller: &Caller<'_>,
        sent: &Sent<'_>,
        campaign: &Arc<Campaign>,
        answers: &Answers,
    ) -> Result<Self, Failed> {
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
        let (member, listed) = (caller.member, &caller.listed);
        let facts = caller.shell.facts_with(campaign, member, listed, answers);
        Ok(Self {
            user,
            event,
            name: declared.name.clone(),
            payload,
            facts,
        })
    }
}
