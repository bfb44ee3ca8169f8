//! One event for one participant: [`step`] decides, and changes nothing. What must then happen together stands in the
//! [`Decision`]; a commit makes it true.
//!
//! The order within a step: delayed transitions and what blocks do in time, as each is due, at its own time, with the blocks' `refresh` before it
//! (so that it makes no difference whether a sweep or the next touch fires them); `refresh` for now; the event's
//! transitions in the order written, the state's own before the campaign's; `always`. Of a transition that fires, its
//! actions run first, then the branch for the outcome they raised, then `exit` of the state that is left and `entry` of
//! the one that is entered.

use std::cell::Cell;
use std::sync::Arc;

use crate::block::Look;
use crate::calendar::Millis;
use crate::expr::{BoolExpr, Fault};
use crate::input::{Facts, Payload, User};
use crate::ledger::Row;
use crate::luck::Draws;
use crate::model::{Action, Branch, Campaign, Definition, Phase, Sender, Transition};
use crate::participant::{Core, Grant, Heard, Participant};
use crate::turn::{DrawsRef, Turn};
use crate::value::Value;
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

impl Turn<'_> {
    fn at(&mut self, now: Millis) {
        self.now = now;
        self.core.now = now;
        self.day.set(None);
    }

    /// Brings the blocks' variables up to this turn's time.
    fn refresh(&mut self) -> Result<(), Fault> {
        let campaign = self.campaign;
        for block in &campaign.blocks {
            block.refresh(self)?;
        }
        Ok(())
    }

    /// Lets the blocks do what follows of an event.
    fn follow(&mut self) -> Result<(), Fault> {
        let campaign = self.campaign;
        for block in &campaign.blocks {
            block.follow(self)?;
        }
        Ok(())
    }

    /// Fires the event: the state's own transitions first, then the campaign's.
    fn fire(&mut self, event: u16) -> Result<(), No> {
        let campaign = self.campaign;
        let state = campaign
            .machine
            .states
            .get(usize::from(self.core.state))
            .ok_or(Fault::Mismatch(
                "the record is in a state that does not exist",
            ))?;
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
            if !self.holds(transition)? {
                continue;
            }
            if let Some(code) = &transition.reject {
                return Err(Rejection::Custom(code.clone()).into());
            }
            self.take_transition(transition)?;
            self.come_to_rest()?;
            self.count(event)?;
            return Ok(());
        }
        Err(Rejection::NotPossible.into())
    }

    fn holds(&self, transition: &Transition) -> Result<bool, Fault> {
        match &transition.when {
            None => Ok(true),
            Some(guard) => guard.eval(&self.look()),
        }
    }

    fn take_transition(&mut self, transition: &Transition) -> Result<(), No> {
        let outcome = self.run(&transition.actions)?;
        let branch = transition
            .then
            .iter()
            .find(|(on, _)| Some(*on) == outcome)
            .map(|(_, branch)| branch);
        if let Some(Branch { actions, .. }) = branch {
            self.run(actions)?;
        }
        let to = branch.and_then(|branch| branch.to).or(transition.to);
        match to {
            None => Ok(()),
            Some(target) => {
                let leaving = self
                    .campaign
                    .machine
                    .states
                    .get(usize::from(self.core.state));
                if let Some(state) = leaving {
                    self.run(&state.exit)?;
                }
                self.enter(target)
            }
        }
    }

    fn enter(&mut self, target: u16) -> Result<(), No> {
        let campaign = self.campaign;
        let state = campaign
            .machine
            .states
            .get(usize::from(target))
            .ok_or(Fault::Mismatch("a target state is missing"))?;
        self.core.state = target;
        self.core.entered_at = self.now;
        self.core.after_done = 0;
        self.run(&state.entry)?;
        Ok(())
    }

    /// Takes `always` transitions until none holds.
    fn come_to_rest(&mut self) -> Result<(), No> {
        let attended = !std::mem::replace(&mut self.unattended, true);
        for _ in 0..MICROSTEPS {
            let campaign = self.campaign;
            let Some(state) = campaign.machine.states.get(usize::from(self.core.state)) else {
                break;
            };
            let mut next = None;
            for transition in &state.always {
                if self.holds(transition)? {
                    next = Some(transition);
                    break;
                }
            }
            let Some(transition) = next else {
                self.unattended = !attended;
                return Ok(());
            };
            self.take_transition(transition)?;
            if transition.to.is_none() {
                // Staying put would hold for ever: an `always` without a target acts once.
                self.unattended = !attended;
                return Ok(());
            }
        }
        Err(Fault::Restless.into())
    }

    /// Fires what time has brought due up to `now`, each at its own time, in due order.
    fn catch_up(&mut self, now: Millis) -> Result<(), No> {
        for _ in 0..CATCH_UP {
            let campaign = self.campaign;
            let Some((due, what)) = next_due(campaign, &self.core) else {
                return Ok(());
            };
            if due > now {
                return Ok(());
            }
            let place = match what {
                Due::After(place) => place,
                Due::Block(place) => {
                    self.elapse(place, due)?;
                    continue;
                }
            };
            let Some(state) = campaign.machine.states.get(usize::from(self.core.state)) else {
                return Ok(());
            };
            let Some(after) = state.after.get(place) else {
                return Ok(());
            };
            self.at(due);
            self.refresh()?;
            self.core.after_done |= 1 << place;
            if self.holds(&after.transition)? {
                self.take_transition(&after.transition)?;
                self.come_to_rest()?;
            }
        }
        Ok(())
    }

    /// Has a block do what is due, as anything that time does: what it changed may let `always` lead on.
    fn elapse(&mut self, place: usize, due: Millis) -> Result<(), No> {
        self.at(due);
        self.refresh()?;
        if let Some(block) = self.campaign.blocks.get(place) {
            block.elapse(self)?;
        }
        self.come_to_rest()
    }

    /// When time alone changes this record next.
    pub fn timer(&self) -> Option<Millis> {
        timer(self.campaign, &self.core)
    }

    /// When a delayed transition comes due next: that may make possible what is not, where what a block does by itself may not.
    pub(crate) fn next_after(&self) -> Option<Millis> {
        next_after(self.campaign, &self.core).map(|(due, _)| due)
    }

    /// Runs actions; the result is the outcome that the last of them raised, if one did.
    fn run(&mut self, actions: &[Action]) -> Result<Option<u16>, No> {
        if actions.is_empty() {
            return Ok(None);
        }
        // Everything is read before anything is written.
        let mut values = self.evaluated(actions)?.into_iter();
        let mut outcome = None;
        for action in actions {
            let mut number = || match values.next() {
                Some(Value::Int(number)) => Ok(number),
                _ => Err(Fault::Mismatch("a number was expected")),
            };
            match action {
                Action::Set(slots) => {
                    for (slot, _) in slots {
                        let value = values
                            .next()
                            .ok_or(Fault::Mismatch("a value was expected"))?;
                        self.set(*slot, value)?;
                    }
                }
                Action::Add(slot, _) => {
                    let amount = number()?;
                    self.add(*slot, amount)?;
                }
                Action::Take(slot, _) => {
                    let amount = number()?;
                    self.take(*slot, amount)?;
                }
                Action::Give(give) => {
                    let period = self.period(give.every);
                    self.give_or_reject(give.rule, give.reward, period, give.at_most)?;
                }
                Action::Emit(emit) => {
                    let fields = values.by_ref().take(emit.fields.len()).collect();
                    self.emit(emit, fields);
                }
                Action::Block {
                    block,
                    action,
                    args,
                } => {
                    let campaign = self.campaign;
                    let found = campaign
                        .blocks
                        .get(usize::from(*block))
                        .ok_or(Fault::Mismatch("a block is missing"))?;
                    let args: Vec<Value> = values.by_ref().take(args.len()).collect();
                    if let Some(raised) = found.act(*action, &args, self)? {
                        outcome = Some(raised);
                    }
                }
            }
        }
        Ok(outcome)
    }

    fn evaluated(&self, actions: &[Action]) -> Result<Vec<Value>, Fault> {
        let look = self.look();
        let mut values = Vec::new();
        for action in actions {
            match action {
                Action::Set(slots) => {
                    for (_, program) in slots {
                        values.push(program.eval(&look)?);
                    }
                }
                Action::Add(_, amount) | Action::Take(_, amount) => {
                    values.push(Value::Int(amount.eval(&look)?));
                }
                Action::Give(_) => {}
                Action::Emit(emit) => {
                    for (_, program) in &emit.fields {
                        values.push(program.eval(&look)?);
                    }
                }
                Action::Block { args, .. } => {
                    for program in args {
                        values.push(program.eval(&look)?);
                    }
                }
            }
        }
        Ok(values)
    }

    /// Says which outcome was raised; a block calls this beside returning its place.
    pub fn raise(&mut self, outcome: &'static str) {
        self.outcome = Some(outcome);
    }

    fn count(&mut self, event: u16) -> Result<(), Fault> {
        let campaign = self.campaign;
        let Some(count) = campaign
            .events
            .get(usize::from(event))
            .and_then(|event| event.count)
        else {
            return Ok(());
        };
        let slots = campaign
            .counts
            .get(usize::from(count))
            .ok_or(Fault::Mismatch("a count is missing"))?;
        let look = self.look();
        let (today, total, day) = (
            look.count_today(count)?,
            look.count_total(count)?,
            look.today(),
        );
        self.set(slots.day, Value::Int(i64::from(day)))?;
        self.set(slots.today, Value::Int(today.saturating_add(1)))?;
        self.set(slots.total, Value::Int(total.saturating_add(1)))
    }
}
