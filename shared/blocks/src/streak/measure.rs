//! Days that count by what was done on them: amounts that events bring are summed up by the calendar day of their arrival, and
//! the day is signed by itself once there is enough.
//!
//! It is `now` that says which day an amount belongs to, whenever the tenant says it was done (`occurred_at` is for the books):
//! a day that is over is decided, and could not be opened again without taking back what was given since.

use machine::Value;
use machine::block::Look;
use machine::expr::Fault;
use machine::step::No;
use machine::turn::Turn;

use super::Streak;

/// The code of a sign-in on a day that has not brought enough.
pub const NOT_ENOUGH: &str = "not-enough-today";

impl Streak {
    /// The sum of today.
    pub(super) fn sum_today(&self, look: &Look<'_>) -> Result<i64, Fault> {
        match self.slots.sum {
            Some((sum, day)) if look.int(day)? == i64::from(look.today()) => look.int(sum),
            _ => Ok(0),
        }
    }

    /// Whether today has brought what it takes to count; always where nothing is measured.
    pub(super) fn enough_today(&self, look: &Look<'_>) -> Result<bool, Fault> {
        match &self.params.measure {
            Some(measure) => Ok(self.sum_today(look)? >= measure.at_least),
            None => Ok(true),
        }
    }

    /// A new day begins at nothing.
    pub(super) fn begin_sum(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some((sum, day)) = self.slots.sum else {
            return Ok(());
        };
        let today = i64::from(turn.today());
        if turn.int(day)? == today {
            return Ok(());
        }
        turn.set(sum, Value::Int(0))?;
        turn.set(day, Value::Int(today))
    }

    /// Adds to today's sum, and signs today once it is enough. Rejects nothing: what was done was done.
    pub(super) fn add_up(&self, amount: i64, turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let Some((sum, _)) = self.slots.sum else {
            return Ok(None);
        };
        let today = turn.today();
        self.begin_sum(turn)?;
        let so_far = turn.int(sum)?;
        turn.set(sum, Value::Int(so_far.saturating_add(amount.max(0))))?;
        let look = turn.look();
        let counts = self.enough_today(&look)?
            && !look.campaign.calendar.skips(today)
            && !self.signed(&look.core.vars)?.contains(today);
        if !counts {
            return Ok(None);
        }
        self.sign(today, false, turn)?;
        turn.raise("signed");
        Ok(Some(0))
    }
}
