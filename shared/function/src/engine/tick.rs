//! What time alone does to a participant.

use machine::Facts;
use machine::input::User;
use machine::model::Sender;
use machine::step::{Call, No, step};
use machine::world::{Left, Outcome};
use store::{Lease, Store};

use super::attempt::of_time;
use super::{Caller, EXHAUSTED_TRIES, Failed, count, fit, record};

/// Lets time alone act on a participant: delayed transitions that are due; under a lease where several processes could do so.
/// True if something was committed.
pub async fn tick(
    store: &dyn Store,
    caller: &Caller<'_>,
    under: Option<&Lease>,
) -> Result<bool, Failed> {
    fit(store, caller.served)?;
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
        let commit = of_time(caller, &key, Some(&known), &record, decision);
        let outcome = match under {
            Some(lease) => store.commit_under(Box::new(commit), lease).await?,
            None => store.commit(Box::new(commit)).await?,
        };
        match outcome {
            Outcome::Committed(_) => {
                count(caller, &key, &granted);
                return Ok(true);
            }
            Outcome::Exhausted(left) => Left::learn(&mut exhausted, left),
            // Someone else was quicker, or it is stopped: the next sweep looks again.
            _ => return Ok(false),
        }
    }
    Err(Failed::Contended)
}
