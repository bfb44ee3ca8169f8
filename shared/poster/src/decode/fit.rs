//! A picture at the size of its place: cut, framed or stretched. Transparent pixels weigh nothing, so that their colour does not
//! bleed into an edge.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::Picture;

/// What gives way where a picture and its place differ in shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// The place is full; what stands over is cut off, as much on one side as on the other.
    Cover,
    /// All of the picture is there, in the middle; the rest of the place is transparent.
    Contain,
    /// The place is full, and all of the picture is there, out of shape.
    Stretch,
}

/// The picture in exactly this size, in pixels.
///
/// A picture without pixels, or one whose bytes do not make up its size, comes out transparent.
pub fn fitted(picture: &Picture, width: u32, height: u32, fit: Fit) -> Picture {
    let (inner_width, inner_height) = match fit {
        Fit::Cover | Fit::Stretch => (width, height),
        Fit::Contain => contained(picture, width, height),
    };
    let inner = resized(picture, inner_width, inner_height, fit == Fit::Cover);
    if (inner_width, inner_height) == (width, height) {
        return inner.unwrap_or_else(|| blank(width, height));
    }
    let mut whole = blank(width, height);
    let Some(inner) = inner.filter(|inner| inner.width > 0) else {
        return whole;
    };
    let left = 4 * ((width - inner_width) / 2) as usize;
    let top = ((height - inner_height) / 2) as usize;
    let rows = whole.rgba.chunks_exact_mut(4 * width as usize).skip(top);
    for (row, from) in rows.zip(inner.rgba.chunks_exact(4 * inner_width as usize)) {
        row[left..left + from.len()].copy_from_slice(from);
    }
    whole
}

/// The largest size in a picture's shape that this place holds; no side is less than a pixel.
fn contained(picture: &Picture, width: u32, height: u32) -> (u32, u32) {
    if picture.width == 0 || picture.height == 0 || width == 0 || height == 0 {
        return (width, height);
    }
    let (wide, high) = (u64::from(picture.width), u64::from(picture.height));
    let by_width = (u64::from(width) * high + wide / 2) / wide;
    if by_width <= u64::from(height) {
        return (width, by_width.max(1) as u32);
    }
    let by_height = (u64::from(height) * wide + high / 2) / high;
    (by_height.clamp(1, u64::from(width)) as u32, height)
}

/// Resizes; none where there is nothing to resize.
fn resized(picture: &Picture, width: u32, height: u32, cover: bool) -> Option<Picture> {
    if width == 0 || height == 0 || picture.width == 0 || picture.height == 0 {
        return None;
    }
    let from = ImageRef::new(
        picture.width,
        picture.height,
        &picture.rgba,
        PixelType::U8x4,
    )
    .ok()?;
    if (width, height) == (picture.width, picture.height) {
        return Some(picture.clone());
    }
    let mut to = Image::new(width, height, PixelType::U8x4);
    let shrinks = f64::from(picture.width) / f64::from(width);
    let shrinks = shrinks.min(f64::from(picture.height) / f64::from(height));
    // Where much is averaged a narrow kernel looks the same and reads a third of the pixels.
    let filter = if shrinks < 3.0 {
        FilterType::CatmullRom
    } else {
        FilterType::Hamming
    };
    let opaque = picture.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255);
    let mut options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .use_alpha(!opaque);
    if cover {
        options = options.fit_into_destination(Some((0.5, 0.5)));
    }
    Resizer::new().resize(&from, &mut to, &options).ok()?;
    Some(Picture {
        width,
        height,
        rgba: to.into_vec(),
    })
}

/// All transparent.
fn blank(width: u32, height: u32) -> Picture {
    Picture {
        width,
        height,
        rgba: vec![0; 4 * width as usize * height as usize],
    }
}
