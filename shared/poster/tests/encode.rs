//! What is written is read again; what is spliced is what a whole encode gives.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what a test wrote itself"
)]

use poster::{
    Area, Canvas,
    decode::{Limits, decode},
    encode::{Backdrop, QUALITY, Unencodable, jpeg, png, webp},
};
use proptest::{collection::vec, prelude::*};

/// A canvas with slopes, edges and grain, another for each seed.
fn canvas(width: u32, height: u32, seed: u32) -> Canvas {
    let mut rgb = Vec::with_capacity(3 * width as usize * height as usize);
    for y in 0..height {
        for x in 0..width {
            let grain = (x ^ seed).wrapping_mul(374_761_393) ^ (y + seed).wrapping_mul(668_265_263);
            let grain = (grain ^ (grain >> 13)).wrapping_mul(1_274_126_177) >> 27;
            let edge = if (x / 7 + y / 11 + seed).is_multiple_of(3) {
                90
            } else {
                0
            };
            rgb.extend([
                (x * 2 + grain) as u8,
                (y * 3 + edge + grain) as u8,
                (seed * 40 + x + y) as u8,
            ]);
        }
    }
    Canvas { width, height, rgb }
}

/// Paints other pixels into these areas.
fn painted(on: &Canvas, areas: &[Area], seed: u32) -> Canvas {
    let mut canvas = on.clone();
    for area in areas {
        let right = (area.x + area.width).min(on.width);
        for y in area.y..(area.y + area.height).min(on.height) {
            for x in area.x..right {
                let at = 3 * (y as usize * on.width as usize + x as usize);
                let value = (x * 31 + y * 17 + seed).wrapping_mul(2_654_435_761);
                canvas.rgb[at..at + 3].copy_from_slice(&value.to_be_bytes()[..3]);
            }
        }
    }
    canvas
}

/// A whole encode with a marker after each so many blocks: of a backdrop nothing of which is touched.
fn whole(canvas: &Canvas, quality: u8, every: u16) -> Vec<u8> {
    let backdrop = Backdrop::with(canvas, quality, every).unwrap();
    backdrop.jpeg(canvas, &[]).unwrap()
}

fn difference(canvas: &Canvas, bytes: &[u8]) -> f64 {
    let read = decode(bytes, &Limits::ARTWORK).expect("what we write is read");
    assert_eq!((read.width, read.height), (canvas.width, canvas.height));
    let pairs = canvas.rgb.chunks_exact(3).zip(read.rgba.chunks_exact(4));
    let all: u64 = pairs
        .map(|(ours, theirs)| {
            assert_eq!(theirs[3], 255);
            (0..3)
                .map(|at| u64::from(ours[at].abs_diff(theirs[at])))
                .sum::<u64>()
        })
        .sum();
    all as f64 / canvas.rgb.len() as f64
}

#[test]
fn png_is_read_again_exactly_and_jpeg_and_webp_nearly() {
    for (width, height) in [(1, 1), (16, 16), (75, 133), (130, 47)] {
        let canvas = canvas(width, height, 3);
        assert!(difference(&canvas, &png(&canvas).unwrap()).abs() < f64::EPSILON);
        let jpeg = difference(&canvas, &jpeg(&canvas, QUALITY).unwrap());
        let webp = difference(&canvas, &webp(&canvas, QUALITY).unwrap());
        assert!(
            jpeg < 16.0 && webp < 16.0,
            "{width}x{height}: {jpeg} {webp}"
        );
    }
}

#[test]
fn a_canvas_that_is_no_canvas_is_refused_and_so_is_one_too_large() {
    let short = Canvas {
        width: 10,
        height: 10,
        rgb: vec![0; 299],
    };
    let none = Canvas {
        width: 0,
        height: 4,
        rgb: Vec::new(),
    };
    for canvas in [short, none] {
        let malformed = |result| matches!(result, Err(Unencodable::Malformed { .. }));
        assert!(malformed(jpeg(&canvas, 85)));
        assert!(malformed(png(&canvas)));
        assert!(malformed(webp(&canvas, 85)));
        assert!(malformed(Backdrop::new(&canvas, 85).map(|_| Vec::new())));
    }
    let long = canvas(70_000, 1, 0);
    assert!(matches!(jpeg(&long, 85), Err(Unencodable::TooLarge { .. })));
    assert!(matches!(webp(&long, 85), Err(Unencodable::TooLarge { .. })));
    assert!(png(&long).is_ok());
}

#[test]
fn qualities_out_of_range_are_brought_into_it() {
    let canvas = canvas(20, 20, 1);
    assert_eq!(jpeg(&canvas, 0), jpeg(&canvas, 1));
    assert_eq!(jpeg(&canvas, 255), jpeg(&canvas, 100));
    assert!(webp(&canvas, 0).is_ok());
}

#[test]
fn a_plain_colour_stays_what_it_is_up_to_every_edge() {
    for (width, height) in [(1, 1), (2, 3), (15, 17), (16, 16), (33, 18), (47, 31)] {
        for colour in [[0, 0, 0], [255, 255, 255], [0, 0, 255], [200, 30, 90]] {
            let canvas = Canvas {
                width,
                height,
                rgb: colour.repeat((width * height) as usize),
            };
            let read = decode(&jpeg(&canvas, 100).unwrap(), &Limits::ARTWORK).unwrap();
            for pixel in read.rgba.chunks_exact(4) {
                let off = (0..3).map(|at| pixel[at].abs_diff(colour[at])).max();
                assert!(
                    off <= Some(3),
                    "{width}x{height}, {colour:?} became {pixel:?}"
                );
            }
        }
    }
}

