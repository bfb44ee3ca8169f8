//! What one poster costs: 750 x 1334 with a photograph, a round avatar of 640 pixels that is decoded already, a name, a number and a code.
//!
//! The floor is a copy of the background, measured in the same run: no poster is cheaper, unless it is drawn over an earlier one.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use poster::{Content, Fonts, Picture, Scale, Template};

const TEMPLATE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="750" height="1334">
<rect width="750" height="1334" fill="#345"/>
<circle id="picture user.avatar" cx="140" cy="160" r="80" fill="#ccc"/>
<g font-family="Noto Sans SC" fill="#fff">
<text x="240" y="175" font-size="40">{{ user.name }}</text>
<text x="60" y="700" font-size="36">已连续签到天数</text>
<text x="60" y="900" font-size="200">{{ context.streak }}</text>
</g>
<rect id="qr share.url" x="450" y="1034" width="240" height="240" fill="#fff"/>
</svg>"##;

fn content(number: usize, avatar: &Arc<Picture>) -> Content {
    Content {
        texts: [
            (
                "user.name".to_owned(),
                format!("王小明同学{}", number % 100),
            ),
            (
                "context.streak".to_owned(),
                (100 + number % 900).to_string(),
            ),
            (
                "share.url".to_owned(),
                format!("https://example.com/c/spring?i={}", 100_000 + number),
            ),
        ]
        .into(),
        pictures: [("user.avatar".to_owned(), avatar.clone())].into(),
    }
}

fn compose(criterion: &mut Criterion) {
    let fonts = Fonts::built_in();
    let Ok(template) = Template::read(TEMPLATE, &|_| None, &fonts) else {
        return;
    };
    let side = 640_u32;
    let rgba = (0..side * side)
        .flat_map(|at| [(at % 251) as u8, (at / 640 % 253) as u8, 120, 255])
        .collect();
    let avatar = Arc::new(Picture {
        width: side,
        height: side,
        rgba,
    });
    let contents: Vec<Content> = (0..100).map(|number| content(number, &avatar)).collect();
    for (scale, name) in [(Scale::X1, "1x"), (Scale::X2, "2x")] {
        let scene = template.scene(scale);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("floor: copy of the background", |bencher| {
            bencher.iter(|| black_box(scene.backdrop().clone()));
        });
        let mut turn = 0;
        let mut next = || {
            turn += 1;
            &contents[turn % contents.len()]
        };
        group.bench_function("compose, new canvas", |bencher| {
            bencher.iter(|| black_box(scene.compose(next())));
        });
        let mut canvas = scene.compose(&contents[0]);
        group.bench_function("compose, over the last poster", |bencher| {
            bencher.iter(|| scene.compose_into(next(), black_box(&mut canvas)));
        });
        for (left_out, paths) in [
            ("without avatar", ["user.avatar", ""]),
            ("without texts", ["user.name", "context.streak"]),
            ("without code", ["share.url", ""]),
        ] {
            let fewer: Vec<Content> = contents
                .iter()
                .map(|content| {
                    let mut content = content.clone();
                    content
                        .pictures
                        .retain(|path, _| !paths.contains(&path.as_str()));
                    content
                        .texts
                        .retain(|path, _| !paths.contains(&path.as_str()));
                    content
                })
                .collect();
            let mut turn = 0;
            group.bench_function(left_out, |bencher| {
                bencher.iter(|| {
                    turn += 1;
                    scene.compose_into(&fewer[turn % fewer.len()], black_box(&mut canvas));
                });
            });
        }
        group.finish();
    }
    criterion.bench_function("scene, 1x", |bencher| {
        bencher.iter(|| black_box(template.scene(Scale::X1)));
    });
}

criterion_group!(benches, compose);
criterion_main!(benches);
