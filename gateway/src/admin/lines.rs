//! A file's lines, cut out of the pieces that it comes in: nothing of it is kept but the line that is not yet whole.

use serde::Serialize;

/// How many rejected lines are told.
const TOLD: usize = 100;

/// The longest line that is kept in memory, in bytes; what is longer is rejected.
const LONGEST_LINE: usize = 1024;

/// What is said of a longer one.
const TOO_LONG: &str = "longer than a line can be";

/// A line that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reject {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A line without what is around it, or why it is none.
pub(super) type Line<'a> = Result<&'a str, &'static str>;

/// Cuts lines out of pieces. Empty ones are passed over.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// How many lines there were, empty ones too.
    number: u64,
    /// The end of the last piece: a line that goes on in the next one.
    rest: Vec<u8>,
    /// Whether that line is longer than any may be, and its beginning is gone.
    too_long: bool,
}

impl Lines {
    /// Takes the next piece; `each` gets every line that ends in it, with its number from 1.
    pub fn take(&mut self, piece: &[u8], mut each: impl FnMut(u64, Line<'_>)) {
        let mut parts = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                self.keep(part);
            } else if self.rest.is_empty() && !self.too_long {
                self.line(part, &mut each);
            } else {
                self.keep(part);
                self.end_line(&mut each);
            }
        }
    }

    /// The last line, where no line's end comes after it.
    pub fn end(&mut self, mut each: impl FnMut(u64, Line<'_>)) {
        if !self.rest.is_empty() || self.too_long {
            self.end_line(&mut each);
        }
    }

    fn keep(&mut self, part: &[u8]) {
        if self.rest.len() + part.len() > LONGEST_LINE {
            self.too_long = true;
            self.rest.clear();
        }
        if !self.too_long {
            self.rest.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, each: &mut impl FnMut(u64, Line<'_>)) {
        let rest = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.too_long) {
            self.number += 1;
            each(self.number, Err(TOO_LONG));
        } else {
            self.line(&rest, each);
        }
    }

    fn line(&mut self, bytes: &[u8], each: &mut impl FnMut(u64, Line<'_>)) {
        self.number += 1;
        if bytes.len() > LONGEST_LINE {
            return each(self.number, Err(TOO_LONG));
        }
        let bytes = if self.number == 1 {
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
        } else {
            bytes
        };
        match std::str::from_utf8(bytes).map(str::trim) {
            Ok("") => {}
            Ok(text) => each(self.number, Ok(text)),
            Err(_) => each(self.number, Err("not UTF-8")),
        }
    }
}

/// Notes a line that is not taken, if there is room.
pub(super) fn reject(rejects: &mut Vec<Reject>, line: u64, why: &'static str) {
    if rejects.len() < TOLD {
        rejects.push(Reject { line, why });
    }
}
