//! What is read, and what is refused with which word. No file here comes from elsewhere.

#![expect(clippy::unwrap_used, reason = "a test's own pictures")]

use jpeg_encoder::ColorType as Samples;
use png::{BitDepth, ColorType};
use poster::{
    Picture,
    decode::{Fit, Limits, Refused, decode, fitted, sniff},
};
use proptest::prelude::*;

mod made;

use made::{chunks, colour, corners, extended, header, riff, stored};

/// Reads as avatars are read; a panic under the net is a failure, too.
fn bare(bytes: &[u8]) -> Result<Picture, Refused> {
    let read = decode(bytes, &Limits::AVATAR);
    assert_ne!(read, Err(Refused::Broken("its decoder gave up".to_owned())));
    read
}

fn word(bytes: &[u8]) -> &'static str {
    match bare(bytes) {
        Ok(picture) => {
            let pixels = picture.width as usize * picture.height as usize;
            assert_eq!(picture.rgba.len(), 4 * pixels);
            "read"
        }
        Err(refused) => refused.word(),
    }
}

/// One of each kind that is read.
fn sound() -> Vec<(&'static str, Vec<u8>)> {
    let canvas = corners(40, 40);
    let rgba: Vec<u8> = canvas
        .rgb
        .chunks_exact(3)
        .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 200])
        .collect();
    vec![
        ("jpeg", made::jpeg(&canvas)),
        ("progressive jpeg", made::progressive(&canvas, 4)),
        ("png", made::png(&canvas)),
        ("interlaced png", made::interlaced()),
        ("webp", made::webp(&canvas)),
        ("lossless webp", made::webp_lossless(&rgba, 40, 40)),
        ("webp with alpha", made::webp_alpha(&rgba, 40, 40)),
    ]
}

#[test]
fn sound_pictures_are_read_with_their_corners_where_they_were() {
    for (name, file) in sound() {
        let picture = bare(&file).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let (right, bottom) = (picture.width - 3, picture.height - 3);
        let found =
            [(2, 2), (right, 2), (2, bottom), (right, bottom)].map(|(x, y)| colour(&picture, x, y));
        assert_eq!(found, ["red", "green", "blue", "white"], "{name}");
    }
}

#[test]
fn a_picture_cut_off_anywhere_is_refused() {
    for (name, file) in sound() {
        // Behind its last row a PNG has two checksums and an end mark, which change no pixel.
        let needed = file.len() - if name.contains("png") { 24 } else { 1 };
        for length in 0..=needed {
            let word = word(&file[..length]);
            assert!(
                ["truncated", "broken", "unknown"].contains(&word),
                "{name}, {length} of {}: {word}",
                file.len()
            );
        }
    }
}

#[test]
fn exif_turns_pictures_of_all_formats() {
    // Where red, green, blue and white are expected.
    let turned = [
        (1, ["red", "green", "blue", "white"]),
        (2, ["green", "red", "white", "blue"]),
        (3, ["white", "blue", "green", "red"]),
        (4, ["blue", "white", "red", "green"]),
        (5, ["red", "blue", "green", "white"]),
        (6, ["blue", "red", "white", "green"]),
        (7, ["white", "green", "blue", "red"]),
        (8, ["green", "white", "red", "blue"]),
        (9, ["red", "green", "blue", "white"]),
    ];
    let canvas = corners(48, 32);
    let plain = made::png(&canvas);
    for (orientation, expected) in turned {
        let exif = made::exif(orientation);
        let app1 = [b"Exif\0\0", &exif[..]].concat();
        let png = [
            &plain[..33],
            &chunks(&[(b"eXIf", exif.clone())])[8..],
            &plain[33..],
        ]
        .concat();
        let webp = riff(&[
            (b"VP8X", extended(0x08, 48, 32)),
            (b"VP8 ", made::coded(&made::webp(&canvas))),
            (b"EXIF", exif),
        ]);
        let jpeg = made::with_segment(&made::jpeg(&canvas), 0xE1, &app1);
        for file in [jpeg, png, webp] {
            let picture = bare(&file).unwrap();
            let across = (5..=8).contains(&orientation);
            let size = (picture.width, picture.height);
            assert_eq!(size, if across { (32, 48) } else { (48, 32) });
            let (right, bottom) = (size.0 - 3, size.1 - 3);
            let found = [(2, 2), (right, 2), (2, bottom), (right, bottom)]
                .map(|(x, y)| colour(&picture, x, y));
            assert_eq!(found, expected, "{orientation} {:?}", sniff(&file));
        }
    }
}

