//! The fonts that texts are drawn with: ours, and those that a tenant adds. Which letters they have; not how they are laid out.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cosmic_text::skrifa::{self, MetadataProvider};
use resvg::usvg::fontdb;

use crate::text::Pen;

/// Fonts. Cheap to clone; what was drawn with them is kept and shared.
#[derive(Clone)]
pub struct Fonts {
    inner: Arc<Inner>,
}

struct Inner {
    files: Vec<File>,
    /// What the SVG library looks fonts up in.
    database: Arc<fontdb::Database>,
    families: Vec<String>,
    /// Every character that some font has.
    has: Vec<u64>,
    /// Pens at rest: a pen draws for one poster at a time, and keeps the glyphs it has drawn.
    pens: Mutex<Vec<Pen>>,
}

pub(crate) type File = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A file that is not a font which can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAFont {
    /// A web font.
    #[error("this is a WOFF or WOFF2 file; a TTF or OTF of the font is needed")]
    Woff,
    /// Something else.
    #[error("this is not a TTF or OTF font")]
    Unreadable,
    /// More than a tenant's font may have.
    #[error("this font has {0} bytes; at most 32 MB are read")]
    TooLarge(usize),
}

const LARGEST: usize = 32 << 20;

/// The family of texts that name none.
pub(crate) const USUAL: &str = "Noto Sans SC";

static BUILT_IN: [&[u8]; 7] = [
    include_bytes!("../fonts/noto-sans-sc-regular.ttf"),
    include_bytes!("../fonts/noto-sans-sc-bold.ttf"),
    include_bytes!("../fonts/noto-sans-regular.ttf"),
    include_bytes!("../fonts/noto-sans-bold.ttf"),
    include_bytes!("../fonts/noto-sans-arabic-regular.ttf"),
    include_bytes!("../fonts/noto-sans-arabic-bold.ttf"),
    include_bytes!("../fonts/noto-emoji.ttf"),
];

impl Fonts {
    /// Noto Sans SC (regular and bold: the 8,105 standard hanzi, those of GB 2312, common
    /// traditional ones, Latin, kana), Noto Sans (regular and bold: Latin with all its marks, Greek, Cyrillic, Vietnamese), Noto Sans Arabic
    /// (regular and bold) and Noto Emoji (one colour, as the text around it).
    pub fn built_in() -> Self {
        Self::of(
            BUILT_IN
                .iter()
                .map(|file| Arc::new(*file) as File)
                .collect(),
        )
    }

    /// These, and one of a tenant's own: TTF, OTF or a collection of them.
    pub fn with(&self, file: Vec<u8>) -> Result<Self, NotAFont> {
        if file.starts_with(b"wOFF") || file.starts_with(b"wOF2") {
            return Err(NotAFont::Woff);
        }
        if file.len() > LARGEST {
            return Err(NotAFont::TooLarge(file.len()));
        }
        let mut alone = fontdb::Database::new();
        alone.load_font_data(file.clone());
        if alone.is_empty() {
            return Err(NotAFont::Unreadable);
        }
        let mut files = self.inner.files.clone();
        files.push(Arc::new(file));
        Ok(Self::of(files))
    }

    /// The names that a template may use.
    pub fn families(&self) -> Vec<String> {
        self.inner.families.clone()
    }

    /// Whether some font has this character.
    pub fn has(&self, char: char) -> bool {
        let at = char as usize;
        self.inner
            .has
            .get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// The characters of this text that no font has, once each, in their order.
    pub fn lacks(&self, text: &str) -> Vec<char> {
        let mut seen = BTreeSet::new();
        text.chars()
            .filter(|char| !char.is_whitespace() && !char.is_control() && !self.has(*char))
            .filter(|char| seen.insert(*char))
            .collect()
    }

    pub(crate) fn database(&self) -> &Arc<fontdb::Database> {
        &self.inner.database
    }

    /// Draws with a pen, which keeps its glyphs for the next time.
    pub(crate) fn write<T>(&self, draw: impl FnOnce(&mut Pen) -> T) -> T {
        let rested = self.pens().pop();
        let mut pen = rested.unwrap_or_else(|| Pen::new(&self.inner.files));
        let drawn = draw(&mut pen);
        self.pens().push(pen);
        drawn
    }

    fn pens(&self) -> std::sync::MutexGuard<'_, Vec<Pen>> {
        self.inner
            .pens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn of(files: Vec<File>) -> Self {
        let mut database = fontdb::Database::new();
        for file in &files {
            database.load_font_source(fontdb::Source::Binary(file.clone()));
        }
        // A design's `sans-serif`, and everything else that names no font, is the usual one.
        database.set_serif_family(USUAL);
        database.set_sans_serif_family(USUAL);
        database.set_monospace_family(USUAL);
        database.set_cursive_family(USUAL);
        database.set_fantasy_family(USUAL);
        let mut families = Vec::new();
        let mut has = vec![0_u64; 0x11_0000 / 64];
        for face in database.faces() {
            for (name, _) in &face.families {
                if !families.contains(name) {
                    families.push(name.clone());
                }
            }
            database.with_face_data(face.id, |bytes, index| note(bytes, index, &mut has));
        }
        Self {
            inner: Arc::new(Inner {
                files,
                database: Arc::new(database),
                families,
                has,
                pens: Mutex::new(Vec::new()),
            }),
        }
    }
}

/// Notes which characters a face has.
fn note(bytes: &[u8], index: u32, has: &mut [u64]) {
    let Ok(face) = skrifa::FontRef::from_index(bytes, index) else {
        return;
    };
    for (char, _) in face.charmap().mappings() {
        if let Some(word) = has.get_mut(char as usize / 64) {
            *word |= 1 << (char % 64);
        }
    }
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Fonts").field(&self.inner.families).finish()
    }
}
