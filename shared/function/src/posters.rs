//! The templates of posters, checked when the configs are read: `poster` reads a drawing, `campaign::posters` knows what may stand
//! in it, and neither knows of the other.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use campaign::posters::check::{Drawing, Flaw, Reader, Spot, SpotKind, check as held};
use campaign::{Loaded, codes};
use poster::{Area, Canvas, Content, Fault, FaultKind, Fonts, Place, PlaceKind, Scale, Template};

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
    let drawer = Drawer {
        care,
        fonts: RefCell::default(),
    };
    held(loaded, root, &drawer);
}

/// A tenant's own fonts, by path.
type Files = BTreeMap<String, Arc<[u8]>>;

/// The fonts that a tenant's posters are drawn with: the built-in ones, and its own.
pub fn fonts(own: &Files) -> Fonts {
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
    /// Those of the tenant that is looked at, and the files they are of: what is known of their letters is made once, not for each
    /// of its templates.
    fonts: RefCell<Option<(Files, Fonts)>>,
}

impl Drawer {
    fn fonts(&self, own: &Files) -> Fonts {
        if own.is_empty() {
            return fonts(own);
        }
        let same = |known: &Files| {
            let pairs = known.values().zip(own.values());
            known.len() == own.len() && pairs.into_iter().all(|(a, b)| Arc::ptr_eq(a, b))
        };
        let mut kept = self.fonts.borrow_mut();
        match &*kept {
            Some((known, fonts)) if same(known) => fonts.clone(),
            _ => kept.insert((own.clone(), fonts(own))).1.clone(),
        }
    }
}

impl Reader for Drawer {
    fn read(
        &self,
        svg: &str,
        file: &dyn Fn(&str) -> Option<Vec<u8>>,
        own: &Files,
    ) -> Result<Box<dyn Drawing>, Vec<Flaw>> {
        match Template::read(svg, file, &self.fonts(own)) {
            Ok(template) => Ok(Box::new(Drawn {
                template,
                care: self.care,
            })),
            Err(faults) => Err(faults.iter().map(flaw).collect()),
        }
    }

    fn font(&self, bytes: &[u8]) -> Result<(), String> {
        let read = fonts(&BTreeMap::new()).with(bytes.to_vec());
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
        let places = self.template.places().iter();
        let texts = places.filter(|place| place.kind == PlaceKind::Text);
        let mut told = BTreeSet::new();
        let texts: Vec<&Place> = texts.filter(|place| told.insert(&place.path)).collect();
        if texts.is_empty() {
            return Vec::new();
        }
        let scene = self.template.scene(Scale::X1);
        let empty = scene.compose(&Content::default());
        let mut drawn = empty.clone();
        let faint = texts.into_iter().filter_map(|place| {
            let texts = BTreeMap::from([(place.path.clone(), "国家8008".to_owned())]);
            let content = Content {
                texts,
                pictures: BTreeMap::new(),
            };
            scene.compose_into(&content, &mut drawn);
            let found = contrast(&empty.canvas, &drawn.canvas, &drawn.touched)?;
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
        faint.collect()
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

/// How well what was added to a canvas, in these areas, can be told from what was there: the contrast ratio that a tenth of its
/// pixels reach, so that the soft edges of letters count for nothing. None where nothing was added.
fn contrast(before: &Canvas, after: &Canvas, touched: &[Area]) -> Option<f64> {
    let mut found = Vec::new();
    let mut differ = false;
    for (number, area) in touched.iter().enumerate() {
        let right = (area.x.saturating_add(area.width)).min(before.width);
        let bottom = (area.y.saturating_add(area.height)).min(before.height);
        // What two areas share is looked at once.
        let earlier = touched.get(..number).unwrap_or_default();
        for y in area.y..bottom {
            let (was, is) = (row(before, y, area.x..right), row(after, y, area.x..right));
            if was == is {
                continue;
            }
            differ = true;
            for ((x, was), is) in (area.x..).zip(was.chunks_exact(3)).zip(is.chunks_exact(3)) {
                let moved = was.iter().zip(is).map(|(a, b)| u32::from(a.abs_diff(*b)));
                if moved.max().unwrap_or(0) < INK || earlier.iter().any(|area| holds(*area, x, y)) {
                    continue;
                }
                let (a, b) = (luminance(was), luminance(is));
                found.push((a.max(b) + 0.05) / (a.min(b) + 0.05));
            }
        }
    }
    if found.is_empty() {
        // Ink of nearly the colour behind it is no ink at all.
        return differ.then_some(1.0);
    }
    found.sort_by(f64::total_cmp);
    found.get(found.len() * 9 / 10).copied()
}

/// The bytes of a part of a row.
fn row(canvas: &Canvas, y: u32, columns: Range<u32>) -> &[u8] {
    let first = y as usize * canvas.width as usize;
    let at = |x: u32| 3 * (first + x as usize);
    let bytes = at(columns.start)..at(columns.end);
    canvas.rgb.get(bytes).unwrap_or_default()
}

fn holds(area: Area, x: u32, y: u32) -> bool {
    let inside = |at: u32, from: u32, length: u32| at >= from && at - from < length;
    inside(x, area.x, area.width) && inside(y, area.y, area.height)
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
        let all = Area {
            x: 0,
            y: 0,
            width: 10,
            height: 1,
        };
        let (white, black) = (canvas([255; 3]), canvas([0; 3]));
        let seen = |before: &Canvas, after: &Canvas| contrast(before, after, &[all]);
        assert_eq!(seen(&white, &white), None);
        assert!(seen(&white, &black).is_some_and(|found| (found - 21.0).abs() < 0.01));
        assert!(seen(&white, &canvas([244; 3])).is_some_and(|found| found < 1.5));
        assert!(seen(&white, &canvas([200; 3])).is_some_and(|found| found < 3.0));
    }

    #[test]
    fn only_what_was_touched_is_looked_at_and_each_pixel_once() {
        let white = canvas([255; 3]);
        let mut two = canvas([255; 3]);
        two.rgb[..3].fill(0);
        two.rgb[3..].fill(200);
        let area = |x, width| Area {
            x,
            y: 0,
            width,
            height: 1,
        };
        let faint = contrast(&white, &two, &[area(1, 40)]);
        assert!(faint.is_some_and(|found| found < 3.0));
        // The strong pixel is a tenth of all, however often the others are told.
        let often = [area(8, 40), area(1, 9), area(0, 10), area(1, 9)];
        assert!(contrast(&white, &two, &often).is_some_and(|found| found > 20.0));
        assert_eq!(contrast(&white, &two, &[]), None);
        assert_eq!(contrast(&white, &two, &[area(20, 4)]), None);
    }
}
