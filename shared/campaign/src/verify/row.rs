//! A row of the ledger as it is exported: one JSON object a line.

use chrono::DateTime;
use machine::Millis;
use machine::calendar::{Day, date};
use machine::ids::{CampaignKey, Pseudonym, hex};
use machine::ledger;
use machine::world::CounterKey;
use serde::{Deserialize, Serialize};

/// A row. Fields that a verification does not need are left out, and ignored where they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its number in the ledger of its campaign, edition and lane: from 0, without gaps.
    pub number: u64,
    /// The tenant's id.
    pub tenant: String,
    /// The campaign's id.
    pub campaign: String,
    /// The edition.
    pub edition: u32,
    /// `live` or `test`.
    pub lane: String,
    /// The revision that decided.
    pub revision: u32,
    /// The participant's pseudonym: 32 hexadecimal digits.
    pub user: String,
    /// When it was decided (RFC 3339): what of a stock that is released bit by bit was to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened: `"type": "draw"` with its details under `draw`, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum What {
    /// A reward was given.
    Grant {
        /// Its details.
        grant: Grant,
    },
    /// A draw was made.
    Draw {
        /// Its details.
        draw: Draw,
    },
    /// Somebody entered a draw.
    Entry {
        /// Its details.
        entry: Entry,
    },
    /// A draw was made from all who entered.
    Raffle {
        /// Its details.
        raffle: Raffle,
    },
    /// Anything else: counted, not looked at.
    #[serde(other)]
    Message,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Under which rule.
    pub rule: String,
    /// Which reward.
    pub reward: String,
    /// Within which period; `draw-17` for what draw 17 gave.
    pub period: String,
    /// How much.
    #[serde(default)]
    pub amount: i64,
}

/// An entry for a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which draw: the block's name.
    pub draw: String,
    /// Its number among the draw's entries, from 0 without gaps.
    pub number: u64,
}

/// A draw from a list of entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raffle {
    /// Which draw: the block's name.
    pub draw: String,
    /// How many entries there were.
    pub entries: u64,
    /// SHA-256 of the list of entries, in hexadecimal.
    pub sha256: String,
    /// What there was to win, in order.
    pub prizes: Vec<Prize>,
    /// How many alternates were to be drawn.
    pub alternates: u32,
    /// For how many seconds a prize can be claimed; none: it is given at once.
    #[serde(default)]
    pub claim_within_seconds: Option<i64>,
    /// The pseudonyms that were drawn, in order: the winners, then the alternates.
    pub order: Vec<String>,
}

/// A prize of a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prize {
    /// The reward.
    pub reward: String,
    /// How many win it.
    pub winners: u32,
}

impl Entry {
    /// An entry, as booked.
    pub fn of(row: &ledger::EntryRow) -> Self {
        Self {
            draw: row.draw.to_string(),
            // One without a number is found as a gap: no list is as long as this.
            number: row.number.unwrap_or(u64::MAX),
        }
    }
}

impl Raffle {
    /// A draw, as booked.
    pub fn of(row: &ledger::RaffleRow) -> Self {
        let prize = |(reward, winners): &(std::sync::Arc<str>, u32)| Prize {
            reward: reward.to_string(),
            winners: *winners,
        };
        Self {
            draw: row.draw.to_string(),
            entries: row.entries,
            sha256: hex(&row.sha256),
            prizes: row.prizes.iter().map(prize).collect(),
            alternates: row.alternates,
            claim_within_seconds: row.claim_within.map(|within| within / 1000),
            order: row.order.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The participant's draw index, from 0.
    pub index: u64,
    /// The wheel's name.
    pub purpose: String,
    /// The number that came up.
    pub pick: u64,
    /// Below what; 0 where pity decided without a roll.
    pub of: u64,
    /// The reward it stands for; empty for none.
    pub rolled: String,
    /// Whether pity decided.
    pub pity: bool,
    /// The pity count before this draw.
    pub misses: i64,
    /// What was given in the end; none: missed.
    pub given: Option<String>,
    /// Which counters had too little left: `stock/laptop`, `budget`, `budget/2026-12-01`.
    #[serde(default)]
    pub exhausted: Vec<String>,
    /// Which rewards this participant had had as often as `per_user` allows.
    #[serde(default)]
    pub had: Vec<String>,
    /// Which tier's odds it had, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u16>,
    /// The calendar day it counts on, where something is limited by the day or week: `2026-12-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Which rewards are not for this participant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
    /// How many draws the participant had made of this wheel before it; the index where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<u64>,
}

impl Draw {
    /// How many draws the participant had made of this wheel before it.
    pub(super) fn made(&self) -> u64 {
        self.made.unwrap_or(self.index)
    }

    /// The day it counts on; none where none is said, or none that can be read.
    pub(super) fn day(&self) -> Option<Day> {
        let day = self.day.as_deref()?.parse().ok()?;
        Some(machine::calendar::day_number(day))
    }
}

impl Row {
    /// A row of the ledger, as exported.
    pub fn of(
        number: u64,
        key: &CampaignKey,
        revision: u32,
        user: &Pseudonym,
        at: Millis,
        row: &ledger::Row,
    ) -> Self {
        let names = |names: &[std::sync::Arc<str>]| names.iter().map(ToString::to_string).collect();
        let what = match row {
            ledger::Row::Grant(grant) => What::Grant {
                grant: Grant {
                    rule: grant.rule.to_string(),
                    reward: grant.reward.to_string(),
                    period: grant.period.to_string(),
                    amount: grant.amount,
                },
            },
            ledger::Row::Draw(draw) => What::Draw {
                draw: Draw {
                    index: draw.index,
                    purpose: draw.purpose.to_string(),
                    pick: draw.rolled.pick,
                    of: draw.rolled.of,
                    rolled: draw.rolled.reward.to_string(),
                    pity: draw.rolled.pity,
                    misses: draw.misses,
                    given: draw.given.as_ref().map(ToString::to_string),
                    exhausted: draw.exhausted.iter().map(CounterKey::to_string).collect(),
                    had: names(&draw.had),
                    tier: draw.terms.tier,
                    day: draw.terms.day.map(|day| date(day).to_string()),
                    excluded: names(&draw.terms.excluded),
                    made: draw.terms.made,
                },
            },
            ledger::Row::Entry(entry) => What::Entry {
                entry: Entry::of(entry),
            },
            ledger::Row::Raffle(raffle) => What::Raffle {
                raffle: Raffle::of(raffle),
            },
            ledger::Row::Message(_) | ledger::Row::Hand(_) | ledger::Row::Amended(_) => {
                What::Message
            }
        };
        Self {
            number,
            tenant: key.tenant.to_string(),
            campaign: key.campaign.to_string(),
            edition: key.edition,
            lane: key.lane.to_string(),
            revision,
            user: user.to_string(),
            at: DateTime::from_timestamp_millis(at).map(|at| at.to_rfc3339()),
            what,
        }
    }
}

impl Row {
    /// When it was decided; none where that can't be read.
    pub(super) fn millis(&self) -> Option<Millis> {
        let at = DateTime::parse_from_rfc3339(self.at.as_deref()?).ok()?;
        Some(at.timestamp_millis())
    }
}
