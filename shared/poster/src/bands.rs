//! Where a shape has pixels, told closer than by the rectangle around it: for each row of a JPEG's blocks, from its first column to
//! its last. So the blocks in the corners around a circle stay untouched.

use crate::canvas::Area;
use crate::encode::BLOCK;

/// The bands of a shape; `cover` has a byte for each pixel of its area, row by row: 0 where the shape is not.
pub(crate) fn bands(area: Area, cover: impl Iterator<Item = u8>) -> Vec<Area> {
    let width = area.width as usize;
    let cover: Vec<u8> = cover.collect();
    let mut bands: Vec<Area> = Vec::new();
    if width == 0 {
        return bands;
    }
    for (y, row) in (area.y..).zip(cover.chunks_exact(width)) {
        let inked = |cover: &u8| *cover > 0;
        let Some(first) = row.iter().position(inked) else {
            continue;
        };
        let last = row.iter().rposition(inked).unwrap_or(first);
        let (left, right) = (area.x + first as u32, area.x + last as u32 + 1);
        let block = |y: u32| y as usize / BLOCK;
        match bands.last_mut().filter(|band| block(band.y) == block(y)) {
            Some(band) => {
                let end = (band.x + band.width).max(right);
                band.x = band.x.min(left);
                band.width = end - band.x;
                band.height = y + 1 - band.y;
            }
            None => bands.push(Area {
                x: left,
                y,
                width: right - left,
                height: 1,
            }),
        }
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_hold_all_of_a_shape_and_less_than_its_rectangle() {
        let area = Area {
            x: 13,
            y: 7,
            width: 41,
            height: 40,
        };
        let inside = |x: u32, y: u32| x.abs_diff(20).pow(2) + y.abs_diff(20).pow(2) <= 19 * 19;
        let pixels = || (0..area.height).flat_map(|y| (0..area.width).map(move |x| (x, y)));
        let found = bands(area, pixels().map(|(x, y)| u8::from(inside(x, y))));
        let held = |x: u32, y: u32| {
            found.iter().any(|band| {
                (band.x..band.x + band.width).contains(&(area.x + x))
                    && (band.y..band.y + band.height).contains(&(area.y + y))
            })
        };
        assert!(pixels().all(|(x, y)| held(x, y) || !inside(x, y)));
        assert!(found.windows(2).all(|two| two[0].y / 16 < two[1].y / 16));
        let size = |area: &Area| area.width * area.height;
        assert!(found.iter().map(size).sum::<u32>() < size(&area));
    }

    #[test]
    fn nothing_has_no_bands() {
        let area = Area {
            x: 0,
            y: 0,
            width: 3,
            height: 2,
        };
        assert_eq!(bands(area, [0; 6].into_iter()), []);
        let none = Area { width: 0, ..area };
        assert_eq!(bands(none, std::iter::empty()), []);
    }
}