#[test]
fn all_colours_and_depths_come_out_as_rgba() {
    let gray = made::jpeg_of(&[128; 64], 8, 8, Samples::Luma);
    assert_eq!(&bare(&gray).unwrap().rgba[..4], &[128, 128, 128, 255]);
    let cmyk = made::jpeg_of(&[0, 255, 255, 0].repeat(64), 8, 8, Samples::Cmyk);
    assert_eq!(colour(&bare(&cmyk).unwrap(), 4, 4), "red");
    let ycck = made::jpeg_of(&[0, 255, 255, 0].repeat(64), 8, 8, Samples::CmykAsYcck);
    assert_eq!(colour(&bare(&ycck).unwrap(), 4, 4), "red");

    let png = |samples: &[u8], colours, depth| {
        let file = made::png_of(samples, (2, 1), colours, depth);
        bare(&file).unwrap().rgba
    };
    let gray = png(&[0b0100_0000], ColorType::Grayscale, BitDepth::One);
    assert_eq!(gray, [0, 0, 0, 255, 255, 255, 255, 255]);
    let deep = png(
        &[0x80, 0x12, 0xFF, 0xFF],
        ColorType::Grayscale,
        BitDepth::Sixteen,
    );
    assert_eq!(deep, [128, 128, 128, 255, 255, 255, 255, 255]);
    let alpha = png(&[7, 9, 200, 0], ColorType::GrayscaleAlpha, BitDepth::Eight);
    assert_eq!(alpha, [7, 7, 7, 9, 200, 200, 200, 0]);
    let palette = png(&[0b0100_0000], ColorType::Indexed, BitDepth::One);
    assert_eq!(palette, [255, 0, 0, 255, 0, 0, 255, 0]);
    let deep = [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0];
    let deep = png(&deep, ColorType::Rgba, BitDepth::Sixteen);
    assert_eq!(deep, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn what_is_no_picture_of_ours_is_refused_by_its_first_bytes() {
    for (file, expected) in [
        (&b""[..], "unknown"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown"),
        (b"BM\x3A\0\0\0", "unknown"),
        (b"\0\0\0\x1CftypavifaviF", "unknown"),
        (b"RIFF\x04\0\0\0WAVE", "unknown"),
        (b"GIF89a\x01\0\x01\0\0\0\0,", "kind"),
        (b"GIF87a", "kind"),
        (b"\xFF\xD8\xFF", "truncated"),
        (b"\x89PNG\r\n\x1A\n", "truncated"),
        (b"RIFF\x04\0\0\0WEBP", "broken"),
        (b"RIFF\xFF\xFF\xFF\xFFWEBP", "truncated"),
    ] {
        assert_eq!(word(file), expected, "{file:?}");
    }
    let refused = decode(b"GIF89a", &Limits::AVATAR).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "it is a GIF, and only JPEG, PNG and WebP are taken"
    );
}

#[test]
fn long_files_are_refused_before_they_are_looked_at() {
    let long = [made::jpeg(&corners(8, 8)), vec![0; 2 << 20]].concat();
    let refused = decode(&long, &Limits::AVATAR).unwrap_err();
    assert_eq!(refused.word(), "bytes");
    assert!(decode(&long, &Limits::ARTWORK).is_ok());
}

#[test]
fn sizes_are_believed_before_memory_is_given() {
    let mut jpeg = made::jpeg(&corners(8, 8));
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x1F, 0xFF, 0x1F, 0xFF]);
    assert_eq!(word(&jpeg), "size");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(word(&jpeg), "broken", "beyond the longest side");

    for (width, height) in [
        (60_000, 60_000),
        (8_193, 1),
        (1, i32::MAX as u32),
        (2_049, 2_048),
    ] {
        let png = chunks(&[
            (b"IHDR", header(width, height, 8, 6, false)),
            (b"IDAT", stored(&[0; 64])),
            (b"IEND", Vec::new()),
        ]);
        assert_eq!(word(&png), "size", "{width} x {height}");
    }

    let lossless = vec![0x2F, 0xFF, 0xFF, 0xFF, 0x0F];
    assert_eq!(word(&riff(&[(b"VP8L", lossless)])), "size");
    assert_eq!(
        word(&riff(&[
            (b"VP8X", extended(0, 1 << 24, 1 << 24)),
            (b"VP8 ", made::coded(&made::webp(&corners(8, 8)))),
        ])),
        "broken"
    );
}

