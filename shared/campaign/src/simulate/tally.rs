//! What one run counted.

use std::collections::BTreeMap;

use machine::Millis;
use machine::ledger::Row;
use machine::model::Campaign;
use machine::participant::Participant;
use machine::world::{Commit, CounterKey, Left};

/// What one run counted. Rewards and states stand by their places in the campaign's tables, days by theirs in the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many people came.
    pub participants: u64,
    /// How many of them nothing was committed for: all they tried was refused.
    pub refused: u64,
    /// How often people came.
    pub visits: u64,
    /// How many came on each day, each visit counted.
    pub visits_by_day: Vec<u64>,
    /// How many came for the first time on each day.
    pub arrivals_by_day: Vec<u64>,
    /// How many steps were made, the rejected and the repeated ones too.
    pub steps: u64,
    /// How many commits came true.
    pub commits: u64,
    /// By reward.
    pub rewards: Vec<Given>,
    /// What was booked on each day, in minor units.
    pub cost_by_day: Vec<i64>,
    /// When somebody first went without because the budget was spent.
    pub budget_gone: Option<Millis>,
    /// On how many days somebody went without because that day's budget was spent.
    pub capped_days: u64,
    /// Rejections by code.
    pub rejections: BTreeMap<String, u64>,
    /// How many people ended in each state.
    pub states: Vec<u64>,
    /// How many people cost how much, in minor units.
    pub costs: BTreeMap<i64, u64>,
    /// By wheel, then by what days draw.
    pub draws: Vec<Drawn>,
    /// The last day, by its place, that was capped.
    last_capped: Option<usize>,
}

/// What became of a reward.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// How many were won.
    pub won: u64,
    /// How many on each day.
    pub by_day: Vec<u64>,
    /// When the last unit went.
    pub gone: Option<Millis>,
    /// On how many days somebody went without because none was to be had.
    pub short_days: u64,
    last_short: Option<usize>,
}

/// What a wheel turned up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Its name: what its draws are for.
    pub purpose: String,
    /// How many draws were made.
    pub made: u64,
    /// How many of them pity decided, without a roll.
    pub pity: u64,
    /// What rolls stood for, by reward; the last is for none.
    pub rolled: Vec<u64>,
    /// What was given in the end, by reward; the last is for none.
    pub given: Vec<u64>,
}

impl Tally {
    /// Nothing counted yet, over so many days.
    pub fn new(campaign: &Campaign, days: usize) -> Self {
        let rewards = campaign.rewards.len();
        let wheel = |spec: &&machine::model::BlockSpec| spec.kind == blocks::wheel::KIND;
        let lots = blocks::odds::lots(campaign.definition());
        Self {
            visits_by_day: vec![0; days],
            arrivals_by_day: vec![0; days],
            rewards: vec![
                Given {
                    by_day: vec![0; days],
                    ..Given::default()
                };
                rewards
            ],
            cost_by_day: vec![0; days],
            states: vec![0; campaign.machine.states.len()],
            draws: campaign
                .definition()
                .blocks
                .iter()
                .filter(wheel)
                .map(|spec| spec.name.to_string())
                .chain(lots.into_iter().map(|(purpose, _)| purpose))
                .map(|purpose| Drawn {
                    purpose,
                    rolled: vec![0; rewards + 1],
                    given: vec![0; rewards + 1],
                    ..Drawn::default()
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Counts what came true on the `day`-th day.
    pub fn committed(&mut self, commit: &Commit, campaign: &Campaign, day: usize) {
        for grant in &commit.grants {
            let place = usize::from(grant.reward);
            let (Some(reward), Some(given)) =
                (campaign.rewards.get(place), self.rewards.get_mut(place))
            else {
                continue;
            };
            given.won += 1;
            if reward
                .stock
                .is_some_and(|stock| given.won == u64::from(stock))
            {
                given.gone = Some(commit.at);
            }
            add(&mut given.by_day, day, 1);
            if let Some(cost) = self.cost_by_day.get_mut(day) {
                *cost = cost.saturating_add(reward.cost);
            }
        }
        for row in &commit.rows {
            let Row::Draw(draw) = row else { continue };
            let place = |id: &str| {
                let found = campaign.rewards.iter().position(|reward| *reward.id == *id);
                found.unwrap_or(campaign.rewards.len())
            };
            let Some(drawn) = self
                .draws
                .iter_mut()
                .find(|drawn| *drawn.purpose == *draw.purpose)
            else {
                continue;
            };
            drawn.made += 1;
            if draw.rolled.pity {
                drawn.pity += 1;
            } else {
                add(&mut drawn.rolled, place(&draw.rolled.reward), 1);
            }
            add(
                &mut drawn.given,
                draw.given.as_deref().map_or(campaign.rewards.len(), place),
                1,
            );
        }
    }

    /// Counts what somebody met that was gone.
    pub fn gone(&mut self, left: &[Left], campaign: &Campaign, now: Millis, day: usize) {
        for left in left {
            match &left.key {
                CounterKey::Stock(id) => {
                    let place = campaign.rewards.iter().position(|reward| reward.id == *id);
                    let given = place.and_then(|place| self.rewards.get_mut(place));
                    if let Some(given) = given.filter(|given| given.last_short != Some(day)) {
                        given.last_short = Some(day);
                        given.short_days += 1;
                    }
                }
                CounterKey::Budget => {
                    self.budget_gone.get_or_insert(now);
                }
                // Nobody stops anything in a forecast.
                // Whoever came too late for a window is told so: it is counted among the rejections.
                CounterKey::Stopped(_)
                | CounterKey::Quota(..)
                | CounterKey::Tally(..)
                | CounterKey::Code(_)
                | CounterKey::Entries(_) => {}
                CounterKey::BudgetDay(_) => {
                    if self.last_capped != Some(day) {
                        self.last_capped = Some(day);
                        self.capped_days += 1;
                    }
                }
            }
        }
    }

    /// Counts a rejection.
    pub fn rejected(&mut self, code: &str) {
        if let Some(count) = self.rejections.get_mut(code) {
            *count += 1;
        } else {
            self.rejections.insert(code.to_owned(), 1);
        }
    }

    /// Counts a visit on the `day`-th day.
    pub fn came(&mut self, day: usize, first: bool) {
        self.visits += 1;
        add(&mut self.visits_by_day, day, 1);
        if first {
            self.participants += 1;
            add(&mut self.arrivals_by_day, day, 1);
        }
    }

    /// Counts somebody who will not come again.
    pub fn left(&mut self, record: Option<&Participant>, campaign: &Campaign) {
        let mut cost = 0_i64;
        match record {
            None => self.refused += 1,
            Some(record) => {
                add(&mut self.states, usize::from(record.core.state), 1);
                for grant in &record.grants {
                    let reward = campaign.rewards.get(usize::from(grant.reward));
                    cost = cost.saturating_add(reward.map_or(0, |reward| reward.cost));
                }
            }
        }
        *self.costs.entry(cost).or_default() += 1;
    }

    /// What was booked in all, in minor units.
    pub fn cost(&self) -> i64 {
        self.cost_by_day
            .iter()
            .fold(0, |sum, cost| sum.saturating_add(*cost))
    }
}

fn add(counts: &mut [u64], place: usize, by: u64) {
    if let Some(count) = counts.get_mut(place) {
        *count += by;
    }
}
