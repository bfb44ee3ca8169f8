//! Runs put together: what is likely, and between what.

use std::collections::{BTreeMap, BTreeSet};

use blocks::{odds, wheel};
use machine::Millis;
use machine::calendar::Day;
use machine::model::{Definition, RewardKind};
use machine::text::Text;

use super::Plan;
use super::tally::{Drawn, Given, Tally};

/// What a figure is in the middle run, and between what it lies in nine of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band<T> {
    /// In one run of twenty it is less.
    pub low: T,
    /// In half of them it is less.
    pub mid: T,
    /// In one run of twenty it is more.
    pub high: T,
}

impl<T: Ord + Copy + Default> Band<T> {
    /// The 5th, 50th and 95th percentile by nearest rank; of none, nothing.
    pub fn of(mut figures: Vec<T>) -> Self {
        figures.sort_unstable();
        let at = |percent: usize| {
            let rank = (figures.len() * percent).div_ceil(100);
            figures
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or_default()
        };
        Self {
            low: at(5),
            mid: at(50),
            high: at(95),
        }
    }
}

/// When something is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// In how many runs it was gone before the end.
    pub runs: u32,
    /// When, in those runs; none if it never was.
    pub at: Option<Band<Millis>>,
}

impl Gone {
    fn of(at: Vec<Option<Millis>>) -> Self {
        let at: Vec<Millis> = at.into_iter().flatten().collect();
        Self {
            runs: at.len() as u32,
            at: (!at.is_empty()).then(|| Band::of(at)),
        }
    }
}

/// A reward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reward {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Text,
    /// What it is.
    pub kind: RewardKind,
    /// How many units there are; none: without limit.
    pub stock: Option<u32>,
    /// Whether they are set free bit by bit.
    pub released: bool,
    /// How many are won.
    pub won: Band<u64>,
    /// How many are left at the end.
    pub left: Option<Band<u64>>,
    /// How many are left after each day.
    pub left_by_day: Vec<Band<u64>>,
    /// What they cost, in minor units.
    pub cost: Band<i64>,
    /// When the last unit goes.
    pub gone: Gone,
    /// On how many days somebody goes without because none is to be had.
    pub short_days: Band<u64>,
}

/// The budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// In all, in minor units.
    pub total: i64,
    /// On one day.
    pub per_day: Option<i64>,
    /// When somebody first goes without because all of it is spent.
    pub gone: Gone,
    /// On how many days somebody goes without because the day's is.
    pub capped_days: Band<u64>,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfDay {
    /// Which.
    pub day: Day,
    /// How many come for the first time.
    pub arrivals: Band<u64>,
    /// How many visits there are.
    pub visits: Band<u64>,
    /// What is booked, in minor units.
    pub cost: Band<i64>,
    /// What is booked on it and all days before.
    pub cost_so_far: Band<i64>,
}

/// A wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// Its name.
    pub name: String,
    /// How many draws are made.
    pub made: Band<u64>,
    /// How many of them pity decides.
    pub pity: Band<u64>,
    /// How many rolls were made in all runs together.
    pub rolls: u64,
    /// How many draws were made in all runs together.
    pub draws: u64,
    /// What it can turn up.
    pub slices: Vec<Slice>,
}

/// What a wheel can turn up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The reward; none where the roll stands for nothing.
    pub reward: Option<String>,
    /// The odds' parts.
    pub parts: u64,
    /// Of how many.
    pub of: u64,
    /// How often it was rolled, in all runs together.
    pub rolled: u64,
    /// How often it was given by a draw, pity and what stands in for something else included.
    pub given: u64,
}

/// What people cost, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerPerson {
    /// All cost by all people, rounded down.
    pub mean: i64,
    /// Half of the people cost no more.
    pub p50: i64,
    /// 99 of 100 people cost no more.
    pub p99: i64,
    /// The dearest person of all runs.
    pub most: i64,
}

/// A forecast.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// What was asked.
    pub plan: Plan,
    /// The first instant that was played.
    pub from: Millis,
    /// The first that was not.
    pub until: Millis,
    /// How many people come.
    pub participants: Band<u64>,
    /// How many of them come to nothing: all they try is refused.
    pub refused: Band<u64>,
    /// How often they come.
    pub visits: Band<u64>,
    /// The rewards, in the order of the file, what gives nothing left out.
    pub rewards: Vec<Reward>,
    /// The budget, if there is one.
    pub budget: Option<Budget>,
    /// What all costs, in minor units.
    pub cost: Band<i64>,
    /// What a person costs.
    pub per_person: PerPerson,
    /// The days.
    pub days: Vec<OfDay>,
    /// Rejections by code, the most frequent first.
    pub rejections: Vec<(String, Band<u64>)>,
    /// How many people end in each state.
    pub states: Vec<(String, Band<u64>)>,
    /// The wheels.
    pub wheels: Vec<Wheel>,
    /// How many steps were made in all runs together.
    pub steps: u64,
    /// How many commits came true in all runs together.
    pub commits: u64,
}

