//! A pack in stages: some of it on the day of the first claim, which is day 1, more on later days. Days are calendar days of
//! the campaign, so that a stage opens as its day begins, whatever clocks do in between.

use machine::block::Look;
use machine::calendar::Day;
use machine::expr::Fault;
use machine::ids::Period;
use machine::step::{No, Rejection};
use machine::turn::Turn;
use machine::{Campaign, Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{ALREADY, CLAIMED, MORE, give_all};
use crate::promise::{Promise, shown};

/// The code for a stage whose day has not come.
pub const NOT_YET: &str = "stage-not-open";

/// The code for whom all stages are over, and at least one was not claimed on its day.
pub const MISSED: &str = "stage-missed";

/// The stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// By their days, which grow; the first is day 1.
    pub each: Vec<Stage>,
    /// Whether a stage can be claimed on its day only; else it waits.
    pub lost: bool,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// On which day: 1 is that of the first claim.
    pub day: u32,
    /// What it gives; at least one, all or none.
    pub gives: Vec<Promise>,
}

/// How a stage stands for a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It was claimed.
    Claimed,
    /// It can be claimed.
    Open,
    /// Its day is to come; none: nobody knows which, before the first claim.
    Ahead(Option<Day>),
    /// Its day is over, and it does not wait.
    Missed,
}

impl Stages {
    /// The day of the first claim: that of the oldest grant of any stage.
    fn first_day(&self, look: &Look<'_>) -> Option<Day> {
        let of_a_stage = look
            .all_grants()
            .filter(|grant| self.each.iter().any(|stage| stage.has(grant.rule)));
        of_a_stage
            .map(|grant| look.campaign.calendar.day(grant.at))
            .min()
    }

    fn standing(&self, stage: &Stage, first: Option<Day>, look: &Look<'_>) -> Standing {
        if look.all_grants().any(|grant| stage.has(grant.rule)) {
            return Standing::Claimed;
        }
        let after = Day::try_from(stage.day.saturating_sub(1)).unwrap_or(Day::MAX);
        let today = look.today();
        let Some(first) = first else {
            return if after == 0 {
                Standing::Open
            } else {
                Standing::Ahead(None)
            };
        };
        let due = first.saturating_add(after);
        if today < due {
            Standing::Ahead(Some(due))
        } else if today > due && self.lost {
            Standing::Missed
        } else {
            Standing::Open
        }
    }

    fn standings<'a>(
        &'a self,
        look: &'a Look<'_>,
    ) -> impl Iterator<Item = (&'a Stage, Standing)> + 'a {
        let first = self.first_day(look);
        self.each
            .iter()
            .map(move |stage| (stage, self.standing(stage, first, look)))
    }

    /// Whether nothing is left to claim, now or later.
    pub(super) fn is_over(&self, look: &Look<'_>) -> bool {
        self.standings(look)
            .all(|(_, standing)| matches!(standing, Standing::Claimed | Standing::Missed))
    }

    pub(super) fn hindrance(&self, look: &Look<'_>) -> Option<Rejection> {
        let (mut next, mut missed) = (None, false);
        for (_, standing) in self.standings(look) {
            match standing {
                Standing::Open => return None,
                Standing::Ahead(due) => next = next.or(due),
                Standing::Missed => missed = true,
                Standing::Claimed => {}
            }
        }
        Some(match next {
            Some(due) => Rejection::Later {
                code: NOT_YET.into(),
                next_at: Some(look.campaign.calendar.start_of(due)),
            },
            None if missed => Rejection::Custom(MISSED.into()),
            None => Rejection::Custom(ALREADY.into()),
        })
    }

    /// Claims the earliest stage that is open; none: something of it can't be had, and nobody is there to be told.
    pub(super) fn claim(&self, turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let open = {
            let look = turn.look();
            let mut standings = self.standings(&look);
            standings.position(|(_, standing)| standing == Standing::Open)
        };
        let Some(stage) = open.and_then(|at| self.each.get(at)) else {
            return Err(Fault::Mismatch("no stage is open").into());
        };
        if !give_all(&stage.gives, None, Period::Ever, turn)? {
            return Ok(None);
        }
        Ok(Some(if self.is_over(&turn.look()) {
            CLAIMED
        } else {
            MORE
        }))
    }

    pub(super) fn view(&self, look: &Look<'_>, language: &str) -> Json {
        let calendar = &look.campaign.calendar;
        let time = |at: Millis| calendar.rfc3339(at);
        self.standings(look)
            .map(|(stage, standing)| {
                let mut shown = stage.shown(look.campaign, language);
                shown["stage"] = json!(match standing {
                    Standing::Claimed => "claimed",
                    Standing::Open => "open",
                    Standing::Ahead(_) => "ahead",
                    Standing::Missed => "missed",
                });
                shown["opens_at"] = match standing {
                    Standing::Ahead(Some(due)) => json!(time(calendar.start_of(due))),
                    _ => Json::Null,
                };
                shown
            })
            .collect()
    }

    pub(super) fn public(&self, campaign: &Campaign, language: &str) -> Json {
        self.each
            .iter()
            .map(|stage| stage.shown(campaign, language))
            .collect()
    }
}

impl Stage {
    fn has(&self, rule: u16) -> bool {
        self.gives.iter().any(|promise| promise.rule == rule)
    }

    fn shown(&self, campaign: &Campaign, language: &str) -> Json {
        let gives: Json = self
            .gives
            .iter()
            .map(|promise| shown(campaign, promise.reward, language))
            .collect();
        json!({ "day": self.day, "gives": gives })
    }
}
