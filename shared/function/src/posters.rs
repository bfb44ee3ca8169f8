//! The templates of posters, checked when the configs are read: `poster` reads a drawing, `campaign::posters` knows what may stand
//! in it, and neither knows of the other.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use campaign::posters::check::{Drawing, Flaw, Reader, Spot, SpotKind, check as held};
use campaign::{Loaded, codes};
use poster::{Canvas, Content, Fault, FaultKind, Fonts, PlaceKind, Scale, Template};

/// What the longest text is: said where one does not fit.
const RECKONED: &str =
    "reckoned with texts of users of 20 letters of full width, and numbers of 7 digits";

/// How much an ink must differ from what is behind it, as contrast ratio: what large letters need.
const LEAST_CONTRAST: f64 = 3.0;

/// How far a channel must move before a pixel counts as ink.
const INK: u32 = 24;

/// How well the templates are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// What keeps them from being drawn, and what does not fit: when configs are read to be served.
    Usual,
    /// All that can be said, for whoever asks for it: texts are drawn to see whether they can be read.
    Full,
}

/// Checks the templates of all campaigns; one whose templates have errors has no definition any more.
pub fn check(loaded: &mut Loaded, root: &str, care: Care) {
    held(loaded, root, &Drawer { care });
}

/// The fonts that a tenant's posters are drawn with: the built-in ones, and its own.
pub fn fonts(own: &BTreeMap<String, Arc<[u8]>>) -> Fonts {
    static BUILT_IN: OnceLock<Fonts> = OnceLock::new();
    let built_in = BUILT_IN.get_or_init(Fonts::built_in);
    own.values().fold(built_in.clone(), |fonts, bytes| {
        // One that can't be read was told by the check.
        fonts.with(bytes.to_vec()).unwrap_or(fonts)
    })
}

/// Reads templates with `poster`.
#[derive(Debug)]
struct Drawer {
    care: Care,
}

impl Reader for Drawer {
    fn read(
        &self,
        svg: &str,
        file: &dyn Fn(&str) -> Option<Vec<u8>>,
        own: &BTreeMap<String, Arc<[u8]>>,
    ) -> Result<Box<dyn Drawing>, Vec<Flaw>> {
        match Template::read(svg, file, &fonts(own)) {
            Ok(template) => Ok(Box::new(Drawn {
                template,
                care: self.care,
            })),
            Err(faults) => Err(faults.iter().map(flaw).collect()),
        }
    }

    fn font(&self, bytes: &[u8]) -> Result<(), String> {
        let read = Fonts::built_in().with(bytes.to_vec());
        read.map(drop).map_err(|no| no.to_string())
    }
}

/// A template that was read.
struct Drawn {
    template: Template,
    care: Care,
}

impl Drawing for Drawn {
    fn spots(&self) -> Vec<Spot> {
        let places = self.template.places().iter();
        places
            .map(|place| Spot {
                path: place.path.clone(),
                kind: match place.kind {
                    PlaceKind::Text => SpotKind::Text,
                    PlaceKind::Picture => SpotKind::Picture,
                    PlaceKind::Qr => SpotKind::Code,
                },
                at: place.at.clone(),
            })
            .collect()
    }

    fn remarks(&self) -> Vec<Flaw> {
        if self.care == Care::Usual {
            return Vec::new();
        }
        let scene = self.template.scene(Scale::X1);
        let empty = scene.compose(&Content::default()).canvas;
        let places = self.template.places().iter();
        let texts = places.filter(|place| place.kind == PlaceKind::Text);
        let faint = texts.filter_map(|place| {
            let texts = BTreeMap::from([(place.path.clone(), "国家8008".to_owned())]);
            let drawn = scene.compose(&Content {
                texts,
                pictures: BTreeMap::new(),
            });
            let found = contrast(&empty, &drawn.canvas)?;
            (found < LEAST_CONTRAST).then(|| Flaw {
                code: codes::POSTER_CONTRAST,
                message: format!(
                    "`{}` is hard to read on what is behind it: a contrast of {found:.1} to 1",
                    place.path
                ),
                help: Some(
                    "make the text darker or lighter, or put a plain shape behind it: 3 to 1 at least"
                        .to_owned(),
                ),
                at: place.at.clone(),
            })
        });
        let mut found: Vec<Flaw> = faint.collect();
        found.dedup_by(|one, other| one.message == other.message);
        found
    }

