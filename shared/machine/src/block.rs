//! What a block is to the machine: named actions that may raise outcomes, functions for expressions, variables of its
//! own in the record, and a part of the view. The blocks themselves live in `shared/blocks`.

use std::cell::Cell;
use std::fmt;

use serde_json::Value as Json;

use crate::calendar::{Day, Millis};
use crate::expr::{BlockCall, Fault, Source};
use crate::input::{Facts, Payload, User};
use crate::model::{Campaign, FactDecl};
use crate::participant::{Core, Grant};
use crate::step::{No, Rejection};
use crate::turn::Turn;
use crate::value::{Type, Value};

/// The code of a block, with its parameters.
pub trait Block: fmt::Debug + Send + Sync {
    /// Does action `action` (its place in the signature); the result is the place of the outcome it raises, if any.
    fn act(&self, action: u16, args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No>;

    /// Answers function `function` (its place in the signature).
    fn call(&self, function: u16, args: &[Value], look: &Look<'_>) -> Result<Value, Fault>;

    /// The no that action `action` would meet now, as far as the record and the time say: what a button needs to know.
    /// [`Block::act`] must meet the same one; that it finds none is no promise, for the store may know better.
    fn refuses(
        &self,
        action: u16,
        args: &[Value],
        look: &Look<'_>,
    ) -> Result<Option<Rejection>, Fault> {
        let _ = (action, args, look);
        Ok(None)
    }

    /// Brings its variables up to `now` before anything else happens in a step or is shown: today's chances, say.
    /// Must do nothing when nothing is due, and the same again when asked again.
    fn refresh(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let _ = turn;
        Ok(())
    }

    /// What follows of an event that fired, whatever it did: after all of its actions, before the step ends. Rejects nothing.
    fn follow(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let _ = turn;
        Ok(())
    }

    /// What it adds to a participant's view: a key and its value.
    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let _ = (look, language);
        None
    }

    /// What it adds to the page that anyone may see: prizes and odds, say.
    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        let _ = (campaign, language);
        None
    }

    /// Whether a rejection's code is about something of its own, so that [`Self::lifted_at`] knows when that ends.
    fn lifts(&self, code: &str) -> bool {
        let _ = code;
        false
    }

    /// When a rejection with a code of its own ends by itself; nothing if never.
    fn lifted_at(&self, code: &str, look: &Look<'_>) -> Option<Millis> {
        let _ = (code, look);
        None
    }

    /// Takes in what somebody who was drawn from a list of entries is told; false: it is no news, or not for this block.
    fn told(&self, told: &crate::raffle::Told<'_>, turn: &mut Turn<'_>) -> Result<bool, Fault> {
        let _ = (told, turn);
        Ok(false)
    }

    /// When something of it changes next without an event, for `next_at`; nothing if never.
    fn next_at(&self, look: &Look<'_>) -> Option<Millis> {
        let _ = look;
        None
    }

    /// When time alone next has this block do something to a record that is as this core says: from then on [`Self::elapse`] is
    /// called, with that instant as `now`. After it, and after every step, the answer must lie later, or be none. Nothing if
    /// time does nothing here.
    fn timer(&self, campaign: &Campaign, core: &Core) -> Option<Millis> {
        let _ = (campaign, core);
        None
    }

    /// Does what is due at this turn's time, after [`Self::refresh`]: nobody is there, so nothing is rejected, and nothing drawn.
    fn elapse(&self, turn: &mut Turn<'_>) -> Result<(), No> {
        let _ = turn;
        Ok(())
    }

    /// Re-does a ledger row's draw, for `verify`: given the luck and what the row says of its circumstances (how many draws of this
    /// block were made before it, the pity count), the reward it must have rolled, and of which tier. Nothing if this block does not
    /// draw.
    fn redraw(&self, luck: &mut crate::luck::Luck, made: u64, misses: i64) -> Option<Redrawn> {
        let _ = (luck, made, misses);
        None
    }
}

/// A draw, made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrawn {
    /// What came up.
    pub rolled: crate::ledger::Rolled,
    /// By which tier's odds, from 1; none: by those after all tiers.
    pub tier: Option<u16>,
}

/// What the check knows of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The variables it keeps in the record.
    pub vars: Vec<VarSig>,
    /// Its actions.
    pub actions: Vec<ActionSig>,
    /// Its functions.
    pub functions: Vec<FunctionSig>,
}

/// A variable of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VarSig {
    /// Its name, as expressions know it if `balance` or `show`.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it can be spent, and so be named in `add` and `take`.
    pub balance: bool,
    /// Whether expressions may read it and clients see it.
    pub show: bool,
    /// Where it starts.
    pub default: Value,
    /// The most it holds.
    pub at_most: i64,
}

/// An action of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionSig {
    /// Its name in a `do` list.
    pub name: &'static str,
    /// What it takes.
    pub args: Vec<Type>,
    /// What it may raise; empty: nothing.
    pub outcomes: &'static [&'static str],
    /// Whether it draws: nothing may be rejected after it.
    pub draws: bool,
}

