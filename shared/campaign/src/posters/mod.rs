//! What a campaign's posters may say, and how it is said: the placeholders that a template may name, their types, and values as
//! people read them. What a poster looks like is not known here; what a template is made of is `read::posters`'s to freeze.
//!
//! The shell that fills posters, the check of templates and `gala poster` all ask here, so that a sample reads as the real thing.

#[cfg(feature = "yaml")]
pub mod check;
pub mod content;
#[cfg(feature = "yaml")]
mod named;
mod placeholders;
mod say;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use machine::model::{PosterFile, Posters};

#[cfg(feature = "yaml")]
pub use self::named::named_in;
pub use self::placeholders::{Holds, Placeholder, placeholders};
pub use self::say::{instant, money, number, say};

/// Whether a path names a template: as it is written, in small letters.
#[cfg(feature = "yaml")]
pub(crate) fn is_svg(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| end == "svg")
}

/// The folder that templates and their pictures lie in, from the tenant's.
pub const FOLDER: &str = "posters/";

/// How large a template may be, in bytes: pictures written into it (`data:`) count.
pub const TEMPLATE_BYTES: usize = 512 << 10;

/// How large a picture beside a template may be, in bytes.
pub const PICTURE_BYTES: usize = 1 << 20;

/// How large all files of one campaign's posters may be together, in bytes. They go with every revision.
pub const ALL_BYTES: usize = 2 << 20;

/// How many posters a campaign may have.
pub const MOST: usize = 10;

/// The text of a template.
pub fn template<'p>(posters: &'p Posters, path: &str) -> Option<&'p Arc<str>> {
    match posters.files.get(path)? {
        PosterFile::Svg(text) => Some(text),
        PosterFile::Picture(_) => None,
    }
}

/// The bytes of a picture that the template at `template` names by a relative `href`; nothing where none was frozen with it.
pub fn file(posters: &Posters, template: &str, href: &str) -> Option<Vec<u8>> {
    match posters.files.get(&*beside(template, href)?)? {
        PosterFile::Picture(text) => STANDARD.decode(text.as_bytes()).ok(),
        PosterFile::Svg(_) => None,
    }
}

/// The path of a file that the template at `template` names, from the tenant's folder; nothing for one that leads out of the
/// template's own folder, or to no file at all.
pub fn beside(template: &str, href: &str) -> Option<String> {
    let href = href.strip_prefix("./").unwrap_or(href);
    let is_plain = !href.is_empty()
        && !href.contains([':', '\\', '#', '?', '%'])
        && href
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'));
    let folder = template.rsplit_once('/').map_or("", |(folder, _)| folder);
    is_plain.then(|| format!("{folder}/{href}"))
}

/// Whether a path, from the tenant's folder, can be a file of a poster: so a file that is sent takes the place of nothing else.
pub fn is_file(path: &str) -> bool {
    const KINDS: [&str; 5] = ["svg", "png", "jpg", "jpeg", "webp"];
    let kind = path.rsplit_once('.').map_or("", |(_, kind)| kind);
    path.strip_prefix(FOLDER).is_some_and(|rest| {
        rest.split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
    }) && !path.contains('\\')
        && KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

/// An address with its placeholders in single braces filled; what `value` does not know stays empty. Values are
/// percent-encoded: none can add a part to the address.
pub fn address(pattern: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        filled += before;
        let Some((name, tail)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        for byte in value(name).unwrap_or_default().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                filled.push(char::from(byte));
            } else {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                let digit = |at: u8| char::from(HEX[usize::from(at & 15)]);
                filled.extend(['%', digit(byte >> 4), digit(byte)]);
            }
        }
        rest = tail;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_adds_no_part_to_an_address() {
        let value = |name: &str| (name == "share.id").then(|| "a/../?x=1&b 好".to_owned());
        let filled = address("https://m.example.com/{campaign}?from={share.id}", &value);
        assert_eq!(
            filled,
            "https://m.example.com/?from=a%2F..%2F%3Fx%3D1%26b%20%E5%A5%BD"
        );
        assert_eq!(
            address("https://e.com/{open", &value),
            "https://e.com/{open"
        );
    }

    #[test]
    fn a_template_names_only_what_lies_beside_it() {
        let rows = [
            ("sky.jpg", Some("posters/sky.jpg")),
            ("./sky.jpg", Some("posters/sky.jpg")),
            ("art/sky.jpg", Some("posters/art/sky.jpg")),
            ("../sky.jpg", None),
            ("art/../sky.jpg", None),
            ("/etc/passwd", None),
            ("https://example.com/sky.jpg", None),
            (".keys/secret.png", None),
            ("a//b.png", None),
            ("", None),
        ];
        for (href, path) in rows {
            assert_eq!(
                beside("posters/streak.svg", href).as_deref(),
                path,
                "{href}"
            );
        }
    }
}
