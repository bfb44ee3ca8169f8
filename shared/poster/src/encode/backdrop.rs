//! What all posters of a template have in common, coded once. Of each poster only the blocks that somebody's name, picture or
//! code touches are coded; the rest is copied, byte for byte.
//!
//! A JPEG's code depends on what stands before it, but not across a restart marker. So the backdrop is written with one after
//! each few blocks of 16 x 16 pixels (4:2:0: that is what is coded together). Touched stretches between two markers are laid
//! under each other as a picture as wide as one of them, written by the same encoder with the same settings, cut at its markers,
//! and put in the others' places. The outcome is that of writing the whole poster, bit for bit, as the tests hold it to.

use super::{Unencodable, jpeg_rows, segments::Segments, sides};
use crate::{Area, Canvas, Format};

/// Blocks between two markers. Fewer fit closer around what is touched, and cost 3 bytes more each: docs/BENCHMARKS.md.
const EVERY: u16 = 2;

/// The side of a block, in pixels.
pub(crate) const BLOCK: usize = 16;

/// The most blocks that a JPEG can have beside or under each other.
const MOST: usize = u16::MAX as usize / BLOCK;

/// What all posters of a template have in common, as a JPEG in parts.
#[derive(Debug, Clone)]
pub struct Backdrop {
    width: u32,
    height: u32,
    quality: u8,
    /// Blocks between two markers.
    every: u16,
    whole: Segments,
}

impl Backdrop {
    /// Codes what all posters have in common, to be kept. `quality` is 1 to 100.
    pub fn new(canvas: &Canvas, quality: u8) -> Result<Self, Unencodable> {
        Self::with(canvas, quality, EVERY)
    }

    /// As [`Self::new`], with another distance between two markers, in blocks (1 to 4,095): for measuring.
    #[doc(hidden)]
    pub fn with(canvas: &Canvas, quality: u8, every: u16) -> Result<Self, Unencodable> {
        let every = every.clamp(1, MOST as u16);
        let (width, height) = sides(canvas, Format::Jpeg, u32::from(u16::MAX))?;
        let whole = jpeg_rows(&canvas.rgb, width as u16, height as u16, quality, every)?;
        Ok(Self {
            width,
            height,
            quality,
            every,
            whole: cut(whole)?,
        })
    }

    /// Bytes that it keeps.
    pub fn bytes(&self) -> usize {
        self.whole.bytes.len() + self.whole.coded.len() * size_of::<std::ops::Range<usize>>()
    }

    /// The canvas as a JPEG, where it differs from the backdrop in these areas only.
    ///
    /// What differs elsewhere is not seen, or seen in part. Areas may overlap, and reach over the edge.
    pub fn jpeg(&self, canvas: &Canvas, touched: &[Area]) -> Result<Vec<u8>, Unencodable> {
        let (width, height) = sides(canvas, Format::Jpeg, u32::from(u16::MAX))?;
        if (width, height) != (self.width, self.height) {
            return Err(Unencodable::OtherSize { width, height });
        }
        let marked = self.marked(touched);
        let fresh: Vec<usize> = (0..marked.len()).filter(|at| marked[*at]).collect();
        if fresh.len() * 10 >= marked.len() * 9 {
            let (width, height) = (width as u16, height as u16);
            return jpeg_rows(&canvas.rgb, width, height, self.quality, self.every);
        }
        self.spliced(&self.coded(canvas, &fresh)?)
    }

    /// Which stretches between two markers these areas meet.
    fn marked(&self, touched: &[Area]) -> Vec<bool> {
        let mut marked = vec![false; self.whole.coded.len()];
        for area in touched {
            let right = area.x.saturating_add(area.width).min(self.width);
            let bottom = area.y.saturating_add(area.height).min(self.height);
            if area.x >= right || area.y >= bottom {
                continue;
            }
            let (left, right) = (area.x as usize / BLOCK, (right as usize - 1) / BLOCK);
            for row in area.y as usize / BLOCK..=(bottom as usize - 1) / BLOCK {
                let first = row * self.columns() + left;
                let last = row * self.columns() + right;
                let every = usize::from(self.every);
                if let Some(met) = marked.get_mut(first / every..=last / every) {
                    met.fill(true);
                }
            }
        }
        marked
    }

