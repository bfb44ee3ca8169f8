//! A profile fitted from an earlier campaign's ledger, as `gala export` writes it: when people came, how they came back,
//! at what hours, and how often the back end reported.
//!
//! Only what left a row in the ledger can be seen: a visit in which nothing was given or drawn is not, and neither is an
//! event that only earned a chance. What can't be seen stays as it is in the profile that is fitted over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use machine::Millis;
use machine::calendar::{Calendar, Day, HOUR_MS};
use serde_json::Value as Json;

use super::dice::Rate;
use super::profile::{Arrivals, Profile, Returns};
use super::{MOST_DAYS, MOST_USERS};

/// After how long a pause a row belongs to the next visit.
const PAUSE_MS: Millis = HOUR_MS / 2;

/// Why nothing can be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// A row can't be read.
    #[error("row {row} is no row of a ledger: {why}; write the file with `gala export`")]
    Row {
        /// Which, from 1.
        row: usize,
        /// What is wrong.
        why: String,
    },
    /// There is nobody in it.
    #[error("there is no row of a user in it")]
    Nobody,
    /// It spans more days than a forecast has.
    #[error("its rows span {0} days, and a forecast has at most {MOST_DAYS}")]
    TooLong(i32),
}

/// What was seen of one row.
struct Seen<'a> {
    user: &'a str,
    event: &'a str,
    from: &'a str,
    at: &'a str,
}

/// What a ledger says about its people.
#[derive(Debug, Default)]
struct Ledger {
    /// When users did something, by pseudonym.
    people: BTreeMap<String, BTreeSet<Millis>>,
    /// What the back end reported, by event: about whom and when.
    reports: BTreeMap<String, BTreeSet<(String, Millis)>>,
}

/// Fits a profile over another, from an export (NDJSON or CSV) of a campaign with these days.
pub fn fit(export: &str, calendar: &Calendar, over: &Profile) -> Result<Profile, FitError> {
    let mut ledger = Ledger::default();
    let text = export.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        ledger.ndjson(text)?;
    } else {
        ledger.csv(text)?;
    }
    ledger.fitted(calendar, over)
}

impl Ledger {
    fn ndjson(&mut self, text: &str) -> Result<(), FitError> {
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        for (place, line) in lines {
            let row = place + 1;
            let json: Json = serde_json::from_str(line).map_err(|error| FitError::Row {
                row,
                why: error.to_string(),
            })?;
            let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or("");
            let seen = Seen {
                user: text("user"),
                event: text("event"),
                from: text("from"),
                at: text("at"),
            };
            self.row(row, &seen)?;
        }
        Ok(())
    }

    fn csv(&mut self, text: &str) -> Result<(), FitError> {
        let mut rows = csv_rows(text).into_iter().enumerate();
        let head = rows.next().map(|(_, head)| head).unwrap_or_default();
        let place = |name: &str| {
            head.iter()
                .position(|cell| cell == name)
                .ok_or_else(|| FitError::Row {
                    row: 1,
                    why: format!("there is no column `{name}`"),
                })
        };
        let (user, event, from, at) = (
            place("user")?,
            place("event")?,
            place("from")?,
            place("at")?,
        );
        for (number, cells) in rows {
            let cell = |place: usize| cells.get(place).map_or("", String::as_str);
            let seen = Seen {
                user: cell(user),
                event: cell(event),
                from: cell(from),
                at: cell(at),
            };
            self.row(number + 1, &seen)?;
        }
        Ok(())
    }

    fn row(&mut self, row: usize, seen: &Seen<'_>) -> Result<(), FitError> {
        let wrong = |why: &str| FitError::Row {
            row,
            why: why.to_owned(),
        };
        if seen.user.is_empty() {
            return Err(wrong("`user` is missing"));
        }
        let at = DateTime::parse_from_rfc3339(seen.at)
            .map_err(|_| wrong("`at` is no point in time"))?
            .timestamp_millis();
        match seen.from {
            "user" => {
                self.people
                    .entry(seen.user.to_owned())
                    .or_default()
                    .insert(at);
            }
            "backend" | "campaign" if !seen.event.is_empty() => {
                let about = (seen.user.to_owned(), at);
                self.reports
                    .entry(seen.event.to_owned())
                    .or_default()
                    .insert(about);
            }
            // What time alone did tells nothing of people.
            _ => {}
        }
        Ok(())
    }

    fn fitted(&self, calendar: &Calendar, over: &Profile) -> Result<Profile, FitError> {
        let days: BTreeMap<&String, BTreeSet<Day>> = self
            .people
            .iter()
            .map(|(user, at)| (user, at.iter().map(|at| calendar.day(*at)).collect()))
            .collect();
        let first = days
            .values()
            .filter_map(BTreeSet::first)
            .min()
            .copied()
            .ok_or(FitError::Nobody)?;
        let last = days
            .values()
            .filter_map(BTreeSet::last)
            .max()
            .copied()
            .unwrap_or(first);
        let span = last - first + 1;
        if span > MOST_DAYS as i32 {
            return Err(FitError::TooLong(span));
        }
        let mut arrivals = vec![0_u32; span as usize];
        for day in days.values().filter_map(BTreeSet::first) {
            if let Some(count) = arrivals.get_mut((day - first) as usize) {
                *count += 1;
            }
        }
        let (hours, visits, again) = self.visits(calendar);
        let (next_day, later) = came_back(days.values(), last);
        let mut profile = over.clone();
        profile.users = Some((days.len() as u64).min(u64::from(MOST_USERS)) as u32);
        profile.days = Some(span as u32);
        profile.arrivals = Arrivals::Days(arrivals);
        profile.hours = hours;
        profile.returns = Returns {
            same_day: Rate::new(again, visits),
            next_day,
            later,
        };
        for (event, reports) in &self.reports {
            let rate = Rate::new(reports.len() as u64, visits);
            profile.backend.insert(event.clone(), rate);
        }
        Ok(profile)
    }

