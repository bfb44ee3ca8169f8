//! Missed days that do not break a streak: forgiven ones, and those that a freeze card was used for. Both are used by
//! themselves, in the order of the days, forgiveness first, and only where there is a streak to save.
//!
//! A day is decided once it is over, at the next touch of the record, with what the participant had when it ended: between two
//! touches nothing of theirs changes, and every touch decides the days before it first. So it makes no difference when
//! somebody looks, and a card that is earned a day later saves nothing that was lost before.

use machine::Value;
use machine::block::Look;
use machine::calendar::Day;
use machine::expr::Fault;
use machine::turn::Turn;
use machine::value::Days;

use super::Streak;
use super::run::Course;

impl Streak {
    /// Decides the missed days that are over.
    pub(super) fn save(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(settled_slot) = self.slots.settled else {
            return Ok(());
        };
        let calendar = &turn.campaign.calendar;
        let window = turn.campaign.window;
        let signed = self.signed(&turn.core.vars)?;
        // After the last day of play nothing is missed any more.
        let end = calendar.day(window.closes.saturating_sub(1));
        let until = turn.today().min(end.saturating_add(1));
        // What was missed before the last signed day was decided when that was signed. A revision that brings this in has
        // decided nothing yet: it saves the run that is under way.
        let settled = i32::try_from(turn.int(settled_slot)?).unwrap_or(i32::MIN);
        let last = signed.last().unwrap_or_else(|| until.saturating_sub(1));
        let from = settled.max(last).saturating_add(1);
        if signed.is_empty() && settled < last {
            // Nobody has a streak before the first day: a make-up that brings one later saves nothing before today.
            return turn.set(settled_slot, Value::Int(i64::from(last)));
        }
        if from >= until {
            return Ok(());
        }
        let mut forgiven = Self::noted(self.slots.forgiven, &turn.core.vars).cloned();
        let mut frozen = Self::noted(self.slots.frozen, &turn.core.vars).cloned();
        let mut cards = match self.slots.freeze_cards {
            Some(slot) => turn.int(slot)?,
            None => 0,
        };
        let opens = calendar.day(window.opens);
        for day in (from..until).filter(|day| !calendar.skips(*day)) {
            let course = Course {
                signed,
                forgiven: forgiven.as_ref(),
                frozen: frozen.as_ref(),
                calendar,
            };
            if course.streak_on(day, self.params.cycle) == 0 {
                break;
            }
            match (&mut forgiven, &mut frozen) {
                (Some(days), _) if self.forgives_left(days, day, opens) > 0 => {
                    days.insert(day);
                }
                (_, Some(days)) if cards > 0 => {
                    cards -= 1;
                    days.insert(day);
                }
                _ => break,
            }
        }
        turn.set(settled_slot, Value::Int(i64::from(until) - 1))?;
        for (slot, days) in [(self.slots.forgiven, forgiven), (self.slots.frozen, frozen)] {
            if let Some((slot, days)) = slot.zip(days) {
                turn.set(slot, Value::Days(days))?;
            }
        }
        match self.slots.freeze_cards {
            Some(slot) => turn.set(slot, Value::Int(cards)),
            None => Ok(()),
        }
    }

    /// How many more days can be forgiven within the span that `day` is in.
    fn forgives_left(&self, forgiven: &Days, day: Day, opens: Day) -> i64 {
        let Some(forgive) = self.params.forgive else {
            return 0;
        };
        let span = forgive.every.of(day, opens);
        let used = forgiven
            .iter()
            .filter(|other| forgive.every.of(*other, opens) == span);
        i64::from(forgive.days) - used.count() as i64
    }

    /// How many more days can be forgiven within the span that today is in; none where nothing is forgiven.
    pub(super) fn forgiven_left(&self, look: &Look<'_>) -> Option<i64> {
        let forgiven = Self::noted(self.slots.forgiven, &look.core.vars)?;
        let opens = look.campaign.calendar.day(look.campaign.window.opens);
        Some(self.forgives_left(forgiven, look.today(), opens).max(0))
    }

    /// Whether a day that is missed from today on may be saved, as far as the record says.
    pub(super) fn may_save(&self, day: Day, vars: &[Value], opens: Day) -> bool {
        let card = self.slots.freeze_cards.is_some_and(
            |slot| matches!(vars.get(usize::from(slot)), Some(Value::Int(held)) if *held > 0),
        );
        let forgiven = Self::noted(self.slots.forgiven, vars);
        card || forgiven.is_some_and(|days| self.forgives_left(days, day, opens) > 0)
    }

    /// The days that a variable holds, where there is one.
    pub(super) fn noted(slot: Option<u16>, vars: &[Value]) -> Option<&Days> {
        match vars.get(usize::from(slot?)) {
            Some(Value::Days(days)) => Some(days),
            _ => None,
        }
    }
}
