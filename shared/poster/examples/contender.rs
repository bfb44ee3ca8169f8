//! What the posters of `bench/` cost us, beside what they cost others: `node bench/run.mjs` asks it. Each poster is the whole of it:
//! avatar decoded, fitted and masked, texts laid out and drawn, code made, and everything written.
//!
//!     contender assets DIR          writes what the contenders share
//!     contender jpeg|png|webp N     N posters: processor time of each, in milliseconds, and the last one's bytes
//!     contender stages              what each stage takes, and what else could be chosen
//!     contender save DIR            posters for other decoders to read
//!     contender memory N            N posters, and what memory they leave
//!
//! DIR is also `POSTER_BENCH` for the others. `TEMPLATE=flat` takes the poster without a photo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a bench may stop

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};
use png::{Compression, Filter};
use std::{collections::BTreeMap, env, fs, hint::black_box, path::PathBuf, sync::Arc};

use poster::{
    Canvas, Composed, Content, Fonts, Format, Scale, Scene, Template,
    decode::{Fit, Limits, decode, fitted},
    encode::{self, Backdrop, QUALITY},
};

fn main() {
    let said: Vec<String> = env::args().skip(1).collect();
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    match said[..] {
        ["assets", dir] => assets(&PathBuf::from(dir)),
        ["stages"] => stages(&Bench::new()),
        ["save", dir] => save(&Bench::new(), &PathBuf::from(dir)),
        ["memory", count] => memory(&Bench::new(), count.parse().unwrap()),
        [format, count] => {
            let bench = Bench::new();
            let format = Format::named(format).expect("jpeg, png or webp");
            let count: usize = count.parse().unwrap();
            let mut composed = bench.scene.compose(&bench.content(0));
            let mut bytes = 0;
            let ms = each(count, |i| {
                bytes = bench.poster(i, format, &mut composed).len();
            });
            println!("{{\"ms\":{ms:.4},\"bytes\":{bytes}}}");
        }
        _ => panic!("assets, stages, save, memory, or a format and a count"),
    }
}

/// A template, ready.
struct Bench {
    scene: Scene,
    backdrop: Backdrop,
    avatar: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let dir = PathBuf::from(env::var("POSTER_BENCH").expect("POSTER_BENCH is a folder"));
        let svg = match env::var("TEMPLATE").as_deref() {
            Ok("flat") => include_str!("../bench/flat.svg"),
            _ => include_str!("../bench/poster.svg"),
        };
        let files = |name: &str| fs::read(dir.join(name)).ok();
        let template = Template::read(svg, &files, &Fonts::built_in()).expect("a sound template");
        let scene = template.scene(Scale::X1);
        Self {
            backdrop: Backdrop::new(scene.backdrop(), QUALITY).unwrap(),
            scene,
            avatar: files("avatar.jpg").unwrap(),
        }
    }

    fn content(&self, i: usize) -> Content {
        let texts = [
            ("user.name", format!("王小明同学{}", i % 100)),
            ("context.streak", format!("{}", 100 + i % 900)),
            (
                "share.url",
                format!("https://example.com/c/spring?i={}", 100_000 + i),
            ),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text));
        let avatar = decode(&self.avatar, &Limits::AVATAR).unwrap();
        Content {
            texts: BTreeMap::from(texts),
            pictures: BTreeMap::from([("user.avatar".to_owned(), Arc::new(avatar))]),
        }
    }

    fn poster(&self, i: usize, format: Format, composed: &mut Composed) -> Vec<u8> {
        self.scene.compose_into(&self.content(i), composed);
        match format {
            Format::Jpeg => self.backdrop.jpeg(&composed.canvas, &composed.touched),
            Format::Png => encode::png(&composed.canvas),
            Format::Webp => encode::webp(&composed.canvas, QUALITY),
        }
        .unwrap()
    }
}

/// Processor time of this thread for each run, in milliseconds; some runs before do not count.
fn each(count: usize, mut run: impl FnMut(usize)) -> f64 {
    let spent = || -> f64 {
        let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        stat.split(' ').next().unwrap().parse().unwrap()
    };
    (0..3).for_each(&mut run);
    let before = spent();
    (0..count).for_each(&mut run);
    (spent() - before) / 1e6 / count as f64
}

