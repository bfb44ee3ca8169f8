//! What a signed day gives: its own rewards, those of its date, those of the run it is in, those of all days. A promise is kept
//! once for each run of days (each cycle of it): a make-up that makes a run begin earlier earns nothing twice, be it given or drawn.

use machine::Value;
use machine::calendar::Day;
use machine::expr::Fault;
use machine::ids::Period;
use machine::turn::{Drawing, Turn};
use machine::value::Days;

use super::Streak;
use super::params::Due;

/// Where the run that a sign-in is in keeps a promise.
struct Places {
    /// The places at which it is due: the day, and the part of the run that it is counted in.
    due: Vec<(Day, i32)>,
    /// Those at which it was due before this sign-in.
    before: Vec<(Day, i32)>,
    /// The day that is signed now.
    signed: Day,
    first: Day,
    last: Day,
}

/// How many places are in this part of the run.
fn within(places: &[(Day, i32)], part: i32) -> usize {
    places.iter().filter(|(_, other)| *other == part).count()
}

impl Streak {
    /// Signs `day` and keeps every promise that this makes due. `late`: it is made up.
    pub(super) fn sign(&self, day: Day, late: bool, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let mut days = self.signed(&turn.core.vars)?.clone();
        days.insert(day);
        let total = days.len() as i64;
        turn.set(self.slots.days, Value::Days(days))?;
        turn.set(self.slots.total, Value::Int(total))?;
        turn.set(self.slots.length, Value::Int(self.current(turn)?))?;

        for promise in &self.params.each_day {
            turn.give(promise.rule, promise.reward, Period::Day(day), 1)?;
        }
        self.draw_each(turn, |due| due == Due::EachDay)?;
        // A gift of a date is for being there on it.
        if !late {
            for (_, promise) in self.params.dates.iter().filter(|(date, _)| *date == day) {
                turn.give(promise.rule, promise.reward, Period::Day(day), 1)?;
            }
            self.draw_each(turn, |due| due == Due::Date(day))?;
        }
        for (length, promise) in &self.params.streak {
            let places = self.places(*length, day, turn)?;
            let look = turn.look();
            let kept = look.all_grants().filter_map(|grant| match grant.period {
                Period::Day(on) if grant.rule == promise.rule => Some(on),
                _ => None,
            });
            for on in self.open(&places, kept) {
                turn.give(promise.rule, promise.reward, Period::Day(on), 1)?;
            }
        }
        self.draw_for_row(day, turn)?;
        for (_, promise) in self
            .params
            .total
            .iter()
            .filter(|(days, _)| i64::from(*days) <= total)
        {
            turn.give(promise.rule, promise.reward, Period::Ever, 1)?;
        }
        self.draw_each(
            turn,
            |due| matches!(due, Due::Total(days) if i64::from(days) == total),
        )
    }

    /// Where the run around `day` reaches so many days in a row, and where it did before `day` was signed.
    fn places(&self, length: u32, day: Day, turn: &Turn<'_>) -> Result<Places, Fault> {
        let course = self.course(turn.campaign, &turn.core.vars)?;
        // A make-up that makes a run begin earlier moves where its cycles begin, so the places at which an earlier sign-in
        // kept the promise need not be the places at which it is due now. What counts is how often.
        let first = course.first_of_run(day);
        let mut run = vec![first];
        let mut at = course.after(first);
        while course.signed.contains(at) {
            run.push(at);
            at = course.after(at);
        }
        let last = run.last().copied().unwrap_or(first);
        let (until, since) = run.split_at(run.partition_point(|on| *on < day));
        let since = since.get(1..).unwrap_or(&[]);
        // Unless it was saved, the day that is signed now parted the days before it from those after it.
        let noted =
            |slot| Self::noted(slot, &turn.core.vars).is_some_and(|days| days.contains(day));
        let before = if noted(self.slots.forgiven) || noted(self.slots.frozen) {
            self.due(length, until.iter().chain(since))
        } else {
            let mut before = self.due(length, until.iter());
            before.extend(self.due(length, since.iter()));
            before
        };
        Ok(Places {
            due: self.due(length, run.iter()),
            before,
            signed: day,
            first,
            last,
        })
    }

