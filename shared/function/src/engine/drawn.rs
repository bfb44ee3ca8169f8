//! What somebody who was drawn from a list of entries is told, once: their record says whether they were.

use machine::Facts;
use machine::input::User;
use machine::ledger::Row;
use machine::model::Sender;
use machine::raffle::Told;
use machine::step::{Call, No, tell as decide};
use machine::world::{Attribution, Left, Outcome};
use store::{Lease, Store};

use super::attempt::of_time;
use super::{Caller, EXHAUSTED_TRIES, Failed, STALE_TRIES, count, fit, record};

/// Tells it; under a lease where several processes could do so. False where it is no news to them. Of two who tell at once one
/// finds the record as the other left it.
pub async fn tell(
    store: &dyn Store,
    caller: &Caller<'_>,
    told: &Told<'_>,
    from: &str,
    under: Option<&Lease>,
) -> Result<bool, Failed> {
    fit(store, caller.served)?;
    let key = caller.served.key(caller.lane);
    let user = caller.user;
    let recalled = store.recall(&key, user, None).await?;
    let campaign = caller.served.revision_of(&user).ok_or(Failed::Behind)?;
    if !caller.served.is_own(&recalled.live, &user, campaign) {
        return Err(Failed::Behind);
    }
    let blocked = recalled
        .blocked
        .is_some_and(|blocked| blocked.holds(caller.now));
    let (nobody, facts) = (User::nobody(&campaign.claims), Facts::default());
    let draws = caller.served.draws(caller.lane, &user);
    let mut known = recalled.participant;
    let mut exhausted: Vec<Left> = Vec::new();
    let (mut stale, mut gone) = (0, 0);
    while stale <= STALE_TRIES && gone <= EXHAUSTED_TRIES {
        let record = record(caller, known.as_ref(), campaign)?;
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
        let decision = match decide(&call, told) {
            Ok(Some(decision)) => decision,
            Ok(None) => return Ok(false),
            Err(No::Rejected(no)) => return Err(Failed::Rejected(no, campaign.clone())),
            Err(No::Fault(fault)) => return Err(Failed::Rule(fault)),
        };
        let gives = decision.rows.iter().any(|row| matches!(row, Row::Grant(_)));
        let granted: Vec<u16> = decision.grants.iter().map(|grant| grant.reward).collect();
        let mut commit = of_time(caller, &key, known.as_ref(), &record, decision);
        if blocked && !gives {
            // That somebody is blocked changes nothing about who was drawn; it keeps them from being given anything.
            commit.sender = Sender::Staff;
        }
        commit.attribution = Attribution {
            request_id: from.into(),
            channel: Some("raffle".into()),
            ..commit.attribution
        };
        let outcome = match under {
            Some(lease) => store.commit_under(Box::new(commit), lease).await?,
            None => store.commit(Box::new(commit)).await?,
        };
        match outcome {
            Outcome::Committed(_) => {
                count(caller, &key, &granted);
                return Ok(true);
            }
            Outcome::Stale(current) => {
                stale += 1;
                known = current;
            }
            Outcome::Exhausted(left) => {
                gone += 1;
                Left::learn(&mut exhausted, left);
            }
            Outcome::Replayed(_) | Outcome::KeyReused => return Err(Failed::KeyReused),
            Outcome::Superseded => return Err(Failed::Behind),
            Outcome::Paused(pause) => return Err(Failed::Paused(pause)),
            Outcome::Blocked(_) => return Err(Failed::Blocked),
            Outcome::Frozen(counter) => return Err(Failed::Frozen(counter.to_string())),
        }
    }
    Err(Failed::Contended)
}