    /// Visits by the hour of the wall clock, all visits, and those that were not the first of their day.
    fn visits(&self, calendar: &Calendar) -> ([u32; 24], u64, u64) {
        let (mut hours, mut visits, mut again) = ([0_u32; 24], 0, 0);
        for rows in self.people.values() {
            let mut before: Option<Millis> = None;
            for at in rows {
                if before.is_some_and(|before| at - before < PAUSE_MS) {
                    before = Some(*at);
                    continue;
                }
                let day = calendar.day(*at);
                let since =
                    at - calendar.start_of(day) + i64::from(calendar.day_starts_secs) * 1000;
                if let Some(hour) = hours.get_mut(((since / HOUR_MS) % 24) as usize) {
                    *hour += 1;
                }
                visits += 1;
                again += u64::from(before.is_some_and(|before| calendar.day(before) == day));
                before = Some(*at);
            }
        }
        (hours, visits, again)
    }
}

/// The share of visits' days that the next day was one too, and the share of later days away that ended the absence.
fn came_back<'d>(people: impl Iterator<Item = &'d BTreeSet<Day>>, last: Day) -> (Rate, Rate) {
    let (mut tomorrow, mut of) = (0_u64, 0_u64);
    let (mut ended, mut away) = (0_u64, 0_u64);
    for days in people {
        let following = days.iter().skip(1).map(|day| Some(*day)).chain([None]);
        for (day, next) in days.iter().zip(following) {
            if *day >= last {
                continue;
            }
            of += 1;
            match next {
                Some(next) if next == day + 1 => tomorrow += 1,
                Some(next) => {
                    ended += 1;
                    away += (next - day - 1) as u64;
                }
                None => away += (last - day - 1) as u64,
            }
        }
    }
    (Rate::new(tomorrow, of), Rate::new(ended, away))
}

/// The cells of a CSV file (RFC 4180), row by row.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar::new("Asia/Shanghai".parse().unwrap(), 0, vec![])
    }

    fn row(user: &str, from: &str, event: &str, at: &str) -> String {
        format!(
            "{{\"user\":\"{user}\",\"from\":\"{from}\",\"event\":\"{event}\",\"at\":\"2026-11-{at}:00+08:00\",\"type\":\"draw\"}}\n"
        )
    }

    fn ledger() -> String {
        [
            row("a", "user", "draw", "01T10:00"),
            row("a", "user", "draw", "01T10:05"),
            row("a", "user", "draw", "01T20:00"),
            row("a", "user", "draw", "02T10:00"),
            row("a", "backend", "order-paid", "02T10:01"),
            row("b", "user", "draw", "01T10:00"),
            row("b", "user", "draw", "04T10:00"),
            row("c", "user", "draw", "03T10:00"),
            row("c", "timer", "", "03T23:00"),
        ]
        .concat()
    }

    #[test]
    fn people_are_seen_by_their_rows() {
        let fitted = fit(&ledger(), &calendar(), &Profile::default()).unwrap();
        assert_eq!((fitted.users, fitted.days), (Some(3), Some(4)));
        assert_eq!(fitted.arrivals, Arrivals::Days(vec![2, 0, 1, 0]));
        assert_eq!((fitted.hours[10], fitted.hours[20]), (5, 1));
        // Six visits, one of them the second of its day.
        assert_eq!(fitted.returns.same_day, Rate::new(1, 6));
        // Of four days with one after it, one was followed by a visit. Away: a on the 4th, b from the 2nd to the 4th.
        assert_eq!(fitted.returns.next_day, Rate::new(1, 4));
        assert_eq!(fitted.returns.later, Rate::new(1, 3));
        assert_eq!(fitted.backend.get("order-paid"), Some(&Rate::new(1, 6)));
    }

    #[test]
    fn csv_says_the_same() {
        let mut csv =
            "\u{feff}\"number\",\"user\",\"from\",\"event\",\"at\",\"title\"\r\n".to_owned();
        for line in ledger().lines() {
            let row: Json = serde_json::from_str(line).unwrap();
            let cell = |name: &str| row[name].as_str().unwrap().to_owned();
            let line = format!(
                "\"1\",\"{}\",\"{}\",\"{}\",\"{}\",\"a \"\"b\"\",\r\nc\"\r\n",
                cell("user"),
                cell("from"),
                cell("event"),
                cell("at")
            );
            csv.push_str(&line);
        }
        let over = Profile::default();
        assert_eq!(
            fit(&csv, &calendar(), &over),
            fit(&ledger(), &calendar(), &over)
        );
    }

    #[test]
    fn what_is_no_ledger_is_said() {
        let over = Profile::default();
        let said = |text: &str| fit(text, &calendar(), &over).unwrap_err().to_string();
        assert!(said("").contains("no column `user`"));
        assert!(said("user,from,event,at\n").contains("no row of a user"));
        assert!(said("user,from,event,at\na,user,draw,yesterday\n").contains("row 2"));
        assert!(said("{\"user\": 1}\n").contains("`user` is missing"));
        assert!(said("{\n").contains("row 1"));
    }
}
