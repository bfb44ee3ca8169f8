//! Who comes when, and on which journey: one arrival after another, from their numbers alone. Users are numbers; nothing is kept of any.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::arrivals::Schedule;
use crate::engine::chance::{Dice, Shuffle, Zipf};
use crate::scenario::{Picked, Population, Scenario};

/// What chance is asked for; each its own stream.
pub mod purpose {
    /// Which journey an arrival takes.
    pub const JOURNEY: u64 = 1;
    /// Which user takes it.
    pub const USER: u64 = 2;
    /// How users are shuffled.
    pub const SHUFFLE: u64 = 3;
    /// What happens on a journey.
    pub const WAY: u64 = 4;
    /// Random texts of payloads.
    pub const TEXT: u64 = 5;
}

/// Somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number among all arrivals of the scenario, those of earlier runs included.
    pub number: u64,
    /// When it is due, since the run's beginning.
    pub due: Duration,
    /// Which journey.
    pub journey: usize,
    /// Which user.
    pub user: u64,
}

/// Those who are picked alike: people, or bots.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// The number of the first.
    first: u64,
    size: u64,
    shuffle: Shuffle,
    zipf: Option<Zipf>,
    /// How many of their arrivals there were.
    came: u64,
}

impl Group {
    fn new(first: u64, size: u64, picked: Picked, seed: u64, came: u64) -> Self {
        let seed = Dice::of(seed, purpose::SHUFFLE, first).bits();
        let zipf = match picked {
            Picked::Zipf(exponent) => Some(Zipf::new(size, exponent)),
            Picked::InTurn | Picked::Evenly => None,
        };
        Self {
            first,
            size,
            shuffle: Shuffle::new(size, seed),
            zipf,
            came,
        }
    }

    fn pick(&self, picked: Picked, seed: u64, number: u64) -> u64 {
        let mut dice = Dice::of(seed, purpose::USER, number);
        let at = match (picked, &self.zipf) {
            (Picked::InTurn, _) => self.shuffle.at(self.came % self.size.max(1)),
            (Picked::Zipf(_), Some(zipf)) => self.shuffle.at(zipf.rank(&mut dice) - 1),
            (Picked::Evenly | Picked::Zipf(_), _) => dice.below(self.size),
        };
        self.first + at
    }
}

/// The arrivals of one thread of one process.
#[derive(Debug, Clone)]
pub struct Arrivals {
    schedule: Arc<Schedule>,
    seed: u64,
    picked: Picked,
    people: Group,
    bots: Group,
    /// Each journey: the sum of the shares up to it, and whether it is for bots.
    shares: Vec<(f64, bool)>,
    /// How many arrivals there were before this run.
    after: u64,
    /// The next number that is looked at, whoever's it is.
    next: u64,
    /// Mine are those that leave `mine` when divided by `of`.
    mine: u64,
    of: u64,
}

/// How many of a population are bots.
pub fn bots(population: &Population) -> u64 {
    let bots = (population.users as f64 * population.bots).round() as u64;
    bots.min(population.users)
}

impl Arrivals {
    /// Every `of`-th arrival, from number `mine` on. `after` so many arrivals of earlier runs, other users than theirs come in turn, and
    /// chance is drawn anew.
    pub fn new(
        scenario: &Scenario,
        schedule: Arc<Schedule>,
        (seed, after): (u64, u64),
        mine: u64,
        of: u64,
    ) -> Self {
        let population = &scenario.population;
        let bots = bots(population);
        let people = population.users - bots;
        let mut sum = 0.0;
        let shares = scenario.journeys.iter().map(|journey| {
            sum += journey.share;
            (sum, journey.bots)
        });
        Self {
            schedule,
            seed,
            picked: population.picked,
            people: Group::new(0, people, population.picked, seed, after),
            bots: Group::new(people, bots, population.picked, seed, after),
            shares: shares.collect(),
            after,
            next: 0,
            mine,
            of: of.max(1),
        }
    }

