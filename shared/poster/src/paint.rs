//! Mixing pixels: ink, colours and layers on a canvas, always inside an area.

use crate::canvas::{Area, Canvas};

/// Where something is put, which may be partly or wholly outside.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    pub x: i64,
    pub y: i64,
    pub width: usize,
    pub height: usize,
}

/// A part of the whole canvas with transparency, alpha multiplied in.
#[derive(Clone)]
pub(crate) struct Layer {
    pub area: Area,
    pub rgba: Vec<u8>,
}

/// All of a canvas.
pub(crate) fn whole(canvas: &Canvas) -> Area {
    Area {
        x: 0,
        y: 0,
        width: canvas.width,
        height: canvas.height,
    }
}

/// The part of both areas; none where they do not meet.
pub(crate) fn meet(a: Area, b: Area) -> Option<Area> {
    let (x, y) = (a.x.max(b.x), a.y.max(b.y));
    let right = (a.x.saturating_add(a.width)).min(b.x.saturating_add(b.width));
    let bottom = (a.y.saturating_add(a.height)).min(b.y.saturating_add(b.height));
    (right > x && bottom > y).then(|| Area {
        x,
        y,
        width: right - x,
        height: bottom - y,
    })
}

/// The least area around both.
pub(crate) fn union(a: Option<Area>, b: Option<Area>) -> Option<Area> {
    let (Some(one), Some(other)) = (a, b) else {
        return a.or(b);
    };
    let (x, y) = (one.x.min(other.x), one.y.min(other.y));
    Some(Area {
        x,
        y,
        width: (one.x + one.width).max(other.x + other.width) - x,
        height: (one.y + one.height).max(other.y + other.height) - y,
    })
}

/// The whole pixels that a rectangle of fractions touches, inside `bounds`.
pub(crate) fn cover([left, top, right, bottom]: [f32; 4], bounds: Area) -> Option<Area> {
    if !(left.is_finite() && top.is_finite() && right.is_finite() && bottom.is_finite()) {
        return None;
    }
    // `as` saturates, which is what is meant.
    let (x, y) = (left.floor().max(0.0) as u32, top.floor().max(0.0) as u32);
    let (end, under) = (right.ceil().max(0.0) as u32, bottom.ceil().max(0.0) as u32);
    meet(
        Area {
            x,
            y,
            width: end.saturating_sub(x),
            height: under.saturating_sub(y),
        },
        bounds,
    )
}

/// Puts one colour on the canvas as strongly as `mask` says, one byte a pixel.
pub(crate) fn ink(
    canvas: &mut Canvas,
    within: Area,
    spot: Spot,
    mask: &[u8],
    ink: [u8; 4],
) -> Option<Area> {
    let [red, green, blue, opacity] = ink.map(u32::from);
    each_row(canvas, within, spot, |from, pixels| {
        let mask = mask.get(from..from + pixels.len() / 3).unwrap_or_default();
        for (pixel, cover) in pixels.chunks_exact_mut(3).zip(mask) {
            if *cover == 0 {
                continue;
            }
            let strong = part(u32::from(*cover), opacity);
            for (byte, colour) in pixel.iter_mut().zip([red, green, blue]) {
                *byte = mixed(colour, u32::from(*byte), strong);
            }
        }
    })
}

/// Puts pixels with alpha (not multiplied in) on the canvas.
pub(crate) fn colours(
    canvas: &mut Canvas,
    within: Area,
    spot: Spot,
    rgba: &[u8],
    opacity: u8,
) -> Option<Area> {
    each_row(canvas, within, spot, |from, pixels| {
        let source = rgba
            .get(from * 4..from * 4 + pixels.len() / 3 * 4)
            .unwrap_or_default();
        for (pixel, colour) in pixels.chunks_exact_mut(3).zip(source.chunks_exact(4)) {
            let strong = part(u32::from(colour[3]), u32::from(opacity));
            for (byte, colour) in pixel.iter_mut().zip(colour) {
                *byte = mixed(u32::from(*colour), u32::from(*byte), strong);
            }
        }
    })
}

