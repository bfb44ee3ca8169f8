//! The sections of a campaign's file, one file each: their keys, and how each becomes a part of the definition.
//!
//! Sections read the tables that earlier ones filled, in the order of [`crate::check`]. None stops at an error: what
//! can't be read is left out, so that one check finds everything.

pub(crate) mod audience;
pub(crate) mod budget;
pub(crate) mod buy;
pub(crate) mod chances;
pub(crate) mod context;
pub(crate) mod earn;
pub(crate) mod events;
pub(crate) mod expected;
pub(crate) mod facts;
pub(crate) mod give;
pub(crate) mod head;
pub(crate) mod limits;
pub(crate) mod measured;
pub(crate) mod messages;
pub(crate) mod moved;
pub(crate) mod pack;
pub(crate) mod pool;
pub(crate) mod posters;
pub(crate) mod raffle;
pub(crate) mod redeem;
pub(crate) mod release;
pub(crate) mod rewards;
mod schema;
pub(crate) mod streak;
pub(crate) mod tasks;
pub(crate) mod team;
pub(crate) mod wheel;
pub(crate) mod window;

use crate::document::{Key, Keys, Shape};

pub use schema::schema;

/// The keys of a campaign's file, in the order people should write them.
pub static KEYS: Keys = Keys {
    name: "campaign",
    doc: "A campaign.",
    keys: &[
        Key::required("activity", Shape::Id, "The activity it is a campaign of."),
        Key::optional(
            "edition",
            Shape::Int(1, 1_000_000),
            "Its edition, from 1: another edition is another campaign, with records, stock and draws of its own.",
        ),
        Key::required("title", Shape::Text, "Its title, shown to users."),
        Key::optional(
            "organizer",
            Shape::Text,
            "Who runs it, shown to users; the tenant's organizer unless said.",
        ),
        Key::optional(
            "rules",
            Shape::String,
            "The file with its rules, from the tenant's folder: `rules/wheel.{lang}.md` is one file per language. Placeholders in it (`{{ odds.coupon }}`) are filled from here.",
        ),
        Key::optional(
            "timezone",
            Shape::Timezone,
            "The timezone of all times and days here; the tenant's unless said.",
        ),
        Key::required("opens", Shape::DateTime, "The first instant of play."),
        Key::required("closes", Shape::DateTime, "The first instant after play."),
        Key::optional(
            "claim_until",
            Shape::DateTime,
            "The first instant after claims; `closes` unless said.",
        ),
        Key::optional(
            "day_starts",
            Shape::Clock,
            "When a day begins, by the clock on the wall; `00:00` unless said.",
        ),
        Key::optional(
            "skip_days",
            Shape::List(&Shape::Date),
            "Days that neither break a streak nor count.",
        ),
        Key::optional(
            "testers",
            Shape::List(&Shape::Keys(&audience::ITEM)),
            "Who may play in the test lane before it opens.",
        ),
        Key::optional(
            "audience",
            Shape::Keys(&audience::KEYS),
            "Who may take part; everybody unless said.",
        ),
        Key::optional(
            "facts",
            Shape::MapOf(&facts::SHAPE),
            "What is found out about a user before a step, by name: `facts.<name>` in expressions.",
        ),
        Key::optional(
            "rewards",
            Shape::MapOf(&Shape::Keys(&rewards::KEYS)),
            "What can be given, by id: what it is, how many there are, what it costs, how likely it is.",
        ),
        Key::optional(
            "when_gone",
            Shape::MapOf(&Shape::Id),
            "Which reward stands in for one that is gone.",
        ),
        Key::optional(
            "pity",
            Shape::Keys(&wheel::PITY),
            "What a run of bad luck gives in the end.",
        ),
        Key::optional(
            "tiers",
            Shape::List(&Shape::Keys(&wheel::tiers::KEYS)),
            "Other odds for the first draws of each participant; the rewards' own hold after them.",
        ),
        Key::optional(
            "draws",
            Shape::Keys(&wheel::draws::KEYS),
            "Drawing several times at once, and how often one may draw.",
        ),
        Key::optional(
            "look",
            wheel::picture::SHAPE,
            "What a draw looks like: `wheel`, `scratch-card`, `egg`, `nine-grid`, or that with its pictures.",
        ),
        Key::optional("chances", Shape::Keys(&chances::KEYS), "Spendable entries."),
        Key::optional(
            "earn",
            Shape::MapOf(&Shape::MapOf(&Shape::Any)),
            "Events that earn chances or another balance.",
        ),
        Key::optional(
            "buy",
            Shape::Keys(&buy::KEYS),
            "Chances for points, with the event `buy-chance`.",
        ),
        Key::optional(
            "tasks",
            Shape::MapOf(&Shape::Keys(&tasks::KEYS)),
            "Things to do that earn something, by id, in the order shown.",
        ),
        Key::optional(
            "streak",
            Shape::Keys(&streak::KEYS),
            "How days in a row are counted.",
        ),
        Key::optional(
            "give",
            Shape::Keys(&give::KEYS),
            "What days give: each day, days in a row, days in all, dates.",
        ),
        Key::optional(
            "day_counts",
            Shape::Keys(&measured::KEYS),
            "What must come together on a day for it to count; it is signed by itself then.",
        ),
        Key::optional(
            "team",
            Shape::Keys(&team::KEYS),
            "Members who sign in together: those with the same value of a claim.",
        ),
        Key::optional(
            "pack",
            pack::PACK,
            "The rewards that are given together, all or none: a list of them, `all`, or a map with what is chosen, in stages, or in windows of the day.",
        ),
        Key::optional(
            "raffle",
            Shape::Keys(&raffle::KEYS),
            "A draw at a set time from all who entered.",
        ),
        Key::optional(
            "redeem",
            Shape::Keys(&redeem::KEYS),
            "Codes that users type in, and what they give.",
        ),
        Key::optional(
            "budget",
            Shape::Keys(&budget::KEYS),
            "The cap on the summed cost of what is given.",
        ),
        Key::optional(
            "expected",
            Shape::Keys(&expected::KEYS),
            "The traffic that it is planned for, for the check alone.",
        ),
        Key::optional(
            "durability",
            Shape::OneOf(&head::DURABILITIES),
            "What an answer promises about the store; `strict` where there is stock or a budget, else the tenant's.",
        ),
        Key::optional(
            "context",
            Shape::MapOf(&Shape::Either(&[Shape::Any, Shape::Keys(&context::KEYS)])),
            "Variables that are kept for each participant.",
        ),
        Key::optional(
            "events",
            Shape::MapOf(&Shape::Keys(&events::KEYS)),
            "Who may send which event, and what it carries.",
        ),
        Key::optional(
            "machine",
            Shape::Keys(&crate::machine::KEYS),
            "The states and transitions; the activity's default machine unless said.",
        ),
        Key::optional(
            "moves",
            Shape::MapOf(&Shape::String),
            "States of earlier revisions, and the states that their participants move to.",
        ),
        Key::optional(
            "rules_moved",
            Shape::MapOf(&Shape::Id),
            "Rules of earlier revisions, and the rules that continue them: `{ team-streak-3: team-streak-4 }`.",
        ),
        Key::optional(
            "messages",
            Shape::MapOf(&Shape::Text),
            "What a rejection says to users, by its code.",
        ),
        Key::optional(
            "posters",
            Shape::MapOf(&Shape::Either(&[
                Shape::String,
                Shape::Keys(&posters::POSTER),
            ])),
            "Images that participants can share, by name: the template of each, and what is put into it.",
        ),
        Key::optional(
            "share",
            Shape::Keys(&posters::SHARE),
            "Where the code on a poster leads.",
        ),
    ],
};
