//! Why a picture was not read, in a sentence for a log and a word for a counter.

use super::Kind;

/// A picture that was not read. The default stands in for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No format that is known.
    #[error("it is no JPEG, PNG or WebP")]
    Unknown,
    /// A format that is known and not taken.
    #[error("it is a {}, and only JPEG, PNG and WebP are taken", .0.name())]
    Kind(Kind),
    /// The file, or the losslessly coded part of it, is too long.
    #[error("it has {bytes} bytes where {most} are allowed")]
    Bytes {
        /// What it has.
        bytes: usize,
        /// What it may have.
        most: usize,
    },
    /// Too many pixels, or a side is too long.
    #[error(
        "it has {width} x {height} pixels where {pixels} are allowed, none of its sides longer than {side}"
    )]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The longest side that is allowed.
        side: u32,
        /// The most pixels that are allowed.
        pixels: u64,
    },
    /// A JPEG with too many scans.
    #[error("it has {scans} scans where {most} are allowed")]
    Scans {
        /// What it has.
        scans: usize,
        /// What it may have.
        most: usize,
    },
    /// It moves.
    #[error("it is animated")]
    Animated,
    /// It ends too early.
    #[error("it is cut off")]
    Truncated,
    /// Its decoder says so.
    #[error("it is broken: {0}")]
    Broken(String),
}

impl Refused {
    /// One stable word for counters: never more than these eight.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Kind(_) => "kind",
            Self::Bytes { .. } => "bytes",
            Self::Size { .. } => "size",
            Self::Scans { .. } => "scans",
            Self::Animated => "animated",
            Self::Truncated => "truncated",
            Self::Broken(_) => "broken",
        }
    }
}