/// Puts pixels with alpha (not multiplied in) on the canvas, as strongly as `mask` says.
pub(crate) fn masked(
    canvas: &mut Canvas,
    within: Area,
    spot: Spot,
    rgba: &[u8],
    mask: &[u8],
) -> Option<Area> {
    each_row(canvas, within, spot, |from, pixels| {
        let count = pixels.len() / 3;
        let source = rgba.get(from * 4..(from + count) * 4).unwrap_or_default();
        let mask = mask.get(from..from + count).unwrap_or_default();
        for ((pixel, colour), cover) in pixels
            .chunks_exact_mut(3)
            .zip(source.chunks_exact(4))
            .zip(mask)
        {
            match part(u32::from(colour[3]), u32::from(*cover)) {
                0 => {}
                255 => pixel.copy_from_slice(&colour[..3]),
                strong => {
                    for (byte, colour) in pixel.iter_mut().zip(colour) {
                        *byte = mixed(u32::from(*colour), u32::from(*byte), strong);
                    }
                }
            }
        }
    })
}

/// Puts a layer on the canvas, inside `within` only.
pub(crate) fn layer(canvas: &mut Canvas, within: Area, layer: &Layer) -> Option<Area> {
    let spot = Spot {
        x: i64::from(layer.area.x),
        y: i64::from(layer.area.y),
        width: layer.area.width as usize,
        height: layer.area.height as usize,
    };
    each_row(canvas, within, spot, |from, pixels| {
        let source = layer
            .rgba
            .get(from * 4..from * 4 + pixels.len() / 3 * 4)
            .unwrap_or_default();
        for (pixel, colour) in pixels.chunks_exact_mut(3).zip(source.chunks_exact(4)) {
            let through = 255 - u32::from(colour[3]);
            for (byte, colour) in pixel.iter_mut().zip(colour) {
                *byte = (u32::from(*colour) + part(u32::from(*byte), through)).min(255) as u8;
            }
        }
    })
}

/// Copies an area from a canvas of the same size.
pub(crate) fn copy(canvas: &mut Canvas, from: &Canvas, area: Area) {
    let (start, length) = (area.x as usize * 3, area.width as usize * 3);
    for y in area.y..area.y.saturating_add(area.height) {
        let at = y as usize * canvas.width as usize * 3 + start;
        if let (Some(to), Some(from)) = (
            canvas.rgb.get_mut(at..at + length),
            from.rgb.get(at..at + length),
        ) {
            to.copy_from_slice(from);
        }
    }
}

/// Calls `mix` for each row of the spot that is inside, with the number of the row's first pixel in the spot.
fn each_row(
    canvas: &mut Canvas,
    within: Area,
    spot: Spot,
    mut mix: impl FnMut(usize, &mut [u8]),
) -> Option<Area> {
    let bounds = meet(within, whole(canvas))?;
    let left = spot.x.max(i64::from(bounds.x));
    let top = spot.y.max(i64::from(bounds.y));
    let right = (spot.x + spot.width as i64).min(i64::from(bounds.x + bounds.width));
    let bottom = (spot.y + spot.height as i64).min(i64::from(bounds.y + bounds.height));
    if right <= left || bottom <= top {
        return None;
    }
    let wide = canvas.width as usize * 3;
    for y in top..bottom {
        let from = (y - spot.y) as usize * spot.width + (left - spot.x) as usize;
        let row = y as usize * wide;
        if let Some(pixels) = canvas
            .rgb
            .get_mut(row + left as usize * 3..row + right as usize * 3)
        {
            mix(from, pixels);
        }
    }
    Some(Area {
        x: left as u32,
        y: top as u32,
        width: (right - left) as u32,
        height: (bottom - top) as u32,
    })
}

/// `a * b / 255`, rounded; both at most 255.
pub(crate) fn part(a: u32, b: u32) -> u32 {
    let product = a * b + 128;
    (product + (product >> 8)) >> 8
}

/// One part of `over`, the rest of `under`.
fn mixed(over: u32, under: u32, strong: u32) -> u8 {
    let product = over * strong + under * (255 - strong) + 128;
    ((product + (product >> 8)) >> 8) as u8
}
