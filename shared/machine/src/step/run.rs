//! The machine, moved within a turn: what is due, an event's transition, its actions, where it comes to rest.

use super::{CATCH_UP, Due, MICROSTEPS, No, Rejection, next_after, next_due, timer};
use crate::calendar::Millis;
use crate::expr::Fault;
use crate::input::Used;
use crate::model::{Action, Branch, NEW, SEEN, Transition};
use crate::turn::Turn;
use crate::value::Value;

impl Turn<'_> {
    pub(super) fn at(&mut self, now: Millis) {
        self.now = now;
        self.core.now = now;
        self.day.set(None);
    }

    /// Brings the blocks' variables up to this turn's time.
    pub(super) fn refresh(&mut self) -> Result<(), Fault> {
        let campaign = self.campaign;
        for block in &campaign.blocks {
            block.refresh(self)?;
        }
        Ok(())
    }

    /// Keeps what was found of first sight, the first time that it was: from then on the record says it. What was unknown is
    /// not kept.
    pub(super) fn keep_first_sight(&mut self) -> Result<(), Fault> {
        let campaign = self.campaign;
        for (fact, first) in campaign.first_sights() {
            let kept = match self.facts.used().get(usize::from(fact)) {
                Some(Used::Yes) => NEW,
                Some(Used::No) => SEEN,
                _ => continue,
            };
            if first.of(&self.core).is_none() {
                self.set(first.kept, Value::Int(kept))?;
            }
        }
        Ok(())
    }

    /// Lets the blocks do what follows of an event.
    pub(super) fn follow(&mut self) -> Result<(), Fault> {
        let campaign = self.campaign;
        for block in &campaign.blocks {
            block.follow(self)?;
        }
        Ok(())
    }

    /// Fires the event: the state's own transitions first, then the campaign's.
    pub(super) fn fire(&mut self, event: u16) -> Result<(), No> {
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

    pub(super) fn enter(&mut self, target: u16) -> Result<(), No> {
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
    pub(super) fn come_to_rest(&mut self) -> Result<(), No> {
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
    pub(super) fn catch_up(&mut self, now: Millis) -> Result<(), No> {
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