/// The middle of three measurements.
fn middle(count: usize, mut run: impl FnMut(usize)) -> f64 {
    let mut three = [0; 3].map(|_| each(count, &mut run));
    three.sort_by(f64::total_cmp);
    three[1]
}

fn stages(bench: &Bench) {
    let composed = bench.scene.compose(&bench.content(7));
    let (canvas, touched) = (&composed.canvas, &composed.touched);
    let avatar = decode(&bench.avatar, &Limits::AVATAR).unwrap();
    let content = bench.content(7);
    let row = |what: &str, ms: f64, bytes: usize| println!("{what:<44}{ms:>9.3}{bytes:>10}");
    println!("{:<44}{:>9}{:>10}", "", "cpu ms", "bytes");
    let ms = middle(40, |_| {
        drop(black_box(decode(&bench.avatar, &Limits::AVATAR)));
    });
    row("decode an avatar of 640 x 640", ms, bench.avatar.len());
    let ms = middle(40, |_| {
        drop(black_box(fitted(&avatar, 160, 160, Fit::Cover)));
    });
    row("fit it to 160 x 160", ms, 4 * 160 * 160);
    let mut into = composed.clone();
    let ms = middle(40, |_| bench.scene.compose_into(&content, &mut into));
    row("compose, avatar decoded", ms, canvas.rgb.len());
    let whole = encode::jpeg(canvas, QUALITY).unwrap();
    let ms = middle(10, |_| drop(black_box(encode::jpeg(canvas, QUALITY))));
    row("jpeg, whole", ms, whole.len());
    for (name, method) in [
        (
            "jpeg, whole, the library's own averages",
            ChromaSubsamplingMethod::Average,
        ),
        (
            "jpeg, whole, one colour of four",
            ChromaSubsamplingMethod::Nearest,
        ),
    ] {
        let mut written = Vec::new();
        let ms = middle(10, |_| {
            written.clear();
            let mut encoder = Encoder::new(&mut written, QUALITY);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            encoder.set_chroma_subsampling_method(method);
            let (width, height) = (canvas.width as u16, canvas.height as u16);
            encoder
                .encode(&canvas.rgb, width, height, ColorType::Rgb)
                .unwrap();
        });
        row(name, ms, written.len());
    }
    for every in [1, 2, 4, 8, 12, 16, 24, 47, 94] {
        let backdrop = Backdrop::with(bench.scene.backdrop(), QUALITY, every).unwrap();
        let spliced = backdrop.jpeg(canvas, touched).unwrap();
        let ms = middle(20, |_| drop(black_box(backdrop.jpeg(canvas, touched))));
        row(
            &format!("jpeg, spliced, a marker after {every}"),
            ms,
            spliced.len(),
        );
    }
    let png = encode::png(canvas).unwrap();
    let ms = middle(10, |_| drop(black_box(encode::png(canvas))));
    row("png", ms, png.len());
    for (name, compression, filter) in [
        ("png fast, up", Compression::Fast, Filter::Up),
        ("png fast, sub", Compression::Fast, Filter::Sub),
        ("png fast, paeth", Compression::Fast, Filter::Paeth),
        ("png fast, average", Compression::Fast, Filter::Avg),
    ] {
        let mut written = Vec::new();
        let ms = middle(6, |_| {
            written.clear();
            let mut encoder = png::Encoder::new(&mut written, canvas.width, canvas.height);
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_compression(compression);
            encoder.set_filter(filter);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&canvas.rgb).unwrap();
        });
        row(name, ms, written.len());
    }
    for method in 0..=4 {
        let mut config = webp::WebPConfig::new().unwrap();
        config.quality = f32::from(QUALITY);
        config.method = method;
        let mut bytes = 0;
        let ms = middle(3, |_| {
            let encoder = webp::Encoder::from_rgb(&canvas.rgb, canvas.width, canvas.height);
            bytes = encoder.encode_advanced(&config).unwrap().len();
        });
        row(&format!("webp, method {method}"), ms, bytes);
    }
    let area: u64 = touched
        .iter()
        .map(|area| u64::from(area.width) * u64::from(area.height))
        .sum();
    let all = u64::from(canvas.width) * u64::from(canvas.height);
    println!(
        "touched, overlaps counted: {} % of the pixels",
        100 * area / all
    );
    println!("a backdrop keeps {} bytes", bench.backdrop.bytes());
}

