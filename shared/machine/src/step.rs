//! One event for one participant: [`step`] decides, and changes nothing. What must then happen together stands in the
//! [`Decision`]; a commit makes it true.
//!
//! The order within a step: delayed transitions and what blocks do in time, as each is due, at its own time, with the blocks' `refresh` before it
//! (so that it makes no difference whether a sweep or the next touch fires them); `refresh` for now; the event's
//! transitions in the order written, the state's own before the campaign's; `always`. Of a transition that fires, its
//! actions run first, then the branch for the outcome they raised, then `exit` of the state that is left and `entry` of
//! the one that is entered.

mod run;

use std::cell::Cell;
use std::sync::Arc;

use crate::block::Look;
use crate::calendar::Millis;
use crate::expr::{BoolExpr, Fault};
use crate::input::{Facts, Payload, User};
use crate::ledger::Row;
use crate::luck::Draws;
use crate::model::{Campaign, Definition, Phase, Sender};
use crate::participant::{Core, Grant, Heard, Participant};
use crate::turn::{DrawsRef, Turn};
use crate::world::{CounterMove, Left};

/// The most transitions without an event in one step. The check refuses machines that could need more.
pub const MICROSTEPS: usize = 64;

/// The most delayed transitions that one step catches up on; the rest stays due.
pub const CATCH_UP: usize = 1000;

/// The arguments of a step.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The campaign, of the participant's revision.
    pub campaign: &'a Campaign,
    /// The record.
    pub participant: &'a Participant,
    /// Who.
    pub user: &'a User,
    /// Who sends the event.
    pub sender: Sender,
    /// Which event, and what it carries; none: only time has passed.
    pub event: Option<(u16, &'a Payload)>,
    /// What was looked up.
    pub facts: &'a Facts,
    /// The clock.
    pub now: Millis,
    /// Whether the window is not looked at: the test lane before opening.
    pub rehearsal: bool,
    /// Chance.
    pub draws: &'a dyn Draws,
    /// What the store said is exhausted, in an answer to this same request.
    pub exhausted: &'a [Left],
}

/// What must happen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The record as it will be.
    pub core: Core,
    /// The new grants.
    pub grants: Vec<Grant>,
    /// The counters to move, with their bounds.
    pub moves: Vec<CounterMove>,
    /// Counters of the fallback chains, named so that one answer says all that is gone.
    pub alternatives: Vec<CounterMove>,
    /// The ledger's new rows.
    pub rows: Vec<Row>,
    /// How far other campaigns' messages were heard, as the record will have it.
    pub heard: Vec<Heard>,
    /// When time alone changes this record next.
    pub timer: Option<Millis>,
    /// The outcome that a block raised last.
    pub outcome: Option<&'static str>,
}

/// A guard's no. Not an error: nothing changed, and a client can show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The window has not opened yet.
    NotOpen,
    /// The window is over.
    Closed,
    /// The audience does not include this user.
    NotEligible,
    /// The sender may not send this event.
    Forbidden,
    /// No transition for it here and now.
    NotPossible,
    /// No unit is left, or none before the next release.
    SoldOut {
        /// When the next units are set free, if any are.
        next_at: Option<Millis>,
    },
    /// The budget is spent.
    BudgetSpent,
    /// The config's own code.
    Custom(Arc<str>),
    /// A block's no that passes by itself: a window that is not open yet, say.
    Later {
        /// Its code.
        code: Arc<str>,
        /// When, if that is known.
        next_at: Option<Millis>,
    },
}

impl Rejection {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NotOpen => "not-open",
            Self::Closed => "closed",
            Self::NotEligible => "not-eligible",
            Self::Forbidden => "forbidden",
            Self::NotPossible => "not-possible",
            Self::SoldOut { .. } => "sold-out",
            Self::BudgetSpent => "budget-spent",
            Self::Custom(code) | Self::Later { code, .. } => code,
        }
    }
}

/// Why there is no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    /// A no of the rules.
    Rejected(Rejection),
    /// A rule could not be evaluated.
    Fault(Fault),
}

