//! When journeys begin: the number of an arrival to its due time, by the inverse of its phase's rate integral. Pure: the same for every
//! thread and process, so that each takes its own share without asking the others.

use std::time::Duration;

use crate::run;
use crate::scenario::{Phase, Shape};

/// A stretch of a phase in which the rate changes evenly.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Since the run's beginning, in seconds.
    from_secs: f64,
    lasts_secs: f64,
    /// Journeys a second at its beginning and end.
    from: f64,
    to: f64,
    /// Journeys of the phase before it; their sum over a phase need not be whole.
    before: f64,
}

impl Piece {
    fn journeys(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.lasts_secs
    }

    /// When so many journeys of it have begun, in seconds since its beginning. The root of `from t + slope t²/2 = journeys`, in the
    /// form that loses no digits where the slope is near 0.
    fn reached(&self, journeys: f64) -> f64 {
        if self.lasts_secs <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.lasts_secs;
        let root = (self.from * self.from + 2.0 * slope * journeys)
            .max(0.0)
            .sqrt();
        let below = self.from + root;
        if below <= 0.0 {
            return self.lasts_secs;
        }
        (2.0 * journeys / below).clamp(0.0, self.lasts_secs)
    }
}

/// One phase, as its arrivals are reckoned.
#[derive(Debug, Clone)]
struct Stage {
    name: String,
    from_secs: f64,
    lasts_secs: f64,
    /// The number of its first arrival.
    first: u64,
    /// How many there are in it.
    arrivals: u64,
    /// In order; a spike is a piece with a steep rate.
    pieces: Vec<Piece>,
    /// All at its beginning: no rate can say it.
    at_once: bool,
    /// Its stairs; empty for other shapes.
    stairs: Vec<run::Stair>,
}

/// All phases of a scenario.
#[derive(Debug, Clone)]
pub struct Schedule {
    stages: Vec<Stage>,
    arrivals: u64,
    secs: f64,
}

impl Schedule {
    /// Lays the phases one after another. The k-th arrival of a phase (from 0) is due when its rate integral reaches `k + 1/2`.
    pub fn new(phases: &[Phase]) -> Self {
        let (mut secs, mut first) = (0.0, 0);
        let mut stages = Vec::with_capacity(phases.len());
        for phase in phases {
            let stage = Stage::new(phase, secs, first);
            secs += stage.lasts_secs;
            first += stage.arrivals;
            stages.push(stage);
        }
        Self {
            stages,
            arrivals: first,
            secs,
        }
    }

    /// How many journeys begin in all.
    pub fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// How long the phases last in all.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.secs)
    }

    /// When the arrival of this number (from 0) is due, since the run's beginning; `None` past the last.
    pub fn at(&self, number: u64) -> Option<Duration> {
        let after = self
            .stages
            .partition_point(|stage| stage.first + stage.arrivals <= number);
        let stage = self.stages.get(after)?;
        Some(Duration::from_secs_f64(stage.at(number - stage.first)))
    }

    /// The name of the phase at a time since the beginning; the last one's after the end.
    pub fn name_at(&self, time: Duration) -> &str {
        let secs = time.as_secs_f64();
        let stage = self
            .stages
            .iter()
            .find(|stage| secs < stage.from_secs + stage.lasts_secs)
            .or(self.stages.last());
        stage.map_or("", |stage| &stage.name)
    }

    /// The phases, as a run tells them.
    pub fn phases(&self) -> Vec<run::Phase> {
        let phases = self.stages.iter().map(|stage| run::Phase {
            name: stage.name.clone(),
            from_secs: stage.from_secs,
            to_secs: stage.from_secs + stage.lasts_secs,
        });
        phases.collect()
    }

    /// All stairs, in order, with nothing known of what is missed on them.
    pub fn stairs(&self) -> Vec<run::Stair> {
        let stairs = self.stages.iter().flat_map(|stage| &stage.stairs);
        stairs.cloned().collect()
    }
}

