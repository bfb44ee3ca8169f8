//! Writing what was made: all of it or nothing, and never over something else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub text: String,
    /// Whether it takes the place of the file that is there.
    pub replaces: bool,
}

impl Draft {
    /// A new file.
    pub fn new(path: PathBuf, text: String) -> Self {
        Self {
            path,
            text,
            replaces: false,
        }
    }

    /// A file in place of one that is there.
    pub fn instead(path: PathBuf, text: String) -> Self {
        Self {
            path,
            text,
            replaces: true,
        }
    }
}

/// Refuses if one of the new files is there already.
pub(super) fn free(drafts: &[Draft]) -> Result<(), Failure> {
    let taken = drafts
        .iter()
        .find(|draft| !draft.replaces && draft.path.symlink_metadata().is_ok());
    taken.map_or(Ok(()), |draft| Err(there(&draft.path)))
}

fn there(path: &Path) -> Failure {
    Failure::check(
        "exists",
        format!(
            "{} is there already and is not written over: choose another name",
            path.display()
        ),
    )
}

/// Writes all, or takes back what was written.
pub fn write(drafts: &[Draft]) -> Result<(), Failure> {
    free(drafts)?;
    let mut written = Vec::new();
    let done = put(drafts, &mut written);
    if done.is_err() {
        for path in written.iter().rev() {
            // What could not be taken back is named by the failure anyway.
            let _ = fs::remove_file(path);
        }
    }
    done
}

fn put(drafts: &[Draft], written: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let mut beside = Vec::new();
    for draft in drafts {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => there(&draft.path),
            _ => Failure::unreachable(
                "output",
                format!("{} can't be written: {error}", draft.path.display()),
            ),
        };
        if let Some(folder) = draft.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let path = if draft.replaces {
            // Beside the other first: a reader sees the old text or the new one, and an editor's watch fires once.
            let name = draft.path.file_name().unwrap_or_default();
            let path = draft
                .path
                .with_file_name(format!(".{}.new", name.to_string_lossy()));
            let _ = fs::remove_file(&path);
            beside.push((path.clone(), draft.path.clone(), draft));
            path
        } else {
            draft.path.clone()
        };
        let mut file = create(&path).map_err(failed)?;
        written.push(path);
        file.write_all(draft.text.as_bytes()).map_err(failed)?;
    }
    for (new, old, draft) in beside {
        fs::rename(&new, &old).map_err(|error| {
            Failure::unreachable(
                "output",
                format!("{} can't be replaced: {error}", draft.path.display()),
            )
        })?;
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("there"), "old").unwrap();
        // The second cannot be: a file stands where a folder would be.
        let drafts = [
            Draft::new(at("a/new"), "new".to_owned()),
            Draft::new(at("there/below"), String::new()),
        ];
        assert!(write(&drafts).is_err());
        assert!(!at("a/new").exists());
        assert!(write(&[Draft::new(at("there"), "x".to_owned())]).is_err());
        assert_eq!(fs::read_to_string(at("there")).unwrap(), "old");
        let drafts = [
            Draft::new(at("a/new"), "new".to_owned()),
            Draft::instead(at("there"), "newer".to_owned()),
        ];
        write(&drafts).unwrap();
        assert_eq!(fs::read_to_string(at("there")).unwrap(), "newer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
