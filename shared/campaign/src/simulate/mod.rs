//! Forecasts: what a campaign will give, cost and refuse, played by invented people against the real step and the real
//! commit.
//!
//! A forecast is made of several runs. A run is one campaign from its first day to its last: everybody's visits in the
//! order of time, one after the other, since they share what is rare (stock, budgets) and who comes first gets it. So a
//! run is never split over threads; runs are made side by side instead, and the spread between them is the forecast's
//! range. Each follows from the plan and its number alone, so that the answer is the same, byte for byte, on however many
//! threads they are made, and in whatever order.
//!
//! This module makes single runs ([`Plan::run`]) and puts them together ([`Forecast::of`]); threads, clocks and files are
//! the caller's. Reading order: [`profile`] (what is assumed), `people`, `days`, `crowd` (who comes when), `desk` (the step
//! and the commit), `run`, [`tally`], [`forecast`]; beside it [`fit`].

mod codes;
mod crowd;
mod days;
mod desk;
mod dice;
pub mod fit;
pub mod forecast;
pub mod guests;
mod habits;
mod json;
mod people;
pub mod profile;
mod raffle;
mod run;
pub mod tally;

use machine::calendar::Day;
use machine::model::Definition;
use machine::world::Admin;

use self::days::Days;
use self::desk::Desk;
use self::run::Run;

pub use self::dice::Rate;
pub use self::forecast::{Band, Forecast};
pub use self::guests::Guests;
pub use self::profile::Profile;
pub use self::run::Witness;
pub use self::tally::Tally;

/// The most people of one forecast.
pub const MOST_USERS: u32 = 100_000_000;

/// The most days of one forecast.
pub const MOST_DAYS: u32 = 3660;

/// The most runs of one forecast.
pub const MOST_RUNS: u32 = 1000;

/// How many people take part where nobody says.
const USERS: u32 = 100_000;

/// How many days are played where nobody says, unless the window ends before.
const DAYS: u32 = 14;

/// What is asked for; what is not said is taken from the profile, or is as usual.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// How many people take part.
    pub users: Option<u32>,
    /// For how many days.
    pub days: Option<u32>,
    /// From which day on; without it from the opening.
    pub first: Option<Day>,
    /// What decides all chance.
    pub seed: u64,
    /// How many runs are made.
    pub runs: Option<u32>,
}

/// A forecast to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of what.
    pub definition: Definition,
    /// The assumptions.
    pub profile: Profile,
    /// How many people take part.
    pub users: u32,
    /// The first day.
    pub first: Day,
    /// How many days.
    pub days: u32,
    /// What decides all chance.
    pub seed: u64,
    /// How many runs are made.
    pub runs: u32,
}

/// Why there is nothing to forecast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The first day lies outside the window.
    #[error("the campaign is not open on {first}: it opens on {opens} and closes at {closes}")]
    NotOpen {
        /// The day asked for.
        first: String,
        /// The first instant of play.
        opens: String,
        /// The first instant after play.
        closes: String,
    },
    /// No day of the forecast has anybody coming.
    #[error(
        "nobody comes on the {0} days of the forecast: `arrivals` and `hours` leave them empty"
    )]
    NobodyComes(u32),
}

/// Why a run came to no end. None of these should ever be seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// The campaign can't be run.
    #[error("the campaign can't be run: {0}")]
    Campaign(String),
    /// The commit was refused for a reason that a run should never give.
    #[error("a commit was refused: {0}")]
    Refused(String),
    /// A record could not be packed, or not be unpacked again.
    #[error("a record could not be kept: {0}")]
    Record(String),
}

impl Plan {
    /// What is to be forecast: what is asked for, cut to the campaign's window.
    pub fn new(definition: Definition, profile: Profile, asked: &Asked) -> Result<Self, PlanError> {
        let calendar = &definition.calendar;
        let window = definition.window;
        let opening = calendar.day(window.opens);
        let last = calendar.day(window.closes.saturating_sub(1)).max(opening);
        let first = asked.first.unwrap_or(opening);
        if !(opening..=last).contains(&first) || window.closes <= window.opens {
            return Err(PlanError::NotOpen {
                first: machine::calendar::date(first).to_string(),
                opens: calendar.rfc3339(window.opens),
                closes: calendar.rfc3339(window.closes),
            });
        }
        let there = (last - first).unsigned_abs().saturating_add(1);
        let days = asked.days.or(profile.days).unwrap_or(DAYS);
        let users = asked.users.or(profile.users).unwrap_or(USERS);
        let plan = Self {
            users: users.clamp(1, MOST_USERS),
            first,
            days: days.clamp(1, MOST_DAYS).min(there),
            seed: asked.seed,
            runs: asked.runs.unwrap_or(runs_for(users)).clamp(1, MOST_RUNS),
            definition,
            profile,
        };
        let days = plan.days();
        let weights = plan.profile.arrivals.weights(days.played.len());
        let come = |(weight, day): (u64, &days::Played)| weight > 0 && day.is_open();
        if !weights.into_iter().zip(&days.played).any(come) {
            return Err(PlanError::NobodyComes(plan.days));
        }
        Ok(plan)
    }

    /// Makes one run, of `self.runs`, from 0. `a_day_is_over` is called once for each day of it.
    pub fn run(&self, number: u32, a_day_is_over: impl FnMut()) -> Result<Tally, SimulateError> {
        self.run_before(number, None, a_day_is_over)
    }

    /// As [`Self::run`], before a witness of every commit that comes true.
    pub fn run_before<'r>(
        &'r self,
        number: u32,
        witness: Witness<'r>,
        a_day_is_over: impl FnMut(),
    ) -> Result<Tally, SimulateError> {
        Run::new(self, number, witness)?.play(a_day_is_over)
    }

    /// What the world of every run begins with: for whoever replays what a witness saw.
    pub fn openings(&self) -> Vec<Admin> {
        Desk::openings(&self.definition)
    }

    /// The people of one run, from 0, for whoever has them call a server.
    ///
    /// # Errors
    /// The campaign can't be run.
    pub fn guests(&self, number: u32) -> Result<Guests, SimulateError> {
        Guests::new(self, number)
    }

    /// The days that are played.
    fn days(&self) -> Days {
        let definition = &self.definition;
        Days::new(
            &definition.calendar,
            &definition.window,
            self.first,
            self.days,
            &self.profile.hours,
        )
    }

    /// The seed of a run.
    fn seed_of(&self, number: u32) -> u64 {
        dice::Dice::of([self.seed, u64::from(number), 0x5eed, 0]).roll()
    }
}

/// How many runs are made where nobody says: enough for a range, and fewer of many people, who spread less.
fn runs_for(users: u32) -> u32 {
    const MOST: u32 = 20;
    const LEAST: u32 = 5;
    const PEOPLE: u32 = 2_000_000;
    (PEOPLE / users.max(1)).clamp(LEAST, MOST)
}
