//! Signing in for a day that was missed: how far back, how often, and what it takes. A day that was forgiven or frozen did not
//! count, so it can be made up like any other that was missed; then it counts. The card it took, or the forgiveness, was used:
//! else one could have both.

use machine::Value;
use machine::block::Look;
use machine::calendar::{Calendar, Day};
use machine::expr::Fault;
use machine::step::{No, Rejection};
use machine::turn::Turn;

use super::Streak;

/// The code of a make-up without a card for it.
pub const NO_CARDS: &str = "no-makeup-cards";

/// The code of a make-up that costs more than there is.
pub const TOO_DEAR: &str = "not-enough-for-makeup";

impl Streak {
    /// How many more can be made now, whatever they cost.
    pub(super) fn makeups_left(&self, look: &Look<'_>) -> Result<i64, Fault> {
        let Some(makeup) = self.params.makeup else {
            return Ok(0);
        };
        let mut left = i64::from(makeup.at_most).saturating_sub(look.int(self.slots.made_up)?);
        if let (Some(most), Some((month, many))) = (makeup.per_month, self.slots.in_month) {
            let now = i64::from(Calendar::month(look.today()));
            let made = if look.int(month)? == now {
                look.int(many)?
            } else {
                0
            };
            left = left.min(i64::from(most).saturating_sub(made));
        }
        Ok(left.max(0))
    }

    /// Whether that day can be made up now, whatever it costs.
    pub(super) fn can_make_up(&self, day: i64, look: &Look<'_>) -> Result<bool, Fault> {
        let Some(makeup) = self.params.makeup else {
            return Ok(false);
        };
        let Ok(day) = i32::try_from(day) else {
            return Ok(false);
        };
        let today = look.today();
        let calendar = &look.campaign.calendar;
        Ok(day < today
            && today.saturating_sub(day) <= makeup.days_back.min(i32::MAX as u32) as i32
            && day >= calendar.day(look.campaign.window.opens)
            && !calendar.skips(day)
            && !self.signed(&look.core.vars)?.contains(day)
            && self.makeups_left(look)? > 0)
    }

    /// Whether there is a card for it, if it takes one.
    pub(super) fn has_makeup_card(&self, look: &Look<'_>) -> Result<bool, Fault> {
        self.slots
            .makeup_cards
            .map_or(Ok(true), |slot| Ok(look.int(slot)? > 0))
    }

    /// Whether there is as much as it costs.
    pub(super) fn can_pay_makeup(&self, look: &Look<'_>) -> Result<bool, Fault> {
        let cost = self.params.makeup.and_then(|makeup| makeup.cost);
        cost.map_or(Ok(true), |(slot, amount)| Ok(look.int(slot)? >= amount))
    }

    /// Makes up `day`: checks everything first, then pays, then signs.
    pub(super) fn make_up(&self, day: Day, turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let look = turn.look();
        let no = if !self.can_make_up(i64::from(day), &look)? {
            Some(Rejection::NotPossible)
        } else if !self.has_makeup_card(&look)? {
            Some(Rejection::Custom(NO_CARDS.into()))
        } else if !self.can_pay_makeup(&look)? {
            Some(Rejection::Custom(TOO_DEAR.into()))
        } else {
            None
        };
        if let Some(no) = no {
            // After a draw, or with nobody there to be told, nothing is rejected any more: then it just does nothing.
            return if turn.quiet() {
                Ok(None)
            } else {
                Err(no.into())
            };
        }
        let used = turn.int(self.slots.made_up)?;
        turn.set(self.slots.made_up, Value::Int(used.saturating_add(1)))?;
        if let Some((month, many)) = self.slots.in_month {
            let now = i64::from(Calendar::month(turn.today()));
            let made = if turn.int(month)? == now {
                turn.int(many)?
            } else {
                0
            };
            turn.set(month, Value::Int(now))?;
            turn.set(many, Value::Int(made.saturating_add(1)))?;
        }
        if let Some(slot) = self.slots.makeup_cards {
            turn.take(slot, 1)?;
        }
        if let Some((slot, amount)) = self.params.makeup.and_then(|makeup| makeup.cost) {
            turn.take(slot, amount)?;
        }
        self.sign(day, true, turn)?;
        turn.raise("made-up");
        Ok(Some(0))
    }
}
