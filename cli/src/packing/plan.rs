//! What a package is and what is left to do with it: printed by `gala package`, kept beside the package as `plan.json`, read
//! again by `gala deploy`. It holds no secret, only where each must be set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use machine::ids::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::targets::Target;
use crate::failure::Failure;

/// The plan's file.
pub const FILE: &str = "plan.json";

/// A function that is packed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Its name: the activity's, or `together`.
    pub function: String,
    /// Where it runs.
    pub target: Target,
    /// Its program.
    pub program: Sized,
    /// The machine that the program is built for.
    pub arch: String,
    /// The oldest glibc that it runs on; none where it needs none.
    pub glibc: Option<String>,
    /// The shared libraries that it needs.
    pub libraries: Vec<String>,
    /// The package: a zip, or a folder.
    pub package: Sized,
    /// All of it unpacked, in bytes.
    pub unpacked_bytes: u64,
    /// The largest that the platform takes, in bytes.
    pub limits: Limits,
    /// The variables of its environment.
    pub variables: Vec<Variable>,
    /// What calls it.
    pub triggers: Vec<String>,
    /// What deploys it, run in its folder.
    pub commands: Vec<String>,
    /// Worth a look.
    pub warnings: Vec<String>,
    /// Each file that was written, with its SHA-256.
    pub files: BTreeMap<String, String>,
}

/// Something with a name and a size.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sized {
    /// Its name.
    pub name: String,
    /// In bytes.
    pub bytes: u64,
}

/// A platform's limits, in bytes; none where there is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limits {
    /// Of a zip.
    pub zip_bytes: Option<u64>,
    /// Of a package, unpacked.
    pub unpacked_bytes: Option<u64>,
}

/// A variable of the function's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; none where it is a secret that whoever deploys sets.
    pub value: Option<String>,
    /// What it is for.
    pub what: String,
}

impl Variable {
    /// One that the package sets.
    pub fn set(name: &str, value: impl Into<String>, what: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: Some(value.into()),
            what: what.to_owned(),
        }
    }

    /// One that whoever deploys sets.
    pub fn secret(name: &str, what: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: None,
            what: what.into(),
        }
    }
}

/// A file's SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The plans in a folder, and in the folders right below it; each with its own folder, sorted by it.
pub fn read(folder: &Path) -> Result<Vec<(PathBuf, Plan)>, Failure> {
    let unread = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::usage(format!("{} can't be read: {error}", path.display()))
    };
    let entries = std::fs::read_dir(folder).map_err(|error| unread(folder, &error))?;
    let below = entries.flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = below.filter(|path| path.is_dir()).collect();
    folders.push(folder.to_owned());
    folders.sort();
    let mut plans = Vec::new();
    for folder in folders {
        let path = folder.join(FILE);
        if path.is_file() {
            let text = std::fs::read(&path).map_err(|error| unread(&path, &error))?;
            let plan = serde_json::from_slice(&text).map_err(|error| unread(&path, &error))?;
            plans.push((folder, plan));
        }
    }
    Ok(plans)
}

impl Plan {
    /// Which file is not what was packed, or was not packed at all: a tool that zips the folder would take it along. `None` if
    /// all are as they were.
    pub fn changed(&self, folder: &Path) -> Option<PathBuf> {
        let differs = |(name, sum): &(&String, &String)| {
            std::fs::read(folder.join(name)).map_or(true, |bytes| sha256(&bytes) != **sum)
        };
        let found = self.files.iter().find(differs);
        // Beside the package tools keep files of their own; inside nobody does.
        let inside = self.files.keys().filter_map(|name| name.split_once('/'));
        let inside: BTreeSet<&str> = inside.map(|(top, _)| top).collect();
        found.map(|(name, _)| folder.join(name)).or_else(|| {
            let mut inside = inside.into_iter();
            inside.find_map(|top| self.stranger(folder, &format!("{top}/")))
        })
    }

    fn stranger(&self, folder: &Path, prefix: &str) -> Option<PathBuf> {
        let entries = std::fs::read_dir(folder.join(prefix)).ok()?;
        entries.flatten().find_map(|entry| {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                return self.stranger(folder, &format!("{name}/"));
            }
            (!self.files.contains_key(&name)).then(|| entry.path())
        })
    }

    /// For people.
    pub fn text(&self, folder: &Path) -> String {
        let mut text = String::new();
        let mut line = |title: &str, said: &str| {
            // A string takes everything.
            let _ = writeln!(text, "  {title:<9} {said}");
        };
        let needs = match (&self.glibc, self.libraries.is_empty()) {
            (_, true) => "static".to_owned(),
            (None, false) => format!("needs {}", self.libraries.join(", ")),
            (Some(glibc), false) => {
                let has = self.target.takes().glibc;
                let has = has.map_or(String::new(), |has| format!(" (there: {has})"));
                format!("needs glibc {glibc}{has}")
            }
        };
        let Sized { name, bytes } = &self.program;
        line(
            "program",
            &format!("{name}, {}, {}, {needs}", size(*bytes, None), self.arch),
        );
        let Sized { name, bytes } = &self.package;
        line(
            "package",
            &format!("{name}, {}", size(*bytes, self.limits.zip_bytes)),
        );
        line(
            "unpacked",
            &size(self.unpacked_bytes, self.limits.unpacked_bytes),
        );
        for variable in &self.variables {
            let Variable { name, value, what } = variable;
            let said = match value {
                Some(value) => format!("{name}={value}"),
                None => format!("{name}: set it there, {what}"),
            };
            line("variable", &said);
        }
        for trigger in &self.triggers {
            line("trigger", trigger);
        }
        for command in &self.commands {
            line("then", command);
        }
        for warning in &self.warnings {
            line("warning", warning);
        }
        format!(
            "{} for {}: {}\n{text}",
            self.function,
            self.target.takes().title,
            folder.display()
        )
    }
}

/// `2,310,400 bytes of 50,000,000`
fn size(bytes: u64, limit: Option<u64>) -> String {
    let limit = limit.map_or(String::new(), |limit| format!(" of {}", grouped(limit)));
    format!("{} bytes{limit}", grouped(bytes))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        assert_eq!(size(999, None), "999 bytes");
        assert_eq!(size(1000, Some(50_000_000)), "1,000 bytes of 50,000,000");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(123_456), "123,456");
    }
}