fn save(bench: &Bench, dir: &std::path::Path) {
    fs::create_dir_all(dir).unwrap();
    for i in 0..12 {
        let composed = bench.scene.compose(&bench.content(i * 37));
        let (canvas, touched) = (&composed.canvas, &composed.touched);
        let spliced = bench.backdrop.jpeg(canvas, touched).unwrap();
        let plain = encode::jpeg(canvas, QUALITY).unwrap();
        fs::write(dir.join(format!("spliced-{i}.jpg")), spliced).unwrap();
        fs::write(dir.join(format!("plain-{i}.jpg")), plain).unwrap();
        if i == 0 {
            fs::write(dir.join("poster.rgb"), &canvas.rgb).unwrap();
            fs::write(dir.join("poster.png"), encode::png(canvas).unwrap()).unwrap();
            let webp = encode::webp(canvas, QUALITY).unwrap();
            fs::write(dir.join("poster.webp"), webp).unwrap();
        }
    }
}

fn memory(bench: &Bench, count: usize) {
    let resident = || -> u64 {
        let stat = fs::read_to_string("/proc/self/statm").expect("Linux");
        let pages: u64 = stat.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4
    };
    for i in 0..count {
        // A canvas of its own for each, as for posters that come far apart.
        let mut composed = bench.scene.compose(&bench.content(i));
        let format = Format::ALL[usize::from(i % 50 == 0) + usize::from(i % 500 == 0)];
        black_box(bench.poster(i, format, &mut composed));
        if i % (count / 10).max(1) == 0 {
            println!("{i:>8} posters {:>8} KiB resident", resident());
        }
    }
    println!("{count:>8} posters {:>8} KiB resident", resident());
}

/// A background and an avatar that look like photos to an encoder, and a font.
fn assets(dir: &std::path::Path) {
    fs::create_dir_all(dir).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.join(name), bytes).unwrap();
    write(
        "background.jpg",
        &encode::jpeg(&photo(750, 1334, 1, 10.0), 92).unwrap(),
    );
    write(
        "avatar.jpg",
        &encode::jpeg(&photo(640, 640, 77, 8.0), 90).unwrap(),
    );
    write(
        "font.ttf",
        include_bytes!("../fonts/noto-sans-sc-regular.ttf"),
    );
    let conf = format!(
        "<?xml version=\"1.0\"?><fontconfig><dir>{0}</dir><cachedir>{0}</cachedir></fontconfig>",
        dir.canonicalize().unwrap().display()
    );
    write("fonts.conf", conf.as_bytes());
}

/// Octaves of noise with a sensor's grain.
fn photo(width: u32, height: u32, seed: u32, grain: f32) -> Canvas {
    let mut rgb = Vec::with_capacity(3 * width as usize * height as usize);
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (x as f32, y as f32);
            let (mut light, mut strength, mut often) = (0.0, 0.5, 1.0 / 300.0);
            for octave in 0..7 {
                light += strength * noise(x * often, y * often, seed + octave);
                strength *= 0.55;
                often *= 2.1;
            }
            let speck = (noise(x, y, seed + 99) - 0.5) * grain;
            let warm = noise(x / 190.0, y / 190.0, seed + 31);
            let cold = noise(x / 150.0, y / 150.0, seed + 57);
            let colours = [0.5 + warm, 0.6 + 0.4 * cold, 1.2 - 0.5 * warm];
            rgb.extend(
                colours.map(|colour| (light * colour * 204.0 + speck).clamp(0.0, 255.0) as u8),
            );
        }
    }
    Canvas { width, height, rgb }
}

/// Smooth noise, 0 to 1.
fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let corner = |x: i32, y: i32| {
        let mixed = (x as u32).wrapping_mul(374_761_393)
            ^ (y as u32).wrapping_mul(668_265_263)
            ^ seed.wrapping_mul(2_246_822_519);
        let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177);
        ((mixed ^ (mixed >> 16)) & 0xFFFF) as f32 / 65_535.0
    };
    let (left, top) = (x.floor() as i32, y.floor() as i32);
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (across, down) = (ease(x - x.floor()), ease(y - y.floor()));
    let between = |a: f32, b: f32, t: f32| a * (1.0 - t) + b * t;
    between(
        between(corner(left, top), corner(left + 1, top), across),
        between(corner(left, top + 1), corner(left + 1, top + 1), across),
        down,
    )
}
