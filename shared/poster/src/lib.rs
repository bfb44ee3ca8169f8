//! Posters: an SVG template with places for texts, pictures and a QR code, filled and written as JPEG, PNG or WebP. Bytes in, bytes out.
//!
//! It reads no file, asks no network and knows nothing of campaigns: what fills a place is an argument.

mod canvas;
pub mod decode;
pub mod encode;
mod format;

pub use canvas::{Area, Canvas, Picture};
pub use format::Format;
