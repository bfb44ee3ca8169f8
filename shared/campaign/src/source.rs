//! A file's text with its name, and where in it a byte stands.

use std::sync::Arc;

/// A file that was read: its name as people know it, and its text.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    /// Where each line starts, in bytes: positions are asked for once per diagnostic, and there may be thousands.
    lines: Vec<usize>,
}

impl Source {
    /// A file. A byte-order mark at the start is dropped: no editor shows it, so no column may count it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Arc::new(Self {
            name: name.into(),
            text,
            lines,
        })
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line and the column of a byte, both from 1; columns are counted in characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = self.boundary(byte);
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self
            .text
            .get(start..byte)
            .map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// The nearest start of a character at or before `byte`.
    pub fn boundary(&self, byte: usize) -> usize {
        let mut at = byte.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// A stretch of a file, in bytes: `start` included, `end` excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The first byte after.
    pub end: usize,
}

/// A stretch of a certain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// The stretch.
    pub span: Span,
}

impl Place {
    /// A stretch of a file.
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        Self {
            source: Arc::clone(source),
            span: Span {
                start,
                end: end.max(start),
            },
        }
    }

    /// The very start of a file: for what is wrong with a file as a whole.
    pub fn start_of(source: &Arc<Source>) -> Self {
        Self::new(source, 0, 0)
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.source.position(self.span.start).0
    }

    /// The column, from 1, in characters.
    pub fn column(&self) -> usize {
        self.source.position(self.span.start).1
    }

    /// The text there.
    pub fn text(&self) -> &str {
        self.source
            .text()
            .get(self.span.start..self.span.end)
            .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_lines_start_at_one() {
        let source = Source::new("a.yaml", "\u{feff}标题: 好\n\nb: 1");
        let rows = [
            (0, (1, 1)),
            (3, (1, 2)),
            (4, (1, 2)),
            (8, (1, 5)),
            (12, (2, 1)),
            (13, (3, 1)),
            (999, (3, 5)),
        ];
        for (byte, expected) in rows {
            assert_eq!(source.position(byte), expected, "byte {byte}");
        }
    }
}
