//! What blocks add to a view, as the API's description says it: the blocks make these parts themselves, as JSON.
#![allow(
    dead_code,
    reason = "the shapes are read by the description alone; blocks write the JSON"
)]

use serde_json::Value as Json;
use utoipa::ToSchema;

/// The parts of a view that the campaign's blocks add, each where there is such a block.
#[derive(ToSchema)]
pub struct ViewParts {
    /// The days of signing in.
    #[schema(value_type = Option<Object>)]
    calendar: Option<Json>,
    /// Chances to draw.
    #[schema(value_type = Option<Object>)]
    chances: Option<Json>,
    /// The wheel with its prizes.
    #[schema(value_type = Option<Object>)]
    wheel: Option<Json>,
    /// The pack: what is in it, its choice, stages and windows.
    #[schema(value_type = Option<Object>)]
    pack: Option<Json>,
    /// The tasks, and how far this user is.
    #[schema(value_type = Option<Object>)]
    tasks: Option<Json>,
    /// The draw from entries.
    #[schema(value_type = Option<Object>)]
    raffle: Option<Json>,
    /// The user's team; absent where they are in none, or its tallies are not known.
    team: Option<TeamView>,
}

/// A team's days.
#[derive(ToSchema)]
pub struct TeamView {
    /// The day that `today` is about, `2026-11-28`.
    day: String,
    /// How many of the team signed in on it so far.
    today: u32,
    /// How many must, for the day to count.
    needs: u32,
    /// Whether it counts already.
    counts_today: bool,
    /// How many days in a row count, up to today or the day before.
    streak: u32,
    /// What the next length of the streak gives; null: nothing more.
    next: Option<TeamNext>,
}

/// What a team is on its way to.
#[derive(ToSchema)]
pub struct TeamNext {
    /// At so many days in a row.
    days: u32,
    /// The reward's id.
    reward: String,
    /// Its title in the caller's language.
    title: String,
}