#[test]
fn parts_of_a_webp_that_differ_in_size_are_refused_before_either_is_believed() {
    let small = made::coded(&made::webp(&corners(16, 16)));
    let mut large = small.clone();
    large[6..10].copy_from_slice(&[0xFF, 0x3F, 0xFF, 0x3F]);
    let framed = |coded| riff(&[(b"VP8X", extended(0, 16, 16)), (b"VP8 ", coded)]);
    assert_eq!(word(&framed(small.clone())), "read");
    assert_eq!(word(&framed(large.clone())), "broken");
    assert_eq!(
        word(&riff(&[(b"VP8 ", small.clone()), (b"VP8 ", large)])),
        "broken"
    );
    // The decoder would read on behind what the file says is its end.
    let mut shorter = framed(small);
    shorter[4] = 22;
    assert_eq!(word(&shorter), "broken");
}

#[test]
fn moving_pictures_are_refused() {
    assert_eq!(word(&made::apng()), "animated");
    let coded = made::coded(&made::webp(&corners(16, 16)));
    let frame = [
        &[0; 16][..],
        b"VP8 ",
        &(coded.len() as u32).to_le_bytes(),
        &coded,
    ]
    .concat();
    for parts in [
        vec![
            (b"VP8X", extended(0x02, 16, 16)),
            (b"ANIM", vec![0; 6]),
            (b"ANMF", frame.clone()),
        ],
        vec![(b"VP8X", extended(0, 16, 16)), (b"ANMF", frame)],
    ] {
        assert_eq!(word(&riff(&parts)), "animated");
    }
}

#[test]
fn scans_without_end_are_refused_before_any_is_decoded() {
    let canvas = corners(64, 64);
    assert_eq!(word(&made::progressive(&canvas, 12)), "read");
    assert_eq!(word(&made::progressive(&canvas, 30)), "scans");
    // Scans of one component, again and again: a baseline decoder goes through the picture each time.
    let jpeg = made::jpeg(&canvas);
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x00];
    let many = [&jpeg[..jpeg.len() - 2], &scan.repeat(5_000), &[0xFF, 0xD9]].concat();
    assert_eq!(word(&many), "scans");
    let some = [&jpeg[..jpeg.len() - 2], &scan.repeat(50), &[0xFF, 0xD9]].concat();
    assert_ne!(word(&some), "scans");
}

#[test]
fn bombs_in_a_png_are_not_inflated() {
    let bomb = made::bomb();
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let text = |name: &[u8]| [name, b"\0\0", &bomb].concat();
    let row = (b"IDAT", stored(&[0, 1, 2, 3]));
    let end = (b"IEND", Vec::new());
    let head = (b"IHDR", header(1, 1, 8, 2, false));
    for bombs in [
        vec![
            head.clone(),
            (b"iCCP", text(b"p")),
            row.clone(),
            end.clone(),
        ],
        vec![
            head.clone(),
            (b"zTXt", text(b"p")),
            row.clone(),
            end.clone(),
        ],
        vec![
            head.clone(),
            (b"iTXt", [b"p\0\x01\0\0\0", &bomb[..]].concat()),
            row,
            end.clone(),
        ],
        // More rows than the picture has: those that it has are read, and no more.
        vec![head, (b"IDAT", bomb.clone()), end.clone()],
        vec![
            (b"IHDR", header(3, 5, 8, 2, true)),
            (b"IDAT", bomb.clone()),
            end,
        ],
    ] {
        assert_eq!(word(&chunks(&bombs)), "read");
    }
}

