//! The log's files as their documentation describes them (`shared/store/src/log/mod.rs`): just enough to damage them on purpose.

use std::fs;
use std::path::{Path, PathBuf};

const HEADER: usize = 4096;
const FRAME_HEADER: usize = 32;

/// The newest segment.
#[derive(Debug)]
pub struct Segment {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// Where each frame begins, and last where the next one would.
    pub frames: Vec<usize>,
}

impl Segment {
    pub fn newest(data: &Path) -> Self {
        let files = fs::read_dir(data)
            .expect("a data folder")
            .map(|entry| entry.expect("an entry").path());
        let path = files
            .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
            .max()
            .expect("a segment");
        let bytes = fs::read(&path).expect("a segment");
        let mut frames = vec![HEADER];
        let mut at = HEADER;
        while let Some(header) = bytes.get(at..at + FRAME_HEADER) {
            let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
            if length == 0 {
                break;
            }
            at += (FRAME_HEADER + length).next_multiple_of(8);
            frames.push(at);
        }
        Self {
            path,
            bytes,
            frames,
        }
    }

    /// Where the next frame would begin.
    pub fn end(&self) -> usize {
        self.frames.last().copied().unwrap_or(HEADER)
    }

    /// The bytes of the last frame.
    pub fn last(&self) -> std::ops::Range<usize> {
        self.frames[self.frames.len() - 2]..self.end()
    }

    /// Writes the file as it is here.
    pub fn write(&self, bytes: &[u8]) {
        fs::write(&self.path, bytes).expect("a segment");
    }
}