    /// The places of one run at which a promise for so many days is due.
    fn due<'a>(&self, length: u32, run: impl Iterator<Item = &'a Day>) -> Vec<(Day, i32)> {
        let cycle = self.params.cycle;
        let mut due = Vec::new();
        let mut number = 0;
        let mut before = None;
        for (place, at) in (0..).zip(run.copied()) {
            if cycle.begins(place, at, before.unwrap_or(at)) {
                number = 0;
            }
            number += 1;
            if number == length {
                due.push((at, cycle.part(at)));
            }
            before = Some(at);
        }
        due
    }

    /// At which of the places the promise is still to be kept, where it was kept on these days: no more of them than this
    /// sign-in has added, and none before it. What an earlier one left open stays so: nothing was left then, or a revision has
    /// brought the promise since.
    fn open(&self, places: &Places, kept: impl Iterator<Item = Day>) -> Vec<Day> {
        if places.due.is_empty() {
            return Vec::new();
        }
        let cycle = self.params.cycle;
        let kept: Vec<(Day, i32)> = kept
            .filter(|on| (places.first..=places.last).contains(on))
            .map(|on| (on, cycle.part(on)))
            .collect();
        // The latest of the open places first: that is the one this sign-in has reached.
        let mut open: Vec<(Day, i32)> = Vec::new();
        let reached = places.due.iter().rev();
        for (on, part) in reached.take_while(|(on, _)| *on >= places.signed) {
            let due = within(&places.due, *part);
            let still = due.saturating_sub(within(&kept, *part));
            let added = due.saturating_sub(within(&places.before, *part));
            if within(&open, *part) < still.min(added)
                && !kept.iter().any(|(kept_on, _)| kept_on == on)
            {
                open.push((*on, *part));
            }
        }
        open.iter().rev().map(|(on, _)| *on).collect()
    }

    /// Draws the lots that are due, each once.
    fn draw_each(&self, turn: &mut Turn<'_>, is_due: impl Fn(Due) -> bool) -> Result<(), Fault> {
        for place in 0..self.params.lots.len() {
            if self
                .params
                .lots
                .get(place)
                .is_some_and(|lot| is_due(lot.due))
            {
                self.draw(place, turn)?;
            }
        }
        Ok(())
    }

    /// Draws the lots that the run around `day` has made due. A draw that gave nothing was made all the same, so that the days
    /// it was made for stand in the record and not only in what was given.
    fn draw_for_row(&self, day: Day, turn: &mut Turn<'_>) -> Result<(), Fault> {
        for (place, lot) in self.params.lots.iter().enumerate() {
            let slot = self.slots.drawn.get(place).copied().flatten();
            let (Due::Streak(length), Some(slot)) = (lot.due, slot) else {
                continue;
            };
            let Some(Value::Days(mut drawn)) = turn.core.vars.get(usize::from(slot)).cloned()
            else {
                return Err(Fault::Mismatch("the days of a draw are missing"));
            };
            let places = self.places(length, day, turn)?;
            for on in self.open(&places, drawn.clone().iter()) {
                drawn.insert(on);
                self.draw(place, turn)?;
            }
            turn.set(slot, Value::Days(drawn))?;
        }
        Ok(())
    }

    fn draw(&self, place: usize, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let (Some(lot), Some(purpose)) = (self.params.lots.get(place), self.purposes.get(place))
        else {
            return Ok(());
        };
        let (index, mut luck) = turn.draw(purpose)?;
        let (rolled, hit) = lot.odds.roll(&mut luck);
        turn.settle_draw(Drawing {
            index,
            purpose: purpose.clone(),
            rolled,
            hit,
            misses: 0,
            tier: None,
            counts: false,
            made: None,
        })?;
        Ok(())
    }

    /// The days as they are, of a record.
    pub(super) fn signed<'a>(&self, vars: &'a [Value]) -> Result<&'a Days, Fault> {
        match vars.get(usize::from(self.slots.days)) {
            Some(Value::Days(days)) => Ok(days),
            _ => Err(Fault::Mismatch("the signed days are missing")),
        }
    }
}
