//! A step under way: the working copy of the record and what has been decided so far. What blocks may do to a
//! participant, they do through here.

mod chain;
mod tried;

use std::cell::Cell;
use std::sync::Arc;

use crate::block::Look;
use crate::calendar::{Day, Millis};
use crate::expr::Fault;
use crate::ids::{Period, Pseudonym};
use crate::input::{Facts, Payload, User};
use crate::ledger::{
    CODE_USED, DrawRow, EntryRow, GrantRow, MessageRow, Rolled, Row, TEAM_DAY, Terms,
};
use crate::luck::{Draws, Luck};
use crate::model::{Campaign, Emit, Every};
use crate::participant::{Core, Grant, Status};
use crate::step::{No, Rejection};
use crate::value::Value;
use crate::world::{Bound, CounterKey, CounterMove, Left, TALLY_MOST};

use self::chain::Chain;
pub use self::chain::{replay_chain, shown_for};

/// A step under way.
#[derive(Debug)]
pub struct Turn<'a> {
    /// The campaign.
    pub campaign: &'a Campaign,
    /// The record as it will be.
    pub core: Core,
    /// The instant of this step; while a delayed transition runs, when that was due.
    pub now: Millis,
    /// The instant of this step, whatever runs: what it takes from stock it takes now.
    pub(crate) clock: Millis,
    pub(crate) user: &'a User,
    pub(crate) payload: &'a Payload,
    pub(crate) facts: &'a Facts,
    pub(crate) draws: DrawsRef<'a>,
    pub(crate) exhausted: &'a [Left],
    pub(crate) grants: &'a [Grant],
    pub(crate) new_grants: Vec<Grant>,
    pub(crate) moves: Vec<CounterMove>,
    pub(crate) alternatives: Vec<CounterMove>,
    pub(crate) rows: Vec<Row>,
    pub(crate) outcome: Option<&'static str>,
    /// Set once a draw was made: from then on nothing is rejected.
    pub(crate) drawn: bool,
    /// Set while time, not a person, moves the machine: nobody is there to be told no.
    pub(crate) unattended: bool,
    pub(crate) day: Cell<Option<Day>>,
}

/// A reference to draws that can be debugged without printing secrets.
#[derive(Clone, Copy)]
pub(crate) struct DrawsRef<'a>(pub &'a dyn Draws);

impl std::fmt::Debug for DrawsRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Draws")
    }
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gave {
    /// This reward was given: the one asked for, or what its `when_gone` chain led to.
    Reward(u16),
    /// Nothing was given.
    Nothing(Gone),
}

/// Why nothing was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// No unit is left, nor of what stands in for it.
    SoldOut,
    /// The budget is spent.
    BudgetSpent,
    /// The participant has had it as often as the rule or the reward allows.
    Had,
    /// The reward is the one that gives nothing.
    Blank,
}

/// A draw that was rolled and is to be settled.
#[derive(Debug)]
pub struct Drawing {
    /// Its index.
    pub index: u64,
    /// What it is for: the block's name.
    pub purpose: Arc<str>,
    /// What came up.
    pub rolled: Rolled,
    /// The reward that stands for and its rule; none: it stands for no reward.
    pub hit: Option<(u16, u16)>,
    /// Draws without a win in a row before it.
    pub misses: i64,
    /// Which tier's odds it had.
    pub tier: Option<u16>,
    /// Whether draws are counted by the day, so that its row must say which.
    pub counts: bool,
    /// How many draws of the same were made before, where that matters.
    pub made: Option<u64>,
}

