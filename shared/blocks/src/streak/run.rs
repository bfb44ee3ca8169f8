//! Unbroken runs of signed days, and the cycles within them.

use machine::calendar::Calendar;
use machine::value::Days;

use super::Cycle;

impl Cycle {
    /// Whether the cycle begins again at `day`, the `place`-th of its run from 0, after the run's day `before`.
    pub(super) fn begins(self, place: u64, day: i32, before: i32) -> bool {
        match self {
            Self::None => false,
            Self::Month => Calendar::month(day) != Calendar::month(before),
            Self::Days(length) => place.is_multiple_of(u64::from(length.max(1))),
        }
    }

    /// Which part of a run stands for itself: a month, whatever else the run holds.
    pub(super) fn part(self, day: i32) -> i32 {
        match self {
            Self::Month => Calendar::month(day),
            Self::None | Self::Days(_) => 0,
        }
    }
}

/// The first day of the unbroken run that `day` is in.
pub(super) fn first_of_run(days: &Days, day: i32, calendar: &Calendar) -> i32 {
    let mut first = day;
    loop {
        let before = calendar.day_before(first);
        if !days.contains(before) {
            return first;
        }
        first = before;
    }
}

/// How many days of the run that ends on `last`, as far back as `within` goes.
pub(super) fn back(
    days: &Days,
    last: i32,
    calendar: &Calendar,
    within: impl Fn(i32) -> bool,
) -> i64 {
    let mut count = 1;
    let mut at = calendar.day_before(last);
    while days.contains(at) && within(at) {
        count += 1;
        at = calendar.day_before(at);
    }
    count
}

pub(super) fn day_after(day: i32, calendar: &Calendar) -> i32 {
    let mut at = day.saturating_add(1);
    while calendar.skips(at) {
        at = at.saturating_add(1);
    }
    at
}
