//! What writing a poster and reading an avatar take, without fonts and templates: `examples/contender.rs` measures the whole of it.
#![allow(clippy::unwrap_used, missing_docs)] // a bench may stop, and its macros document nothing

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use poster::{
    Area, Canvas,
    decode::{Fit, Limits, decode, fitted},
    encode::{Backdrop, QUALITY, jpeg, png, webp},
};

/// Slopes with grain.
fn canvas(width: u32, height: u32) -> Canvas {
    let mut grain = 1u32;
    let mut rgb = Vec::with_capacity(3 * width as usize * height as usize);
    for y in 0..height {
        for x in 0..width {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let speck = grain >> 29;
            rgb.extend(
                [x / 4 + speck, y / 6 + speck, (x + y) / 9 + speck].map(|sample| sample as u8),
            );
        }
    }
    Canvas { width, height, rgb }
}

/// An avatar, three lines of text and a code: a fifth of a poster.
const TOUCHED: [(u32, u32, u32, u32); 5] = [
    (60, 80, 160, 160),
    (240, 135, 280, 50),
    (60, 670, 260, 40),
    (60, 740, 360, 170),
    (450, 1034, 240, 240),
];

fn encode(criterion: &mut Criterion) {
    let common = canvas(750, 1334);
    let touched = TOUCHED.map(|(x, y, width, height)| Area {
        x,
        y,
        width,
        height,
    });
    let mut poster = common.clone();
    for area in touched {
        for y in area.y..area.y + area.height {
            let at = 3 * (y * 750 + area.x) as usize;
            for sample in &mut poster.rgb[at..at + 3 * area.width as usize] {
                *sample = sample.wrapping_mul(3);
            }
        }
    }
    let backdrop = Backdrop::new(&common, QUALITY).unwrap();
    criterion.bench_function("jpeg, whole", |run| run.iter(|| jpeg(&poster, QUALITY)));
    criterion.bench_function("jpeg, spliced", |run| {
        run.iter(|| backdrop.jpeg(&poster, black_box(&touched)));
    });
    criterion.bench_function("png", |run| run.iter(|| png(&poster)));
    criterion.bench_function("webp", |run| run.iter(|| webp(&poster, QUALITY)));
}

fn avatar(criterion: &mut Criterion) {
    let file = jpeg(&canvas(640, 640), 90).unwrap();
    let picture = decode(&file, &Limits::AVATAR).unwrap();
    criterion.bench_function("decode an avatar", |run| {
        run.iter(|| decode(black_box(&file), &Limits::AVATAR));
    });
    criterion.bench_function("fit an avatar", |run| {
        run.iter(|| fitted(black_box(&picture), 160, 160, Fit::Cover));
    });
}

criterion_group! {
    name = posters;
    config = Criterion::default().sample_size(20);
    targets = encode, avatar
}
criterion_main!(posters);