impl Forecast {
    /// Puts the runs of a plan together, given in their order.
    pub fn of(plan: &Plan, runs: &[Tally]) -> Self {
        let days = plan.days();
        let definition = &plan.definition;
        let count = |figure: &dyn Fn(&Tally) -> u64| Band::of(runs.iter().map(figure).collect());
        let rewards = definition.rewards.iter().enumerate();
        let rewards = rewards.filter(|(_, reward)| reward.kind != RewardKind::Nothing);
        let numbered = || days.played.iter().enumerate();
        Self {
            from: days.from,
            until: days.until,
            participants: count(&|run| run.participants),
            refused: count(&|run| run.refused),
            visits: count(&|run| run.visits),
            rewards: rewards
                .map(|(place, _)| reward(definition, place, runs, days.played.len()))
                .collect(),
            budget: definition.budget.as_ref().map(|budget| Budget {
                total: budget.total,
                per_day: budget.per_day,
                gone: Gone::of(runs.iter().map(|run| run.budget_gone).collect()),
                capped_days: count(&|run| run.capped_days),
            }),
            cost: Band::of(runs.iter().map(Tally::cost).collect()),
            per_person: per_person(runs),
            days: numbered()
                .map(|(place, played)| of_day(played.day, place, runs))
                .collect(),
            rejections: rejections(runs),
            states: states(definition, runs),
            wheels: wheels(definition, runs),
            steps: runs.iter().map(|run| run.steps).sum(),
            commits: runs.iter().map(|run| run.commits).sum(),
            plan: plan.clone(),
        }
    }
}

fn reward(definition: &Definition, place: usize, runs: &[Tally], days: usize) -> Reward {
    let nothing = Given::default();
    let given = |run: &Tally| {
        run.rewards
            .get(place)
            .cloned()
            .unwrap_or_else(|| nothing.clone())
    };
    let given: Vec<Given> = runs.iter().map(given).collect();
    let count = |figure: &dyn Fn(&Given) -> u64| Band::of(given.iter().map(figure).collect());
    let Some(reward) = definition.rewards.get(place) else {
        return Reward {
            id: String::new(),
            title: Text::default(),
            kind: RewardKind::Nothing,
            stock: None,
            released: false,
            won: count(&|_| 0),
            left: None,
            left_by_day: Vec::new(),
            cost: Band::of(Vec::new()),
            gone: Gone::of(Vec::new()),
            short_days: count(&|_| 0),
        };
    };
    let stock = reward.stock.map(u64::from);
    let left = |won: u64| stock.unwrap_or(0).saturating_sub(won);
    let left_by_day = stock.map(|_| {
        (0..days)
            .map(|day| count(&|given| left(given.by_day.iter().take(day + 1).sum())))
            .collect()
    });
    Reward {
        id: reward.id.to_string(),
        title: reward.title.clone(),
        kind: reward.kind,
        stock: reward.stock,
        released: reward.release.is_some(),
        won: count(&|given| given.won),
        left: stock.map(|_| count(&|given| left(given.won))),
        left_by_day: left_by_day.unwrap_or_default(),
        cost: Band::of(
            given
                .iter()
                .map(|given| reward.cost.saturating_mul(given.won as i64))
                .collect(),
        ),
        gone: Gone::of(given.iter().map(|given| given.gone).collect()),
        short_days: count(&|given| given.short_days),
    }
}

fn of_day(day: Day, place: usize, runs: &[Tally]) -> OfDay {
    let at = |counts: &[u64]| counts.get(place).copied().unwrap_or(0);
    let so_far = |run: &Tally| run.cost_by_day.iter().take(place + 1).sum();
    OfDay {
        day,
        arrivals: Band::of(runs.iter().map(|run| at(&run.arrivals_by_day)).collect()),
        visits: Band::of(runs.iter().map(|run| at(&run.visits_by_day)).collect()),
        cost: Band::of(
            runs.iter()
                .map(|run| run.cost_by_day.get(place).copied().unwrap_or(0))
                .collect(),
        ),
        cost_so_far: Band::of(runs.iter().map(so_far).collect()),
    }
}

fn per_person(runs: &[Tally]) -> PerPerson {
    let mut people: BTreeMap<i64, u64> = BTreeMap::new();
    for (cost, count) in runs.iter().flat_map(|run| &run.costs) {
        *people.entry(*cost).or_default() += count;
    }
    let all: u64 = people.values().sum();
    let sum: i128 = people
        .iter()
        .map(|(cost, count)| i128::from(*cost) * i128::from(*count))
        .sum();
    let at = |percent: u64| {
        let rank = (u128::from(all) * u128::from(percent)).div_ceil(100);
        let mut seen = 0_u128;
        let found = people.iter().find(|(_, count)| {
            seen += u128::from(**count);
            seen >= rank
        });
        found.map_or(0, |(cost, _)| *cost)
    };
    PerPerson {
        mean: i64::try_from(sum / i128::from(all.max(1))).unwrap_or(i64::MAX),
        p50: at(50),
        p99: at(99),
        most: people.last_key_value().map_or(0, |(cost, _)| *cost),
    }
}

