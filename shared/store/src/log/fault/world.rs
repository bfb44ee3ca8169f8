//! The state of the disk that loses power: what is durable, what is pending, and what a crash makes of it.
//!
//! It knows nothing of traits and handles; those are in the module above.
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{Fault, SECTOR_BYTES};

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) files: Vec<Inode>,
    pub(super) names: BTreeMap<PathBuf, usize>,
    pub(super) durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since the last sync of their folder.
    pub(super) pending_names: Vec<(PathBuf, NameChange)>,
    pub(super) locked: BTreeSet<PathBuf>,
    /// Calls that change something, so far.
    pub(super) calls: u64,
    pub(super) plan: Option<(u64, Fault)>,
    pub(super) off: bool,
    pub(super) random: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    pub(super) now: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Since the last sync: writes, and growths as empty writes at the new end.
    pub(super) pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug, Clone)]
pub(super) enum NameChange {
    Set(PathBuf, usize),
    Rename(PathBuf, PathBuf, usize),
    Remove(PathBuf),
}

impl NameChange {
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Set(path, id) => {
                names.insert(path.clone(), *id);
            }
            Self::Rename(from, to, id) => {
                names.remove(from);
                names.insert(to.clone(), *id);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

impl Inode {
    pub(super) fn clean(bytes: Vec<u8>) -> Self {
        Self {
            now: bytes.clone(),
            durable: bytes,
            pending: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        patch(&mut self.now, offset, bytes);
        self.pending.push((offset, bytes.to_vec()));
    }
}

pub(super) fn patch(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl World {
    /// A small generator (splitmix64): the disk must not depend on anything but its seed.
    pub(super) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn chance(&mut self, one_in: u64) -> bool {
        self.next_random().is_multiple_of(one_in)
    }

    pub(super) fn next_fault(&mut self) -> io::Result<Option<Fault>> {
        if self.off {
            return Err(Fault::PowerOff.error());
        }
        let planned = self
            .plan
            .filter(|(at, _)| *at == self.calls)
            .map(|(_, fault)| fault);
        self.calls += 1;
        self.off = planned == Some(Fault::PowerOff);
        Ok(planned)
    }

    /// What a file could hold if its unsynced writes reach the disk sector by sector, in any order, or not at all.
    pub(super) fn survivor(&mut self, id: usize) -> Vec<u8> {
        let Inode {
            now,
            durable,
            pending,
        } = self.files[id].clone();
        // Each sector is as it was after some number of the writes that touch it.
        let mut sectors: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (write, (offset, bytes)) in pending
            .iter()
            .enumerate()
            .filter(|(_, (_, bytes))| !bytes.is_empty())
        {
            for sector in offset / SECTOR_BYTES..=(offset + bytes.len() - 1) / SECTOR_BYTES {
                sectors.entry(sector).or_default().push(write);
            }
        }
        let mut content = durable.clone();
        for (sector, writes) in sectors {
            let survivors = (self.next_random() % (writes.len() as u64 + 1)) as usize;
            for (offset, bytes) in writes[..survivors].iter().map(|write| &pending[*write]) {
                let start = (sector * SECTOR_BYTES).max(*offset);
                let end = ((sector + 1) * SECTOR_BYTES).min(offset + bytes.len());
                patch(&mut content, start, &bytes[start - offset..end - offset]);
            }
        }
        let len = if self.chance(2) {
            now.len()
        } else {
            durable.len()
        };
        content.resize(len, 0);
        content
    }
}

impl World {
    pub(super) fn record(&mut self, path: &Path, change: NameChange) {
        change.apply(&mut self.names);
        self.pending_names.push((
            path.parent().map(Path::to_owned).unwrap_or_default(),
            change,
        ));
    }
}