impl From<Rejection> for No {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Decides what an event does to a participant.
pub fn step(call: &Call<'_>) -> Result<Decision, No> {
    let mut turn = settle(call)?;
    if let Some((event, _)) = call.event {
        may_send(call, event)?;
        turn.fire(event)?;
        turn.follow()?;
    }
    Ok(decided(turn, call))
}

/// What a turn came to.
pub(crate) fn decided(turn: Turn<'_>, call: &Call<'_>) -> Decision {
    let timer = turn.timer();
    let Turn {
        mut core,
        new_grants,
        moves,
        alternatives,
        rows,
        outcome,
        ..
    } = turn;
    core.version = core.version.saturating_add(1);
    Decision {
        core,
        grants: new_grants,
        moves,
        alternatives,
        rows,
        heard: call.participant.heard.clone(),
        timer,
        outcome,
    }
}

/// Decides what a message of another campaign does to a participant; none: it has had its effect. Whoever commits the decision
/// commits with it that it was heard, so that the message has one effect however often, and however late, it is delivered.
pub fn hear(call: &Call<'_>, message: &Heard) -> Result<Option<Decision>, No> {
    if call.participant.has_heard(message) {
        return Ok(None);
    }
    let told = Call {
        sender: Sender::Campaign,
        ..*call
    };
    let decision = step(&told)?;
    Ok(Some(Decision {
        heard: call.participant.hearing(message),
        ..decision
    }))
}

/// Decides what somebody who was drawn from a list of entries is told; none: it is no news to them. Nobody is there to be
/// told no, and neither window nor audience is looked at: whoever entered may win.
pub fn tell(call: &Call<'_>, told: &crate::raffle::Told<'_>) -> Result<Option<Decision>, No> {
    let mut turn = settle(call)?;
    turn.unattended = true;
    let campaign = call.campaign;
    let mut news = false;
    for block in &campaign.blocks {
        news |= block.told(told, &mut turn)?;
    }
    turn.unattended = false;
    Ok(news.then(|| decided(turn, call)))
}

/// Brings a record up to `now`: delayed transitions that are due, then the blocks' refresh. Commits nothing.
pub fn settle<'a>(call: &Call<'a>) -> Result<Turn<'a>, No> {
    const NOTHING: &Payload = &Payload { fields: Vec::new() };
    let record = call.participant;
    if record.core.revision != call.campaign.revision {
        return Err(Fault::Mismatch("the record is of another revision").into());
    }
    let now = call.now.max(record.core.now);
    let mut turn = Turn {
        campaign: call.campaign,
        core: record.core.clone(),
        now,
        clock: now,
        user: call.user,
        payload: call.event.map_or(NOTHING, |(_, payload)| payload),
        facts: call.facts,
        draws: DrawsRef(call.draws),
        exhausted: call.exhausted,
        grants: &record.grants,
        new_grants: Vec::new(),
        moves: Vec::new(),
        alternatives: Vec::new(),
        rows: Vec::new(),
        outcome: None,
        drawn: false,
        unattended: true,
        day: Cell::new(None),
    };
    turn.keep_first_sight()?;
    if record.core.version == 0 {
        turn.enter(call.campaign.machine.initial)?;
        turn.come_to_rest()?;
    }
    turn.catch_up(now)?;
    turn.at(now);
    turn.refresh()?;
    turn.unattended = false;
    Ok(turn)
}

/// Whether this sender may send this event now.
fn may_send(call: &Call<'_>, event: u16) -> Result<(), No> {
    let campaign = call.campaign;
    let declared = campaign
        .events
        .get(usize::from(event))
        .ok_or(Fault::Mismatch("an event is missing"))?;
    if !declared.from.contains(&call.sender) {
        return Err(Rejection::Forbidden.into());
    }
    // A clock that runs backwards opens nothing again.
    let now = call.now.max(call.participant.core.now);
    if let Some(no) = closed(campaign, event, now, call.rehearsal) {
        return Err(no.into());
    }
    if call.sender == Sender::User && !eligible(call)? {
        return Err(Rejection::NotEligible.into());
    }
    Ok(())
}

/// The window's no to an event, if it has one.
pub fn closed(campaign: &Campaign, event: u16, now: Millis, rehearsal: bool) -> Option<Rejection> {
    let while_claiming = campaign
        .events
        .get(usize::from(event))
        .is_some_and(|event| event.while_claiming);
    match campaign.window.phase(now) {
        Phase::Preview if !rehearsal => Some(Rejection::NotOpen),
        Phase::Preview | Phase::Open | Phase::Paused => None,
        Phase::Claiming if while_claiming => None,
        Phase::Claiming | Phase::Ended => Some(Rejection::Closed),
    }
}

/// Whether the audience includes the user.
pub fn eligible(call: &Call<'_>) -> Result<bool, Fault> {
    let Some(audience) = &call.campaign.audience else {
        return Ok(true);
    };
    let now = call.now.max(call.participant.core.now);
    holds(
        audience,
        call.campaign,
        call.participant,
        call.user,
        call.facts,
        now,
    )
}

/// Whether a guard that reads no payload (an audience, the testers) holds for someone.
pub fn holds(
    guard: &BoolExpr,
    campaign: &Campaign,
    participant: &Participant,
    user: &User,
    facts: &Facts,
    now: Millis,
) -> Result<bool, Fault> {
    guard.eval(&Look {
        campaign,
        core: &participant.core,
        grants: &participant.grants,
        new_grants: &[],
        user,
        payload: &Payload::default(),
        facts,
        now,
        day: Cell::new(None),
    })
}

/// When time alone changes a record next that is as this core says.
pub fn timer(campaign: &Campaign, core: &Core) -> Option<Millis> {
    next_due(campaign, core).map(|(due, _)| due)
}

/// What time brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The delayed transition at this place in the state.
    After(usize),
    /// What the block at this place does.
    Block(usize),
}

/// What comes due first: of several at one instant the delayed transitions before the blocks, each in their order.
fn next_due(campaign: &Campaign, core: &Core) -> Option<(Millis, Due)> {
    let after = next_after(campaign, core).map(|(due, place)| (due, Due::After(place)));
    let blocks = campaign.blocks.iter().enumerate();
    let blocks = blocks.filter_map(|(place, block)| {
        let due = block.timer(campaign, core)?;
        Some((due, Due::Block(place)))
    });
    after.into_iter().chain(blocks).min()
}

/// The delayed transition that comes due first, and its place in the state.
fn next_after(definition: &Definition, core: &Core) -> Option<(Millis, usize)> {
    let state = definition.machine.states.get(usize::from(core.state))?;
    let open = state
        .after
        .iter()
        .enumerate()
        .take(64)
        .filter(|(place, _)| core.after_done >> place & 1 == 0);
    open.map(|(place, after)| (core.entered_at.saturating_add(after.delay.max(1)), place))
        .min()
}