    /// Codes these stretches anew: pairs of a stretch's number and its code.
    fn coded(
        &self,
        canvas: &Canvas,
        fresh: &[usize],
    ) -> Result<Vec<(usize, Vec<u8>)>, Unencodable> {
        let every = usize::from(self.every);
        let blocks = self.columns() * (self.height as usize).div_ceil(BLOCK);
        let mut coded = Vec::with_capacity(fresh.len());
        // The last one may have fewer blocks, and then does not lie under the others.
        let full = fresh.partition_point(|at| (at + 1) * every <= blocks);
        let (full, short) = fresh.split_at(full);
        for some in full.chunks(MOST) {
            self.strip(canvas, some, every, &mut coded)?;
        }
        for at in short {
            self.strip(canvas, &[*at], blocks - at * every, &mut coded)?;
        }
        Ok(coded)
    }

    /// Codes stretches of so many blocks, laid under each other.
    fn strip(
        &self,
        canvas: &Canvas,
        stretches: &[usize],
        blocks: usize,
        coded: &mut Vec<(usize, Vec<u8>)>,
    ) -> Result<(), Unencodable> {
        let row = 3 * BLOCK * blocks;
        let mut rgb = vec![0; row * BLOCK * stretches.len()];
        for (stretch, rows) in stretches.iter().zip(rgb.chunks_exact_mut(row * BLOCK)) {
            for block in 0..blocks {
                let at = stretch * usize::from(self.every) + block;
                self.copy(canvas, at, &mut rows[3 * BLOCK * block..], row);
            }
        }
        let (width, height) = (BLOCK * blocks, BLOCK * stretches.len());
        let written = jpeg_rows(
            &rgb,
            width as u16,
            height as u16,
            self.quality,
            blocks as u16,
        )?;
        let cut = cut(written)?;
        if cut.coded.len() != stretches.len() {
            return Err(unknown());
        }
        coded.extend(
            stretches
                .iter()
                .enumerate()
                .map(|(row, stretch)| (*stretch, cut.code(row).to_vec())),
        );
        Ok(())
    }

    /// Copies a block; over the edge of the canvas its last pixels go on, as the encoder has them go on.
    fn copy(&self, canvas: &Canvas, block: usize, to: &mut [u8], stride: usize) {
        let (width, height) = (self.width as usize, self.height as usize);
        let left = block % self.columns() * BLOCK;
        let top = block / self.columns() * BLOCK;
        let across = BLOCK.min(width - left);
        for (down, row) in to.chunks_mut(stride).take(BLOCK).enumerate() {
            let from = 3 * ((top + down).min(height - 1) * width + left);
            let (inside, over) = row[..3 * BLOCK].split_at_mut(3 * across);
            inside.copy_from_slice(&canvas.rgb[from..from + 3 * across]);
            for pixel in over.chunks_exact_mut(3) {
                pixel.copy_from_slice(&inside[3 * across - 3..]);
            }
        }
    }

    /// The backdrop with these stretches in the place of its own. Markers stay: they are numbered by place.
    fn spliced(&self, fresh: &[(usize, Vec<u8>)]) -> Result<Vec<u8>, Unencodable> {
        let old = &self.whole.bytes;
        let longer: usize = fresh.iter().map(|(_, code)| code.len()).sum();
        let mut written = Vec::with_capacity(old.len() + longer);
        let mut copied = 0;
        for (at, code) in fresh {
            let place = self.whole.coded.get(*at).ok_or_else(unknown)?;
            written.extend_from_slice(old.get(copied..place.start).ok_or_else(unknown)?);
            written.extend_from_slice(code);
            copied = place.end;
        }
        written.extend_from_slice(old.get(copied..).ok_or_else(unknown)?);
        Ok(written)
    }

    /// Blocks in a row.
    fn columns(&self) -> usize {
        (self.width as usize).div_ceil(BLOCK)
    }
}

/// Cuts what our encoder wrote.
fn cut(written: Vec<u8>) -> Result<Segments, Unencodable> {
    Segments::cut(written).ok_or_else(unknown)
}

/// The encoder wrote a JPEG of a form that we do not know: that would be another version of it, and the tests would say so.
fn unknown() -> Unencodable {
    Unencodable::Library {
        format: Format::Jpeg,
        why: "it is not cut where it should be".to_owned(),
    }
}
