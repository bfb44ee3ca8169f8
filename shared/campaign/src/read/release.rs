//! Stock that is set free day by day: `release` of a reward. The days become instants here, so that a step, a store and a
//! verification only compare times.

use machine::calendar::Calendar;
use machine::model::{Release, Window};

use crate::check::Check;
use crate::codes;
use crate::document::{Fields, Key, Keys, Node, Shape};

/// The most releases of one reward: each is part of every revision.
const MOST_RELEASES: usize = 1000;

/// The keys of `release`.
pub(crate) static KEYS: Keys = Keys {
    name: "release",
    doc: "Stock that is set free day by day. What nobody was given stays to be had on the days after.",
    keys: &[
        Key::required(
            "each_day",
            Shape::Int(1, u32::MAX as i64),
            "How many more units each day.",
        ),
        Key::optional(
            "first_day",
            Shape::Int(1, u32::MAX as i64),
            "How many on the first day; `each_day` unless said.",
        ),
        Key::optional(
            "at",
            Shape::Clock,
            "At what time of the day; as the day starts unless said, and never before the campaign opens.",
        ),
    ],
};

/// When how much of a reward's stock is set free; none: all from the beginning, or what is written can't be used.
pub(crate) fn read(
    reward: &Fields<'_>,
    stock: Option<u32>,
    window: Window,
    check: &mut Check<'_>,
) -> Option<Release> {
    let node = reward.get("release")?;
    let fields = node.fields(&KEYS, &mut check.out)?;
    let units = |key: &str, check: &mut Check<'_>| {
        let node = fields.get(key)?;
        let units = node.int(1..=i64::from(u32::MAX), &mut check.out)?;
        Some(units as u32)
    };
    let (each_day, first_day) = (units("each_day", check), units("first_day", check));
    let at = fields.get("at").and_then(|node| node.clock(&mut check.out));
    let each_day = each_day?;
    if !reward.has("stock") {
        check
            .out
            .error(
                codes::RELEASE_NO_STOCK,
                reward.key_place("release"),
                "units are set free day by day, and nothing says how many there are",
            )
            .help("add `stock`: how many units there are in all");
    }
    let stock = stock?;
    let plan = Plan {
        each_day,
        first_day: first_day.unwrap_or(each_day),
        at: at.unwrap_or(check.tables.calendar.day_starts_secs),
        stock,
    };
    let release = plan.over(&check.tables.calendar, window);
    judge(&release, stock, node, check);
    Some(release)
}

/// What is written, with the campaign's figures.
struct Plan {
    each_day: u32,
    first_day: u32,
    at: u32,
    stock: u32,
}

impl Plan {
    fn over(&self, calendar: &Calendar, window: Window) -> Release {
        let last = calendar.day(window.closes.saturating_sub(1).max(window.opens));
        let mut release = Release {
            first: 0,
            later: Vec::new(),
        };
        let (mut free, mut next) = (0_u32, self.first_day);
        let mut day = calendar.day(window.opens);
        // One more than there may be, for who judges it to see.
        while day <= last && free < self.stock && release.later.len() <= MOST_RELEASES {
            let at = calendar.clock(day, self.at);
            day = day.saturating_add(1);
            if at >= window.closes {
                continue;
            }
            free = free.saturating_add(next).min(self.stock);
            next = self.each_day;
            if at <= window.opens {
                release.first = free;
            } else {
                release.later.push((at, free));
            }
        }
        release
    }
}

