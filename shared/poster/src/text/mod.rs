//! Texts with places: what they say, how they are laid out in their boxes, and their ink. What a template says of them is `template`'s.

mod clean;
mod frame;
mod ink;
mod lay;
mod pen;

pub(crate) use clean::{shown, turns};
pub(crate) use frame::{Align, Frame, LINE, Vertical};
pub(crate) use ink::draw;
pub(crate) use lay::{Laid, lay, natural};
pub(crate) use pen::Pen;

/// A stretch of a text in one style.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub pieces: Vec<Piece>,
    pub style: Style,
}

/// What a text is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As the design says.
    Words(String),
    /// The value of this path.
    Place(String),
}

/// How a run looks. Lengths in units of the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Style {
    pub family: String,
    pub weight: u16,
    pub size: f32,
    /// Added after every letter.
    pub spacing: f32,
    /// Red, green, blue, opacity.
    pub ink: [u8; 4],
}

/// A run with its places filled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filled<'a> {
    pub text: String,
    /// Where in it are values of places.
    pub values: Vec<std::ops::Range<usize>>,
    pub style: &'a Style,
}

impl Filled<'_> {
    /// Space after every letter; none where letters are joined.
    pub(crate) fn spacing(&self) -> f32 {
        if turns(&self.text) {
            0.0
        } else {
            self.style.spacing
        }
    }
}
