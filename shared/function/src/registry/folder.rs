//! The configs folder on disk: its text files, the pictures and fonts of its posters, and a stamp that tells when one has changed.

use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use campaign::Files;
use campaign::load::FONT_BYTES;
use campaign::posters::{FOLDER, PICTURE_BYTES, TEMPLATE_BYTES};

use super::Stamp;

/// The kinds of files that configs are made of.
const KINDS: [&str; 4] = ["yaml", "yml", "md", "csv"];

/// The kinds of files that posters are made of, where they lie in a tenant's folder of posters.
const OF_POSTERS: [&str; 7] = ["svg", "png", "jpg", "jpeg", "webp", "ttf", "otf"];

/// How deep folders may lie in each other.
const DEEP: usize = 4;

/// Reads every config file of a folder. Files and folders whose name begins with a dot are passed over: editors, version
/// control and our own development keys live there. What is no text stands there in Base64.
pub fn read(dir: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    walk(dir, "", 0, &mut |path, name| {
        if is_of_posters(name) && !has_kind(name, &["svg"]) {
            let most = if has_kind(name, &["ttf", "otf"]) {
                FONT_BYTES
            } else {
                PICTURE_BYTES
            };
            let bytes = beginning(path, most)?;
            files.insert(name.to_owned(), STANDARD.encode(bytes).into());
            return Ok(());
        }
        // A file that is not UTF-8 is passed on as far as it is readable; the check will name the place.
        let bytes = if is_of_posters(name) {
            beginning(path, TEMPLATE_BYTES)?
        } else {
            std::fs::read(path)?
        };
        files.insert(name.to_owned(), String::from_utf8_lossy(&bytes).into());
        Ok(())
    })?;
    Ok(files)
}

/// A file as far as one byte beyond what the check takes: it says that it is too large, and a recording of an hour that lies there
/// by mistake is not read for that.
fn beginning(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(most as u64 + 4).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn has_kind(name: &str, kinds: &[&str]) -> bool {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    kinds.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

/// Whether a file lies in a tenant's folder of posters and is of a kind that those are made of. The folder that is read may be
/// that of all tenants, or one of them.
fn is_of_posters(name: &str) -> bool {
    let within = name.split_once('/').map_or("", |(_, rest)| rest);
    has_kind(name, &OF_POSTERS) && (name.starts_with(FOLDER) || within.starts_with(FOLDER))
}

/// Stamps a folder without reading its files.
pub fn stamp(dir: &Path) -> io::Result<Stamp> {
    let mut stamp = Stamp::new();
    walk(dir, "", 0, &mut |path, name| {
        let meta = std::fs::metadata(path)?;
        stamp.insert(name.to_owned(), (meta.len(), meta.modified().ok()));
        Ok(())
    })?;
    Ok(stamp)
}

fn walk(
    dir: &Path,
    prefix: &str,
    depth: usize,
    each: &mut impl FnMut(&Path, &str) -> io::Result<()>,
) -> io::Result<()> {
    if depth > DEEP {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let path = entry.path();
        let full = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        // Follows links: a mounted config map is links all the way.
        if path.is_dir() {
            walk(&path, &full, depth + 1, each)?;
        } else if path
            .extension()
            .and_then(|kind| kind.to_str())
            .is_some_and(|kind| KINDS.contains(&kind))
            || is_of_posters(&full)
        {
            each(&path, &full)?;
        }
    }
    Ok(())
}
