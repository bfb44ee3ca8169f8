//! A pack in windows of the day, each with a stock of its own: `10:00` to `12:00`, 100 of them, first come, first served. What
//! is left as a window ends is gone, and over all windows there is never more than the rewards' own stock.
//!
//! A window's times are those that clocks show. On a day on which they are put forward over all of a window it does not
//! happen; over a part, the rest of it does. On one on which they are put back, a time that is shown twice is the first
//! of the two: a window that ends at such a time ends the first time, and one that spans both lasts longer.

use machine::block::Look;
use machine::calendar::{Calendar, Day, date};
use machine::expr::Fault;
use machine::ids::Period;
use machine::step::{No, Rejection};
use machine::turn::Turn;
use machine::{Campaign, Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{ALREADY, CLAIMED, MORE, give_all};
use crate::promise::Promise;

/// The code for a claim outside of every window.
pub const OUTSIDE: &str = "outside-window";

/// How many days ahead the next window is looked for where each day has them: one may fall into a gap.
const AHEAD: Day = 3;

/// The windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// In the order of the day, none reaching into the next.
    pub windows: Vec<Window>,
    /// The days that have them, in order; empty: every day.
    pub days: Vec<Day>,
    /// Whether a user may claim on each of these days; else once in all.
    pub each_day: bool,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From when, by the clock: seconds after midnight.
    pub from: u32,
    /// Until when (excluded); the time at which days start stands for the day's end.
    pub until: u32,
    /// How many users get it, on each day.
    pub stock: u32,
    /// What it gives.
    pub gives: Vec<Promise>,
    /// Under which rule what was chosen is given; none where nothing is chosen.
    pub choice: Option<u16>,
}

impl Window {
    /// Its first and its last instant (excluded) on a day; where clocks leave nothing of it, the last is not after the first.
    pub fn on(&self, day: Day, calendar: &Calendar) -> (Millis, Millis) {
        let until = if self.until == calendar.day_starts_secs {
            calendar.start_of(day.saturating_add(1))
        } else {
            calendar.clock(day, self.until)
        };
        (calendar.clock(day, self.from), until)
    }

    /// The rule whose grants say how many got it: each claim gives one under it.
    pub fn counted(&self) -> Option<u16> {
        let first = self.gives.first().map(|promise| promise.rule);
        first.or(self.choice)
    }

    fn has(&self, rule: u16) -> bool {
        self.choice == Some(rule) || self.gives.iter().any(|promise| promise.rule == rule)
    }
}

impl Flash {
    fn is_on(&self, day: Day) -> bool {
        self.days.is_empty() || self.days.binary_search(&day).is_ok()
    }

    /// The window that is open, and on which day.
    fn open(&self, now: Millis, calendar: &Calendar) -> Option<(&Window, Day)> {
        let day = calendar.day(now);
        if !self.is_on(day) {
            return None;
        }
        let open = |window: &&Window| {
            let (from, until) = window.on(day, calendar);
            (from..until).contains(&now)
        };
        self.windows.iter().find(open).map(|window| (window, day))
    }

    /// When a window opens next after `now`, on the day `from` or later.
    fn next(&self, now: Millis, from: Day, calendar: &Calendar) -> Option<Millis> {
        let soon = (from..=from.saturating_add(AHEAD)).filter(|_| self.days.is_empty());
        let known = self.days.partition_point(|day| *day < from);
        let listed = self.days.get(known..).unwrap_or(&[]).iter().copied();
        soon.chain(listed).find_map(|day| {
            let opens = self.windows.iter().map(|window| window.on(day, calendar));
            let later = opens.filter(|(opens, until)| *opens > now && opens < until);
            later.map(|(opens, _)| opens).next()
        })
    }

    /// Whether this user has claimed as often as may be: today, where each day is a new one.
    pub(super) fn had(&self, look: &Look<'_>) -> bool {
        look.all_grants().any(|grant| {
            let of_it = self.windows.iter().any(|window| window.has(grant.rule));
            of_it && (!self.each_day || grant.period == Period::Day(look.today()))
        })
    }

    pub(super) fn hindrance(&self, look: &Look<'_>) -> Option<Rejection> {
        let calendar = &look.campaign.calendar;
        let today = look.today();
        if self.had(look) {
            let tomorrow = today.saturating_add(1);
            let next_at = self
                .next(look.now, tomorrow, calendar)
                .filter(|_| self.each_day);
            let code = ALREADY.into();
            return Some(Rejection::Later { code, next_at });
        }
        if self.open(look.now, calendar).is_some() {
            return None;
        }
        Some(Rejection::Later {
            code: OUTSIDE.into(),
            next_at: self.next(look.now, today, calendar),
        })
    }

    /// Claims it in the window that is open. None left of that: sold out until the next one. None at all: something of it can't
    /// be had, and nobody is there to be told.
    pub(super) fn claim(&self, chosen: &[u16], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let calendar = &turn.campaign.calendar;
        let Some((window, day)) = self.open(turn.now, calendar) else {
            return Err(Fault::Mismatch("no window is open").into());
        };
        let next_at = self.next(turn.now, day, calendar);
        let choice = window.choice.map(|rule| (rule, chosen));
        let all = turn.all_or_none(|turn| {
            let left = match window.counted() {
                Some(rule) => turn.take_of_day(rule, day, window.stock)?,
                None => false,
            };
            match left {
                true => give_all(&window.gives, choice, Period::Day(day), turn),
                false if turn.quiet() => Ok(false),
                false => Err(Rejection::SoldOut { next_at }.into()),
            }
        })?;
        let outcome = if self.each_day { MORE } else { CLAIMED };
        Ok(all.then_some(outcome))
    }

    pub(super) fn view(&self, campaign: &Campaign, now: Millis) -> Json {
        let calendar = &campaign.calendar;
        let today = calendar.day(now);
        let windows = self.windows.iter().filter(|_| self.is_on(today));
        let today: Json = windows
            .map(|window| {
                let (from, until) = window.on(today, calendar);
                json!({
                    "opens_at": calendar.rfc3339(from),
                    "closes_at": calendar.rfc3339(until.max(from)),
                    "open": (from..until).contains(&now),
                    "stock": window.stock,
                })
            })
            .collect();
        let next = self.next(now, calendar.day(now), calendar);
        let next = next.filter(|next| *next < campaign.window.closes);
        json!({
            "today": today,
            "next_at": next.map(|next| calendar.rfc3339(next)),
            "each_day": self.each_day,
        })
    }

    pub(super) fn public(&self) -> Json {
        let windows: Json = self
            .windows
            .iter()
            .map(|window| {
                let (from, until) = (clock(window.from), clock(window.until));
                json!({ "from": from, "until": until, "stock": window.stock })
            })
            .collect();
        let days: Json = self
            .days
            .iter()
            .map(|day| json!(date(*day).to_string()))
            .collect();
        json!({ "windows": windows, "days": days, "each_day": self.each_day })
    }
}

/// A time of day as clocks show it.
fn clock(secs: u32) -> String {
    format!("{:02}:{:02}", secs / 3600, secs / 60 % 60)
}
