//! Puts the glyphs of a laid out text on a canvas.

use cosmic_text::CacheKey;

use super::pen::Cover;
use super::{Laid, Pen};
use crate::canvas::{Area, Canvas};
use crate::paint;

/// Draws inside `within` and nowhere else; returns what was touched. `scale` and `shift` bring the text's units to pixels.
pub(crate) fn draw(
    pen: &mut Pen,
    laid: &Laid<'_>,
    (scale, shift): (f32, (f32, f32)),
    within: Area,
    canvas: &mut Canvas,
) -> Option<Area> {
    let mut touched: Option<Area> = None;
    for line in &laid.lines {
        for glyph in &line.glyphs {
            let Some(run) = laid.runs.get(glyph.metadata) else {
                continue;
            };
            let x = (line.left + glyph.x + glyph.font_size * glyph.x_offset) * scale + shift.0;
            let y = (line.baseline + glyph.y - glyph.font_size * glyph.y_offset) * scale + shift.1;
            // A glyph's fraction of a pixel counts upwards, the canvas's rows downwards.
            let (key, x, up) = CacheKey::new(
                glyph.font_id,
                glyph.glyph_id,
                glyph.font_size * scale,
                (x, -y),
                glyph.font_weight,
                glyph.cache_key_flags,
            );
            let Some(ink) = pen.glyph(key) else {
                continue;
            };
            let at = paint::Spot {
                x: i64::from(x) + i64::from(ink.left),
                y: i64::from(ink.top) - i64::from(up),
                width: ink.width,
                height: ink.height,
            };
            let area = match &ink.cover {
                Cover::Ink(cover) => paint::ink(canvas, within, at, cover, run.style.ink),
                Cover::Colour(cover) => paint::colours(canvas, within, at, cover, run.style.ink[3]),
            };
            touched = paint::union(touched, area);
        }
    }
    touched
}
