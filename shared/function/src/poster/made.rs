//! Posters that were drawn, by the hash of all that is in them: the same one is drawn once, however many ask for it at the same time, and
//! again only when it was let go to make room.

use std::fmt;
use std::sync::LazyLock;

use axum::body::Bytes;
use machine::ids::hex;
use poster::{Format, Scale};
use quick_cache::Weighter;
use quick_cache::sync::{Cache, PlaceholderGuard};
use sha2::{Digest, Sha256};

use super::content::Filled;
use super::scenes::Which;

/// How much is kept, in bytes, and how many posters that is planned for.
const MOST_BYTES: u64 = 64 << 20;
const PLANNED: usize = 400;

/// The name of a finished poster: SHA-256 of everything that its bytes depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag([u8; 32]);

impl Tag {
    /// Of a revision's template filled with this, and with pictures of these hashes (none: the template's own), written so.
    pub fn of(
        which: &Which,
        filled: &Filled,
        pictures: &[(String, Option<[u8; 32]>)],
        format: Format,
        scale: Scale,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        // Another version may draw it in another way.
        part(concat!("gala-poster ", env!("CARGO_PKG_VERSION")).as_bytes());
        part(which.tenant.as_bytes());
        part(&which.revision);
        part(&which.fonts);
        part(which.path.as_bytes());
        part(format.name().as_bytes());
        part(&[scale.factor() as u8]);
        for (path, text) in &filled.texts {
            part(path.as_bytes());
            part(text.as_bytes());
        }
        part(b"pictures");
        for (path, sha256) in pictures {
            part(path.as_bytes());
            part(sha256.as_ref().map_or(&[][..], |sha256| &sha256[..]));
        }
        Self(hash.finalize().into())
    }

    /// A name that a test makes up.
    #[cfg(test)]
    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As an `ETag`: sixteen bytes of it are enough to tell posters apart.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.name())
    }

    /// As a name: 32 hexadecimal digits.
    pub fn name(&self) -> String {
        hex(&self.0[..16])
    }
}

/// Finished posters.
pub struct Made(LazyLock<Cache<Tag, Bytes, Length>>);

/// Who holds this draws the poster; the others wait for it, or for the next who draws.
pub type Turn<'a> = PlaceholderGuard<
    'a,
    Tag,
    Bytes,
    Length,
    quick_cache::DefaultHashBuilder,
    quick_cache::sync::DefaultLifecycle<Tag, Bytes>,
>;

impl Default for Made {
    fn default() -> Self {
        Self(LazyLock::new(|| {
            Cache::with_weighter(PLANNED, MOST_BYTES, Length)
        }))
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

impl Made {
    /// A poster, or the turn to draw it.
    pub async fn get(&self, tag: &Tag) -> Result<Bytes, Turn<'_>> {
        self.0.get_value_or_guard_async(tag).await
    }

    /// Keeps one that nobody waits for any more: whoever asks again has it.
    pub fn keep(&self, tag: Tag, bytes: Bytes) {
        self.0.insert(tag, bytes);
    }
}

/// How many bytes an entry takes.
#[derive(Debug, Clone)]
pub struct Length;

impl Weighter<Tag, Bytes> for Length {
    fn weight(&self, _: &Tag, bytes: &Bytes) -> u64 {
        (bytes.len() + 128) as u64
    }
}
