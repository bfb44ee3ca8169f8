//! Brings a picture to the size of its place.

use fast_image_resize as fir;
use fir::images::{Image, ImageRef};
use fir::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::canvas::Picture;

/// The picture at a size: `contain`: all of it, with nothing around; else filling it, its middle kept. None for a picture of no pixels.
pub(crate) fn fitted(picture: &Picture, width: u32, height: u32, contain: bool) -> Option<Vec<u8>> {
    let source = ImageRef::new(
        picture.width,
        picture.height,
        &picture.rgba,
        PixelType::U8x4,
    )
    .ok()?;
    if picture.width == 0 || picture.height == 0 || width == 0 || height == 0 {
        return None;
    }
    let opaque = picture.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .use_alpha(!opaque);
    let (across, down) = (f64::from(picture.width), f64::from(picture.height));
    let (wide, high) = (f64::from(width), f64::from(height));
    if !contain {
        let scale = (wide / across).max(high / down);
        let (part_across, part_down) = ((wide / scale).min(across), (high / scale).min(down));
        let options = options.crop(
            (across - part_across) / 2.0,
            (down - part_down) / 2.0,
            part_across,
            part_down,
        );
        return resized(&source, width, height, &options);
    }
    let scale = (wide / across).min(high / down);
    let inner_wide = ((across * scale).round() as u32).clamp(1, width);
    let inner_high = ((down * scale).round() as u32).clamp(1, height);
    let inner = resized(&source, inner_wide, inner_high, &options)?;
    let mut whole = vec![0; width as usize * height as usize * 4];
    let (left, top) = ((width - inner_wide) / 2, (height - inner_high) / 2);
    for (row, pixels) in inner.chunks_exact(inner_wide as usize * 4).enumerate() {
        let at = ((top as usize + row) * width as usize + left as usize) * 4;
        whole
            .get_mut(at..at + pixels.len())?
            .copy_from_slice(pixels);
    }
    Some(whole)
}

fn resized(
    source: &ImageRef<'_>,
    width: u32,
    height: u32,
    options: &ResizeOptions,
) -> Option<Vec<u8>> {
    let mut sized = Image::new(width, height, PixelType::U8x4);
    Resizer::new().resize(source, &mut sized, options).ok()?;
    Some(sized.into_vec())
}
