//! A picture at the size of its place: cut, framed or stretched. Transparent pixels weigh nothing, so that their colour does not
//! bleed into an edge.

use std::borrow::Cow;

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
        Fit::Contain => contained((picture.width, picture.height), width, height),
    };
    let inner = match fit {
        Fit::Cover => {
            middle(picture, width, height).and_then(|middle| resized(&middle, width, height))
        }
        Fit::Contain | Fit::Stretch => resized(picture, inner_width, inner_height),
    };
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

/// The largest size in this shape (pixels across and down) that a place holds; no side is less than a pixel.
fn contained((wide, high): (u32, u32), width: u32, height: u32) -> (u32, u32) {
    if wide == 0 || high == 0 || width == 0 || height == 0 {
        return (width, height);
    }
    let (wide, high) = (u64::from(wide), u64::from(high));
    let by_width = (u64::from(width) * high + wide / 2) / wide;
    if by_width <= u64::from(height) {
        return (width, by_width.max(1) as u32);
    }
    let by_height = (u64::from(height) * wide + high / 2) / high;
    (by_height.clamp(1, u64::from(width)) as u32, height)
}

/// The middle of a picture, in the shape of this size, to the nearest pixel.
///
/// fast_image_resize would cut by itself, at fractions of pixels, and then reads beside the picture where a stretch of few pixels
/// is enlarged (6.1.0). So it gets whole pictures only.
fn middle(picture: &Picture, width: u32, height: u32) -> Option<Cow<'_, Picture>> {
    if picture.width == 0 || width == 0 || height == 0 {
        return None;
    }
    let (wide, high) = contained((width, height), picture.width, picture.height);
    if (wide, high) == (picture.width, picture.height) {
        return Some(Cow::Borrowed(picture));
    }
    let stride = 4 * picture.width as usize;
    let left = 4 * ((picture.width - wide) / 2) as usize;
    let top = ((picture.height - high) / 2) as usize;
    let rows = picture.rgba.chunks_exact(stride).skip(top);
    let mut rgba = Vec::with_capacity(4 * wide as usize * high as usize);
    for row in rows.take(high as usize) {
        rgba.extend_from_slice(row.get(left..left + 4 * wide as usize)?);
    }
    Some(Cow::Owned(Picture {
        width: wide,
        height: high,
        rgba,
    }))
}

/// Whether no pixel lets anything through.
fn opaque(picture: &Picture) -> bool {
    let all = |all, pixel: &[u8; 4]| all & pixel[3];
    picture.rgba.as_chunks().0.iter().fold(255, all) == 255
}

/// An opaque picture at half its size: each pixel the mean of four. The last row or column of an odd number of them is left out: a
/// picture that is halved is four times as large as its place, at least.
fn halved(picture: &Picture) -> Picture {
    let (width, height) = (picture.width / 2, picture.height / 2);
    let stride = 4 * picture.width as usize;
    let mut rgba = vec![0; 4 * width as usize * height as usize];
    let rows = rgba.chunks_exact_mut(4 * width.max(1) as usize);
    for (row, two) in rows.zip(picture.rgba.chunks_exact((2 * stride).max(1))) {
        let (upper, lower) = two.split_at(stride);
        let (upper, lower) = (upper.as_chunks::<8>().0, lower.as_chunks::<8>().0);
        let pixels = row.as_chunks_mut::<4>().0;
        for ((pixel, a), b) in pixels.iter_mut().zip(upper).zip(lower) {
            *pixel = std::array::from_fn(|at| {
                let sum = u16::from(a[at])
                    + u16::from(a[at + 4])
                    + u16::from(b[at])
                    + u16::from(b[at + 4]);
                ((sum + 2) / 4) as u8
            });
        }
    }
    Picture {
        width,
        height,
        rgba,
    }
}

/// Resizes; none where there is nothing to resize.
fn resized(picture: &Picture, width: u32, height: u32) -> Option<Picture> {
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
    let opaque = opaque(picture);
    // Means of four are nearly free, and the kernel then reads a quarter. The last halving is left to it, so that edges stay sharp.
    if opaque && picture.width / 4 >= width && picture.height / 4 >= height {
        return resized(&halved(picture), width, height);
    }
    let mut to = Image::new(width, height, PixelType::U8x4);
    let shrinks = f64::from(picture.width) / f64::from(width);
    let shrinks = shrinks.min(f64::from(picture.height) / f64::from(height));
    // Where much is averaged a narrow kernel looks the same and reads half the pixels.
    let filter = if shrinks < 3.0 {
        FilterType::CatmullRom
    } else {
        FilterType::Hamming
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .use_alpha(!opaque);
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
