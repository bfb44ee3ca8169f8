//! Lays a text out in its box: as it is, else wrapped, else smaller, else cut with an ellipsis. Nothing is drawn here.

use std::ops::Range;

use cosmic_text::{
    Align as Side, Attrs, Buffer, CacheKeyFlags, Family, LayoutGlyph, Metrics, Shaping, Weight,
    Wrap,
};

use super::clean::is_mark;
use super::frame::LEADING;
use super::{Align, Filled, Frame, Pen};

/// A text laid out. Lengths in units of the text.
#[derive(Debug, Clone)]
pub(crate) struct Laid<'a> {
    /// The part of their size that the letters have.
    pub factor: f32,
    /// What is said: less than what was given, where that was cut.
    pub runs: Vec<Filled<'a>>,
    pub lines: Vec<Line>,
    /// Whether something had to be left out.
    pub cut: bool,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub left: f32,
    pub baseline: f32,
    pub glyphs: Vec<LayoutGlyph>,
    /// Which of the text's own lines it is a part of.
    part: usize,
}

impl Laid<'_> {
    /// What a line says, by the numbers of its runs, in the order of writing.
    pub(crate) fn said(&self, line: &Line) -> Vec<(usize, String)> {
        let all: String = self.runs.iter().map(|run| run.text.as_str()).collect();
        let part = all.split('\n').nth(line.part).unwrap_or_default();
        let mut ends: Vec<(usize, usize, usize)> = Vec::new();
        for glyph in &line.glyphs {
            match ends.iter_mut().find(|(run, ..)| *run == glyph.metadata) {
                Some((_, start, end)) => {
                    (*start, *end) = ((*start).min(glyph.start), (*end).max(glyph.end));
                }
                None => ends.push((glyph.metadata, glyph.start, glyph.end)),
            }
        }
        ends.sort_by_key(|(_, start, _)| *start);
        ends.into_iter()
            .map(|(run, start, end)| (run, part.get(start..end).unwrap_or_default().to_owned()))
            .collect()
    }
}

/// Sizes that are tried for a text of several lines, as parts of the design's.
const SIZES: [f32; 8] = [1.0, 0.93, 0.86, 0.8, 0.74, 0.68, 0.62, 0.56];
/// Rounding may make a line a hair wider than the box that it was made for.
const HAIR: f32 = 1.002;

/// Lays out. A line break in a run ends a line; each such line then stays one line.
pub(crate) fn lay<'a>(pen: &mut Pen, runs: Vec<Filled<'a>>, frame: &Frame) -> Laid<'a> {
    let hard = runs.iter().any(|run| run.text.contains('\n'));
    let plain = set(pen, &runs, 1.0, None);
    let widest = plain.iter().map(Row::width).fold(0.0, f32::max);
    let wide = frame.width * HAIR;
    if widest <= wide && (hard || plain.len() <= frame.rows(1.0)) {
        return place(plain, runs, frame, 1.0);
    }
    let narrow = frame.width / widest.max(f32::MIN_POSITIVE);
    let sizes = SIZES.iter().copied().filter(|size| *size > frame.least);
    for factor in sizes.chain([frame.least]) {
        if narrow >= factor {
            let factor = narrow.min(1.0);
            return place(set(pen, &runs, factor, None), runs, frame, factor);
        }
        if !hard && frame.rows(factor) > 1 {
            let wrapped = set(pen, &runs, factor, Some(frame.width));
            if wrapped.len() <= frame.rows(factor) && wrapped.iter().all(|row| row.width() <= wide)
            {
                return place(wrapped, runs, frame, factor);
            }
        }
    }
    cut(pen, &runs, frame, hard)
}

/// Shortens what a person wrote, so that the design's own words stay; only where that is not enough, all of it.
fn cut<'a>(pen: &mut Pen, runs: &[Filled<'a>], frame: &Frame, hard: bool) -> Laid<'a> {
    let (wide, rows) = (frame.width * HAIR, frame.rows(frame.least));
    let wrap = (!hard && rows > 1).then_some(frame.width);
    let longest = runs
        .iter()
        .enumerate()
        .flat_map(|(run, filled)| filled.values.iter().map(move |value| (run, value.clone())))
        .max_by_key(|(_, value)| value.len());
    let mut best = None;
    if let Some((run, value)) = longest {
        best = shortest(
            pen,
            runs,
            frame.least,
            wrap,
            |set| hard || set.len() <= rows,
            wide,
            (run, value),
        );
    }
    let last = runs
        .iter()
        .rposition(|run| !run.text.is_empty())
        .unwrap_or(0);
    let all = runs.get(last).map_or(0, |run| run.text.len());
    let best = best.or_else(|| {
        shortest(
            pen,
            runs,
            frame.least,
            wrap,
            |set| hard || set.len() <= rows,
            wide,
            (last, 0..all),
        )
    });
    let (rows, said) = best.unwrap_or_else(|| {
        // Not even an ellipsis fits beside the design's own words.
        let none: Vec<Filled<'a>> = runs
            .iter()
            .map(|run| Filled {
                text: String::new(),
                ..run.clone()
            })
            .collect();
        (set(pen, &none, frame.least, None), none)
    });
    Laid {
        cut: true,
        ..place(rows, said, frame, frame.least)
    }
}

