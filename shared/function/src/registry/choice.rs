//! Where a process has its configs from: a folder of files, or a bundle. Reading them is not here.

use std::fmt;
use std::path::{Path, PathBuf};

use campaign::bundle;

/// Where configs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigsChoice {
    /// From this folder's files, read again whenever one changes. Needs the parser (feature `yaml`).
    Folder(PathBuf),
    /// From a bundle that `gala compile` made.
    Bundle {
        /// The bundle.
        file: PathBuf,
        /// Where the keys are that it only names, laid out as a configs folder: `<tenant>/<file>`, `.keys/`.
        keys: PathBuf,
    },
}

impl ConfigsChoice {
    /// What the environment says: `GALA_BUNDLE`, else `GALA_CONFIGS`, else a `gala.bundle` beside the program, else the folder
    /// `configs`. A bundle's keys are in `GALA_KEYS` (unset: in the bundle's folder).
    pub fn from_env() -> Self {
        let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let beside = std::env::current_exe()
            .ok()
            .map(|program| program.with_file_name(bundle::FILE))
            .filter(|file| file.is_file());
        Self::of(
            said("GALA_BUNDLE").map(PathBuf::from),
            said("GALA_CONFIGS").map(PathBuf::from),
            beside,
            said("GALA_KEYS").map(PathBuf::from),
        )
    }

    fn of(
        bundle: Option<PathBuf>,
        folder: Option<PathBuf>,
        beside: Option<PathBuf>,
        keys: Option<PathBuf>,
    ) -> Self {
        // Packaged with the program or not, what somebody said stands above what happens to lie there.
        match (bundle, folder, beside) {
            (Some(file), _, _) | (None, None, Some(file)) => Self::bundle(file, keys),
            (None, Some(folder), _) => Self::Folder(folder),
            (None, None, None) => Self::Folder("configs".into()),
        }
    }

    /// This bundle; its keys in `keys`, else beside it.
    pub fn bundle(file: PathBuf, keys: Option<PathBuf>) -> Self {
        let beside = || match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        Self::Bundle {
            keys: keys.unwrap_or_else(beside),
            file,
        }
    }

    /// Where the keys are that the configs only name.
    pub fn keys(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Bundle { keys, .. } => keys,
        }
    }

    /// Whether it is one small file: read at once, in less time than a thread takes to begin.
    pub(super) fn is_one_file(&self) -> bool {
        matches!(self, Self::Bundle { .. })
    }

    /// Whether campaigns that it does not name may be served: a package is made once, and campaigns published into the store
    /// after that are not in it.
    pub(super) fn is_open_ended(&self) -> bool {
        matches!(self, Self::Bundle { .. })
    }
}

/// Where that is, for people.
impl fmt::Display for ConfigsChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Bundle { file: path, .. } => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_stands_above_what_lies_there() {
        let some = |text: &str| Some(PathBuf::from(text));
        let bundle = |file: &str, keys: &str| ConfigsChoice::Bundle {
            file: file.into(),
            keys: keys.into(),
        };
        let folder = |path: &str| ConfigsChoice::Folder(path.into());
        let beside = some("/opt/gala.bundle");
        let rows = [
            (
                (some("b/x"), some("c"), beside.clone(), None),
                bundle("b/x", "b"),
            ),
            ((some("x"), None, None, None), bundle("x", ".")),
            ((some("b/x"), None, None, some("k")), bundle("b/x", "k")),
            ((None, some("c"), beside.clone(), some("k")), folder("c")),
            (
                (None, None, beside, None),
                bundle("/opt/gala.bundle", "/opt"),
            ),
            ((None, None, None, some("k")), folder("configs")),
        ];
        for ((bundle, folder, beside, keys), expected) in rows {
            let said = format!("{bundle:?} {folder:?} {beside:?} {keys:?}");
            assert_eq!(
                ConfigsChoice::of(bundle, folder, beside, keys),
                expected,
                "{said}"
            );
        }
    }
}