    fn overflows(&self, texts: &BTreeMap<String, String>) -> Vec<Flaw> {
        let longest = Content {
            texts: texts.clone(),
            pictures: BTreeMap::new(),
        };
        let faults = self.template.overflows(&longest);
        let flaws = faults.iter().map(|fault| Flaw {
            code: codes::POSTER_OVERFLOW,
            message: fault.kind.to_string(),
            help: Some(format!("{}; {RECKONED}", fault.help())),
            at: fault.at.clone(),
        });
        flaws.collect()
    }
}

/// A fault as the check tells it.
fn flaw(fault: &Fault) -> Flaw {
    Flaw {
        code: code(&fault.kind),
        message: fault.kind.to_string(),
        help: Some(fault.help().to_owned()),
        at: fault.at.clone(),
    }
}

/// The kind of thing that is wrong.
fn code(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::TooLarge { .. } => codes::TOO_BIG,
        FaultKind::NotSvg(_) | FaultKind::Size { .. } => codes::POSTER_SVG,
        FaultKind::Entities
        | FaultKind::Element(_)
        | FaultKind::Script(_)
        | FaultKind::TooMuch(_)
        | FaultKind::Circle(_)
        | FaultKind::StyleRule(_) => codes::POSTER_REFUSED,
        FaultKind::External(_) => codes::POSTER_OUTSIDE,
        FaultKind::NoFile(_) | FaultKind::BadImage(_) | FaultKind::BigImage(_) => {
            codes::POSTER_PICTURE
        }
        FaultKind::NoFont(_) | FaultKind::NoLetters(_) => codes::POSTER_FONT,
        FaultKind::OpenPlace(_)
        | FaultKind::BadPath(_)
        | FaultKind::Filter(_)
        | FaultKind::AlmostPlace(_)
        | FaultKind::PlaceInAttribute(_)
        | FaultKind::AlmostName { .. }
        | FaultKind::WrongElement { .. }
        | FaultKind::NotDrawn
        | FaultKind::TextForm(_)
        | FaultKind::Turned(_)
        | FaultKind::NotSquare { .. }
        | FaultKind::SmallCode { .. }
        | FaultKind::Contrast { .. }
        | FaultKind::Paper
        | FaultKind::Covered
        | FaultKind::Overflow { .. }
        | FaultKind::LongCode { .. }
        | FaultKind::LowBox { .. } => codes::POSTER_PLACE,
    }
}

/// How well what was added to a canvas can be told from what was there: the contrast ratio that a tenth of its pixels reach, so
/// that the soft edges of letters count for nothing. None where nothing was added.
fn contrast(before: &Canvas, after: &Canvas) -> Option<f64> {
    let pixels = before.rgb.chunks_exact(3).zip(after.rgb.chunks_exact(3));
    let mut found: Vec<f64> = pixels
        .filter(|(was, is)| {
            let moved = was.iter().zip(*is).map(|(a, b)| u32::from(a.abs_diff(*b)));
            moved.max().unwrap_or(0) >= INK
        })
        .map(|(was, is)| {
            let (a, b) = (luminance(was), luminance(is));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        })
        .collect();
    if found.is_empty() {
        // Ink of nearly the colour behind it is no ink at all.
        return (before.rgb != after.rgb).then_some(1.0);
    }
    found.sort_by(f64::total_cmp);
    found.get(found.len() * 9 / 10).copied()
}

/// The relative luminance of a pixel (WCAG 2).
fn luminance(pixel: &[u8]) -> f64 {
    let linear = |channel: &u8| {
        let value = f64::from(*channel) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let weights = [0.2126, 0.7152, 0.0722];
    let channels = pixel.iter().map(linear).zip(weights);
    channels.map(|(value, weight)| value * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(pixel: [u8; 3]) -> Canvas {
        Canvas {
            width: 10,
            height: 1,
            rgb: pixel.repeat(10),
        }
    }

    #[test]
    fn contrast_is_what_eyes_see() {
        let (white, black) = (canvas([255; 3]), canvas([0; 3]));
        assert_eq!(contrast(&white, &white), None);
        assert!(contrast(&white, &black).is_some_and(|found| (found - 21.0).abs() < 0.01));
        assert!(contrast(&white, &canvas([244; 3])).is_some_and(|found| found < 1.5));
        assert!(contrast(&white, &canvas([200; 3])).is_some_and(|found| found < 3.0));
    }
}
