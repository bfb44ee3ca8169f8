//! The configs folder on disk: its text files, and a stamp that tells when one has changed.

use std::io;
use std::path::Path;

use campaign::Files;

use super::Stamp;

/// The kinds of files that configs are made of.
const KINDS: [&str; 4] = ["yaml", "yml", "md", "csv"];

/// How deep folders may lie in each other.
const DEEP: usize = 4;

/// Reads every config file of a folder. Files and folders whose name begins with a dot are passed over: editors, version
/// control and our own development keys live there.
pub fn read(dir: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    walk(dir, "", 0, &mut |path, name| {
        // A file that is not UTF-8 is passed on as far as it is readable; the check will name the place.
        let bytes = std::fs::read(path)?;
        files.insert(name.to_owned(), String::from_utf8_lossy(&bytes).into());
        Ok(())
    })?;
    Ok(files)
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
        {
            each(&path, &full)?;
        }
    }
    Ok(())
}