#[test]
fn a_colour_stands_for_all_four_pixels() {
    // Lines and columns of red and blue: whoever takes one pixel of four sees one of them only.
    for which in [|x: u32, _: u32| x, |_: u32, y: u32| y] {
        let pixels = (0..32 * 32).flat_map(|at| {
            let red = which(at % 32, at / 32).is_multiple_of(2);
            if red { [200, 40, 40] } else { [40, 40, 200] }
        });
        let canvas = Canvas {
            width: 32,
            height: 32,
            rgb: pixels.collect(),
        };
        let read = decode(&jpeg(&canvas, 100).unwrap(), &Limits::ARTWORK).unwrap();
        let mean = |at: usize| {
            let all = read.rgba.chunks_exact(4).map(|pixel| u32::from(pixel[at]));
            all.sum::<u32>() / (32 * 32)
        };
        assert!(mean(0).abs_diff(120) < 8 && mean(2).abs_diff(120) < 8);
    }
}

#[test]
fn a_backdrop_takes_only_canvases_of_its_size() {
    let backdrop = Backdrop::new(&canvas(40, 40, 1), QUALITY).unwrap();
    let other = backdrop.jpeg(&canvas(40, 41, 1), &[]);
    assert!(matches!(other, Err(Unencodable::OtherSize { .. })));
}

#[test]
fn an_untouched_backdrop_is_a_copy() {
    let canvas = canvas(100, 60, 1);
    let backdrop = Backdrop::new(&canvas, QUALITY).unwrap();
    let whole = whole(&canvas, QUALITY, 2);
    let beyond = Area {
        x: 100,
        y: 0,
        width: u32::MAX,
        height: 5,
    };
    assert_eq!(backdrop.jpeg(&canvas, &[]).unwrap(), whole);
    assert_eq!(backdrop.jpeg(&canvas, &[beyond]).unwrap(), whole);
}

#[test]
fn a_poster_of_usual_size_is_spliced_bit_for_bit() {
    let areas = [
        (60, 80, 160, 160),
        (240, 130, 330, 60),
        (450, 1034, 300, 300),
    ];
    let areas = areas.map(|(x, y, width, height)| Area {
        x,
        y,
        width,
        height,
    });
    let common = canvas(750, 1334, 5);
    let poster = painted(&common, &areas, 9);
    for every in [1, 2, 4, 8, 47] {
        let backdrop = Backdrop::with(&common, QUALITY, every).unwrap();
        let spliced = backdrop.jpeg(&poster, &areas).unwrap();
        assert!(
            spliced == whole(&poster, QUALITY, every),
            "{every} blocks between markers"
        );
    }
}

/// Areas, some of them empty, some over the edge.
fn areas() -> impl Strategy<Value = Vec<Area>> {
    let area = (0..150u32, 0..150u32, 0..90u32, 0..90u32).prop_map(|(x, y, width, height)| Area {
        x,
        y,
        width,
        height,
    });
    vec(area, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn splicing_is_bit_for_bit_a_whole_encode_of_any_size_distance_and_areas(
        (width, height) in (1..140u32, 1..140u32),
        (seed, quality) in (0..1000u32, 1..=100u8),
        every in 1..70u16,
        areas in areas(),
    ) {
        let common = canvas(width, height, seed);
        let poster = painted(&common, &areas, seed);
        let spliced = Backdrop::with(&common, quality, every).unwrap().jpeg(&poster, &areas).unwrap();
        prop_assert!(spliced == whole(&poster, quality, every));
    }

    #[test]
    fn markers_change_no_pixel(
        (width, height) in (1..100u32, 1..100u32),
        seed in 0..1000u32,
        every in 1..20u16,
    ) {
        let canvas = canvas(width, height, seed);
        let plain = jpeg(&canvas, QUALITY).unwrap();
        let marked = whole(&canvas, QUALITY, every);
        prop_assert_eq!(
            decode(&plain, &Limits::ARTWORK).unwrap(),
            decode(&marked, &Limits::ARTWORK).unwrap()
        );
    }
}

/// Memory of this process that is in use, in KiB.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = stat
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn posters_leave_no_memory_behind() {
    let common = canvas(320, 480, 7);
    let backdrop = Backdrop::new(&common, QUALITY).unwrap();
    let make = |seed: u32| {
        let area = Area {
            x: seed * 13 % 300,
            y: seed * 29 % 460,
            width: 90,
            height: 60,
        };
        let poster = painted(&common, &[area], seed);
        let jpeg = backdrop.jpeg(&poster, &[area]).unwrap();
        decode(&jpeg, &Limits::AVATAR).unwrap();
        decode(&jpeg[..jpeg.len() / 2], &Limits::AVATAR).unwrap_err();
        if seed.is_multiple_of(20) {
            png(&poster).unwrap();
            webp(&poster, QUALITY).unwrap();
        }
    };
    (0..100).for_each(make);
    let before = resident();
    (100..700).for_each(make);
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 10, "{grown} KiB more after 600 posters");
}
