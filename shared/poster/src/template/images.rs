//! The picture files that a template uses: which are taken, and how the SVG library gets them. It gets nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use cosmic_text::skrifa::{self, MetadataProvider};
use resvg::usvg::fontdb::{Database, ID};
use resvg::usvg::{FontResolver, ImageHrefResolver, ImageKind, Options};

use super::measure::measure;
use crate::fault::FaultKind;
use crate::fonts::{Fonts, USUAL};

/// Pixels of one picture of a design: six times a poster at 2x.
const PIXELS: u64 = 36_000_000;
/// Pixels of all of them.
const ALL: u64 = 96_000_000;

/// Picture files by their address as it is written in the template.
#[derive(Debug, Clone, Default)]
pub(super) struct Images {
    files: Arc<BTreeMap<String, Arc<Vec<u8>>>>,
}

/// Judges the addresses of pictures while a template is read.
pub(super) struct Taking<'a> {
    files: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    taken: BTreeMap<String, Arc<Vec<u8>>>,
    pixels: u64,
}

impl<'a> Taking<'a> {
    pub(super) fn new(files: &'a dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        Self {
            files,
            taken: BTreeMap::new(),
            pixels: 0,
        }
    }

    /// Takes the picture, or says what is wrong with it.
    pub(super) fn take(&mut self, href: &str) -> Option<FaultKind> {
        let href = href.trim();
        if let Some(data) = href.strip_prefix("data:") {
            return self.embedded(data);
        }
        if !is_beside(href) {
            return Some(FaultKind::External(short(href)));
        }
        if self.taken.contains_key(href) {
            return None;
        }
        let Some(bytes) = (self.files)(href) else {
            return Some(FaultKind::NoFile(short(href)));
        };
        if let Some(kind) = self.measure(href, &bytes) {
            return Some(kind);
        }
        self.taken.insert(href.to_owned(), Arc::new(bytes));
        None
    }

    pub(super) fn finish(self) -> Images {
        Images {
            files: Arc::new(self.taken),
        }
    }

    fn embedded(&mut self, data: &str) -> Option<FaultKind> {
        let (head, body) = data.split_once(',').unwrap_or((data, ""));
        let mime = head.split(';').next().unwrap_or_default().trim();
        let name = format!("data:{mime}");
        if !matches!(
            mime,
            "image/png" | "image/jpeg" | "image/jpg" | "image/webp"
        ) || !head.contains("base64")
        {
            return Some(FaultKind::BadImage(name));
        }
        // Width and height are among the first bytes, except after a JPEG's own notes.
        match decode(body) {
            Some(bytes) => self.measure(&name, &bytes),
            None => Some(FaultKind::BadImage(name)),
        }
    }

    fn measure(&mut self, name: &str, bytes: &[u8]) -> Option<FaultKind> {
        if kind(bytes).is_none() {
            return Some(FaultKind::BadImage(short(name)));
        }
        let Some((width, height)) =
            measure(bytes).filter(|(width, height)| *width > 0 && *height > 0)
        else {
            return Some(FaultKind::BadImage(short(name)));
        };
        let pixels = u64::from(width) * u64::from(height);
        self.pixels = self.pixels.saturating_add(pixels);
        (pixels > PIXELS || self.pixels > ALL).then(|| FaultKind::BigImage(short(name)))
    }
}

/// A file beside the template: no scheme, no root, no way up.
fn is_beside(href: &str) -> bool {
    !href.is_empty()
        && href.len() <= 200
        && !href.starts_with('/')
        && !href.contains(['\\', ':', '?', '#', '%', '\0'])
        && href
            .split('/')
            .all(|part| !part.is_empty() && part != ".." && part != ".")
}

/// What makes a picture of a file's bytes.
type Made = fn(Arc<Vec<u8>>) -> ImageKind;

fn kind(bytes: &[u8]) -> Option<Made> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(ImageKind::JPEG),
        [0x89, b'P', b'N', b'G', ..] => Some(ImageKind::PNG),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(ImageKind::WEBP),
        _ => None,
    }
}

/// Base64, with or without line breaks and padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' | b' ' | b'\n' | b'\r' | b'\t' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn short(href: &str) -> String {
    href.chars().take(60).collect()
}

/// How the SVG library reads: our fonts, our files, and nothing else of this machine.
pub(super) fn options<'a>(fonts: &Fonts, images: &Images) -> Options<'a> {
    let files = images.files.clone();
    Options {
        resources_dir: None,
        font_family: USUAL.to_owned(),
        languages: vec!["zh".to_owned(), "en".to_owned()],
        fontdb: fonts.database().clone(),
        font_resolver: FontResolver {
            select_font: FontResolver::default_font_selector(),
            select_fallback: Box::new(|letter, used, database| fallback(letter, used, database)),
        },
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, data, _| kind(&data).map(|of| of(data.clone()))),
            resolve_string: Box::new(move |href, _| {
                let bytes = files.get(href.trim())?;
                kind(bytes).map(|of| of(bytes.clone()))
            }),
        },
        ..Options::default()
    }
}

/// The face that has a letter and is nearest in weight to the one that was wanted, as the fast way chooses.
fn fallback(letter: char, used: &[ID], database: &Database) -> Option<ID> {
    let wanted = database.face(*used.first()?)?.weight.0;
    database
        .faces()
        .filter(|face| !used.contains(&face.id))
        .filter(|face| {
            let has = database.with_face_data(face.id, |bytes, index| {
                skrifa::FontRef::from_index(bytes, index)
                    .is_ok_and(|font| font.charmap().map(letter).is_some())
            });
            has == Some(true)
        })
        .min_by_key(|face| face.weight.0.abs_diff(wanted))
        .map(|face| face.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_beside_the_template_are_taken() {
        for beside in ["photo.jpg", "pictures/logo 2.png", "图.webp"] {
            assert!(is_beside(beside), "{beside}");
        }
        for outside in [
            "",
            "/etc/passwd",
            "../a.png",
            "a/../../b.png",
            "http://x/y.png",
            "file:///x",
            "C:\\x.png",
            "//host/x.png",
            "a//b.png",
            "%2e%2e/x",
        ] {
            assert!(!is_beside(outside), "{outside}");
        }
    }

    #[test]
    fn base64_is_read_with_line_breaks() {
        assert_eq!(decode("aGVs\nbG8="), Some(b"hello".to_vec()));
        assert_eq!(decode("aG*s"), None);
    }
}
