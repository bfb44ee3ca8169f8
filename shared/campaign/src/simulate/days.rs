//! The days that are played, and when in them people come: only while the campaign is open, and more in the evening than
//! at four in the morning.

use machine::calendar::{Calendar, Day, Millis};
use machine::model::Window;

use super::dice::Dice;
use super::profile::Returns;

/// The day's first moment at which somebody can come again after a visit.
const A_LITTLE_LATER_MS: Millis = 60_000;

/// How many slots a day has: hours, or what daylight saving leaves of them.
const SLOTS: usize = 24;

/// A day that is played.
#[derive(Debug, Clone)]
pub struct Played {
    /// Which.
    pub day: Day,
    /// Its slots that are open: when each begins, how long it is, and the weights of it and all before it.
    slots: Vec<(Millis, i64, u64)>,
}

/// The days that are played, from the first on without gaps.
#[derive(Debug, Clone)]
pub struct Days {
    /// The days.
    pub played: Vec<Played>,
    /// The first instant that is played.
    pub from: Millis,
    /// The first instant that is not.
    pub until: Millis,
}

impl Days {
    /// `count` days of the window from `first` on, with the hours' weights (of the wall clock).
    pub fn new(
        calendar: &Calendar,
        window: &Window,
        first: Day,
        count: u32,
        hours: &[u32; SLOTS],
    ) -> Self {
        let opens = calendar.start_of(first).max(window.opens);
        let end = calendar.start_of(first.saturating_add(count as Day));
        let until = end.min(window.closes);
        let days = (0..count as Day)
            .map(|n| first.saturating_add(n))
            .take_while(|day| calendar.start_of(*day) < until);
        Self {
            played: days
                .map(|day| Played::new(calendar, day, opens, until, hours))
                .collect(),
            from: opens,
            until,
        }
    }

    /// A moment within the `place`-th day, after `after`; none if the campaign is closed for the rest of it.
    pub fn moment(&self, place: usize, after: Millis, dice: &mut Dice) -> Option<Millis> {
        self.played.get(place)?.moment(after, dice)
    }

    /// When somebody who was here on the `place`-th day comes again, and on which day; none if they do not.
    pub fn again(
        &self,
        returns: &Returns,
        place: usize,
        now: Millis,
        dice: &mut Dice,
    ) -> Option<(Millis, usize)> {
        // Rolled in any case, so that the stream goes on alike.
        let (same, tomorrow) = (dice.hits(returns.same_day), dice.hits(returns.next_day));
        let mut moment = dice.clone();
        if same && let Some(at) = self.moment(place, now + A_LITTLE_LATER_MS, &mut moment) {
            return Some((at, place));
        }
        let mut place = place + 1;
        if !tomorrow {
            let mut gap = dice.clone();
            loop {
                place += 1;
                if place >= self.played.len() {
                    return None;
                }
                if gap.hits(returns.later) {
                    break;
                }
            }
        }
        let at = self.moment(place, Millis::MIN, &mut moment)?;
        Some((at, place))
    }
}

impl Played {
    fn new(
        calendar: &Calendar,
        day: Day,
        from: Millis,
        until: Millis,
        hours: &[u32; SLOTS],
    ) -> Self {
        let (start, end) = (calendar.start_of(day), calendar.start_of(day + 1));
        let length = (end - start) / SLOTS as i64;
        let first_hour = (calendar.day_starts_secs / 3600) as usize;
        let mut slots = Vec::new();
        let mut sum = 0_u64;
        for slot in 0..SLOTS {
            let begins = (start + slot as i64 * length).max(from);
            let ends = (start + (slot as i64 + 1) * length).min(until);
            let weight = hours.get((slot + first_hour) % SLOTS).copied().unwrap_or(0);
            if ends <= begins || length <= 0 {
                continue;
            }
            // In seconds of that weight: half an open hour draws half the people.
            sum += u64::from(weight) * ((ends - begins) as u64).div_ceil(1000);
            slots.push((begins, ends - begins, sum));
        }
        Self { day, slots }
    }

    fn moment(&self, after: Millis, dice: &mut Dice) -> Option<Millis> {
        // Always two numbers: what follows in the stream must not depend on the time of day.
        let (slot_roll, within) = (dice.roll(), dice.roll());
        let open = self
            .slots
            .partition_point(|(begins, length, _)| begins + length <= after);
        let before = open
            .checked_sub(1)
            .and_then(|place| self.slots.get(place))
            .map_or(0, |slot| slot.2);
        let (_, _, all) = self.slots.last()?;
        let pick = before + ((u128::from(slot_roll) * u128::from(all - before)) >> 64) as u64;
        let place = self.slots.partition_point(|slot| slot.2 <= pick);
        let (begins, length, _) = self.slots.get(place)?;
        let from = (*begins).max(after);
        let room = begins + length - from;
        Some(from + ((u128::from(within) * u128::from(room.max(1) as u64)) >> 64) as i64)
    }

    /// Whether anybody can come on this day.
    pub fn is_open(&self) -> bool {
        self.slots.last().is_some_and(|slot| slot.2 > 0)
    }
}

/// Divides `total` by weights into whole numbers whose sum is `total`: the largest remainders get what is left over.
pub fn divided(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: u64| u128::from(total) * u128::from(weight);
    let mut parts: Vec<u64> = weights
        .iter()
        .map(|weight| (exact(*weight) / sum) as u64)
        .collect();
    let mut left = total - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|place| {
        std::cmp::Reverse(weights.get(*place).map_or(0, |weight| exact(*weight) % sum))
    });
    for place in order {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(place) {
            *part += 1;
            left -= 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn days(zone: &str, opens: i64, hours: i64, count: u32) -> Days {
        let calendar = Calendar::new(zone.parse().unwrap(), 0, vec![]);
        let window = Window {
            opens,
            closes: opens + hours * HOUR,
            claim_until: opens + hours * HOUR,
        };
        Days::new(&calendar, &window, calendar.day(opens), count, &[1; 24])
    }

    proptest! {
        #[test]
        fn nobody_is_lost(total in 0u64..1_000_000, weights in proptest::collection::vec(0u64..1_000, 1..40)) {
            let parts = divided(total, &weights);
            let sum: u64 = parts.iter().sum();
            prop_assert_eq!(sum, if weights.iter().all(|weight| *weight == 0) { 0 } else { total });
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight > 0 || *part == 0);
            }
        }

        #[test]
        fn people_come_while_it_is_open(seed in any::<u64>(), opens in 1_700_000_000i64..1_800_000_000, hours in 1i64..100) {
            let days = days("America/New_York", opens * 1000, hours, 5);
            let mut dice = Dice::of([seed, 0, 0, 0]);
            let calendar = Calendar::new("America/New_York".parse().unwrap(), 0, vec![]);
            for (place, played) in days.played.iter().enumerate() {
                let mut at = i64::MIN;
                for _ in 0..5 {
                    let Some(next) = days.moment(place, at, &mut dice) else { break };
                    prop_assert!(next >= at && next >= days.from && next < days.until);
                    prop_assert_eq!(calendar.day(next), played.day);
                    at = next;
                }
            }
        }
    }

    #[test]
    fn days_begin_with_the_opening_and_end_with_the_window() {
        // 2026-11-01 10:00 in Shanghai, open for 20 hours: two days, whatever is asked for.
        let days = days("Asia/Shanghai", 1_793_498_400_000, 20, 14);
        assert_eq!(days.played.len(), 2);
        assert_eq!(days.until - days.from, 20 * HOUR);
        assert!(days.played.iter().all(Played::is_open));
    }
}
