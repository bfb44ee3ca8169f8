//! Charts over a run's time, as SVG: round ticks, a name at the end of each line, phases shaded. What is drawn is `timeline`'s to say.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::limit::short;
use crate::report::text::count;
use crate::run::Phase;

/// How wide a drawing is that has the page's width, in its own units.
pub const WIDE: f64 = 760.0;
/// How wide one of two beside each other is: their letters are as large.
pub const HALF: f64 = 400.0;
/// How high.
const HIGH: f64 = 176.0;
/// The room beside the plot, for the ticks' figures.
const LEFT: f64 = 54.0;
/// For the lines' names.
const RIGHT: f64 = 104.0;
/// For the phases' names.
const TOP: f64 = 18.0;
/// For the time.
const BOTTOM: f64 = 22.0;
/// How near two names may stand to each other.
const LINE: f64 = 12.0;

/// A chart.
pub struct Chart<'a> {
    /// What it shows, with its unit.
    pub title: String,
    /// At most four lines.
    pub series: Vec<Series>,
    /// Whether each tick is ten times the one below it.
    pub tenfold: bool,
    /// How wide it is: [`WIDE`] or [`HALF`].
    pub wide: f64,
    /// How long the run was.
    pub secs: f64,
    /// Its phases.
    pub phases: &'a [Phase],
}

/// A line.
pub struct Series {
    /// Its name.
    pub name: &'static str,
    /// Seconds since the run began, and the figure; where there is none the line is broken.
    pub points: Vec<(f64, Option<f64>)>,
}

impl Chart<'_> {
    /// Draws it; nothing where there are no figures.
    pub fn draw(&self) -> Markup {
        let figures = || {
            self.series
                .iter()
                .flat_map(|series| series.points.iter().filter_map(|(_, figure)| *figure))
        };
        if figures().next().is_none() {
            return html! {};
        }
        let highest = figures().fold(0.0, f64::max);
        let lowest = figures()
            .filter(|figure| *figure > 0.0)
            .fold(f64::INFINITY, f64::min);
        let ticks = if self.tenfold {
            tens(lowest, highest)
        } else {
            round(highest, 4)
        };
        let (bottom, top) = (
            ticks.first().copied().unwrap_or(0.0),
            ticks.last().copied().unwrap_or(1.0),
        );
        let y = |figure: f64| {
            let share = if self.tenfold {
                (figure.max(bottom) / bottom).log10() / (top / bottom).log10()
            } else {
                figure / top
            };
            HIGH - BOTTOM - share.clamp(0.0, 1.0) * (HIGH - BOTTOM - TOP)
        };
        let wide = self.wide;
        let x =
            |secs: f64| LEFT + (secs / self.secs.max(1e-9)).clamp(0.0, 1.0) * (wide - LEFT - RIGHT);
        let plot_end = wide - RIGHT;
        html! {
            figure {
                figcaption { (self.title) }
                svg viewBox=(format!("0 0 {wide} {HIGH}")) role="img" aria-label=(self.title) {
                    @for (at, phase) in self.phases.iter().enumerate() {
                        @let (from, to) = (x(phase.from_secs), x(phase.to_secs));
                        @if at % 2 == 0 {
                            rect class="shade" x=(at_tenth(from)) y=(TOP) width=(at_tenth((to - from).max(0.0))) height=(HIGH - BOTTOM - TOP) {}
                        }
                        // A name that has no room is left out: the table of phases has it.
                        @if to - from > 6.2 * phase.name.chars().count() as f64 {
                            text x=(at_tenth(from + 3.0)) y="12" { (phase.name) }
                        }
                    }
                    @for tick in &ticks {
                        @let y = at_tenth(y(*tick));
                        line class="grid" x1=(LEFT) x2=(plot_end) y1=(y) y2=(y) {}
                        text x=(LEFT - 6.0) y=(y) dy="3.5" text-anchor="end" { (label(*tick)) }
                    }
                    @for tick in times(self.secs, if wide < WIDE { 5.0 } else { 8.0 }) {
                        text x=(at_tenth(x(tick))) y=(HIGH - 6.0) text-anchor="middle" { (clock(tick, self.secs)) }
                    }
                    @for (number, series) in (1..).zip(&self.series) {
                        path class=(format!("l l{number}")) d=(path(series, x, y)) {}
                    }
                    @for (number, name, at) in self.names(y) {
                        text class=(format!("t{number}")) x=(plot_end + 6.0) y=(at_tenth(at)) dy="3.5" { (name) }
                    }
                }
            }
        }
    }

    /// Each line's name where the line ends, moved apart where they would stand on each other.
    fn names(&self, y: impl Fn(f64) -> f64) -> Vec<(usize, &'static str, f64)> {
        let last = |series: &Series| series.points.iter().rev().find_map(|(_, figure)| *figure);
        let named = (1..)
            .zip(&self.series)
            .filter_map(|(number, series)| Some((number, series.name, y(last(series)?))));
        let mut named: Vec<_> = named.collect();
        named.sort_by(|(_, _, one), (_, _, two)| one.total_cmp(two));
        let mut free = TOP;
        for (_, _, at) in &mut named {
            *at = at.max(free);
            free = *at + LINE;
        }
        let mut below = HIGH - BOTTOM + 2.0;
        for (_, _, at) in named.iter_mut().rev() {
            *at = at.min(below);
            below = *at - LINE;
        }
        named
    }
}