#[test]
fn an_interlaced_png_of_any_size_has_as_many_rows_as_its_passes() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (2, 3), (5, 5), (33, 17)] {
        let mut rows = Vec::new();
        for (left, top, across, down) in made::PASSES {
            for _ in (top..height).step_by(down as usize) {
                let columns = (left..width).step_by(across as usize).count();
                if columns > 0 {
                    rows.extend(vec![0; 1 + columns]);
                }
            }
        }
        let file = |rows: &[u8]| {
            chunks(&[
                (b"IHDR", header(width, height, 8, 0, true)),
                (b"IDAT", stored(rows)),
                (b"IEND", Vec::new()),
            ])
        };
        assert_eq!(word(&file(&rows)), "read", "{width} x {height}");
        assert_ne!(word(&file(&rows[1..])), "read", "{width} x {height}");
    }
}

#[test]
fn code_tables_without_end_are_refused_by_the_length_they_need() {
    let mut long = made::coded(&made::webp_lossless(&[9; 4 * 64], 8, 8));
    assert_eq!(word(&riff(&[(b"VP8L", long.clone())])), "read");
    long.resize(129 << 10, 0);
    assert_eq!(word(&riff(&[(b"VP8L", long)])), "bytes");
}

#[test]
fn a_size_at_the_limit_is_read_and_the_refusal_of_a_larger_one_says_both() {
    let file = |width: u32, height: u32| {
        let samples = vec![0; (width.div_ceil(8) * height) as usize];
        made::png_of(
            &samples,
            (width, height),
            ColorType::Grayscale,
            BitDepth::One,
        )
    };
    assert_eq!(word(&file(8_192, 512)), "read");
    assert_eq!(
        bare(&file(9_000, 10)).unwrap_err().to_string(),
        "it has 9000 x 10 pixels where 4194304 are allowed, none of its sides longer than 8192"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_pictures_are_read_or_refused_and_never_panic(
        which in 0..7usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        cuts in prop::bool::weighted(0.2),
    ) {
        let (_, mut file) = sound().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if cuts {
            file.truncate(cut.index(file.len()));
        }
        word(&file);
    }

    #[test]
    fn any_bytes_behind_a_right_beginning_never_panic(
        kind in 0..3usize,
        rest in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let begin: &[u8] = [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1A\n", b"RIFF\x80\0\0\0WEBPVP8L"][kind];
        word(&[begin, &rest].concat());
    }
}

mod fitting {
    use super::*;

    fn corner(fit: Fit, width: u32, height: u32) -> [&'static str; 4] {
        let canvas = corners(80, 40);
        let picture = bare(&made::png(&canvas)).unwrap();
        let fitted = fitted(&picture, width, height, fit);
        assert_eq!((fitted.width, fitted.height), (width, height));
        assert_eq!(fitted.rgba.len(), 4 * (width * height) as usize);
        [
            (1, 1),
            (width - 2, 1),
            (1, height - 2),
            (width - 2, height - 2),
        ]
        .map(|(x, y)| {
            let at = 4 * (y * width + x) as usize;
            if fitted.rgba[at + 3] == 0 {
                "nothing"
            } else {
                colour(&fitted, x, y)
            }
        })
    }

    #[test]
    fn what_gives_way_is_what_the_fit_says() {
        let all = ["red", "green", "blue", "white"];
        for (width, height) in [(20, 20), (200, 100), (20, 60), (80, 40)] {
            assert_eq!(corner(Fit::Cover, width, height), all);
            assert_eq!(corner(Fit::Stretch, width, height), all);
        }
        assert_eq!(corner(Fit::Contain, 40, 20), all);
        assert_eq!(corner(Fit::Contain, 20, 20), ["nothing"; 4]);
        assert_eq!(corner(Fit::Contain, 200, 20), ["nothing"; 4]);
    }

    #[test]
    fn what_is_covered_is_the_middle() {
        // Three stripes, the outer ones as wide as the middle: only the middle is left.
        let row = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]];
        let row: Vec<u8> = row.iter().flat_map(|pixel| pixel.repeat(30)).collect();
        let picture = Picture {
            width: 90,
            height: 30,
            rgba: row.repeat(30),
        };
        let fitted = fitted(&picture, 10, 10, Fit::Cover);
        for x in 1..9 {
            assert_eq!(colour(&fitted, x, 5), "green");
        }
    }

    #[test]
    fn transparent_pixels_do_not_colour_an_edge() {
        let row = [[255, 0, 0, 255].repeat(50), [0, 255, 0, 0].repeat(50)].concat();
        let picture = Picture {
            width: 100,
            height: 100,
            rgba: row.repeat(100),
        };
        for size in [7, 33, 250] {
            let fitted = fitted(&picture, size, size, Fit::Stretch);
            let seen = fitted.rgba.chunks_exact(4).filter(|pixel| pixel[3] > 8);
            for pixel in seen {
                assert!(pixel[1] < 24, "{size}: {pixel:?}");
            }
        }
    }

    #[test]
    fn nothing_to_fit_comes_out_transparent() {
        let none = Picture {
            width: 0,
            height: 0,
            rgba: Vec::new(),
        };
        let malformed = Picture {
            width: 9,
            height: 9,
            rgba: vec![1; 7],
        };
        for picture in [&none, &malformed] {
            for fit in [Fit::Cover, Fit::Contain, Fit::Stretch] {
                assert_eq!(fitted(picture, 4, 2, fit).rgba, vec![0; 32]);
                assert_eq!(fitted(picture, 0, 2, fit).rgba, Vec::<u8>::new());
            }
        }
    }

    #[test]
    fn a_flat_strip_covers_a_high_place() {
        // A property found it: the resizer, asked to cut as well, read beside the picture.
        let picture = Picture {
            width: 44,
            height: 2,
            rgba: vec![255; 4 * 44 * 2],
        };
        assert_eq!(
            fitted(&picture, 32, 62, Fit::Cover).rgba,
            vec![255; 4 * 32 * 62]
        );
    }

    #[test]
    fn a_large_picture_comes_out_as_the_means_of_its_parts() {
        // Slopes, and a grain that must vanish; odd sides, too.
        for side in [640, 641, 90] {
            let pixels = (0..side * side).flat_map(|at| {
                let (x, y) = (at % side, at / side);
                let grain = if (x + y) % 2 == 0 { 20 } else { 0 };
                let slope = |at: u32| (at * 200 / side + grain) as u8;
                [slope(x), slope(y), 100, 255]
            });
            let picture = Picture {
                width: side,
                height: side,
                rgba: pixels.collect(),
            };
            let fitted = fitted(&picture, 20, 20, Fit::Stretch);
            for (at, pixel) in fitted.rgba.chunks_exact(4).enumerate() {
                let mean = |at: usize| (at * 10 + 15) as u8;
                let (x, y) = (at % 20, at / 20);
                assert_eq!((pixel[2], pixel[3]), (100, 255));
                let inside = (1..19).contains(&x) && (1..19).contains(&y);
                let off = pixel[0].abs_diff(mean(x)).max(pixel[1].abs_diff(mean(y)));
                assert!(off <= 2 || !inside && off <= 6, "{side}: {x} {y} {pixel:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_size_fits_any_place(
            (width, height) in (1..60u32, 1..60u32),
            (wide, high) in (0..70u32, 0..70u32),
            fit in prop::sample::select(vec![Fit::Cover, Fit::Contain, Fit::Stretch]),
        ) {
            let picture = Picture { width, height, rgba: vec![255; 4 * (width * height) as usize] };
            let fitted = fitted(&picture, wide, high, fit);
            prop_assert_eq!(fitted.rgba.len(), 4 * (wide * high) as usize);
            if fit != Fit::Contain {
                prop_assert!(fitted.rgba.iter().all(|sample| *sample == 255));
            }
        }
    }
}