/// A function of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSig {
    /// Its name in expressions.
    pub name: &'static str,
    /// What it takes.
    pub args: Vec<Type>,
    /// What it gives.
    pub result: Type,
}

/// A participant's record and circumstances, to be read.
#[derive(Debug)]
pub struct Look<'a> {
    /// The campaign.
    pub campaign: &'a Campaign,
    /// The record.
    pub core: &'a Core,
    /// What was given before this step.
    pub grants: &'a [Grant],
    /// What this step has given so far.
    pub new_grants: &'a [Grant],
    /// Who.
    pub user: &'a User,
    /// What the event carries.
    pub payload: &'a Payload,
    /// What was looked up.
    pub facts: &'a Facts,
    /// When.
    pub now: Millis,
    pub(crate) day: Cell<Option<Day>>,
}

impl<'a> Look<'a> {
    /// The calendar day of `now`.
    pub fn today(&self) -> Day {
        self.day.get().unwrap_or_else(|| {
            let day = self.campaign.calendar.day(self.now);
            self.day.set(Some(day));
            day
        })
    }

    /// The value at a source.
    pub fn get(&self, source: Source) -> Result<&'a Value, Fault> {
        match source {
            Source::Var(slot) => self.core.vars.get(usize::from(slot)),
            Source::User(slot) => self.user.claims.get(usize::from(slot)),
            Source::Event(slot) => self.payload.fields.get(usize::from(slot)),
            Source::Fact(slot) => self.fact(slot),
        }
        .ok_or(Fault::Mismatch("a value is missing"))
    }

    /// What a fact is: what the record keeps of it before what was found now; what nobody looked up counts as unknown.
    fn fact(&self, slot: u16) -> Option<&'a Value> {
        static YES: Value = Value::Bool(true);
        static NO: Value = Value::Bool(false);
        let declared = self.campaign.facts.get(usize::from(slot));
        if let Some(first) = declared.and_then(FactDecl::first_sight)
            && let Some(new) = first.of(self.core)
        {
            return Some(if new { &YES } else { &NO });
        }
        let found = self.facts.value(slot);
        found.or_else(|| Some(&declared?.when_unknown))
    }

    /// Whether somebody asked for a fact, now or earlier where the record keeps it.
    pub(crate) fn knows(&self, slot: u16) -> bool {
        let declared = self.campaign.facts.get(usize::from(slot));
        let first = declared.and_then(FactDecl::first_sight);
        self.facts.was_asked(slot) || first.is_some_and(|first| first.of(self.core).is_some())
    }

    /// An integer variable.
    pub fn int(&self, slot: u16) -> Result<i64, Fault> {
        match self.get(Source::Var(slot))? {
            Value::Int(value) => Ok(*value),
            _ => Err(Fault::Mismatch("an integer variable was expected")),
        }
    }

    /// All grants, before and within this step.
    pub fn all_grants(&self) -> impl Iterator<Item = &'a Grant> + Clone + use<'a> {
        self.grants.iter().chain(self.new_grants)
    }

    /// How often a reward was given.
    pub fn given(&self, reward: u16) -> i64 {
        self.all_grants()
            .filter(|grant| grant.reward == reward)
            .count() as i64
    }

    /// Whether a participant has had a reward as often as one may, be it in all, today or this week.
    pub fn has_had(&self, reward: u16) -> bool {
        let Some(found) = self.campaign.rewards.get(usize::from(reward)) else {
            return false;
        };
        if found
            .per_user
            .is_some_and(|most| self.given(reward) >= i64::from(most))
        {
            return true;
        }
        found.within.is_some_and(|within| {
            let calendar = &self.campaign.calendar;
            let had = self.all_grants().filter(|grant| grant.reward == reward);
            within.is_full(had.map(|grant| calendar.day(grant.at)), self.today())
        })
    }

    /// How often an event fired today.
    pub fn count_today(&self, count: u16) -> Result<i64, Fault> {
        let slots = self
            .campaign
            .counts
            .get(usize::from(count))
            .ok_or(Fault::Mismatch("a count is missing"))?;
        let counted = self.int(slots.day)?;
        if counted == i64::from(self.today()) {
            self.int(slots.today)
        } else {
            Ok(0)
        }
    }

    /// How often an event fired in all.
    pub fn count_total(&self, count: u16) -> Result<i64, Fault> {
        let slots = self
            .campaign
            .counts
            .get(usize::from(count))
            .ok_or(Fault::Mismatch("a count is missing"))?;
        self.int(slots.total)
    }

    pub(crate) fn call(&self, call: &BlockCall) -> Result<Value, Fault> {
        let block = self
            .campaign
            .blocks
            .get(usize::from(call.block))
            .ok_or(Fault::Mismatch("a block is missing"))?;
        let args = call
            .args
            .iter()
            .map(|arg| arg.eval(self))
            .collect::<Result<Vec<_>, _>>()?;
        block.call(call.function, &args, self)
    }
}