/// A line's path; it begins anew after a gap.
fn path(series: &Series, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let (mut out, mut drawing) = (String::new(), false);
    for (secs, figure) in &series.points {
        let Some(figure) = figure else {
            drawing = false;
            continue;
        };
        let (x, y) = (at_tenth(x(*secs)), at_tenth(y(*figure)));
        // A `String` takes whatever is written to it. A point alone is drawn as a short line, or it would not be seen.
        let _ = if drawing {
            write!(out, "L{x} {y}")
        } else {
            write!(out, "M{x} {y}h.6")
        };
        drawing = true;
    }
    out
}

/// A place to a tenth of a unit: nobody sees more.
fn at_tenth(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

/// From 0 in steps of 1, 2 or 5 times a power of ten to what is not below `highest`, in about so many steps.
fn round(highest: f64, about: u32) -> Vec<f64> {
    if highest <= 0.0 || !highest.is_finite() {
        return vec![0.0, 1.0];
    }
    let least = highest / f64::from(about);
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|times| times * power)
        .into_iter()
        .find(|step| *step >= least * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let steps = (highest / step - 0.001).ceil().max(1.0) as u32;
    (0..=steps).map(|n| f64::from(n) * step).collect()
}

/// Powers of ten from what is not above `lowest` to what is not below `highest`.
fn tens(lowest: f64, highest: f64) -> Vec<f64> {
    if !lowest.is_finite() {
        return vec![1.0, 10.0];
    }
    let from = lowest.log10().floor() as i32;
    let to = (highest.log10().ceil() as i32).max(from + 1);
    (from..=to).map(|power| 10_f64.powi(power)).collect()
}

/// Ticks of time: of seconds, minutes or hours, at most so many of them.
fn times(secs: f64, most: f64) -> Vec<f64> {
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
        14400.0, 21600.0, 43200.0, 86400.0,
    ];
    let step = steps
        .into_iter()
        .find(|step| secs / step <= most)
        .unwrap_or(86400.0 * (secs / 86400.0 / most).ceil());
    let last = (secs / step).floor() as u32;
    (0..=last).map(|n| f64::from(n) * step).collect()
}

/// A time since the beginning, as short as the run lets it be.
fn clock(secs: f64, run: f64) -> String {
    let whole = secs.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if run < 120.0 {
        format!("{whole} s")
    } else if run < 2.0 * 3600.0 {
        format!("{}:{seconds:02}", whole / 60)
    } else {
        format!("{hours}:{minutes:02} h")
    }
}

fn label(tick: f64) -> String {
    if tick >= 1000.0 {
        count(tick.round() as u64)
    } else {
        short(tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (highest, ticks) in [
            (0.0, vec![0.0, 1.0]),
            (1.0, vec![0.0, 0.5, 1.0]),
            (97.0, vec![0.0, 50.0, 100.0]),
            (1234.0, vec![0.0, 500.0, 1000.0, 1500.0]),
        ] {
            assert_eq!(round(highest, 4), ticks, "{highest}");
        }
        assert_eq!(tens(0.4, 230.0), [0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(tens(1.0, 1.0), [1.0, 10.0]);
        assert_eq!(times(30.0, 8.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
        for secs in [0.3, 7.0, 61.0, 4000.0, 1e6, 1e7] {
            assert!(times(secs, 8.0).len() <= 9, "{secs}");
        }
        assert_eq!(
            [
                clock(90.0, 100.0),
                clock(90.0, 600.0),
                clock(9000.0, 9000.0)
            ],
            ["90 s", "1:30", "2:30 h"]
        );
    }

    #[test]
    fn names_do_not_stand_on_each_other() {
        let series = |name, at| Series {
            name,
            points: vec![(0.0, Some(at)), (1.0, Some(at))],
        };
        let chart = Chart {
            title: "x".to_owned(),
            wide: WIDE,
            series: vec![series("a", 5.0), series("b", 5.0), series("c", 5.1)],
            tenfold: false,
            secs: 1.0,
            phases: &[],
        };
        for level in [TOP, 90.0, HIGH - BOTTOM] {
            let mut places: Vec<f64> = chart
                .names(|_| level)
                .into_iter()
                .map(|(_, _, at)| at)
                .collect();
            places.sort_by(f64::total_cmp);
            assert!(
                places.windows(2).all(|two| two[1] - two[0] >= LINE),
                "{places:?}"
            );
            assert!(places.iter().all(|at| (TOP..=HIGH).contains(at)));
        }
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let series = Series {
            name: "a",
            points: vec![
                (0.0, Some(1.0)),
                (1.0, None),
                (2.0, Some(1.0)),
                (3.0, Some(2.0)),
            ],
        };
        assert_eq!(path(&series, |x| x, |y| y), "M0 1h.6M2 1h.6L3 2");
    }
}
