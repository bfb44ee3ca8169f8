//! A contact sheet: one template with all kinds of people on it, side by side, each under what it shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use poster::{Canvas, Content, Scale, Template};

/// How wide a poster is on a sheet at most, in pixels.
const WIDE: u32 = 400;

/// The space between posters, and above each for its title, in pixels.
const GAP: u32 = 28;
const HEAD: u32 = 44;

/// The most columns.
const COLUMNS: usize = 4;

/// Puts posters, all of one size, on one sheet, each with its title.
pub fn sheet(title: &str, posters: &[(String, Canvas)]) -> Canvas {
    let small: Vec<Canvas> = posters.iter().map(|(_, canvas)| smaller(canvas)).collect();
    let (width, height) = small
        .first()
        .map_or((1, 1), |first| (first.width, first.height));
    let columns = posters.len().clamp(1, COLUMNS);
    let rows = posters.len().div_ceil(columns);
    let across = GAP + columns as u32 * (width + GAP);
    let down = HEAD + 2 * GAP + rows as u32 * (height + HEAD + GAP);
    let place = |at: usize| {
        let (column, row) = ((at % columns) as u32, (at / columns) as u32);
        (
            GAP + column * (width + GAP),
            HEAD + 2 * GAP + row * (height + HEAD + GAP),
        )
    };
    let mut paper = paper(across, down, title, posters, &place);
    for (at, canvas) in small.iter().enumerate() {
        let (left, top) = place(at);
        put(&mut paper, canvas, left, top);
    }
    paper
}

/// The sheet without its posters: drawn as a poster is.
fn paper(
    across: u32,
    down: u32,
    title: &str,
    posters: &[(String, Canvas)],
    place: &dyn Fn(usize) -> (u32, u32),
) -> Canvas {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{across}\" height=\"{down}\"><rect width=\"{across}\" height=\"{down}\" fill=\"#eceff3\"/>\
         <text x=\"{GAP}\" y=\"{}\" font-size=\"26\" font-weight=\"700\" fill=\"#1d2733\">{}</text>",
        GAP + 24,
        escaped(title)
    );
    for (at, (title, _)) in posters.iter().enumerate() {
        let (left, top) = place(at);
        // Writing to a string can't fail.
        let _ = write!(
            svg,
            "<text x=\"{left}\" y=\"{}\" font-size=\"18\" fill=\"#4a5766\">{}</text>",
            top - 10,
            escaped(title)
        );
    }
    svg += "</svg>";
    let fonts = function::posters::fonts(&BTreeMap::new());
    match Template::read(&svg, &|_| None, &fonts) {
        Ok(template) => {
            template
                .scene(Scale::X1)
                .compose(&Content::default())
                .canvas
        }
        // A sheet larger than a poster may be has no titles.
        Err(_) => Canvas {
            width: across,
            height: down,
            rgb: vec![0xec; across as usize * down as usize * 3],
        },
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace("{{", "{ {")
}

/// The same, by a whole number smaller: each pixel is the mean of those it stands for.
fn smaller(canvas: &Canvas) -> Canvas {
    let by = canvas.width.div_ceil(WIDE).max(1);
    let (width, height) = ((canvas.width / by).max(1), (canvas.height / by).max(1));
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let mut sum = 0;
                for (dy, dx) in (0..by).flat_map(|dy| (0..by).map(move |dx| (dy, dx))) {
                    let at = ((y * by + dy) * canvas.width + x * by + dx) * 3 + channel;
                    sum += u32::from(canvas.rgb.get(at as usize).copied().unwrap_or(255));
                }
                rgb.push((sum / (by * by)) as u8);
            }
        }
    }
    Canvas { width, height, rgb }
}

fn put(paper: &mut Canvas, canvas: &Canvas, left: u32, top: u32) {
    let row = canvas.width as usize * 3;
    for (y, pixels) in canvas.rgb.chunks_exact(row.max(1)).enumerate() {
        let at = ((top as usize + y) * paper.width as usize + left as usize) * 3;
        if let Some(place) = paper.rgb.get_mut(at..at + row) {
            place.copy_from_slice(pixels);
        }
    }
}
