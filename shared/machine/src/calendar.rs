//! Days, weeks and months in a campaign's own timezone: the one place where an instant becomes a day.
//!
//! A day runs from `day_starts` (wall clock) to the next day's `day_starts`, across daylight-saving changes, so it
//! may last 23 or 25 hours.

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// A calendar day: days since 1970-01-01.
pub type Day = i32;

/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// The days of a campaign: its timezone, when its day starts, which days don't count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The IANA timezone.
    pub timezone: Tz,
    /// When a day starts, in seconds after midnight by the wall clock; 0 to 86,399.
    pub day_starts_secs: u32,
    /// Days that neither break nor count (holidays, our own outages), in order.
    pub skip_days: Vec<Day>,
    /// UTC offsets in force from an instant on, worked out when the campaign is linked: a look-up by bisection
    /// costs a few ns where the timezone database costs some fifty.
    #[serde(skip)]
    offsets: Vec<(Millis, i64)>,
    /// Where the offsets above end.
    #[serde(skip, default = "nothing_known")]
    known_until: Millis,
}

/// As [`Calendar::new`] has it: a calendar that was read back equals the one that was written.
fn nothing_known() -> Millis {
    i64::MIN
}

impl Calendar {
    /// A calendar in `timezone` whose days start at `day_starts_secs` after midnight.
    pub fn new(timezone: Tz, day_starts_secs: u32, mut skip_days: Vec<Day>) -> Self {
        skip_days.sort_unstable();
        skip_days.dedup();
        Self {
            timezone,
            day_starts_secs,
            skip_days,
            offsets: Vec::new(),
            known_until: nothing_known(),
        }
    }

    /// Works out the offsets between two instants ahead of use. Without this all answers are the same, but slower.
    #[must_use]
    pub fn prepared(mut self, from: Millis, until: Millis) -> Self {
        // Offsets change at most a few times a year, a week goes by before one is changed back, and every change falls on a
        // whole quarter of an hour.
        const STEP_MS: i64 = 900_000;
        const DAY_MS: i64 = 24 * HOUR_MS;
        const MOST_MS: i64 = 12 * 366 * 24 * HOUR_MS;
        let from = from.div_euclid(STEP_MS) * STEP_MS;
        let until = until.min(from.saturating_add(MOST_MS));
        self.offsets.clear();
        let mut at = from;
        let mut last = self.look_up(at);
        self.offsets.push((at, last));
        while at < until {
            let week = (at + 7 * DAY_MS).min(until);
            if self.look_up(week) == last {
                at = week;
                continue;
            }
            let mut next = (at + DAY_MS).min(week);
            while self.look_up(next) == last {
                (at, next) = (next, (next + DAY_MS).min(week));
            }
            // The quarter of an hour at which it changes: the last that is as before, and the first that is not.
            let (mut before, mut quarter) = (at, next);
            while quarter - before > STEP_MS {
                let middle = before + (quarter - before) / STEP_MS / 2 * STEP_MS;
                if self.look_up(middle) == last {
                    before = middle;
                } else {
                    quarter = middle;
                }
            }
            last = self.look_up(quarter);
            self.offsets.push((quarter, last));
            at = quarter;
        }
        self.known_until = until;
        self
    }

    /// The day that `now` falls in.
    pub fn day(&self, now: Millis) -> Day {
        let offset = self.offset_ms(now);
        let local = now
            .saturating_add(offset)
            .saturating_sub(i64::from(self.day_starts_secs) * 1000);
        let day = local
            .div_euclid(24 * HOUR_MS)
            .clamp(i64::from(Day::MIN), i64::from(Day::MAX)) as Day;
        // Where clocks have just gone back over the start of a day, that day has begun all the same: days never run backwards.
        let went_back = self.offset_ms(now.saturating_sub(24 * HOUR_MS)) > offset;
        let next = day.saturating_add(1);
        if went_back && next > day && now >= self.start_of(next) {
            return next;
        }
        day
    }

    /// The instant at which `day` starts. In a daylight-saving gap: the first instant after it; in an overlap: the
    /// earlier one.
    pub fn start_of(&self, day: Day) -> Millis {
        let wall = date(day).and_time(chrono::NaiveTime::MIN)
            + TimeDelta::seconds(i64::from(self.day_starts_secs));
        self.instant(wall)
    }

    /// The instant within `day` at which the clock on the wall shows `secs` after midnight, with the rule of [`Self::start_of`] for
    /// gaps and overlaps. A time before the day starts is in the night that ends it.
    pub fn time_of(&self, day: Day, secs: u32) -> Millis {
        let night = i32::from(secs < self.day_starts_secs);
        let wall = date(day.saturating_add(night)).and_time(chrono::NaiveTime::MIN)
            + TimeDelta::seconds(i64::from(secs));
        self.instant(wall)
    }

