//! The formats that a poster is sent in. How they are written is `encode`'s.

/// A picture format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Small for photos, and read everywhere: the default.
    Jpeg,
    /// Exact; larger.
    Png,
    /// Smaller than JPEG, slower to write.
    Webp,
}

impl Format {
    /// All of them, in the order of what is taken where a client takes several alike.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// Its media type: `image/jpeg`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// Its name in addresses and file names: `jpeg`, `png`, `webp`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The format of this name; `jpg` is JPEG, too.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "jpg" => Some(Self::Jpeg),
            _ => Self::ALL.into_iter().find(|format| format.name() == name),
        }
    }
}
