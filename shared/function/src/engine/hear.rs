//! What a message of another campaign does to a participant, exactly once.

use std::sync::Arc;

use machine::Campaign;
use machine::input::{Facts, Payload, User};
use machine::ledger::MessageRow;
use machine::model::Sender;
use machine::participant::Heard;
use machine::step::{self, Call, No, closed};
use machine::world::{Attribution, Commit, Left, Outcome, Pause};
use store::{Lease, Store};

use super::attempt::of_time;
use super::{Caller, EXHAUSTED_TRIES, Failed, STALE_TRIES, count, fit, record};

/// A message of another campaign of the tenant, for the same user in the same lane.
#[derive(Debug)]
pub struct Message<'a> {
    /// Where it stands: the source and the number of its row there.
    pub heard: Heard,
    /// The campaign that emitted it.
    pub campaign: &'a str,
    /// The message.
    pub row: &'a MessageRow,
    /// Where it came from, for the ledger.
    pub attribution: Attribution,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It had its effect.
    Now,
    /// It had had its effect before, as the record says.
    Before,
    /// The user's revision does not listen for it.
    NotHere,
}

/// Lets a message have its effect; under a lease where several processes could do so. Two that do so at once do no harm: of
/// two commits on one version one is stale, and steps again on a record that has heard the message.
pub async fn hear(
    store: &dyn Store,
    caller: &Caller<'_>,
    message: &Message<'_>,
    under: Option<&Lease>,
) -> Result<Told, Failed> {
    fit(store, caller.served)?;
    let key = caller.served.key(caller.lane);
    let user = caller.user;
    let recalled = store.recall(&key, user, None).await?;
    let campaign = caller.served.revision_of(&user).ok_or(Failed::Behind)?;
    if !caller.served.is_own(&recalled.live, &user, campaign) {
        return Err(Failed::Behind);
    }
    let Some(event) = campaign.hearer(message.campaign, &message.row.message) else {
        return Ok(Told::NotHere);
    };
    let declared = campaign
        .events
        .get(usize::from(event))
        .ok_or(Failed::NoSuchEvent)?;
    let payload = Payload::of_message(declared, &message.row.fields).map_err(Failed::Payload)?;
    // The member id is not known here, only whom it is the pseudonym of: what lists say is unknown.
    let unknown = Facts::settle(&campaign.facts, []);
    let nobody = User::nobody(&campaign.claims);
    let draws = caller.served.draws(caller.lane, &user);
    let mut known = recalled.participant;
    let mut exhausted: Vec<Left> = Vec::new();
    let (mut stale, mut gone) = (0, 0);
    while stale <= STALE_TRIES && gone <= EXHAUSTED_TRIES {
        let record = record(caller, known.as_ref(), campaign)?;
        // First of all: what had its effect before a pause is not waited for.
        if record.has_heard(&message.heard) {
            return Ok(Told::Before);
        }
        if let Some(pause) = &recalled.pause
            && pause.stops(Some(&declared.name))
        {
            return Err(stopped(caller, campaign, event, pause));
        }
        let facts = unknown.clone().with_kept(&campaign.facts, &record.core);
        let call = Call {
            campaign,
            participant: &record,
            user: &nobody,
            sender: Sender::Campaign,
            event: Some((event, &payload)),
            facts: &facts,
            now: caller.now,
            rehearsal: caller.rehearsal,
            draws: &draws,
            exhausted: &exhausted,
        };
        let decision = match step::hear(&call, &message.heard) {
            Ok(Some(decision)) => decision,
            Ok(None) => return Ok(Told::Before),
            Err(No::Rejected(no)) => return Err(Failed::Rejected(no, campaign.clone())),
            Err(No::Fault(fault)) => return Err(Failed::Rule(fault)),
        };
        let granted: Vec<u16> = decision.grants.iter().map(|grant| grant.reward).collect();
        let commit = Box::new(Commit {
            event: Some(declared.name.clone()),
            sender: Sender::Campaign,
            // Nobody asks for an answer to this one: it is not remembered, and its key is only a name.
            key: format!(
                "\u{1}message-{}-{}",
                message.heard.source, message.heard.sequence
            )
            .into(),
            attribution: Attribution {
                facts: facts.used().to_vec(),
                variant: caller.served.variant(campaign.revision),
                ..message.attribution.clone()
            },
            ..of_time(caller, &key, known.as_ref(), &record, decision)
        });
        let outcome = match under {
            Some(lease) => store.commit_under(commit, lease).await?,
            None => store.commit(commit).await?,
        };
        match outcome {
            Outcome::Committed(_) => {
                count(caller, &key, &granted);
                return Ok(Told::Now);
            }
            Outcome::Stale(current) => {
                stale += 1;
                known = current;
            }
            Outcome::Exhausted(left) => {
                gone += 1;
                Left::learn(&mut exhausted, left);
            }
            // Nothing is remembered under this key.
            Outcome::Replayed(_) | Outcome::KeyReused => return Err(Failed::KeyReused),
            Outcome::Superseded => return Err(Failed::Behind),
            Outcome::Paused(pause) => return Err(Failed::Paused(pause)),
            Outcome::Blocked(_) => return Err(Failed::Blocked),
            Outcome::Frozen(counter) => return Err(Failed::Frozen(counter.to_string())),
        }
    }
    Err(Failed::Contended)
}

/// The no to an event that ops staff have stopped. What the window forbids, a pause need not.
fn stopped(caller: &Caller<'_>, campaign: &Arc<Campaign>, event: u16, pause: &Pause) -> Failed {
    match closed(campaign, event, caller.now, caller.rehearsal) {
        Some(no) => Failed::Rejected(no, campaign.clone()),
        None => Failed::Paused(pause.clone()),
    }
}