    /// The instant of a wall-clock time here, with the rule of [`Self::start_of`] for gaps and overlaps.
    pub fn instant(&self, wall: NaiveDateTime) -> Millis {
        let mut at = wall;
        // No gap in the timezone database is longer than a day (Samoa skipped one whole day in 2011).
        for _ in 0..=96 {
            match self.timezone.from_local_datetime(&at) {
                LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => {
                    return found.timestamp_millis();
                }
                // A gap ends on a whole quarter of an hour.
                LocalResult::None => {
                    let over = i64::from(at.minute() % 15) * 60 + i64::from(at.second());
                    at += TimeDelta::seconds(900 - over);
                }
            }
        }
        wall.and_utc().timestamp_millis()
    }

    /// The instant at which clocks show `at` (seconds after midnight) within `day`, with the same rule.
    pub fn clock(&self, day: Day, at: u32) -> Millis {
        let after_midnight = i32::from(at < self.day_starts_secs);
        let wall = date(day.saturating_add(after_midnight)).and_time(chrono::NaiveTime::MIN)
            + TimeDelta::seconds(i64::from(at));
        self.instant(wall)
    }

    /// Whether a wall-clock time does not exist here because clocks jump over it.
    pub fn in_gap(&self, wall: NaiveDateTime) -> bool {
        matches!(self.timezone.from_local_datetime(&wall), LocalResult::None)
    }

    /// Whether `day` neither breaks nor counts.
    pub fn skips(&self, day: Day) -> bool {
        self.skip_days.binary_search(&day).is_ok()
    }

    /// The last day before `day` that counts.
    pub fn day_before(&self, day: Day) -> Day {
        let mut at = day.saturating_sub(1);
        while self.skips(at) {
            at = at.saturating_sub(1);
        }
        at
    }

    /// The ISO week of `day` as the number of its Monday.
    pub fn week(day: Day) -> Day {
        // 1970-01-01 was a Thursday. In 64 bits, for days at the edge of what a number holds.
        let monday = (i64::from(day) + 3).div_euclid(7) * 7 - 3;
        monday.clamp(i64::from(Day::MIN), i64::from(Day::MAX)) as Day
    }

    /// The month of `day` as `year * 12 + month - 1`.
    pub fn month(day: Day) -> i32 {
        let date = date(day);
        date.year() * 12 + date.month0() as i32
    }

    /// `now` as RFC 3339 with this timezone's offset, to the second.
    pub fn rfc3339(&self, now: Millis) -> String {
        self.local(now)
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }

    fn local(&self, now: Millis) -> DateTime<Tz> {
        DateTime::<Utc>::from_timestamp_millis(now)
            .unwrap_or_default()
            .with_timezone(&self.timezone)
    }

    fn offset_ms(&self, now: Millis) -> i64 {
        match self.offsets.partition_point(|(from, _)| *from <= now) {
            0 => self.look_up(now),
            _ if now >= self.known_until => self.look_up(now),
            after => self
                .offsets
                .get(after - 1)
                .map_or_else(|| self.look_up(now), |(_, offset)| *offset),
        }
    }

    fn look_up(&self, now: Millis) -> i64 {
        let utc = DateTime::<Utc>::from_timestamp_millis(now)
            .unwrap_or_default()
            .naive_utc();
        i64::from(
            self.timezone
                .offset_from_utc_datetime(&utc)
                .fix()
                .local_minus_utc(),
        ) * 1000
    }
}

/// The date of a day number; days beyond chrono's range give its first or last date.
pub fn date(day: Day) -> NaiveDate {
    let epoch = NaiveDate::default();
    let days = Days::new(u64::from(day.unsigned_abs()));
    if day < 0 {
        epoch.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
    } else {
        epoch.checked_add_days(days).unwrap_or(NaiveDate::MAX)
    }
}