fn judge(release: &Release, stock: u32, node: &Node, check: &mut Check<'_>) {
    let in_all = release
        .later
        .last()
        .map_or(release.first, |(_, units)| *units);
    if release.later.len() > MOST_RELEASES {
        check
            .out
            .error(
                codes::TOO_MANY,
                &node.place,
                format!("these units are set free at more than {MOST_RELEASES} times"),
            )
            .help("set more of them free each day");
    } else if check.out.has_errors() {
        // What is wrong elsewhere, the window for one, may be all there is to it.
    } else if in_all < stock {
        check
            .out
            .warn(
                codes::NEVER_RELEASED,
                &node.place,
                format!("{in_all} of {stock} units are set free before the campaign closes: {} never are", stock - in_all),
            )
            .help("set more of them free each day, or on the first; or lower `stock`");
    } else if release.later.is_empty() {
        check
            .out
            .warn(
                codes::RELEASED_AT_ONCE,
                &node.place,
                format!("all {stock} units are to be had from the beginning"),
            )
            .help("leave `release` out, or set fewer free each day");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn released(
        zone: &str,
        day_starts: &str,
        at: &str,
        opens: &str,
        closes: &str,
    ) -> (u32, Vec<(String, u32)>) {
        let secs = |clock: &str| {
            let time: chrono::NaiveTime = clock.parse().expect("a time of day");
            (time - chrono::NaiveTime::MIN).num_seconds() as u32
        };
        let calendar = Calendar::new(zone.parse().expect("a timezone"), secs(day_starts), vec![]);
        let moment = |wall: &str| calendar.instant(wall.parse().expect("a moment"));
        let window = Window {
            opens: moment(opens),
            closes: moment(closes),
            claim_until: moment(closes),
        };
        let plan = Plan {
            each_day: 10,
            first_day: 30,
            at: secs(at),
            stock: 55,
        };
        let release = plan.over(&calendar, window);
        let later = release.later.iter();
        let told = later.map(|(at, units)| (calendar.rfc3339(*at), *units));
        (release.first, told.collect())
    }

    #[test]
    fn days_become_instants() {
        let at = |times: &[(&str, u32)]| -> Vec<(String, u32)> {
            times
                .iter()
                .map(|(at, units)| ((*at).to_owned(), *units))
                .collect()
        };
        // As the day starts; the last release is what is left.
        assert_eq!(
            released(
                "Asia/Shanghai",
                "00:00:00",
                "00:00:00",
                "2026-12-01T10:00:00",
                "2026-12-09T00:00:00"
            ),
            (
                30,
                at(&[
                    ("2026-12-02T00:00:00+08:00", 40),
                    ("2026-12-03T00:00:00+08:00", 50),
                    ("2026-12-04T00:00:00+08:00", 55),
                ])
            )
        );
        // Before that time of the first day nothing is to be had.
        assert_eq!(
            released(
                "Asia/Shanghai",
                "00:00:00",
                "20:00:00",
                "2026-12-01T10:00:00",
                "2026-12-03T20:00:00"
            ),
            (
                0,
                at(&[
                    ("2026-12-01T20:00:00+08:00", 30),
                    ("2026-12-02T20:00:00+08:00", 40)
                ])
            )
        );
        // Three in the morning belongs to the day before where days start at four; and a day of 25 hours has its release, too.
        assert_eq!(
            released(
                "Europe/Berlin",
                "04:00:00",
                "03:00:00",
                "2026-10-23T12:00:00",
                "2026-10-26T12:00:00"
            ),
            (
                0,
                at(&[
                    ("2026-10-24T03:00:00+02:00", 30),
                    ("2026-10-25T03:00:00+01:00", 40),
                    ("2026-10-26T03:00:00+01:00", 50),
                ])
            )
        );
    }

    #[test]
    fn what_is_set_free_is_found_by_time() {
        let release = Release {
            first: 3,
            later: vec![(DAY_MS, 5), (2 * DAY_MS, 9)],
        };
        let by = |now| (release.by(now), release.next(now));
        assert_eq!(by(i64::MIN), (3, Some(DAY_MS)));
        assert_eq!(by(DAY_MS - 1), (3, Some(DAY_MS)));
        assert_eq!(by(DAY_MS), (5, Some(2 * DAY_MS)));
        assert_eq!(by(i64::MAX), (9, None));
    }
}
