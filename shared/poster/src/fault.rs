//! What is wrong with a template, in words that a designer understands, with its place and a way out. How it is shown is the caller's.

use std::ops::Range;

/// One thing that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: bytes of the SVG.
    pub at: Range<usize>,
    /// What.
    pub kind: FaultKind,
}

impl Fault {
    pub(crate) fn new(at: Range<usize>, kind: FaultKind) -> Self {
        Self { at, kind }
    }

    /// The way out.
    pub fn help(&self) -> &'static str {
        self.kind.help()
    }
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The file is larger than a template may be.
    #[error("this template has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not well-formed XML, or no SVG.
    #[error("this is not SVG that can be read: {0}")]
    NotSvg(String),
    /// Width or height are missing, tiny or huge.
    #[error(
        "a poster of {width} x {height} pixels cannot be drawn: each side is 16 to 4096, and both together at most 6 million pixels"
    )]
    Size {
        /// Pixels across, rounded up.
        width: u32,
        /// Pixels down, rounded up.
        height: u32,
    },
    /// Entities of a document type.
    #[error("the document type declares entities, which a template may not")]
    Entities,
    /// An element that a poster may not hold.
    #[error("<{0}> cannot be in a template")]
    Element(String),
    /// An attribute that runs a script.
    #[error("the attribute `{0}` runs a script, which a template may not")]
    Script(String),
    /// A reference that leaves the template's folder.
    #[error("`{0}` is outside: a template may use only what is in it, and picture files beside it")]
    External(String),
    /// A picture file that is not there.
    #[error("there is no picture file `{0}` beside the template")]
    NoFile(String),
    /// A picture of a kind that is not drawn, or broken.
    #[error("the picture `{0}` is not a PNG, JPEG or WebP that can be read")]
    BadImage(String),
    /// A picture of too many pixels.
    #[error("the picture `{0}` has too many pixels for a poster")]
    BigImage(String),
    /// Too much of something: elements, depth, references, filters.
    #[error("the template has too many {0}")]
    TooMuch(&'static str),
    /// Elements that refer to each other in a circle.
    #[error("`{0}` refers to itself")]
    Circle(String),
    /// A style rule that the check cannot follow.
    #[error("the style rule `{0}` refers to another element; that works only for rules of a class")]
    StyleRule(String),
    /// A family that nobody has.
    #[error("there is no font `{0}`")]
    NoFont(String),
    /// Letters that no font has.
    #[error("no font has the letters {0}")]
    NoLetters(String),
    /// `{{` without `}}`, or the other way round.
    #[error("`{0}` is not closed: a place is written {{{{ user.name }}}}")]
    OpenPlace(String),
    /// What is between the braces is not a path.
    #[error("`{0}` is no name of a value: a place is written {{{{ user.name }}}}")]
    BadPath(String),
    /// A filter in a place.
    #[error(
        "`{0}` has a `|`: how a value is written follows from its kind, and cannot be chosen here"
    )]
    Filter(String),
    /// Single, full-width or spaced braces.
    #[error(
        "`{0}` looks like a place, but is not one: write two plain braces, {{{{ user.name }}}}"
    )]
    AlmostPlace(String),
    /// A place in an attribute.
    #[error(
        "a place in the attribute `{0}` is never filled: places are in texts, and in the names of layers"
    )]
    PlaceInAttribute(String),
    /// A name that was meant as a place.
    #[error("`{name}` looks like a place for a {meant}, but is not one: {why}")]
    AlmostName {
        /// The name of the layer.
        name: String,
        /// `picture`, `code` or `box`.
        meant: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A place on an element that cannot be one.
    #[error("<{element}> cannot be a place for a {place}")]
    WrongElement {
        /// The element.
        element: String,
        /// `picture`, `code` or `box`.
        place: &'static str,
    },
    /// A place outside the drawing, in a definition, or invisible.
    #[error("this place is never drawn")]
    NotDrawn,
    /// A text with a place that is laid out letter by letter, along a path, or downwards.
    #[error("a text with places cannot {0}")]
    TextForm(&'static str),
    /// A picture or code turned, or under a filter of its group.
    #[error("a place for a {0} cannot be turned or slanted")]
    Turned(&'static str),
    /// The place of a code is not square.
    #[error("the place of the code has {width} x {height} pixels; it must be square")]
    NotSquare {
        /// Pixels across, rounded.
        width: u32,
        /// Pixels down, rounded.
        height: u32,
    },
    /// The place of a code is too small for any code.
    #[error("the place of the code has {side} pixels; a code needs at least {least}")]
    SmallCode {
        /// Pixels of a side.
        side: u32,
        /// Least pixels.
        least: u32,
    },
    /// Colours that a camera cannot tell apart.
    #[error("a camera cannot tell the code's colours {ink} on {paper} apart")]
    Contrast {
        /// The dark colour.
        ink: String,
        /// The light colour.
        paper: String,
    },
    /// The paper of a code is not one opaque colour.
    #[error("the place of a code must be filled with one opaque, light colour")]
    Paper,
    /// Something large or off the middle lies over a code.
    #[error(
        "what lies over the code hides too much of it: a logo is in the middle, and at most a quarter as wide"
    )]
    Covered,
    /// A content does not fit its box, even wrapped and shrunk.
    #[error(
        "the longest text of this place, `{text}`, does not fit its box of {width} x {height} and would end in …"
    )]
    Overflow {
        /// The text.
        text: String,
        /// Width of the box, in units of the template.
        width: u32,
        /// Height of the box.
        height: u32,
    },
    /// The longest content does not fit its code.
    #[error("`{text}` makes a code whose modules have less than 2 pixels")]
    LongCode {
        /// The text.
        text: String,
    },
    /// A box too low for one line.
    #[error("the box is {height} high; one line of this text needs {least}")]
    LowBox {
        /// Its height.
        height: u32,
        /// The least height.
        least: u32,
    },
}

