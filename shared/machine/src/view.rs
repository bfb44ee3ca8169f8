//! What a participant may be shown: which events are possible now, and if not, why and when.

use std::cell::Cell;

use crate::block::Look;
use crate::calendar::Millis;
use crate::expr::{BoolExpr, Expr, Fault, Source};
use crate::input::Payload;
use crate::model::{Action, Phase, Sender, Transition};
use crate::step::{Call, No, Rejection, closed, eligible, settle};
use crate::turn::Turn;

const NOTHING: &Payload = &Payload { fields: Vec::new() };

/// Whether an event would be taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possible {
    /// Which event.
    pub event: u16,
    /// The no it would meet; none: it is possible.
    pub no: Option<Rejection>,
    /// When that may change by itself.
    pub next_at: Option<Millis>,
}

/// A participant as shown.
#[derive(Debug)]
pub struct View<'a> {
    /// The record brought up to now; nothing of it is committed.
    pub turn: Turn<'a>,
    /// Whether the audience includes the user.
    pub eligible: bool,
    /// The events a user may send.
    pub events: Vec<Possible>,
}

/// Looks at a participant at `call.now`. Draws nothing, commits nothing.
pub fn view<'a>(call: &Call<'a>) -> Result<View<'a>, Fault> {
    let turn = match settle(call) {
        Ok(turn) => turn,
        Err(No::Fault(fault)) => return Err(fault),
        // Bringing a record up to date rejects nothing: nobody is there to be told.
        Err(No::Rejected(_)) => return Err(Fault::Mismatch("settling was rejected")),
    };
    let eligible = eligible(call)?;
    let events = possible(&turn, turn.now, call.rehearsal, eligible)?;
    Ok(View {
        turn,
        eligible,
        events,
    })
}

/// Which of the events that a user may send are possible for a record that was brought up to now.
pub fn possible(
    turn: &Turn<'_>,
    now: Millis,
    rehearsal: bool,
    eligible: bool,
) -> Result<Vec<Possible>, Fault> {
    let campaign = turn.campaign;
    let mut found = Vec::new();
    for (place, event) in campaign.events.iter().enumerate() {
        if !event.from.contains(&Sender::User) {
            continue;
        }
        let event = place as u16;
        let no = match closed(campaign, event, now, rehearsal) {
            Some(no) => Some(no),
            None if !eligible => Some(Rejection::NotEligible),
            None => refusal(&turn.look(), event)?,
        };
        let next_at = no.as_ref().and_then(|no| next_at(turn, no, now));
        found.push(Possible { event, no, next_at });
    }
    Ok(found)
}

/// The no that an event of a user would meet: what [`view`] says of that event, without a copy of the record where a
/// commit has just brought it up to `call.now`. For whoever asks after every event, as the simulator does.
pub fn standing(call: &Call<'_>, event: u16) -> Result<Option<Rejection>, Fault> {
    let core = &call.participant.core;
    if core.version == 0 || core.now < call.now || core.revision != call.campaign.revision {
        let seen = view(call)?;
        let found = seen.events.into_iter().find(|found| found.event == event);
        return Ok(found.map_or(Some(Rejection::Forbidden), |found| found.no));
    }
    if let Some(no) = closed(call.campaign, event, core.now, call.rehearsal) {
        return Ok(Some(no));
    }
    if !eligible(call)? {
        return Ok(Some(Rejection::NotEligible));
    }
    let look = Look {
        campaign: call.campaign,
        core,
        grants: &call.participant.grants,
        new_grants: &[],
        user: call.user,
        payload: NOTHING,
        facts: call.facts,
        now: core.now,
        day: Cell::new(None),
    };
    refusal(&look, event)
}

