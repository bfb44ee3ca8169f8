//! How posters look: a design as Figma exports it, with contents from the edges, held against pictures that people have looked at.
//!
//! `POSTER_GOLDENS=write` writes those pictures anew, `POSTER_LOOK=FOLDER` writes every poster of these tests whole: look at them.

use std::path::Path;

use poster::{Canvas, Format, Scale};

use crate::kit::{good, look, person, png};
use crate::places::touches_only_what_it_says;
use crate::texts::difference;

const STREAK: &str = include_str!("../templates/streak.svg");

#[test]
fn a_poster_looks_as_people_have_seen_it() {
    let template = good(STREAK);
    let scene = template.scene(Scale::X1);
    let people = [
        ("plain", person("王小明", "128", true)),
        (
            "long",
            person(
                "尼古拉斯·凯奇·佛朗西斯·福特·科波拉三世陛下",
                "1,284,907",
                true,
            ),
        ),
        (
            "latin",
            person("Maximilian Featherstonehaugh-Cholmondeley", "7", true),
        ),
        ("bare", person("喆堃玥珺赟昇淼曦", "0", false)),
        ("emoji", person("小鹿🦌🎉 Lucky✨", "32", true)),
        ("arabic", person("محمد عبد الله", "1,024", true)),
        ("mixed", person("Ali علي 王", "99", false)),
        ("strange", person("김민수 𝓐𝓷𝓷𝓪 🇨🇳 Z̸̢̛a̷l̶g̵o̴", "1", true)),
    ];
    for (name, content) in people {
        let poster = scene.compose(&content);
        look(&format!("streak-{name}"), &poster.canvas);
        assert!(
            touches_only_what_it_says(scene.backdrop(), &poster),
            "{name}"
        );
        golden(name, &poster.canvas);
    }
}

#[test]
fn twice_the_scale_is_the_same_poster() {
    let template = good(STREAK);
    let content = person("王小明", "128", true);
    let (one, two) = (template.scene(Scale::X1), template.scene(Scale::X2));
    assert_eq!(two.size(), (1500, 2668));
    let (one, two) = (one.compose(&content), two.compose(&content));
    look("streak-2x", &two.canvas);
    // A code's modules have whole pixels at each scale: it is left out.
    let above = |canvas: Canvas| Canvas {
        height: 1000,
        rgb: canvas.rgb[..1000 * 750 * 3].to_vec(),
        ..canvas
    };
    let (mean, _) = difference(&above(one.canvas), &above(smaller(&two.canvas, 2)));
    assert!(mean < 3.0, "{mean}");
}

#[test]
fn a_poster_is_written_in_every_format() {
    let template = good(STREAK);
    let scene = template.scene(Scale::X1);
    let poster = scene.compose(&person("王小明", "128", true));
    for format in Format::ALL {
        let bytes = scene.encode(&poster, format).unwrap();
        let read = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let read = Canvas {
            width: read.width(),
            height: read.height(),
            rgb: read.into_raw(),
        };
        let (mean, _) = difference(&poster.canvas, &read);
        assert!(mean < 4.0, "{format:?} {mean}");
    }
}

/// Compares with the picture that is kept, at a third of the size.
fn golden(name: &str, canvas: &Canvas) {
    let small = smaller(canvas, 3);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(name)
        .with_extension("png");
    if std::env::var("POSTER_GOLDENS").is_ok_and(|word| word == "write") {
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::write(&kept, png(&small)).unwrap();
        return;
    }
    let golden = image::open(&kept)
        .unwrap_or_else(|error| {
            panic!(
                "{}: {error}; POSTER_GOLDENS=write writes it",
                kept.display()
            )
        })
        .to_rgb8();
    let golden = Canvas {
        width: golden.width(),
        height: golden.height(),
        rgb: golden.into_raw(),
    };
    let (mean, most) = difference(&golden, &small);
    assert!(mean < 0.5 && most < 12.0, "{name}: {mean} {most}");
}

/// A canvas at a part of its size, each pixel the mean of those it stands for.
fn smaller(canvas: &Canvas, by: u32) -> Canvas {
    let (width, height) = (canvas.width / by, canvas.height / by);
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for part in 0..3 {
                let all = (0..by * by).map(|at| {
                    u32::from(
                        canvas.rgb[((y * by + at / by) * canvas.width + x * by + at % by) as usize
                            * 3
                            + part],
                    )
                });
                rgb.push((all.sum::<u32>() / (by * by)) as u8);
            }
        }
    }
    Canvas { width, height, rgb }
}