/// The longest beginning of a range of a run that fits with an ellipsis after it.
fn shortest<'a>(
    pen: &mut Pen,
    runs: &[Filled<'a>],
    factor: f32,
    wrap: Option<f32>,
    enough: impl Fn(&[Row]) -> bool,
    wide: f32,
    (run, range): (usize, Range<usize>),
) -> Option<(Vec<Row>, Vec<Filled<'a>>)> {
    let filled = runs.get(run)?;
    let (before, value, after) = (
        filled.text.get(..range.start)?,
        filled.text.get(range.clone())?,
        filled.text.get(range.end..)?,
    );
    // Ends between letters and their marks, and not after a space.
    let ends: Vec<usize> = value
        .char_indices()
        .map(|(at, _)| at)
        .filter(|at| {
            value[*at..]
                .chars()
                .next()
                .is_some_and(|next| !is_mark(next))
                && !value[..*at].ends_with(' ')
        })
        .collect();
    let (mut fits, mut fails) = (None, ends.len());
    let mut least = 0;
    while least < fails {
        let middle = usize::midpoint(least, fails);
        let mut said = runs.to_vec();
        said[run].text = format!("{before}{}…{after}", &value[..*ends.get(middle)?]);
        said[run].values.clear();
        let rows = set(pen, &said, factor, wrap);
        if enough(&rows) && rows.iter().all(|row| row.width() <= wide) {
            fits = Some((rows, said));
            least = middle + 1;
        } else {
            fails = middle;
        }
    }
    fits
}

struct Row {
    glyphs: Vec<LayoutGlyph>,
    start: f32,
    end: f32,
    part: usize,
}

impl Row {
    fn width(&self) -> f32 {
        (self.end - self.start).max(0.0)
    }
}

/// Shapes the runs at a part of their size, and breaks them into rows: at their own line breaks, and where `wrap` says how wide a row is.
fn set(pen: &mut Pen, runs: &[Filled<'_>], factor: f32, wrap: Option<f32>) -> Vec<Row> {
    let size = runs.iter().map(|run| run.style.size).fold(0.1, f32::max) * factor;
    let mut buffer = Buffer::new_empty(Metrics::new(size, size * LEADING));
    buffer.set_wrap(if wrap.is_some() {
        Wrap::WordOrGlyph
    } else {
        Wrap::None
    });
    buffer.set_size(wrap, None);
    let usual = Attrs::new();
    let styled = runs.iter().enumerate().map(|(index, run)| {
        let size = run.style.size * factor;
        let mut attrs = Attrs::new()
            .family(Family::Name(&run.style.family))
            .weight(Weight(run.style.weight))
            .metadata(index)
            .metrics(Metrics::new(size, size * LEADING))
            .cache_key_flags(CacheKeyFlags::DISABLE_HINTING);
        if run.spacing() != 0.0 {
            attrs = attrs.letter_spacing(run.spacing() / run.style.size);
        }
        (run.text.as_str(), attrs)
    });
    buffer.set_rich_text(styled, &usual, Shaping::Advanced, Some(Side::Left));
    let mut rows = Vec::new();
    for index in 0..buffer.lines.len() {
        for line in buffer
            .line_layout(&mut pen.system, index)
            .unwrap_or_default()
        {
            let glyphs = line.glyphs.clone();
            let start = glyphs
                .iter()
                .map(|glyph| glyph.x)
                .fold(f32::INFINITY, f32::min);
            let end = glyphs
                .iter()
                .map(|glyph| glyph.x + glyph.w)
                .fold(0.0, f32::max);
            rows.push(Row {
                start: if start.is_finite() { start } else { 0.0 },
                end,
                glyphs,
                part: index,
            });
        }
    }
    rows
}

fn place<'a>(rows: Vec<Row>, runs: Vec<Filled<'a>>, frame: &Frame, factor: f32) -> Laid<'a> {
    let first = frame.baseline(rows.len(), factor);
    let lines = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| Line {
            left: -row.start
                + match frame.align {
                    Align::Left => frame.x,
                    Align::Center => frame.x - row.width() / 2.0,
                    Align::Right => frame.x - row.width(),
                },
            baseline: first + index as f32 * LEADING * frame.size * factor,
            glyphs: row.glyphs,
            part: row.part,
        })
        .collect();
    Laid {
        factor,
        runs,
        lines,
        cut: false,
    }
}

/// How wide the runs are when nothing breaks them.
pub(crate) fn natural(pen: &mut Pen, runs: &[Filled<'_>]) -> f32 {
    set(pen, runs, 1.0, None)
        .iter()
        .map(Row::width)
        .fold(0.0, f32::max)
}
