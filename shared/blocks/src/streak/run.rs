//! Unbroken runs of signed days, and the cycles within them. A day that neither breaks nor counts is passed over: one that the
//! campaign skips, one that was forgiven or frozen; but a day that was signed after all counts, whatever it was before.

use machine::calendar::{Calendar, Day};
use machine::value::Days;

use super::params::Cycle;

/// The days of one participant, as runs are read off them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course<'a> {
    pub signed: &'a Days,
    pub forgiven: Option<&'a Days>,
    pub frozen: Option<&'a Days>,
    pub calendar: &'a Calendar,
}

impl Cycle {
    /// Whether the cycle begins again at `day`, the `place`-th of its run from 0, after the run's day `before`.
    pub(super) fn begins(self, place: u64, day: Day, before: Day) -> bool {
        match self {
            Self::None => false,
            Self::Month => Calendar::month(day) != Calendar::month(before),
            Self::Days(length) => place.is_multiple_of(u64::from(length.max(1))),
        }
    }

    /// Which part of a run stands for itself: a month, whatever else the run holds.
    pub(super) fn part(self, day: Day) -> i32 {
        match self {
            Self::Month => Calendar::month(day),
            Self::None | Self::Days(_) => 0,
        }
    }
}

impl Course<'_> {
    /// Whether `day` was missed and does not matter.
    pub fn is_saved(&self, day: Day) -> bool {
        let noted = |days: Option<&Days>| days.is_some_and(|days| days.contains(day));
        !self.signed.contains(day) && (noted(self.forgiven) || noted(self.frozen))
    }

    fn passes(&self, day: Day) -> bool {
        self.calendar.skips(day) || self.is_saved(day)
    }

    /// The last day before `day` that is not passed over.
    pub fn before(&self, day: Day) -> Day {
        let mut at = day.saturating_sub(1);
        while self.passes(at) {
            at = at.saturating_sub(1);
        }
        at
    }

    /// The first day after `day` that is not passed over.
    pub fn after(&self, day: Day) -> Day {
        let mut at = day.saturating_add(1);
        while self.passes(at) {
            at = at.saturating_add(1);
        }
        at
    }

    /// The first day of the unbroken run that `day` is in.
    pub fn first_of_run(&self, day: Day) -> Day {
        let mut first = day;
        loop {
            let before = self.before(first);
            if !self.signed.contains(before) {
                return first;
            }
            first = before;
        }
    }

    /// How many days of the run that ends on `last`, as far back as `within` goes.
    fn back(&self, last: Day, within: impl Fn(Day) -> bool) -> i64 {
        let mut count = 1;
        let mut at = self.before(last);
        while self.signed.contains(at) && within(at) {
            count += 1;
            at = self.before(at);
        }
        count
    }

    /// The streak as of `today`: of the run that reaches today or the last day that counts before it.
    pub fn streak_on(&self, today: Day, cycle: Cycle) -> i64 {
        let signed_today = self.signed.contains(today) && !self.calendar.skips(today);
        let last = if signed_today {
            today
        } else {
            self.before(today)
        };
        if !self.signed.contains(last) {
            return 0;
        }
        let number = match cycle {
            Cycle::None => self.back(last, |_| true),
            Cycle::Month => {
                let month = Calendar::month(last);
                self.back(last, |day| Calendar::month(day) == month)
            }
            Cycle::Days(length) => (self.back(last, |_| true) - 1) % i64::from(length.max(1)) + 1,
        };
        // A finished cycle, or a month that has ended, counts on only until the next day begins a new one.
        let fresh = last != today
            && match cycle {
                Cycle::None => false,
                Cycle::Month => Calendar::month(last) != Calendar::month(today),
                Cycle::Days(length) => number == i64::from(length),
            };
        if fresh { 0 } else { number }
    }
}
