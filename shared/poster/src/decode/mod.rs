//! Pictures that strangers send, into pixels: what they are by their first bytes, whether they are small enough before anything
//! is allocated for them, and then their pixels, upright. Broken, animated and outsized ones are refused with a stable word.
//!
//! Colour profiles are ignored: samples are taken as sRGB, so that a picture in a wider gamut comes out a little pale. Where the
//! bytes come from (and may come from) is not decided here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, RgbaImage, metadata::Orientation};

use crate::Picture;

mod fit;
mod jpeg;
mod png;
mod refused;
mod webp;

pub use fit::{Fit, fitted};
pub use refused::Refused;

/// What a picture may cost, checked before its pixels are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest file, in bytes.
    pub bytes: usize,
    /// The longest side, in pixels.
    pub side: u32,
    /// Width times height, in pixels. Each takes 4 bytes in the result, and up to 16 on the way.
    pub pixels: u64,
    /// The most scans of a JPEG, thumbnails counted. Each may visit every pixel; a usual progressive file has 10.
    pub scans: usize,
    /// The most bytes of losslessly coded WebP. Such a stream may bring 65,536 groups of code tables with it, up to 400 bytes of
    /// memory for a byte of the file, and says so nowhere that could be read beforehand.
    pub lossless: usize,
}

impl Limits {
    /// For pictures that users have: 2 MiB, 4 megapixels.
    pub const AVATAR: Self = Self {
        bytes: 2 << 20,
        side: 8_192,
        pixels: 4 << 20,
        scans: 64,
        lossless: 128 << 10,
    };

    /// For pictures that a template's author ships with it: 16 MiB, 32 megapixels.
    pub const ARTWORK: Self = Self {
        bytes: 16 << 20,
        side: 16_384,
        pixels: 32 << 20,
        scans: 256,
        lossless: 16 << 20,
    };

    /// Whether a picture of this size may be read.
    fn size(&self, width: u32, height: u32) -> Result<(), Refused> {
        if width == 0 || height == 0 {
            return Err(Refused::Broken("it has no pixels".to_owned()));
        }
        let fits =
            width.max(height) <= self.side && u64::from(width) * u64::from(height) <= self.pixels;
        if fits {
            Ok(())
        } else {
            Err(Refused::Size {
                width,
                height,
                side: self.side,
                pixels: self.pixels,
            })
        }
    }
}

/// A format that is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JPEG: baseline and progressive; gray, RGB, YCbCr, CMYK and YCCK.
    Jpeg,
    /// PNG: all depths; APNG is refused as animated.
    Png,
    /// WebP: lossy and lossless; animations are refused.
    Webp,
    /// GIF: recognised, so that it can be named, and refused.
    Gif,
}

impl Kind {
    /// As it is called: `JPEG`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
        }
    }
}

/// What these bytes begin like. What a server says about them is not asked.
pub fn sniff(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some(Kind::Jpeg)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
        Some(Kind::Png)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(Kind::Webp)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(Kind::Gif)
    } else {
        None
    }
}

/// The picture in these bytes, turned as its Exif data says.
///
/// Any bytes may be given. Time and memory are bounded by `limits`; a panic of a decoder would come back as [`Refused::Broken`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Refused> {
    if bytes.len() > limits.bytes {
        return Err(Refused::Bytes {
            bytes: bytes.len(),
            most: limits.bytes,
        });
    }
    let read = match sniff(bytes) {
        Some(Kind::Jpeg) => jpeg::read,
        Some(Kind::Png) => png::read,
        Some(Kind::Webp) => webp::read,
        Some(kind @ Kind::Gif) => return Err(Refused::Kind(kind)),
        None => return Err(Refused::Unknown),
    };
    // The decoders are other people's, and pictures are hostile: the fuzz target looks for panics, this holds where it missed one.
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes, limits)));
    let (picture, exif) =
        read.unwrap_or_else(|_| Err(Refused::Broken("its decoder gave up".to_owned())))?;
    Ok(upright(picture, exif.as_deref()))
}

/// Pixels as they are stored, and the Exif data beside them.
type Read = (Picture, Option<Vec<u8>>);

/// Turns a picture as its Exif data asks.
fn upright(picture: Picture, exif: Option<&[u8]>) -> Picture {
    let turn = exif
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    if turn == Orientation::NoTransforms {
        return picture;
    }
    let Picture {
        width,
        height,
        rgba,
    } = picture;
    let Some(image) = RgbaImage::from_raw(width, height, rgba) else {
        return Picture {
            width: 0,
            height: 0,
            rgba: Vec::new(),
        };
    };
    let mut image = DynamicImage::ImageRgba8(image);
    image.apply_orientation(turn);
    Picture {
        width: image.width(),
        height: image.height(),
        rgba: image.into_rgba8().into_raw(),
    }
}