    fn journey(&self, number: u64) -> (usize, bool) {
        let all = self.shares.last().map_or(0.0, |last| last.0);
        let at = Dice::of(self.seed, purpose::JOURNEY, number).share() * all;
        let journey = self.shares.partition_point(|(sum, _)| *sum <= at);
        let journey = journey.min(self.shares.len().saturating_sub(1));
        let bots = self.shares.get(journey).is_some_and(|share| share.1);
        (journey, bots)
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    /// The next of mine. Where users come in turn, all arrivals before it are looked at, too: whose turn it is depends on how many
    /// people and bots came before, and that is a hash each.
    fn next(&mut self) -> Option<Arrival> {
        loop {
            let number = self.next;
            let mine = number % self.of == self.mine;
            if !mine && self.picked != Picked::InTurn {
                self.next += (self.mine + self.of - number % self.of) % self.of;
                continue;
            }
            if number >= self.schedule.arrivals() {
                return None;
            }
            self.next += 1;
            let due = number;
            let number = number + self.after;
            let (journey, bots) = self.journey(number);
            let group = if bots {
                &mut self.bots
            } else {
                &mut self.people
            };
            let user = mine.then(|| group.pick(self.picked, self.seed, number));
            group.came += 1;
            if let Some(user) = user {
                let due = self.schedule.at(due)?;
                return Some(Arrival {
                    number,
                    due,
                    journey,
                    user,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests_support::scenario;
    use crate::scenario::{Phase, Shape};

    fn arrivals(
        users: u64,
        bots: f64,
        picked: Picked,
        journeys: u64,
        mine: u64,
        of: u64,
    ) -> Arrivals {
        let mut scenario = scenario();
        scenario.population.users = users;
        scenario.population.bots = bots;
        scenario.population.picked = picked;
        if bots > 0.0 {
            let mut other = scenario.journeys[0].clone();
            other.bots = true;
            scenario.journeys.push(other);
        }
        scenario.arrivals = vec![Phase {
            name: "all".to_owned(),
            shape: Shape::Spike {
                journeys,
                within: Duration::from_secs(10),
                lasts: Duration::from_secs(10),
            },
        }];
        let schedule = Arc::new(Schedule::new(&scenario.arrivals));
        Arrivals::new(&scenario, schedule, (42, 0), mine, of)
    }

    /// A search plays many runs against one target: each has users of its own, as long as there are any.
    #[test]
    fn a_later_run_goes_on_where_an_earlier_one_left_off() {
        let runs = |after| {
            let mut arrivals = arrivals(100, 0.0, Picked::InTurn, 50, 0, 1);
            arrivals.after = after;
            arrivals.people.came = after;
            arrivals.collect::<Vec<Arrival>>()
        };
        let (one, two) = (runs(0), runs(50));
        let mut users: Vec<u64> = one.iter().chain(&two).map(|it| it.user).collect();
        users.sort_unstable();
        assert_eq!(users, (0..100).collect::<Vec<u64>>());
        // At the same times, under other numbers: keys and chance are their own.
        assert!(one.iter().zip(&two).all(|(one, two)| one.due == two.due));
        assert_eq!((one[0].number, two[0].number), (0, 50));
    }

    #[test]
    fn a_million_users_come_once_each_and_take_no_memory() {
        const USERS: u64 = 1_000_000;
        let arrivals = arrivals(USERS, 0.0, Picked::InTurn, USERS, 0, 1);
        // All that grows with anything is the phases and the journeys.
        assert!(size_of::<Arrivals>() < 512);
        assert_eq!(arrivals.shares.capacity(), 1);
        let mut seen = vec![false; USERS as usize];
        for arrival in arrivals {
            assert!(!std::mem::replace(&mut seen[arrival.user as usize], true));
        }
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn threads_and_processes_share_the_same_arrivals() {
        for picked in [Picked::InTurn, Picked::Evenly, Picked::Zipf(1.1)] {
            let whole: Vec<Arrival> = arrivals(1000, 0.1, picked, 5000, 0, 1).collect();
            let mut parts: Vec<Arrival> = (0..6)
                .flat_map(|mine| arrivals(1000, 0.1, picked, 5000, mine, 6))
                .collect();
            parts.sort_by_key(|arrival| arrival.number);
            assert_eq!(whole, parts);
            assert!(
                whole
                    .iter()
                    .all(|arrival| (arrival.user >= 900) == (arrival.journey == 1))
            );
            let bots = whole.iter().filter(|arrival| arrival.journey == 1).count();
            assert!((2300..2700).contains(&bots), "{bots}");
        }
    }

    #[test]
    fn who_comes_in_turn_comes_again_when_all_have_come() {
        let whole: Vec<Arrival> = arrivals(100, 0.0, Picked::InTurn, 250, 0, 1).collect();
        let users = |part: &[Arrival]| {
            part.iter()
                .map(|arrival| arrival.user)
                .collect::<Vec<u64>>()
        };
        assert_eq!(users(&whole[..100]), users(&whole[100..200]));
        assert_eq!(users(&whole[..50]), users(&whole[200..]));
    }
}