/// The no that the guards have for an event. A guard that reads the payload counts as possible, and so does one that reads
/// a fact which was not asked for: a look calls nobody for the sake of a button.
fn refusal(look: &Look<'_>, event: u16) -> Result<Option<Rejection>, Fault> {
    let campaign = look.campaign;
    let Some(state) = campaign.machine.states.get(usize::from(look.core.state)) else {
        return Err(Fault::Mismatch(
            "the record is in a state that does not exist",
        ));
    };
    let wide: &[crate::model::On] = if state.last {
        &[]
    } else {
        &campaign.machine.events
    };
    let lists = state
        .events
        .iter()
        .chain(wide)
        .filter(|on| on.event == event);
    for transition in lists.flat_map(|on| &on.transitions) {
        match &transition.when {
            Some(guard) if guard.reads_event() || unasked(guard, look) => {
                if transition.reject.is_none() {
                    return Ok(None);
                }
            }
            Some(guard) if !guard.eval(look)? => {}
            _ => {
                return match no_of(transition) {
                    None => refused(&transition.actions, look),
                    no => Ok(no),
                };
            }
        }
    }
    Ok(Some(Rejection::NotPossible))
}

/// The no that the blocks which these actions use would meet. What reads the payload counts as possible.
fn refused(actions: &[Action], look: &Look<'_>) -> Result<Option<Rejection>, Fault> {
    for each in actions {
        let Action::Block {
            block,
            action,
            args,
        } = each
        else {
            continue;
        };
        let found = look.campaign.blocks.get(usize::from(*block));
        let Some(found) = found.filter(|_| !args.iter().any(Expr::reads_event)) else {
            continue;
        };
        let args = args.iter().map(|arg| arg.eval(look));
        let no = found.refuses(*action, &args.collect::<Result<Vec<_>, _>>()?, look)?;
        if no.is_some() {
            return Ok(no);
        }
    }
    Ok(None)
}

/// Whether a guard reads a fact that was not asked for.
fn unasked(guard: &BoolExpr, look: &Look<'_>) -> bool {
    let mut unasked = false;
    guard.each_source(&mut |source| {
        unasked |= matches!(source, Source::Fact(fact) if !look.knows(fact));
    });
    unasked
}

fn no_of(transition: &Transition) -> Option<Rejection> {
    transition
        .reject
        .as_ref()
        .map(|code| Rejection::Custom(code.clone()))
}

fn next_at(turn: &Turn<'_>, no: &Rejection, now: Millis) -> Option<Millis> {
    let window = turn.campaign.window;
    if let Rejection::Custom(code) = no {
        let mut blocks = turn.campaign.blocks.iter();
        if let Some(own) = blocks.find(|block| block.lifts(code)) {
            let lifted = own.lifted_at(code, &turn.look());
            return lifted.filter(|at| *at > now && window.phase(*at) == Phase::Open);
        }
    }
    match no {
        Rejection::NotOpen => Some(window.opens),
        Rejection::Later { next_at, .. } => {
            next_at.filter(|at| *at > now && window.phase(*at) == Phase::Open)
        }
        Rejection::Closed | Rejection::NotEligible | Rejection::Forbidden => None,
        Rejection::NotPossible
        | Rejection::SoldOut { .. }
        | Rejection::BudgetSpent
        | Rejection::Custom(_) => {
            let look = turn.look();
            let blocks = turn
                .campaign
                .blocks
                .iter()
                .filter_map(|block| block.next_at(&look));
            let next = blocks
                .chain(turn.next_after())
                .filter(|at| *at > now)
                .min()?;
            (window.phase(next) == Phase::Open).then_some(next)
        }
    }
}

/// Whether some transition of the campaign rejects with this code of its own.
pub fn rejects_with(campaign: &crate::model::Campaign, code: &str) -> bool {
    let machine = &campaign.machine;
    let states = machine.states.iter().flat_map(|state| &state.events);
    let mut transitions = states.chain(&machine.events).flat_map(|on| &on.transitions);
    transitions.any(|transition| transition.reject.as_deref() == Some(code))
}
