//! Codes on their way into a pool: read from a file, each once, in the file's order. They are told apart by all of their bytes, not by
//! a digest of them: a code that is taken for another would be lost.
//!
//! Codes are never shown: neither `Debug` nor an error says one.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use machine::ids::hex;
use machine::world::{Action, Admin, Pool};
use rand::TryRng as _;

use crate::Error;

/// The longest code, in bytes.
pub const LONGEST: usize = 128;

/// How many codes are kept together where they are read one by one.
pub(crate) const CHUNK: usize = 256;

/// A place in the table that nothing is at.
const FREE: u32 = u32::MAX;

/// A pool by its name.
pub type Named = (Arc<str>, Pool);

/// Many codes, each once, in order: their bytes one after another, and a table of where each is. About 13 bytes beside those of a code.
pub struct Codes {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Which code is where its hash leads, or behind: at most half of the places are taken.
    table: Vec<u32>,
    hasher: RandomState,
    /// Which are struck out.
    struck: Vec<bool>,
    strikes: usize,
}

/// What a code can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is taken.
    New,
    /// It was taken before.
    Again,
    /// It is empty, longer than [`LONGEST`], or has other bytes than visible ASCII; or there is no room for one more.
    Unfit,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            table: vec![FREE; 1024],
            hasher: RandomState::new(),
            struck: Vec::new(),
            strikes: 0,
        }
    }
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codes({})", self.len())
    }
}

impl Codes {
    /// How many there are, those that are struck out apart.
    pub fn len(&self) -> usize {
        self.ends.len() - self.strikes
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes one more.
    pub fn push(&mut self, code: &[u8]) -> Taken {
        let end = u32::try_from(self.bytes.len() + code.len());
        let Some(end) = end.ok().filter(|_| fits(code)) else {
            return Taken::Unfit;
        };
        let Err(place) = self.find(code) else {
            return Taken::Again;
        };
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(code);
        self.ends.push(end);
        if let Some(slot) = self.table.get_mut(place) {
            *slot = number;
        }
        if self.ends.len() * 2 > self.table.len() {
            self.grow();
        }
        Taken::New
    }

    /// Strikes a code out, if it is there; whether it was.
    pub(crate) fn strike(&mut self, code: &[u8]) -> bool {
        let Ok(number) = self.find(code) else {
            return false;
        };
        self.struck.resize(self.ends.len(), false);
        match self.struck.get_mut(number as usize) {
            Some(struck) if !*struck => {
                *struck = true;
                self.strikes += 1;
                true
            }
            _ => false,
        }
    }

    /// Those that are not struck out, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let numbers = 0..self.ends.len();
        let left = numbers.filter(|number| !self.struck.get(*number).is_some_and(|struck| *struck));
        left.map(|number| self.get(number))
    }

    fn get(&self, number: usize) -> &[u8] {
        let begin = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let begin = begin.map_or(0, |begin| *begin as usize);
        let end = self.ends.get(number).map_or(begin, |end| *end as usize);
        self.bytes.get(begin..end).unwrap_or_default()
    }

    /// The code's number, or the place in the table where it would be.
    fn find(&self, code: &[u8]) -> Result<u32, usize> {
        let mask = self.table.len() - 1;
        let mut place = self.hasher.hash_one(code) as usize & mask;
        loop {
            match self.table.get(place).copied() {
                None | Some(FREE) => return Err(place),
                Some(number) if self.get(number as usize) == code => return Ok(number),
                Some(_) => place = (place + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let places = self.table.len() * 2;
        self.table.clear();
        self.table.resize(places, FREE);
        for number in 0..self.ends.len() {
            let found = self.find(self.get(number));
            if let Err(place) = found
                && let Some(slot) = self.table.get_mut(place)
            {
                *slot = number as u32;
            }
        }
    }
}

/// Whether it can be a code.
fn fits(code: &[u8]) -> bool {
    !code.is_empty() && code.len() <= LONGEST && code.iter().all(u8::is_ascii_graphic)
}

/// The change under a version of its own, of so many codes; `known` of the file's are in a pool already.
pub(crate) fn versioned(
    change: &Admin,
    codes: usize,
    known: usize,
) -> Result<(Box<Admin>, Arc<str>), Error> {
    let mut bytes = [0; 16];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| {
            Error::NotWritten(format!("the system gives no random numbers: {error}"))
        })?;
    let mut change = Box::new(change.clone());
    match &mut change.action {
        Action::PutCodes {
            version,
            codes: many,
            lines,
            ..
        } => {
            *version = hex(&bytes).into();
            *many = codes as u64;
            lines.known = known as u64;
            let version = version.clone();
            Ok((change, version))
        }
        _ => Err(Error::NotWritten("this puts no codes".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_stays_in_order() {
        let mut codes = Codes::default();
        let all: Vec<String> = (0..5000).map(|number| format!("CODE-{number}")).collect();
        for code in &all {
            assert_eq!(codes.push(code.as_bytes()), Taken::New);
        }
        for code in &all {
            assert_eq!(codes.push(code.as_bytes()), Taken::Again);
        }
        assert_eq!(codes.len(), 5000);
        assert!(codes.strike(b"CODE-7") && !codes.strike(b"CODE-7") && !codes.strike(b"other"));
        let left: Vec<&[u8]> = codes.iter().collect();
        assert_eq!(
            (left.len(), left[6], left[7]),
            (4999, &b"CODE-6"[..], &b"CODE-8"[..])
        );
        assert_eq!(format!("{codes:?}"), "Codes(4999)");
    }

    #[test]
    fn what_is_no_code_is_not_taken() {
        let mut codes = Codes::default();
        let long = [b'x'; LONGEST + 1];
        for wrong in [&b""[..], b"a b", b"a\nb", "\u{e9}".as_bytes(), &long] {
            assert_eq!(codes.push(wrong), Taken::Unfit);
        }
        assert!(codes.is_empty());
    }
}
