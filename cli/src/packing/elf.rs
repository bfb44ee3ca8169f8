//! What a built program needs of the system that it runs on, read from the file itself: a promise of the build is not asked.
//! Which system gives what is said in [`super::targets`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, Sym as _};
use object::read::{Error as ReadError, StringTable};
use serde::Serialize;

/// A version of glibc: `2.17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc(pub u32, pub u32);

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A built program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What it was built for.
    pub arch: Arch,
    /// The program that loads it; none where it needs no other.
    pub loader: Option<String>,
    /// The shared libraries that it asks for, as it names them.
    pub libraries: Vec<String>,
    /// The versions that it asks of them, each with the symbols that have it: `GLIBC_2.34` of `__libc_start_main`.
    pub versions: BTreeMap<String, BTreeSet<String>>,
}

/// What machine code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// 64 bits of Intel and AMD.
    #[serde(rename = "x86_64")]
    X86,
    /// 64 bits of Arm.
    #[serde(rename = "aarch64")]
    Arm,
}

impl Arch {
    /// As the compiler names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "aarch64",
        }
    }
}

/// Why a file is no program that could be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAProgram {
    /// Another kind of file, or a damaged one.
    #[error("it is no ELF program of 64 bits, which is what Linux runs: {0}")]
    Elf(String),
    /// A library, an object file.
    #[error("it is an ELF file, but no program: it can't be started")]
    NotStarted,
    /// Machine code that no host here runs.
    #[error("it is built for machine {0}, and no host here is one: x86_64 and aarch64 are known")]
    Arch(u16),
    /// What it needs can't be seen.
    #[error(
        "its section table is gone, so what it needs can't be read: strip it with `strip`, which leaves what a loader reads"
    )]
    Sections,
}

impl From<ReadError> for NotAProgram {
    fn from(error: ReadError) -> Self {
        Self::Elf(error.to_string())
    }
}

impl Program {
    /// Reads a program's needs.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAProgram> {
        let header = FileHeader64::<Endianness>::parse(bytes)?;
        let endian = header.endian()?;
        if ![elf::ET_EXEC, elf::ET_DYN].contains(&header.e_type.get(endian)) {
            return Err(NotAProgram::NotStarted);
        }
        let machine = header.e_machine.get(endian);
        let arch = match machine {
            elf::EM_X86_64 => Arch::X86,
            elf::EM_AARCH64 => Arch::Arm,
            other => return Err(NotAProgram::Arch(other.0)),
        };
        let mut loader = None;
        let mut is_dynamic = false;
        for segment in header.program_headers(endian, bytes)? {
            if let Some(path) = segment.interpreter(endian, bytes)? {
                loader = Some(text(path));
            }
            is_dynamic |= segment.dynamic(endian, bytes)?.is_some();
        }
        let sections = header.sections(endian, bytes)?;
        let mut libraries = Vec::new();
        let found = sections.dynamic(endian, bytes)?;
        if is_dynamic && found.is_none() {
            return Err(NotAProgram::Sections);
        }
        if let Some((entries, strings)) = found {
            let strings: StringTable<'_> = sections.strings(endian, bytes, strings)?;
            for entry in entries {
                if entry.tag(endian) == elf::DT_NEEDED {
                    libraries.push(text(entry.string(endian, strings)?));
                }
            }
        }
        // A library can be started, too, as far as its type goes; only a program has a loader or an entry.
        if loader.is_none() && header.e_entry.get(endian) == 0 {
            return Err(NotAProgram::NotStarted);
        }
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? {
            let strings = sections.strings(endian, bytes, link)?;
            while let Some((_, mut asked)) = needs.next()? {
                while let Some(version) = asked.next()? {
                    versions
                        .entry(text(version.name(endian, strings)?))
                        .or_default();
                }
            }
        } else if libraries.iter().any(|name| name == "libc.so.6") {
            return Err(NotAProgram::Sections);
        }
        if let Some(table) = sections.versions(endian, bytes)? {
            let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
            for (index, symbol) in symbols.enumerate() {
                let at = table.version_index(endian, index).index();
                let version = table.version(at)?.map(|version| text(version.name()));
                // What the program defines has versions of its own.
                if let Some(asked) = version.and_then(|version| versions.get_mut(&version)) {
                    asked.insert(text(symbol.name(endian, symbols.strings())?));
                }
            }
        }
        Ok(Self {
            arch,
            loader,
            libraries,
            versions,
        })
    }

    /// Whether it needs nothing but a kernel.
    pub fn is_static(&self) -> bool {
        self.loader.is_none() && self.libraries.is_empty()
    }

    /// The oldest glibc that has all it asks for; none where it asks for none.
    pub fn glibc(&self) -> Option<Glibc> {
        self.versions.keys().filter_map(|name| glibc(name)).max()
    }

    /// What it asks for that glibc does not have up to this version, the newest first: `GLIBC_2.34` with its symbols.
    pub fn newer_than(&self, has: Glibc) -> Vec<(&str, Vec<&str>)> {
        let asked = self.versions.iter().filter(|(name, _)| {
            // What has no number is of the newest versions, or private.
            name.starts_with("GLIBC_") && glibc(name).is_none_or(|needed| needed > has)
        });
        let mut newer: Vec<_> = asked
            .map(|(name, symbols)| {
                let symbols = symbols.iter().map(String::as_str).collect();
                (name.as_str(), symbols)
            })
            .collect();
        newer.sort_by_key(|(name, _)| std::cmp::Reverse(glibc(name).unwrap_or(Glibc(u32::MAX, 0))));
        newer
    }
}