/// The day number of a date.
pub fn day_number(date: NaiveDate) -> Day {
    (date - NaiveDate::default()).num_days() as Day
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Millis {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    fn day(text: &str) -> Day {
        day_number(text.parse().unwrap())
    }

    #[test]
    fn a_day_is_a_wall_clock_day() {
        let rows = [
            (
                "Asia/Shanghai",
                0,
                "2026-11-22T23:59:59+08:00",
                "2026-11-22",
            ),
            (
                "Asia/Shanghai",
                0,
                "2026-11-23T00:00:00+08:00",
                "2026-11-23",
            ),
            (
                "Asia/Shanghai",
                4 * 3600,
                "2026-11-23T03:59:59+08:00",
                "2026-11-22",
            ),
            (
                "Asia/Shanghai",
                4 * 3600,
                "2026-11-23T04:00:00+08:00",
                "2026-11-23",
            ),
            // New York springs forward on 2026-03-08 and falls back on 2026-11-01.
            (
                "America/New_York",
                0,
                "2026-03-08T23:59:59-04:00",
                "2026-03-08",
            ),
            (
                "America/New_York",
                0,
                "2026-11-01T01:30:00-05:00",
                "2026-11-01",
            ),
            (
                "America/New_York",
                4 * 3600,
                "2026-11-01T03:59:59-05:00",
                "2026-10-31",
            ),
            (
                "Asia/Kathmandu",
                0,
                "2026-02-28T23:59:59+05:45",
                "2026-02-28",
            ),
        ];
        for (zone, starts, now, expected) in rows {
            let plain = Calendar::new(zone.parse().unwrap(), starts, vec![]);
            assert_eq!(plain.day(at(now)), day(expected), "{zone} {now}");
            let prepared = plain.prepared(at("2025-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
            assert_eq!(
                prepared.day(at(now)),
                day(expected),
                "prepared {zone} {now}"
            );
        }
    }

    #[test]
    fn a_day_that_starts_in_a_gap_starts_right_after_it() {
        // Cairo springs forward at midnight: 2026-04-24 00:00 does not exist.
        let cairo = Calendar::new("Africa/Cairo".parse().unwrap(), 0, vec![]);
        assert_eq!(
            cairo.rfc3339(cairo.start_of(day("2026-04-24"))),
            "2026-04-24T01:00:00+03:00"
        );
    }

    #[test]
    fn within_a_gap_every_time_is_its_end() {
        let york = Calendar::new("America/New_York".parse().unwrap(), 0, vec![]);
        let spring = day("2026-03-08");
        for minute in [120, 130, 140, 179, 180] {
            assert_eq!(
                york.rfc3339(york.clock(spring, minute * 60)),
                "2026-03-08T03:00:00-04:00"
            );
        }
    }

    #[test]
    fn weeks_start_on_monday_and_months_count_on() {
        assert_eq!(Calendar::week(day("2026-11-22")), day("2026-11-16"));
        assert_eq!(Calendar::week(day("2026-11-23")), day("2026-11-23"));
        assert_eq!(
            Calendar::month(day("2026-12-31")) + 1,
            Calendar::month(day("2027-01-01"))
        );
    }

    /// A prepared calendar looks from week to week: nowhere is a change undone within one.
    #[test]
    fn no_change_anywhere_is_undone_within_a_week() {
        let (from, until) = (at("2020-01-01T00:00:00Z"), at("2040-01-01T00:00:00Z"));
        for zone in chrono_tz::TZ_VARIANTS {
            let prepared = Calendar::new(zone, 0, vec![]).prepared(from, until);
            for now in (from..until).step_by(12 * HOUR_MS as usize) {
                assert_eq!(
                    prepared.offset_ms(now),
                    prepared.look_up(now),
                    "{zone} {now}"
                );
            }
        }
    }

    /// Found by fuzzing.
    #[test]
    fn a_calendar_survives_json() {
        let calendar = Calendar::new("Asia/Shanghai".parse().unwrap(), 4 * 3600, vec![20_000]);
        let text = serde_json::to_string(&calendar).unwrap();
        assert_eq!(serde_json::from_str::<Calendar>(&text).unwrap(), calendar);
    }

    proptest! {
        #[test]
        fn a_prepared_calendar_answers_like_a_plain_one(secs in 1_700_000_000i64..2_000_000_000, zone in 0usize..5) {
            let zones = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"];
            let plain = Calendar::new(zones[zone].parse().unwrap(), 0, vec![]);
            let prepared = plain.clone().prepared(1_750_000_000_000, 1_950_000_000_000);
            prop_assert_eq!(plain.day(secs * 1000), prepared.day(secs * 1000));
        }

        #[test]
        fn a_day_starts_in_itself(number in 15_000i32..30_000, starts in 0u32..86_400) {
            let calendar = Calendar::new("America/Sao_Paulo".parse().unwrap(), starts, vec![]);
            let start = calendar.start_of(number);
            prop_assert_eq!(calendar.day(start), number);
            prop_assert!(calendar.day(start - 1) < number);
        }

        /// Also where clocks go back over the start of a day: New York and Sao Paulo by an hour, Lord Howe by half of one.
        #[test]
        fn days_never_run_backwards(minutes in 28_000_000i64..32_000_000, later in 1i64..180, starts in 0u32..96, zone in 0usize..3) {
            let zone = ["America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe"][zone];
            let calendar = Calendar::new(zone.parse().unwrap(), starts * 900, vec![]);
            let (now, then) = (minutes * 60_000, (minutes + later) * 60_000);
            prop_assert!(calendar.day(now) <= calendar.day(then));
        }
    }

    #[test]
    fn a_day_that_has_begun_goes_on_when_clocks_go_back_over_its_start() {
        // 2026-11-01, 02:00 in New York: clocks go back to 01:00, and the day starts at 01:30.
        let calendar = Calendar::new("America/New_York".parse().unwrap(), 5_400, vec![]);
        let at = |text: &str| {
            let at = DateTime::parse_from_rfc3339(text).unwrap();
            calendar.day(at.timestamp_millis())
        };
        let begun = at("2026-11-01T05:45:00Z");
        assert_eq!(at("2026-11-01T05:29:59Z"), begun - 1);
        for later in [
            "2026-11-01T06:15:00Z",
            "2026-11-01T06:31:00Z",
            "2026-11-02T06:29:59Z",
        ] {
            assert_eq!(at(later), begun, "{later}");
        }
        assert_eq!(at("2026-11-02T06:30:00Z"), begun + 1);
        let prepared = calendar
            .clone()
            .prepared(1_750_000_000_000, 1_950_000_000_000);
        let clock_back = 1_793_513_700_000; // 06:15Z
        assert_eq!(prepared.day(clock_back), begun);
    }
}
