//! Posters: an SVG template with places for texts, pictures and a QR code, filled and written as JPEG, PNG or WebP. Bytes in, bytes out.
//!
//! It reads no file, asks no network and knows nothing of campaigns: what fills a place is an argument.

mod canvas;
pub mod decode;
pub mod encode;
mod format;

mod fault;
mod fonts;
mod template;
mod text;

mod bands;
mod code;
mod compose;
mod content;
mod paint;
mod scene;

pub use canvas::{Area, Canvas, Picture};
pub use compose::Composed;
pub use content::{Content, Warning};
pub use fault::{Fault, FaultKind};
pub use fonts::{Fonts, NotAFont};
pub use format::Format;
pub use scene::{Scale, Scene};
pub use template::{Place, PlaceKind, Template};