impl Stage {
    fn new(phase: &Phase, from_secs: f64, first: u64) -> Self {
        let mut stage = Self {
            name: phase.name.clone(),
            from_secs,
            lasts_secs: 0.0,
            first,
            arrivals: 0,
            pieces: Vec::new(),
            at_once: false,
            stairs: Vec::new(),
        };
        match &phase.shape {
            Shape::Ramp { from, to, lasts } => stage.add(*from, *to, lasts.as_secs_f64()),
            Shape::Spike {
                journeys,
                within,
                lasts,
            } => {
                let within = within.as_secs_f64();
                stage.at_once = within <= 0.0;
                if !stage.at_once {
                    let rate = *journeys as f64 / within;
                    stage.add(rate, rate, within);
                }
                stage.arrivals = *journeys;
                stage.lasts_secs = lasts.as_secs_f64().max(within);
                return stage;
            }
            Shape::Curve {
                weights,
                peak,
                lasts,
            } => {
                let most = weights.iter().copied().fold(0.0, f64::max);
                let part = lasts.as_secs_f64() / weights.len().max(1) as f64;
                for weight in weights {
                    let rate = if most > 0.0 {
                        peak * weight / most
                    } else {
                        0.0
                    };
                    stage.add(rate, rate, part);
                }
            }
            Shape::Steps { from, by, to, each } => {
                let stairs = if *by > 0.0 {
                    ((to - from) / by + 1e-9).floor().max(0.0) as u64 + 1
                } else {
                    1
                };
                for stair in 0..stairs {
                    let rate = from + by * stair as f64;
                    let begins = stage.from_secs + stage.lasts_secs;
                    stage.add(rate, rate, each.as_secs_f64());
                    stage.stairs.push(run::Stair {
                        journeys_per_sec: rate,
                        from_secs: begins,
                        to_secs: stage.from_secs + stage.lasts_secs,
                        missed: Vec::new(),
                    });
                }
            }
        }
        let all: f64 = stage.pieces.iter().map(Piece::journeys).sum();
        stage.arrivals = (all + 0.5).floor() as u64;
        stage
    }

    fn add(&mut self, from: f64, to: f64, lasts_secs: f64) {
        let before = self
            .pieces
            .last()
            .map_or(0.0, |last| last.before + last.journeys());
        self.pieces.push(Piece {
            from_secs: self.from_secs + self.lasts_secs,
            lasts_secs,
            from,
            to,
            before,
        });
        self.lasts_secs += lasts_secs;
    }