impl FaultKind {
    /// The way out.
    pub fn help(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => {
                "save photos as files beside the template, and no larger than they are shown"
            }
            Self::NotSvg(_) => "export the design as SVG again",
            Self::Size { .. } => {
                "set width and height of the frame, in pixels; 750 x 1334 is usual, and 2x is made of it"
            }
            Self::Entities => {
                "export without the editor's own data (Illustrator: uncheck `Preserve Illustrator Editing Capabilities`)"
            }
            Self::Element(_) => "draw it with shapes, pictures and texts, or remove it",
            Self::Script(_) => "remove the attribute",
            Self::External(_) => {
                "put the file beside the template and write its name, or embed the picture in the SVG"
            }
            Self::NoFile(_) => "put the file beside the template; capitals count",
            Self::BadImage(_) => "save it as PNG or JPEG",
            Self::BigImage(_) => "scale it down to twice the size it is shown at",
            Self::TooMuch(_) => "flatten what is complicated into a picture",
            Self::Circle(_) => "remove the reference",
            Self::StyleRule(_) => {
                "export with presentation attributes or inline style (Illustrator: CSS Properties)"
            }
            Self::NoFont(_) => {
                "use Noto Sans SC (regular or bold), or add the font's TTF or OTF to the tenant"
            }
            Self::NoLetters(_) => {
                "write it in other words, or add a font that has them to the tenant"
            }
            Self::OpenPlace(_) => {
                "keep the whole place in one text of one style; Figma: select all of it and set one style"
            }
            Self::BadPath(_) => "write a name with points and without spaces, like user.name",
            Self::Filter(_) => "remove the `|` and what follows it",
            Self::AlmostPlace(_) => "write {{ user.name }}",
            Self::PlaceInAttribute(_) => {
                "for a picture, name its layer `picture user.avatar`; for a code, `qr share.url`"
            }
            Self::AlmostName { .. } => {
                "layers are named `picture user.avatar round`, `qr share.url`, `box 300x90 shrink`"
            }
            Self::WrongElement { place: "code", .. } => "name a square rectangle `qr share.url`",
            Self::WrongElement { place: "box", .. } => "name the text itself `box 300x90`",
            Self::WrongElement { .. } => {
                "name a rectangle, circle, path or picture `picture user.avatar`"
            }
            Self::NotDrawn => {
                "show the layer, inside the frame and outside of masks and components"
            }
            Self::TextForm(_) => {
                "use a plain horizontal text; in Figma do not check `Outline text`"
            }
            Self::Turned(_) => "place it upright",
            Self::NotSquare { .. } => "make width and height equal",
            Self::SmallCode { .. } => "make it larger; 200 pixels are read from afar",
            Self::Contrast { .. } => "use a dark ink on a light paper, best black on white",
            Self::Paper => "fill the rectangle with white",
            Self::Covered => {
                "make the logo smaller and centre it on the code, or move the layer below the code"
            }
            Self::Overflow { .. } => {
                "make the box wider or higher, or let the text shrink further: `box 300x90 shrink 16`"
            }
            Self::LongCode { .. } => "make the code's place larger, or the address shorter",
            Self::LowBox { .. } => "make the box higher",
        }
    }
}
