//! What a user's team is known to have done, where there is no store to ask: in stories and forecasts, from the world itself.

use std::sync::Arc;

use blocks::team::{LATE_DAYS, Params};
use machine::facts::Tallies;
use machine::input::{Known, User};
use machine::model::{Definition, TeamFact};
use machine::world::{CounterKey, LaneWorld};
use machine::{Day, Millis};

/// The tallies of a user's team at `now`, `others` of whose members sign in on a day beside those of this world.
pub(crate) fn tallies(
    lane: Option<&LaneWorld>,
    campaign: &Definition,
    fact: &TeamFact,
    user: &User,
    now: Millis,
    others: &dyn Fn(Day) -> u32,
) -> Known {
    let Some(name) = fact.of(&campaign.claims, user) else {
        return Known::Unknown;
    };
    let team: Arc<str> = name.clone();
    let calendar = &campaign.calendar;
    let today = calendar.day(now);
    let opens = calendar.day(campaign.window.opens);
    let first = Params::first_day(fact.longest + LATE_DAYS, today, calendar, opens);
    let count = |day: Day| {
        let counter =
            lane.and_then(|lane| lane.counters.get(&CounterKey::Tally(team.clone(), day)));
        let own = counter.map_or(0, |counter| counter.issued);
        others(day).saturating_add(u32::try_from(own).unwrap_or(u32::MAX))
    };
    Known::Tallies(Tallies {
        first,
        counts: (first..=today).map(count).collect(),
        known: true,
        team,
    })
}
