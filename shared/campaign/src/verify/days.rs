//! What is limited by the day or week: which day a draw counts on stands in its row.

use std::collections::BTreeMap;

use machine::calendar::{Day, HOUR_MS, day_number};
use machine::model::{Reward, Within};

use super::checks::Found;
use super::finding::Kind;
use super::row::Draw;
use super::{Player, Revision};

/// How far a day may seem to be ahead of a row's time in UTC: no timezone is further east, and no clock of ours further off.
const AHEAD_MS: i64 = 26 * HOUR_MS;

/// What is known of a participant's days.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// The day that was counted last.
    last: Option<Day>,
    /// The days on which draws gave each reward.
    given: BTreeMap<String, Vec<Day>>,
    /// How often each reward was given on a day that no row says.
    apart: BTreeMap<String, usize>,
    /// The days of each wheel's draws, and the revision they were last counted under.
    drawn: BTreeMap<String, (Vec<Day>, u32)>,
}

impl Days {
    /// Notes what was given apart from draws that say their day.
    pub fn apart(&mut self, reward: &str) {
        *self.apart.entry(reward.to_owned()).or_default() += 1;
    }

    /// Notes a draw.
    pub fn drew(&mut self, draw: &Draw, revision: u32) {
        match (draw.day(), &draw.given) {
            (None, Some(given)) => self.apart(given),
            (None, None) => {}
            (Some(day), given) => {
                self.last = self.last.max(Some(day));
                let of = self.drawn.entry(draw.purpose.clone()).or_default();
                of.0.push(day);
                of.1 = revision;
                if let Some(given) = given {
                    self.given.entry(given.clone()).or_default().push(day);
                }
            }
        }
    }

    /// Whether there is room for one more of a reward on a day; `apart`: what was given on a day that no row says counts where it may.
    fn has_room(&self, within: Within, day: Day, reward: &str, apart: bool) -> bool {
        let given = self.given.get(reward).map_or(&[][..], Vec::as_slice);
        let others = self.apart.get(reward).filter(|_| apart).copied();
        let others = std::iter::repeat_n(day, others.unwrap_or(0));
        !within.is_full(given.iter().copied().chain(others), day)
    }
}

impl Found<'_> {
    /// Whether a draw's day can be its own, what was had that often was, and nothing is beyond its limit. Where revisions differ in
    /// what a day is (`one_calendar`), days of one are not those of another, and only the rest is looked at.
    pub fn days(
        &mut self,
        draw: &Draw,
        revisions: &BTreeMap<u32, Revision>,
        player: &mut Player,
        one_calendar: bool,
    ) {
        let Some(revision) = revisions.get(&self.row.revision) else {
            return;
        };
        let day = draw.day();
        if draw.day.is_some() && day.is_none() {
            self.note(
                Kind::Day,
                format!("draw {}: its day can't be read", draw.index),
            );
        }
        if one_calendar {
            self.its_day(draw, day, player);
            self.had(draw, day, revision, player);
            self.beyond(draw, day, revision, player);
        }
        self.limit(draw, day, revisions, player, one_calendar);
    }

    fn its_day(&mut self, draw: &Draw, day: Option<Day>, player: &Player) {
        let Some(day) = day else { return };
        if player.days.last.is_some_and(|last| last > day) {
            self.note(
                Kind::Day,
                format!(
                    "draw {} counts on a day before the one before it",
                    draw.index
                ),
            );
        }
        let latest = self.row.millis().map(|at| at.saturating_add(AHEAD_MS));
        let latest = latest.and_then(chrono::DateTime::from_timestamp_millis);
        if latest.is_some_and(|latest| day > day_number(latest.date_naive())) {
            self.note(
                Kind::Day,
                format!("draw {} counts on a day that had not come", draw.index),
            );
        }
    }

    fn had(&mut self, draw: &Draw, day: Option<Day>, revision: &Revision, player: &Player) {
        for id in &draw.had {
            let Some((reward, within)) = limited(revision, id) else {
                continue;
            };
            let times = player.given.get(id).copied().unwrap_or(0);
            let in_all = reward.per_user.is_some_and(|most| times >= i64::from(most));
            let by_day = day.is_some_and(|day| !player.days.has_room(within, day, id, true));
            if !in_all && !by_day {
                let message = format!("`{id}` is said to be had, and was not had that often");
                self.note(Kind::Had, message);
            }
        }
    }

    fn beyond(&mut self, draw: &Draw, day: Option<Day>, revision: &Revision, player: &Player) {
        let limited = draw
            .given
            .as_deref()
            .and_then(|id| Some((id, limited(revision, id)?.1)));
        let Some((id, within)) = limited else { return };
        match day {
            None => self.note(
                Kind::Day,
                format!("draw {}: its day is missing", draw.index),
            ),
            Some(day) if !player.days.has_room(within, day, id, false) => {
                let message =
                    format!("`{id}` is given once more, beyond its `per_user` of a day or week");
                self.note(Kind::Had, message);
            }
            Some(_) => {}
        }
    }

    /// No draw beyond the wheel's own limit.
    fn limit(
        &mut self,
        draw: &Draw,
        day: Option<Day>,
        revisions: &BTreeMap<u32, Revision>,
        player: &mut Player,
        one_calendar: bool,
    ) {
        let wheel = |revision: &Revision| {
            let (_, params) = revision.wheels.get(&*draw.purpose)?;
            Some(params.at_most)
        };
        let Some(at_most) = revisions.get(&self.row.revision).and_then(wheel) else {
            return;
        };
        let drawn = player.days.drawn.entry(draw.purpose.clone()).or_default();
        // A revision in between that does not count them drops the count.
        let mut between = revisions.range(drawn.1.min(self.row.revision)..self.row.revision);
        if between.any(|(_, between)| wheel(between).is_none_or(|at_most| !at_most.counts())) {
            drawn.0.clear();
        }
        let within = Within {
            day: at_most.day,
            week: at_most.week,
        };
        let full = match day {
            None => at_most.counts(),
            Some(day) => one_calendar && within.is_full(drawn.0.iter().copied(), day),
        };
        let all = at_most
            .edition
            .is_some_and(|most| draw.made() >= u64::from(most));
        if full || all {
            let message = format!("draw {} is one more than may be made", draw.index);
            self.note(Kind::Limit, message);
        }
    }
}

/// A reward that is limited by the day or week, and how.
fn limited<'r>(revision: &'r Revision, id: &str) -> Option<(&'r Reward, Within)> {
    let mut rewards = revision.campaign.definition().rewards.iter();
    let reward = rewards.find(|reward| *reward.id == *id)?;
    Some((reward, reward.within?))
}