/// `GLIBC_2.17` and `GLIBC_2.2.5`, whose third number is older than any system that is left.
fn glibc(version: &str) -> Option<Glibc> {
    let mut numbers = version.strip_prefix("GLIBC_")?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some(Glibc(next()?, next()?))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn this_test_itself() {
        let program = Program::read(&this_program()).unwrap();
        assert_eq!(program.arch.name(), std::env::consts::ARCH);
        if cfg!(target_env = "gnu") {
            assert!(!program.is_static());
            assert!(program.loader.as_ref().unwrap().contains("ld-linux"));
            assert!(program.libraries.iter().any(|name| name == "libc.so.6"));
            let needs = program.glibc().unwrap();
            assert!(needs >= Glibc(2, 2), "{needs}");
            assert!(program.newer_than(needs).is_empty());
            // Of a glibc that never was, everything is newer.
            let newer = program.newer_than(Glibc(2, 1));
            assert_eq!(newer[0].0, format!("GLIBC_{needs}"));
            assert!(!newer[0].1.is_empty(), "{newer:?}");
            assert!(
                newer.iter().any(|(_, symbols)| symbols.contains(&"memcpy")
                    || symbols.contains(&"__libc_start_main")),
                "{newer:?}"
            );
        }
    }

    #[test]
    fn versions_in_order() {
        let mut program = Program::read(&this_program()).unwrap();
        program.versions = [
            "GLIBC_2.2.5",
            "GLIBC_2.17",
            "GLIBC_2.34",
            "GLIBC_ABI_DT_RELR",
            "GCC_3.0",
        ]
        .into_iter()
        .map(|name| (name.to_owned(), BTreeSet::from(["f".to_owned()])))
        .collect();
        assert_eq!(program.glibc(), Some(Glibc(2, 34)));
        let newer = |has| -> Vec<String> {
            let newer = program.newer_than(has).into_iter();
            newer.map(|(name, _)| name.to_owned()).collect()
        };
        assert_eq!(newer(Glibc(2, 17)), ["GLIBC_ABI_DT_RELR", "GLIBC_2.34"]);
        assert_eq!(newer(Glibc(2, 34)), ["GLIBC_ABI_DT_RELR"]);
        assert_eq!(newer(Glibc(2, 3)).len(), 3);
    }

    #[test]
    fn what_is_no_program_is_said_and_nothing_panics() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0x7f; 4096]] {
            assert!(matches!(Program::read(bytes), Err(NotAProgram::Elf(_))));
        }
        let whole = this_program();
        // Cut off, and with single bytes of its head changed.
        for length in [16, 63, 64, 65, 200, 1000, whole.len() / 2, whole.len() - 1] {
            let _ = Program::read(&whole[..length]);
        }
        let mut head = whole;
        for at in 0..64 {
            let was = head[at];
            for changed in [0, 1, 0x7f, 0xff] {
                head[at] = changed;
                let _ = Program::read(&head);
            }
            head[at] = was;
        }
        // An object file's type.
        head[16] = 1;
        assert_eq!(Program::read(&head), Err(NotAProgram::NotStarted));
        head[16] = 3;
        head[18] = 243;
        assert_eq!(Program::read(&head), Err(NotAProgram::Arch(243)));
    }
}
