//! Reminders: a message to the tenant at a time of the day, for whoever has not signed that day and has a streak to lose by
//! it. One a day at most, nothing after the last day of play, and none once the streak is gone: whoever never comes back is
//! reminded as long as there is something to come back for.

use machine::Value;
use machine::calendar::{Calendar, Day, Millis};
use machine::expr::Fault;
use machine::model::Campaign;
use machine::participant::Core;
use machine::turn::Turn;

use super::Streak;
use super::params::Remind;

impl Remind {
    /// The instant of a day's reminder.
    fn on(&self, day: Day, calendar: &Calendar) -> Millis {
        calendar.time_of(day, self.at_secs)
    }

    /// Whether a streak is long enough to be reminded of.
    fn heeds(&self, streak: i64) -> bool {
        streak >= i64::from(self.from_streak.max(1))
    }
}

impl Streak {
    /// When somebody may next have to be reminded. It may turn out then that they need not be: the streak can be lost before,
    /// and a card saves it only where there still is one.
    pub(super) fn next_reminder(&self, campaign: &Campaign, core: &Core) -> Option<Millis> {
        const LOOK_AHEAD: Day = 400;
        let (remind, slot) = (self.params.remind.as_ref()?, self.slots.reminded?);
        let Some(Value::Int(had)) = core.vars.get(usize::from(slot)) else {
            return None;
        };
        let had = *had;
        let course = self.course(campaign, &core.vars).ok()?;
        if course.signed.is_empty() || had == super::vars::NEVER {
            return None;
        }
        let calendar = &campaign.calendar;
        let today = calendar.day(had);
        let days = (today..=today.saturating_add(LOOK_AHEAD)).filter(|day| !calendar.skips(*day));
        let mut days = days.map(|day| (day, remind.on(day, calendar)));
        // The day that is under way, or the next one that counts: further ahead something has to happen first.
        let (day, at) = days.find(|(_, at)| *at > had)?;
        if at >= campaign.window.closes {
            return None;
        }
        let streak = course.streak_on(day, self.params.cycle);
        if course.signed.contains(day) {
            // It was signed before its reminder: the next day that counts is next.
            return self.reminder_after(day, campaign, core);
        }
        if remind.heeds(streak) {
            return Some(at);
        }
        let so_far = course.streak_on(today, self.params.cycle);
        let opens = calendar.day(campaign.window.opens);
        let missed = day > today && remind.heeds(so_far) && self.may_save(today, &core.vars, opens);
        missed.then_some(at)
    }

    /// The reminder of the next day that counts, for somebody who has signed `day`.
    fn reminder_after(&self, day: Day, campaign: &Campaign, core: &Core) -> Option<Millis> {
        let remind = self.params.remind.as_ref()?;
        let course = self.course(campaign, &core.vars).ok()?;
        let next = course.after(day);
        let at = remind.on(next, &campaign.calendar);
        let streak = course.streak_on(next, self.params.cycle);
        (remind.heeds(streak) && at < campaign.window.closes).then_some(at)
    }

    /// Notes up to when reminders had their turn: up to now, unless one is due and waits for it.
    pub(super) fn pass_reminders(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(slot) = self.slots.reminded else {
            return Ok(());
        };
        let waits = self.next_reminder(turn.campaign, &turn.core);
        if waits.is_some_and(|at| at <= turn.now) {
            return Ok(());
        }
        turn.set(slot, Value::Int(turn.now))
    }

    /// Sends the reminder of now, if it is one that somebody needs.
    pub(super) fn remind(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(remind) = &self.params.remind else {
            return Ok(());
        };
        let today = turn.today();
        let course = self.course(turn.campaign, &turn.core.vars)?;
        let streak = course.streak_on(today, self.params.cycle);
        let needed = remind.on(today, &turn.campaign.calendar) == turn.now
            && !course.signed.contains(today)
            && !turn.campaign.calendar.skips(today)
            && remind.heeds(streak);
        if needed {
            let fields = vec![
                ("streak".into(), Value::Int(streak)),
                ("day".into(), Value::Int(i64::from(today))),
            ];
            turn.tell(remind.message.as_str().into(), fields);
        }
        match self.slots.reminded {
            Some(slot) => turn.set(slot, Value::Int(turn.now)),
            None => Ok(()),
        }
    }
}
