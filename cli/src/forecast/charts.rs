//! Plots as SVG, drawn here and needing no script: a line with its range, day by day, and another forecast's line beside it.

use std::fmt::Write as _;

use campaign::simulate::Band;

/// A plot's size, in user units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
/// Room for the labels.
const LEFT: f64 = 86.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 16.0;
const RIGHT: f64 = 12.0;

/// At most so many days get a label of their own.
const LABELS: usize = 10;

/// A plot.
pub struct Plot<'p> {
    /// What it shows, for those who can't see it.
    pub title: String,
    /// The days' names.
    pub days: &'p [String],
    /// What is shown, with its range.
    pub line: Vec<Band<f64>>,
    /// The other forecast's middle.
    pub other: Option<Vec<f64>>,
    /// A bound, drawn across, and what it is called.
    pub bound: Option<(f64, String)>,
    /// How a figure is written.
    pub say: &'p dyn Fn(f64) -> String,
}

impl Plot<'_> {
    /// As SVG.
    pub fn svg(&self) -> String {
        let most = self.most();
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\"><title>{0}</title>",
            escape(&self.title)
        );
        for part in 0..=4 {
            let value = most * f64::from(part) / 4.0;
            let y = y(value, most);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                escape(&(self.say)(value))
            );
        }
        let every = self.days.len().div_ceil(LABELS).max(1);
        for (place, day) in self.days.iter().enumerate().step_by(every) {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                self.x(place),
                HEIGHT - 8.0,
                escape(day)
            );
        }
        let highs = self.points(self.line.iter().map(|band| band.high), most);
        let mut lows: Vec<String> = self.points(self.line.iter().map(|band| band.low), most);
        lows.reverse();
        let _ = write!(
            svg,
            "<polygon class=\"range\" points=\"{} {}\"/>",
            highs.join(" "),
            lows.join(" ")
        );
        if let Some((bound, name)) = &self.bound {
            let y = y(*bound, most);
            let _ = write!(
                svg,
                "<line class=\"bound\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><text class=\"bound-name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                WIDTH - RIGHT,
                y - 4.0,
                escape(name)
            );
        }
        if let Some(other) = &self.other {
            let points = self.points(other.iter().copied(), most);
            let _ = write!(
                svg,
                "<polyline class=\"other\" points=\"{}\"/>",
                points.join(" ")
            );
        }
        let points = self.points(self.line.iter().map(|band| band.mid), most);
        let _ = write!(
            svg,
            "<polyline class=\"line\" points=\"{}\"/></svg>",
            points.join(" ")
        );
        svg
    }

    fn most(&self) -> f64 {
        let others = self.other.iter().flatten().copied();
        let bound = self.bound.iter().map(|(bound, _)| *bound);
        let most = self
            .line
            .iter()
            .map(|band| band.high)
            .chain(others)
            .chain(bound)
            .fold(0.0, f64::max);
        if most > 0.0 { most } else { 1.0 }
    }

    fn x(&self, place: usize) -> f64 {
        let room = WIDTH - LEFT - RIGHT;
        let steps = self.days.len().saturating_sub(1).max(1) as f64;
        LEFT + room * place as f64 / steps
    }

    fn points(&self, values: impl Iterator<Item = f64>, most: f64) -> Vec<String> {
        let at = |(place, value)| format!("{:.1},{:.1}", self.x(place), y(value, most));
        values.enumerate().map(at).collect()
    }
}

fn y(value: f64, most: f64) -> f64 {
    let room = HEIGHT - TOP - BOTTOM;
    TOP + room * (1.0 - (value / most).clamp(0.0, 1.0))
}

/// A text that HTML takes for nothing else.
pub fn escape(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}
