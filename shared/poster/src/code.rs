//! QR codes: whole pixels, a quiet zone, and as much correction as a logo needs. Where they stand is the template's.

use fast_qr::{ECL, QRBuilder, QRCode};

use crate::canvas::{Area, Canvas};

/// Modules of quiet on each side.
const QUIET: u32 = 4;
/// Pixels of a module that a camera still reads from a screen.
pub(crate) const LEAST: u32 = 2;
/// Pixels of a side: the smallest code that holds a short address, at the least size of a module.
pub(crate) const SMALLEST: u32 = (29 + 2 * QUIET) * LEAST;
/// The part of a code's width that a logo may have: 6 % of its modules, of which 30 % may be lost.
pub(crate) const LOGO: f32 = 0.25;

/// Longer texts are in no code that a phone reads from a poster.
const LONGEST: usize = 1200;

/// The code of a text; none if it is too long.
pub(crate) fn build(text: &str, logo: bool) -> Option<QRCode> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let level = if logo { ECL::H } else { ECL::M };
    QRBuilder::new(text).ecl(level).build().ok()
}

/// Pixels of a module of this text's code in a square; 0 where it does not fit at all.
pub(crate) fn module(text: &str, logo: bool, side: u32) -> u32 {
    build(text, logo).map_or(0, |code| size(&code, side))
}

fn size(code: &QRCode, side: u32) -> u32 {
    side / (code.size as u32 + 2 * QUIET)
}

/// Draws the dark modules in the middle of a square; the light ones are the paper that is there. Returns the pixels of a module, and
/// where the modules are; none where it does not fit at all.
pub(crate) fn draw(
    code: &QRCode,
    square: Area,
    ink: [u8; 3],
    canvas: &mut Canvas,
) -> Option<(u32, Area)> {
    let module = size(code, square.width.min(square.height));
    if module == 0 {
        return None;
    }
    let across = module * code.size as u32;
    let left = square.x + (square.width - across) / 2;
    let top = square.y + (square.height - across) / 2;
    let wide = canvas.width as usize * 3;
    let (from, length) = (left as usize * 3, across as usize * 3);
    for (row, modules) in (0..code.size).map(|row| (row, &code[row])) {
        let first = (top as usize + row * module as usize) * wide + from;
        for line in 0..module as usize {
            let at = first + line * wide;
            let Some(pixels) = canvas.rgb.get_mut(at..at + length) else {
                continue;
            };
            for (dark, pixels) in modules
                .iter()
                .zip(pixels.chunks_exact_mut(module as usize * 3))
            {
                if dark.value() {
                    for pixel in pixels.chunks_exact_mut(3) {
                        pixel.copy_from_slice(&ink);
                    }
                }
            }
        }
    }
    let modules = Area {
        x: left,
        y: top,
        width: across,
        height: across,
    };
    Some((module, modules))
}

/// How light a colour is, 0 to 1.
pub(crate) fn light(colour: [u8; 3]) -> f32 {
    let [red, green, blue] = colour.map(|byte| {
        let part = f32::from(byte) / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The contrast of two colours, 1 to 21.
pub(crate) fn contrast(one: [u8; 3], other: [u8; 3]) -> f32 {
    let (one, other) = (light(one), light(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}