    fn at(&self, number: u64) -> f64 {
        if self.at_once {
            return self.from_secs;
        }
        let reach = number as f64 + 0.5;
        let after = self
            .pieces
            .partition_point(|piece| piece.before + piece.journeys() < reach);
        // Rounding may leave half an arrival past the last piece: it is due at the end.
        let Some(piece) = self.pieces.get(after) else {
            return self.from_secs + self.lasts_secs;
        };
        piece.from_secs + piece.reached(reach - piece.before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phase(shape: Shape) -> Phase {
        Phase {
            name: "p".to_owned(),
            shape,
        }
    }

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    fn constant(rate: f64, lasts: f64) -> Phase {
        phase(Shape::Ramp {
            from: rate,
            to: rate,
            lasts: secs(lasts),
        })
    }

    #[test]
    fn a_constant_rate_is_even() {
        let schedule = Schedule::new(&[constant(100.0, 2.0)]);
        assert_eq!(schedule.arrivals(), 200);
        assert_eq!(schedule.at(0), Some(Duration::from_millis(5)));
        assert_eq!(schedule.at(199), Some(Duration::from_millis(1995)));
        assert_eq!(schedule.at(200), None);
    }

    #[test]
    fn a_ramp_has_its_area_and_grows_denser() {
        let schedule = Schedule::new(&[phase(Shape::Ramp {
            from: 0.0,
            to: 100.0,
            lasts: secs(10.0),
        })]);
        assert_eq!(schedule.arrivals(), 500);
        // A quarter of the area lies before half of the time.
        let half = (0..500)
            .filter(|n| schedule.at(*n).unwrap() < secs(5.0))
            .count();
        assert_eq!(half, 125);
    }

    #[test]
    fn a_spike_comes_at_its_beginning_and_the_phase_goes_on() {
        for within in [0.0, 0.5] {
            let schedule = Schedule::new(&[
                constant(10.0, 1.0),
                phase(Shape::Spike {
                    journeys: 1000,
                    within: secs(within),
                    lasts: secs(4.0),
                }),
                constant(10.0, 1.0),
            ]);
            assert_eq!(schedule.arrivals(), 1020);
            assert!(schedule.at(10).unwrap() >= secs(1.0));
            assert!(schedule.at(1009).unwrap() <= secs(1.0 + within));
            assert!(schedule.at(1010).unwrap() >= secs(5.0));
        }
    }

    #[test]
    fn a_curve_has_its_peak_where_its_weights_say() {
        let schedule = Schedule::new(&[phase(Shape::Curve {
            weights: vec![1.0, 4.0, 2.0],
            peak: 40.0,
            lasts: secs(30.0),
        })]);
        assert_eq!(schedule.arrivals(), 100 + 400 + 200);
        let second =
            (0..700).filter(|n| (10.0..20.0).contains(&schedule.at(*n).unwrap().as_secs_f64()));
        assert_eq!(second.count(), 400);
    }

    #[test]
    fn stairs_go_up_to_the_last() {
        let schedule = Schedule::new(&[phase(Shape::Steps {
            from: 100.0,
            by: 100.0,
            to: 300.0,
            each: secs(2.0),
        })]);
        assert_eq!(schedule.arrivals(), 200 + 400 + 600);
        let stairs = schedule.stairs().into_iter();
        let stairs: Vec<(f64, f64)> = stairs.map(|it| (it.from_secs, it.to_secs)).collect();
        assert_eq!(stairs, [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0)]);
    }

    fn shapes() -> impl Strategy<Value = Phase> {
        let lasts = || (1_u32..20).prop_map(|tenths| secs(f64::from(tenths) / 10.0));
        let rate = || (0_u32..400).prop_map(f64::from);
        prop_oneof![
            (rate(), rate(), lasts()).prop_map(|(from, to, lasts)| Shape::Ramp { from, to, lasts }),
            (1_u64..500, lasts(), 0_u64..2).prop_map(|(journeys, lasts, some)| Shape::Spike {
                journeys,
                within: lasts * some as u32 / 2,
                lasts
            }),
            (prop::collection::vec(0_u32..9, 1..6), rate(), lasts()).prop_map(
                |(weights, peak, lasts)| Shape::Curve {
                    weights: weights.into_iter().map(f64::from).collect(),
                    peak,
                    lasts
                }
            ),
            (1_u32..100, 1_u32..50, 0_u32..4, lasts()).prop_map(|(from, by, more, each)| {
                Shape::Steps {
                    from: f64::from(from),
                    by: f64::from(by),
                    to: f64::from(from + by * more),
                    each,
                }
            }),
        ]
        .prop_map(phase)
    }

    proptest! {
        /// Every arrival is due once, in order, within its phase, and as many are due before a time as the rate's integral says.
        #[test]
        fn arrivals_are_in_order_and_as_many_as_the_rate_says(phases in prop::collection::vec(shapes(), 1..5)) {
            let schedule = Schedule::new(&phases);
            let times: Vec<f64> = (0..schedule.arrivals()).map(|n| schedule.at(n).unwrap().as_secs_f64()).collect();
            prop_assert!(schedule.at(schedule.arrivals()).is_none());
            prop_assert!(times.is_sorted());
            prop_assert!(times.last().is_none_or(|last| *last <= schedule.lasts().as_secs_f64() + 1e-6));
            for stage in &schedule.stages {
                let own = &times[stage.first as usize..(stage.first + stage.arrivals) as usize];
                prop_assert!(own.iter().all(|at| *at >= stage.from_secs - 1e-6 && *at <= stage.from_secs + stage.lasts_secs + 1e-6));
                for piece in &stage.pieces {
                    let end = piece.from_secs + piece.lasts_secs;
                    let counted = own.iter().filter(|at| **at < end).count() as f64;
                    prop_assert!((counted - (piece.before + piece.journeys())).abs() <= 1.0, "{counted} until {end}: {piece:?}");
                }
            }
        }
    }
}