impl Turn<'_> {
    /// The record and circumstances, to be read.
    pub fn look(&self) -> Look<'_> {
        Look {
            campaign: self.campaign,
            core: &self.core,
            grants: self.grants,
            new_grants: &self.new_grants,
            user: self.user,
            payload: self.payload,
            facts: self.facts,
            now: self.now,
            day: self.day.clone(),
        }
    }

    /// The calendar day of `now`.
    pub fn today(&self) -> Day {
        let look = self.look();
        let day = look.today();
        self.day.set(Some(day));
        day
    }

    /// An integer variable.
    pub fn int(&self, slot: u16) -> Result<i64, Fault> {
        match self.core.vars.get(usize::from(slot)) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(Fault::Mismatch("an integer variable was expected")),
        }
    }

    /// Sets a variable; its type must stay what it was.
    pub fn set(&mut self, slot: u16, value: Value) -> Result<(), Fault> {
        let place = self
            .core
            .vars
            .get_mut(usize::from(slot))
            .ok_or(Fault::Mismatch("a variable is missing"))?;
        if std::mem::discriminant(place) != std::mem::discriminant(&value) {
            return Err(Fault::Mismatch("a variable cannot change its type"));
        }
        *place = value;
        Ok(())
    }

    /// Adds to a balance, up to what it holds at most.
    pub fn add(&mut self, slot: u16, amount: i64) -> Result<(), Fault> {
        if amount < 0 {
            return Err(Fault::Overflow);
        }
        let most = self
            .campaign
            .vars
            .get(usize::from(slot))
            .map_or(i64::MAX, |var| var.at_most);
        let held = self.int(slot)?;
        let sum = match held.checked_add(amount) {
            // What the bound cuts anyway is no overflow.
            None if most < i64::MAX => i64::MAX,
            sum => sum.ok_or(Fault::Overflow)?,
        };
        // What is held already beyond the most (a revision lowered it) is not taken away.
        self.set(slot, Value::Int(sum.min(most.max(held))))
    }

    /// Takes from a balance. Too little there: a rejection; or, with nobody there to be told, all of it.
    pub fn take(&mut self, slot: u16, amount: i64) -> Result<(), No> {
        if amount < 0 {
            return Err(Fault::Overflow.into());
        }
        let held = self.int(slot)?;
        if held < amount && !self.quiet() {
            return Err(Rejection::NotPossible.into());
        }
        Ok(self.set(slot, Value::Int(held.saturating_sub(amount).max(0)))?)
    }

    /// The luck of the next draw, and its index. From here on this step commits, win or not.
    pub fn draw(&mut self, purpose: &str) -> Result<(u64, Luck), Fault> {
        let index = self.core.draws;
        self.core.draws = index.checked_add(1).ok_or(Fault::Overflow)?;
        self.drawn = true;
        Ok((index, self.draws.0.at(index, purpose)))
    }

    /// Gives what a draw came up with, and books the draw. A roll that stands for no reward is booked like the blank one: with
    /// nothing given.
    pub fn settle_draw(&mut self, drawing: Drawing) -> Result<Gave, Fault> {
        let Drawing {
            index,
            purpose,
            rolled,
            hit,
            misses,
            tier,
            counts,
            made,
        } = drawing;
        let mut chain = match hit {
            Some((reward, _)) => self.chain(reward)?,
            None => Chain::nothing(Gone::Blank),
        };
        if let (Gave::Reward(given), Some((_, rule))) = (chain.end, hit) {
            self.promised(rule, given, Period::Draw(index), 1)?;
        }
        let given = match chain.end {
            Gave::Reward(given) => self
                .campaign
                .rewards
                .get(usize::from(given))
                .map(|reward| reward.id.clone()),
            Gave::Nothing(_) => None,
        };
        chain.counts |= counts;
        let terms = Terms {
            tier,
            day: chain.counts.then(|| self.today()),
            excluded: chain.excluded,
            made: made.filter(|made| *made != index),
        };
        self.rows.push(Row::Draw(DrawRow {
            index,
            purpose,
            rolled,
            misses,
            given,
            exhausted: chain.met,
            had: chain.had,
            terms,
        }));
        Ok(chain.end)
    }

    /// Gives a reward under a rule, or what stands in for it when it is gone.
    pub fn give(
        &mut self,
        rule: u16,
        reward: u16,
        period: Period,
        at_most: u32,
    ) -> Result<Gave, Fault> {
        let given = self
            .look()
            .all_grants()
            .filter(|grant| grant.rule == rule && grant.period == period)
            .count() as u32;
        if given >= at_most {
            return Ok(Gave::Nothing(Gone::Had));
        }
        let chain = self.chain(reward)?;
        if let Gave::Reward(found) = chain.end {
            self.promised(rule, found, period, given + 1)?;
        }
        Ok(chain.end)
    }

    /// Gives that very reward under a rule: nothing stands in for it when it is gone, since it is what somebody was told is theirs.
    pub fn give_itself(&mut self, rule: u16, reward: u16, period: Period) -> Result<Gave, Fault> {
        let look = self.look();
        let given = look
            .all_grants()
            .any(|grant| grant.rule == rule && grant.period == period);
        let found = self
            .campaign
            .rewards
            .get(usize::from(reward))
            .ok_or(Fault::Mismatch("a reward is missing"))?;
        if given || look.has_had(reward) || self.is_not_for(found)? {
            return Ok(Gave::Nothing(Gone::Had));
        }
        if let Some(gone) = self.gone(reward) {
            return Ok(Gave::Nothing(gone));
        }
        self.promised(rule, reward, period, 1)?;
        Ok(Gave::Reward(reward))
    }

    /// As [`Self::give`], but nothing given is a rejection if someone is there to be told.
    pub fn give_or_reject(
        &mut self,
        rule: u16,
        reward: u16,
        period: Period,
        at_most: u32,
    ) -> Result<Gave, No> {
        let gave = self.give(rule, reward, period, at_most)?;
        match gave {
            Gave::Nothing(gone) if !self.quiet() => Err(self.rejection(gone, reward).into()),
            _ => Ok(gave),
        }
    }

    /// What a user is told who gets nothing where this reward was to be given.
    pub fn rejection(&self, gone: Gone, reward: u16) -> Rejection {
        match gone {
            Gone::SoldOut => {
                let reward = self.campaign.rewards.get(usize::from(reward));
                // When what is stopped goes on, nobody knows.
                let reward = reward.filter(|reward| !self.is_stopped(&reward.id));
                let release = reward.and_then(|reward| reward.release.as_ref());
                Rejection::SoldOut {
                    next_at: release.and_then(|release| release.next(self.clock)),
                }
            }
            Gone::BudgetSpent => Rejection::BudgetSpent,
            Gone::Had | Gone::Blank => Rejection::NotPossible,
        }
    }

    pub(crate) fn is_stopped(&self, reward: &str) -> bool {
        let mut known = self.exhausted.iter();
        known.any(|left| matches!(&left.key, CounterKey::Stopped(stopped) if **stopped == *reward))
    }

    /// Takes one of what `rule` gives on `day` to all users together, `most` of them; the caller then gives under that rule,
    /// with that day as the period. False where none is left, for all that the store said: nothing is taken.
    pub fn take_of_day(&mut self, rule: u16, day: Day, most: u32) -> Result<bool, Fault> {
        let campaign = self.campaign;
        let promise = campaign
            .rules_of_giving
            .get(usize::from(rule))
            .ok_or(Fault::Mismatch("a rule is missing"))?;
        let key = CounterKey::Quota(promise.id.clone(), day);
        if self.lacks(&key, 1, &mut Vec::new()) {
            return Ok(false);
        }
        self.move_by(CounterMove {
            key,
            add: 1,
            bound: Bound::Given(i64::from(most)),
        });
        Ok(true)
    }

    /// Uses a code, which so many may use: false where it was used as often, for all that the store said, and nothing is taken. The
    /// ledger has a row of it, under a name that no campaign can emit, so that whoever reads it can count again.
    pub fn use_code(&mut self, code: Pseudonym, of: &Arc<str>, uses: Option<u32>) -> bool {
        if let Some(uses) = uses {
            let key = CounterKey::Code(code);
            if self.lacks(&key, 1, &mut Vec::new()) {
                return false;
            }
            self.move_by(CounterMove {
                key,
                add: 1,
                bound: Bound::Given(i64::from(uses)),
            });
        }
        let uses = uses.map_or(0, i64::from);
        self.report(
            CODE_USED,
            vec![
                ("of".into(), Value::Str(of.clone())),
                ("code".into(), Value::Str(code.to_string().into())),
                ("uses".into(), Value::Int(uses)),
            ],
        );
        true
    }

    fn move_by(&mut self, counter: CounterMove) {
        match self.moves.iter_mut().find(|known| known.key == counter.key) {
            Some(known) => known.add = known.add.saturating_add(counter.add),
            None => self.moves.push(counter),
        }
    }

    /// Books an entry for a draw that takes entries before `until`; a no where it takes none any more, for all that the store
    /// said in an answer to this request.
    pub fn enter_draw(&mut self, draw: &Arc<str>, until: Millis) -> Result<(), No> {
        let key = CounterKey::Entries(draw.clone());
        if self.clock >= until || self.lacks(&key, 1, &mut Vec::new()) {
            return Err(Rejection::Closed.into());
        }
        self.move_by(CounterMove {
            key,
            add: 1,
            bound: Bound::Own,
        });
        self.rows.push(Row::Entry(EntryRow {
            draw: draw.clone(),
            number: None,
        }));
        Ok(())
    }

    /// Tells the tenant of something that a block did by itself.
    pub fn report(&mut self, message: &str, fields: Vec<(Arc<str>, Value)>) {
        self.rows.push(Row::Message(MessageRow {
            message: message.into(),
            fields,
        }));
    }

    /// Puts a message into the outbox.
    pub fn emit(&mut self, emit: &Emit, fields: Vec<Value>) {
        let fields = emit
            .fields
            .iter()
            .map(|(name, _)| name.clone())
            .zip(fields)
            .collect();
        self.tell(emit.message.clone(), fields);
    }

    /// Puts a block's own message into the outbox.
    pub fn tell(&mut self, message: Arc<str>, fields: Vec<(Arc<str>, Value)>) {
        self.rows.push(Row::Message(MessageRow { message, fields }));
    }

    /// Counts a member for their team on a day; once for each of them is the caller's to see to. The ledger has a row of it,
    /// under a name that no campaign can emit, so that whoever reads it can add the tallies up again.
    pub fn tally(&mut self, team: &Arc<str>, day: Day) {
        self.moves.push(CounterMove {
            key: CounterKey::Tally(team.clone(), day),
            add: 1,
            bound: Bound::Given(TALLY_MOST),
        });
        let fields = vec![
            ("team".into(), Value::Str(team.clone())),
            ("day".into(), Value::Int(i64::from(day))),
        ];
        self.rows.push(Row::Message(MessageRow {
            message: TEAM_DAY.into(),
            fields,
        }));
    }

    /// The period that `every` names today.
    pub fn period(&self, every: Every) -> Period {
        match every {
            Every::Ever => Period::Ever,
            Every::Day => Period::Day(self.today()),
            Every::Week => Period::Week(crate::calendar::Calendar::week(self.today())),
            Every::Month => Period::Month(crate::calendar::Calendar::month(self.today())),
        }
    }

    /// Whether nothing may be rejected any more.
    pub fn quiet(&self) -> bool {
        self.drawn || self.unattended
    }

    /// Books a grant under a rule of the campaign.
    fn promised(&mut self, rule: u16, reward: u16, period: Period, n: u32) -> Result<(), Fault> {
        let campaign = self.campaign;
        let promise = campaign
            .rules_of_giving
            .get(usize::from(rule))
            .ok_or(Fault::Mismatch("a rule is missing"))?;
        self.book(rule, promise.id.clone(), reward, period, n)
    }

    /// Books a grant.
    pub(crate) fn book(
        &mut self,
        rule: u16,
        rule_id: Arc<str>,
        reward: u16,
        period: Period,
        n: u32,
    ) -> Result<(), Fault> {
        let campaign = self.campaign;
        let found = campaign
            .rewards
            .get(usize::from(reward))
            .ok_or(Fault::Mismatch("a reward is missing"))?;
        if let Some(balance) = found.balance {
            self.add(balance, found.amount)?;
        }
        self.counters(reward, Self::move_by);
        let expires = found.expires.map(|span| self.now.saturating_add(span));
        let status = if found.balance.is_some() {
            Status::Confirmed
        } else {
            Status::Pending
        };
        self.new_grants.push(Grant {
            rule,
            reward,
            period,
            n,
            amount: found.amount,
            at: self.now,
            expires,
            status,
        });
        self.rows.push(Row::Grant(GrantRow {
            rule: rule_id,
            reward: found.id.clone(),
            kind: found.kind,
            period,
            n,
            amount: found.amount,
            value: found.value,
            cost: found.cost,
            expires,
            serial: None,
        }));
        Ok(())
    }
}
