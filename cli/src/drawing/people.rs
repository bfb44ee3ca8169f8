//! The made-up people of samples and contact sheets: what they are called, and what they look like.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use campaign::posters::{Holds, number, placeholders};
use machine::model::Poster;
use machine::{Definition, Type};
use poster::{Content, Picture, PlaceKind, Scale, Template};

/// A large number, all of its digits different.
const LARGE: i64 = 8_765_432;

/// Who is on a poster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Somebody on an ordinary day.
    Usual,
    /// The longest of everything that the check reckons with.
    Longest,
    /// Nobody: no name, no picture.
    Nobody,
    /// Emoji in the name.
    Emoji,
    /// A Chinese name.
    Chinese,
    /// An Arabic name, from right to left.
    Arabic,
    /// Numbers of seven digits.
    Large,
}

impl Case {
    /// Those of a contact sheet.
    pub const ALL: [Self; 7] = [
        Self::Usual,
        Self::Chinese,
        Self::Longest,
        Self::Large,
        Self::Emoji,
        Self::Arabic,
        Self::Nobody,
    ];

    /// What it is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Usual => "an ordinary day",
            Self::Longest => "the longest of everything",
            Self::Nobody => "no name, no picture",
            Self::Emoji => "emoji in a name",
            Self::Chinese => "a Chinese name",
            Self::Arabic => "an Arabic name",
            Self::Large => "numbers of 7 digits",
        }
    }

    /// Changes what an ordinary day's poster says.
    pub(super) fn change(
        self,
        texts: &mut BTreeMap<String, String>,
        of: Option<&(Definition, Poster)>,
        language: &str,
    ) {
        let name = match self {
            Self::Usual | Self::Longest | Self::Large => None,
            Self::Nobody => Some(""),
            Self::Emoji => Some("🎉 Mia 🐼✨"),
            Self::Chinese => Some("欧阳慕容子轩"),
            Self::Arabic => Some("ليلى بنت محمد"),
        };
        let known = of.map(|(definition, poster)| placeholders(definition, poster));
        let holds = |path: &str| {
            let known = known.as_ref()?.iter();
            known
                .clone()
                .find(|each| each.path == path)
                .map(|each| each.holds)
        };
        for (path, text) in texts {
            match holds(path) {
                Some(Holds::Said) | None if path.starts_with("user.") => {
                    if let Some(name) = name {
                        name.clone_into(text);
                    }
                }
                Some(Holds::Value(Type::Int)) | None if self == Self::Large => {
                    *text = number(LARGE, language);
                }
                _ => {}
            }
        }
    }
}

/// What stands on a template that is no campaign's: something like what its placeholders are called.
pub(super) fn invented(template: &Template) -> BTreeMap<String, String> {
    let places = template.places().iter();
    let texts = places.filter(|place| place.kind != PlaceKind::Picture);
    texts
        .map(|place| {
            let (root, last) = place.path.split_once('.').unwrap_or(("", &place.path));
            let text = match (root, last) {
                ("share", "url") => "https://m.example.com/campaign?from=k7Qm2xW9".to_owned(),
                ("share", _) => "k7Qm2xW9".to_owned(),
                ("user", _) => "Mia Chen".to_owned(),
                ("context" | "figures", _) => "7".to_owned(),
                ("campaign", "title") => "A campaign".to_owned(),
                _ => last.replace('_', " "),
            };
            (place.path.clone(), text)
        })
        .collect()
}

/// A face: somebody friendly before a warm sky. Drawn, so that it is nobody's.
pub(super) fn face() -> Option<Picture> {
    const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320">
<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#ffd9a0"/><stop offset="1" stop-color="#ff9f7a"/></linearGradient></defs>
<rect width="320" height="320" fill="url(#s)"/>
<path d="M30 320 C40 236 96 214 160 214 C224 214 280 236 290 320 Z" fill="#2f5d8c"/>
<path d="M78 150 C70 60 120 36 160 36 C204 36 250 62 242 152 C244 190 232 214 222 226 L98 226 C86 214 76 190 78 150 Z" fill="#3a2a26"/>
<rect x="136" y="186" width="48" height="52" rx="22" fill="#f0bf9c"/>
<ellipse cx="160" cy="146" rx="58" ry="66" fill="#fbd3b4"/>
<path d="M100 140 C104 84 150 76 178 84 C206 90 220 112 220 140 C206 118 186 108 164 108 C138 108 116 118 100 140 Z" fill="#3a2a26"/>
<circle cx="138" cy="150" r="6" fill="#3a2a26"/><circle cx="184" cy="150" r="6" fill="#3a2a26"/>
<path d="M138 178 Q161 200 184 178" fill="none" stroke="#b4553f" stroke-width="6" stroke-linecap="round"/>
<circle cx="120" cy="172" r="11" fill="#f6a68e" opacity=".6"/><circle cx="202" cy="172" r="11" fill="#f6a68e" opacity=".6"/>
</svg>"##;
    static FACE: OnceLock<Option<Picture>> = OnceLock::new();
    let drawn = FACE.get_or_init(|| {
        let fonts = function::posters::fonts(&BTreeMap::new());
        let template = Template::read(SVG, &|_| None, &fonts).ok()?;
        Some(picture_of(&template))
    });
    drawn.clone()
}

/// A drawing as a picture.
pub(super) fn picture_of(template: &Template) -> Picture {
    let canvas = template
        .scene(Scale::X1)
        .compose(&Content::default())
        .canvas;
    let opaque = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2], 255];
    Picture {
        width: canvas.width,
        height: canvas.height,
        rgba: canvas.rgb.chunks_exact(3).flat_map(opaque).collect(),
    }
}
