//! A template: a design's SVG, read once, with the places in it. Reading checks all of it; what comes out can be drawn, whatever the content.

mod guard;
mod images;
mod look;
mod marks;
mod measure;
mod read;
mod shape;
mod source;
mod words;

use std::ops::Range;
use std::sync::Arc;

use resvg::usvg::Tree;

use self::images::Images;
use self::source::{Edit, Leaf, Skeleton, edited, without_doctype};
use crate::code;
use crate::content::{Content, filled};
use crate::fault::{Fault, FaultKind};
use crate::fonts::Fonts;
use crate::scene::{Scale, Scene};
use crate::text::{Frame, Run, lay};

pub(crate) use self::source::escaped;

/// A template that has been read and found good. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

/// A place of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What fills it: `user.name`.
    pub path: String,
    /// With what.
    pub kind: PlaceKind,
    /// Where it is written: bytes of the SVG.
    pub at: Range<usize>,
}

/// What fills a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// A text in a text.
    Text,
    /// A picture.
    Picture,
    /// A QR code of a text.
    Qr,
}

#[derive(Debug)]
struct Inner {
    svg: String,
    size: (u32, u32),
    fonts: Fonts,
    images: Images,
    places: Vec<Place>,
    /// In the order of the drawing.
    items: Vec<Item>,
    leaves: Vec<Leaf>,
}

/// Something that is drawn for each poster.
#[derive(Debug)]
pub(crate) struct Item {
    pub at: Range<usize>,
    pub what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Text(TextItem),
    Picture(PictureItem),
    Code(CodeItem),
}

/// A text: its lines, and how they are drawn.
#[derive(Debug)]
pub(crate) struct TextItem {
    pub lines: Vec<(Vec<Run>, Frame)>,
    /// From the text's units to the template's: a scale and a shift, for the fast way.
    pub fast: Option<(f32, (f32, f32))>,
    pub transform: resvg::tiny_skia::Transform,
    /// For the slow way: a document around the lines.
    pub slow: Option<Slow>,
}

/// A text that is drawn by the SVG library, alone in its groups.
#[derive(Debug)]
pub(crate) struct Slow {
    skeleton: Skeleton,
    /// How far its shadow reaches beyond its box: left, up, right, down, in the template's units.
    pub margin: [f32; 4],
    /// Every stretch has one colour of its own, which is not that of the first.
    pub solid: bool,
}

impl Slow {
    pub(crate) fn with(&self, lines: &str) -> String {
        self.skeleton.with(lines)
    }
}

/// A picture in a shape.
#[derive(Debug)]
pub(crate) struct PictureItem {
    pub path: String,
    pub contain: bool,
    /// Its corners are rounder than the design's.
    pub rounded: bool,
    /// The documents that show its shape filled, itself as it is drawn, and its outline alone.
    pub shape: String,
    pub usual: Option<String>,
    pub outline: Option<String>,
}

/// A QR code.
#[derive(Debug)]
pub(crate) struct CodeItem {
    pub path: String,
    /// Left, top and side, in the template's units.
    pub square: (f32, f32, f32),
    pub ink: [u8; 3],
    /// Something lies over its middle.
    pub logo: bool,
}

impl Template {
    /// Reads a template: all that is wrong with it, or what can be drawn. `files` gives a picture beside the template by its address as written.
    pub fn read(
        svg: &str,
        files: &dyn Fn(&str) -> Option<Vec<u8>>,
        fonts: &Fonts,
    ) -> Result<Self, Vec<Fault>> {
        read::read(svg, files, fonts).map(|inner| Self {
            inner: Arc::new(inner),
        })
    }

    /// Its width and height in pixels at 1x.
    pub fn size(&self) -> (u32, u32) {
        self.inner.size
    }

    /// Its places, in the order of the drawing; a path as often as it is written.
    pub fn places(&self) -> &[Place] {
        &self.inner.places
    }

    /// The places that this content does not fit into, even wrapped and shrunk as far as the design allows.
    pub fn overflows(&self, longest: &Content) -> Vec<Fault> {
        let mut faults = Vec::new();
        for item in &self.inner.items {
            match &item.what {
                What::Text(text) => {
                    for (runs, frame) in &text.lines {
                        let (filled, _) = filled(runs, longest, &self.inner.fonts);
                        let text: String = filled.iter().map(|run| run.text.as_str()).collect();
                        if self.inner.fonts.write(|pen| lay(pen, filled, frame).cut) {
                            let (width, height) = (frame.width as u32, frame.height as u32);
                            faults.push(Fault::new(
                                item.at.clone(),
                                FaultKind::Overflow {
                                    text,
                                    width,
                                    height,
                                },
                            ));
                        }
                    }
                }
                What::Code(code) => {
                    let text = longest.texts.get(&code.path).cloned().unwrap_or_default();
                    if !text.is_empty()
                        && code::module(&text, code.logo, code.square.2 as u32) < code::LEAST
                    {
                        faults.push(Fault::new(item.at.clone(), FaultKind::LongCode { text }));
                    }
                }
                What::Picture(_) => {}
            }
        }
        faults
    }

    /// Draws what is the same for everybody, once.
    pub fn scene(&self, scale: Scale) -> Scene {
        Scene::of(self, scale)
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.inner.items
    }

    pub(crate) fn fonts(&self) -> &Fonts {
        &self.inner.fonts
    }

    /// What is drawn before item `index` and after the one before it; none where that is nothing.
    pub(crate) fn between(&self, index: usize) -> Option<Tree> {
        if !self
            .inner
            .leaves
            .iter()
            .any(|leaf| leaf.layer == Some(index))
        {
            return None;
        }
        let mut edits: Vec<Edit> = without_doctype(&self.inner.svg).into_iter().collect();
        edits.extend(
            self.inner
                .leaves
                .iter()
                .filter(|leaf| leaf.layer != Some(index))
                .flat_map(Leaf::hide),
        );
        self.tree(&edited(&self.inner.svg, edits))
    }

    /// Reads a document that was made of this template.
    pub(crate) fn tree(&self, svg: &str) -> Option<Tree> {
        Tree::from_str(svg, &images::options(&self.inner.fonts, &self.inner.images)).ok()
    }
}