fn rejections(runs: &[Tally]) -> Vec<(String, Band<u64>)> {
    let codes: BTreeSet<&String> = runs.iter().flat_map(|run| run.rejections.keys()).collect();
    let count = |code: &String, run: &Tally| run.rejections.get(code).copied().unwrap_or(0);
    let mut found: Vec<(String, Band<u64>)> = codes
        .into_iter()
        .map(|code| {
            (
                code.clone(),
                Band::of(runs.iter().map(|run| count(code, run)).collect()),
            )
        })
        .collect();
    found.sort_by_key(|(_, band)| std::cmp::Reverse((band.mid, band.high)));
    found
}

fn states(definition: &Definition, runs: &[Tally]) -> Vec<(String, Band<u64>)> {
    let states = definition.machine.states.iter().enumerate();
    let count = |place: usize, run: &Tally| run.states.get(place).copied().unwrap_or(0);
    states
        .map(|(place, state)| {
            let band = Band::of(runs.iter().map(|run| count(place, run)).collect());
            (state.name.to_string(), band)
        })
        .collect()
}

fn wheels(definition: &Definition, runs: &[Tally]) -> Vec<Wheel> {
    let wheels = definition
        .blocks
        .iter()
        .filter(|spec| spec.kind == wheel::KIND);
    // A definition that was linked has parameters that can be read.
    let wheels = wheels.map(|spec| {
        let params: Option<wheel::Params> = serde_json::from_str(&spec.params).ok();
        (spec.name.to_string(), params)
    });
    let lots = odds::lots(definition).into_iter();
    let lots = lots.map(|(purpose, odds)| (purpose, Some(odds.wheel())));
    wheels
        .chain(lots)
        .enumerate()
        .filter_map(|(place, (name, params))| {
            let params = params?;
            let drawn: Vec<&Drawn> = runs.iter().filter_map(|run| run.draws.get(place)).collect();
            Some(Wheel {
                name,
                made: Band::of(drawn.iter().map(|drawn| drawn.made).collect()),
                pity: Band::of(drawn.iter().map(|drawn| drawn.pity).collect()),
                rolls: drawn
                    .iter()
                    .map(|drawn| drawn.rolled.iter().sum::<u64>())
                    .sum(),
                draws: drawn.iter().map(|drawn| drawn.made).sum(),
                slices: slices(definition, &params, &drawn),
            })
        })
        .collect()
}

fn slices(definition: &Definition, params: &wheel::Params, drawn: &[&Drawn]) -> Vec<Slice> {
    let none = definition.rewards.len();
    let sum = |place: usize, of: &dyn Fn(&Drawn) -> &Vec<u64>| {
        drawn
            .iter()
            .map(|drawn| of(drawn).get(place).copied().unwrap_or(0))
            .sum()
    };
    let rest = (params.rest, params.odds().left());
    let all = params
        .slices
        .iter()
        .map(|slice| (Some(slice.reward), slice.parts));
    let all = all.chain((rest.1 > 0 || rest.0.is_some()).then_some(rest));
    // What only the first draws may come up with has no parts after them.
    let first = params.tiers.iter().flat_map(|tier| {
        tier.odds()
            .parts()
            .map(|(reward, _)| reward)
            .collect::<Vec<_>>()
    });
    let known: BTreeSet<u16> = params
        .slices
        .iter()
        .map(|slice| slice.reward)
        .chain(params.rest)
        .collect();
    let first: BTreeSet<u16> = first.filter(|reward| !known.contains(reward)).collect();
    let all = all.chain(first.into_iter().map(|reward| (Some(reward), 0)));
    all.map(|(reward, parts)| {
        let place = reward.map_or(none, usize::from);
        let found = definition.rewards.get(place);
        // A reward that gives nothing is given by nobody: a draw that ends there has none.
        let blank = found.is_none_or(|reward| reward.kind == RewardKind::Nothing);
        Slice {
            reward: found.map(|reward| reward.id.to_string()),
            parts,
            of: params.whole,
            rolled: sum(place, &|drawn| &drawn.rolled),
            given: sum(if blank { none } else { place }, &|drawn| &drawn.given),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_by_nearest_rank() {
        let rows: [(Vec<u64>, (u64, u64, u64)); 4] = [
            (vec![], (0, 0, 0)),
            (vec![7], (7, 7, 7)),
            ((1..=20).collect(), (1, 10, 19)),
            ((1..=100).rev().collect(), (5, 50, 95)),
        ];
        for (figures, (low, mid, high)) in rows {
            assert_eq!(Band::of(figures), Band { low, mid, high });
        }
    }
}
