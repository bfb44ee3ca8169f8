//! What the tests draw with: a photograph, an avatar, contents, files for looking at.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use poster::{Canvas, Composed, Content, Fault, Fonts, Picture, Scale, Template};

pub static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::built_in);

/// Reads a template that uses no files but `photo.png`, `logo.png`.
pub fn read(svg: &str) -> Result<Template, Vec<Fault>> {
    Template::read(svg, &|name| file(name), &FONTS)
}

pub fn good(svg: &str) -> Template {
    read(svg).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// A whole document of this size around a body.
pub fn svg(width: u32, height: u32, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">{body}</svg>"
    )
}

fn file(name: &str) -> Option<Vec<u8>> {
    match name {
        "photo.png" => Some(png(&photo(750, 1334))),
        "logo.png" => Some(png(&photo(64, 64))),
        "broken.png" => Some(b"no picture".to_vec()),
        _ => None,
    }
}

/// A synthetic photograph: soft colours with a horizon.
pub fn photo(width: u32, height: u32) -> Canvas {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (x as f32 / width as f32, y as f32 / height as f32);
            let wave =
                ((fx * 9.0).sin() * (fy * 13.0).cos() * 18.0) + ((x * 7 + y * 13) % 11) as f32;
            let dusk = [40.0 + 120.0 * fy, 50.0 + 60.0 * fx * fy, 110.0 - 40.0 * fy];
            rgb.extend(dusk.map(|part| (part + wave).clamp(0.0, 255.0) as u8));
        }
    }
    Canvas { width, height, rgb }
}

/// A face: eyes on a skin, on a colour.
pub fn avatar(side: u32) -> Arc<Picture> {
    let mut rgba = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let (fx, fy) = (x as f32 / side as f32 - 0.5, y as f32 / side as f32 - 0.5);
            let face = (fx * fx + fy * fy).sqrt() < 0.36;
            let eye = ((fx.abs() - 0.14).powi(2) + (fy + 0.08).powi(2)).sqrt() < 0.04;
            let mouth = (fx * fx + (fy - 0.05).powi(2)).sqrt() < 0.2 && fy > 0.12;
            let colour = if eye || mouth {
                [70, 40, 40]
            } else if face {
                [250, 205, 170]
            } else {
                [90, 170, 160]
            };
            rgba.extend(colour);
            rgba.push(255);
        }
    }
    Arc::new(Picture {
        width: side,
        height: side,
        rgba,
    })
}

pub fn content(texts: &[(&str, &str)]) -> Content {
    Content {
        texts: texts
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        pictures: BTreeMap::new(),
    }
}

/// A content whose name, number and address are these, with an avatar or without.
pub fn person(name: &str, streak: &str, with_avatar: bool) -> Content {
    let mut content = content(&[
        ("user.name", name),
        ("context.streak", streak),
        (
            "share.url",
            "https://example.com/c/spring?from=Ab3dE5gH1jKl",
        ),
    ]);
    if with_avatar {
        content
            .pictures
            .insert("user.avatar".to_owned(), avatar(640));
    }
    content
}

pub fn composed(template: &Template, scale: Scale, content: &Content) -> Composed {
    template.scene(scale).compose(content)
}

pub fn png(canvas: &Canvas) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, canvas.width, canvas.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&canvas.rgb)
        .unwrap();
    bytes
}

/// Where pictures for people to look at go, when the environment asks for them by `POSTER_LOOK`.
pub fn look(name: &str, canvas: &Canvas) {
    if let Some(folder) = std::env::var_os("POSTER_LOOK") {
        let folder = PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name).with_extension("png"), png(canvas)).unwrap();
    }
}
