//! The members of lists: a file for each version in the folder `lists`, beside the log, and the same in memory, sorted. The log says
//! which version is a list's: a file is whole and durable before it does, and removed once it does no more.
//!
//! A file, little-endian: magic `GALALST\0`, form `u32`, zero `u32`, how many `u64`; the members, 16 bytes each, in order; the CRC32C
//! `u32` of all bytes before it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::world::World;
use parking_lot::{Mutex, RwLock};

use super::state::State;
use crate::log::Disk;

/// The folder of lists in the store's folder.
pub(crate) const FOLDER: &str = "lists";
const MAGIC: &[u8; 8] = b"GALALST\0";
const FORM: u32 = 1;
const HEADER_BYTES: u64 = 24;
const MEMBER_BYTES: usize = 16;
/// How many members are read or written at once: a megabyte.
const CHUNK: usize = 1 << 16;

/// The members of every version that is there.
#[derive(Debug)]
pub(super) struct Lists {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    members: RwLock<HashMap<Arc<str>, Arc<Vec<Pseudonym>>>>,
    /// Those under way: written, and not yet in the log.
    staged: Mutex<HashSet<Arc<str>>>,
    /// Held while files are removed, and while they are copied.
    removing: Mutex<()>,
}

impl Lists {
    /// Reads those that the world names, and removes what no list names.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, world: &World) -> Self {
        let lists = Self {
            disk,
            dir: dir.join(FOLDER),
            members: RwLock::default(),
            staged: Mutex::default(),
            removing: Mutex::default(),
        };
        for (tenant, name, version, count) in named(world) {
            match lists.read(&version, count) {
                Ok(members) => {
                    lists.members.write().insert(version, members);
                }
                Err(error) => tracing::error!(
                    %error, tenant, list = %name,
                    "a list can't be read: who is on it is unknown until it is put again"
                ),
            }
        }
        lists.sweep(|| versions(world));
        lists
    }

    /// Whether someone is in each of these versions; none where a version is not there.
    pub fn listed(&self, versions: &[Arc<str>], user: &Pseudonym) -> Vec<Option<bool>> {
        let members = self.members.read();
        let is_on = |version: &Arc<str>| {
            let members = members.get(version)?;
            Some(members.binary_search(user).is_ok())
        };
        versions.iter().map(is_on).collect()
    }

    /// Writes a version's members, durably. It is swept with the others that no list names, unless [`Self::settle`] comes first.
    pub fn stage(&self, version: &Arc<str>, members: Vec<Pseudonym>) -> io::Result<()> {
        self.staged.lock().insert(version.clone());
        let written = self.write(version, &members);
        match written {
            Ok(()) => {
                self.members
                    .write()
                    .insert(version.clone(), Arc::new(members));
                Ok(())
            }
            Err(error) => {
                self.staged.lock().remove(version);
                let _ = self.disk.remove(&self.path(version));
                Err(error)
            }
        }
    }

    /// What was staged is named by a list now, or never will be: what no list names is removed.
    pub fn settle(&self, version: Option<&Arc<str>>, state: &RwLock<State>) {
        if let Some(version) = version {
            self.staged.lock().remove(version);
        }
        self.sweep(|| versions(&state.read().world));
    }

    /// Keeps every file where it is while `work` is done.
    pub fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        let _held = self.removing.lock();
        work()
    }

    fn sweep(&self, named: impl FnOnce() -> HashSet<Arc<str>>) {
        let _held = self.removing.lock();
        // First what is staged: what is no more was named before, and is found among those that are.
        let mut keep = self.staged.lock().clone();
        keep.extend(named());
        self.members
            .write()
            .retain(|version, _| keep.contains(version));
        let Ok(files) = self.disk.list(&self.dir) else {
            // There is no such folder before the first list.
            return;
        };
        for file in files {
            if !keep.contains(file.as_str())
                && let Err(error) = self.disk.remove(&self.dir.join(&file))
            {
                tracing::warn!(%error, file, "a list that was replaced can't be removed: the next start tries again");
            }
        }
    }

    fn path(&self, version: &str) -> PathBuf {
        self.dir.join(version)
    }

    fn write(&self, version: &str, members: &[Pseudonym]) -> io::Result<()> {
        self.disk.create_folder(&self.dir)?;
        let file = self.disk.create(&self.path(version))?;
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&FORM.to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&(members.len() as u64).to_le_bytes());
        file.write_all_at(&header, 0)?;
        let mut crc = crc32c::crc32c(&header);
        let mut at = HEADER_BYTES;
        let mut bytes = Vec::with_capacity(CHUNK.min(members.len()) * MEMBER_BYTES);
        for some in members.chunks(CHUNK) {
            bytes.clear();
            for member in some {
                bytes.extend_from_slice(&member.0);
            }
            file.write_all_at(&bytes, at)?;
            crc = crc32c::crc32c_append(crc, &bytes);
            at += bytes.len() as u64;
        }
        file.write_all_at(&crc.to_le_bytes(), at)?;
        file.sync_all()?;
        self.disk.sync_folder(&self.dir)
    }

    fn read(&self, version: &str, count: u64) -> io::Result<Arc<Vec<Pseudonym>>> {
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let file = self.disk.open(&self.path(version), false)?;
        let many = usize::try_from(count).map_err(io::Error::other)?;
        let expected = many
            .checked_mul(MEMBER_BYTES)
            .and_then(|bytes| (bytes as u64).checked_add(HEADER_BYTES + 4));
        if Some(file.len()?) != expected {
            return Err(damaged("it is not as long as the log says"));
        }
        let mut header = [0; HEADER_BYTES as usize];
        full(file.as_ref(), &mut header, 0)?;
        let mut crc = crc32c::crc32c(&header);
        let form = header.get(8..12).and_then(|form| form.try_into().ok());
        if !header.starts_with(MAGIC) || form.map(u32::from_le_bytes) != Some(FORM) {
            return Err(damaged("it is of a form that this version does not know"));
        }
        let mut members = Vec::with_capacity(many);
        let mut bytes = vec![0; CHUNK.min(many) * MEMBER_BYTES];
        let mut at = HEADER_BYTES;
        while members.len() < many {
            let some = CHUNK.min(many - members.len()) * MEMBER_BYTES;
            let chunk = bytes.get_mut(..some).unwrap_or_default();
            full(file.as_ref(), chunk, at)?;
            crc = crc32c::crc32c_append(crc, chunk);
            at += some as u64;
            let (whole, _) = chunk.as_chunks::<MEMBER_BYTES>();
            members.extend(whole.iter().map(|member| Pseudonym(*member)));
        }
        let mut end = [0; 4];
        full(file.as_ref(), &mut end, at)?;
        if u32::from_le_bytes(end) != crc {
            return Err(damaged("its checksum is wrong"));
        }
        if !members.is_sorted_by(|one, next| one < next) {
            return Err(damaged("its members are in no order"));
        }
        Ok(Arc::new(members))
    }
}

pub(super) fn full(file: &dyn crate::log::DiskFile, buffer: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < buffer.len() {
        let rest = buffer.get_mut(done..).unwrap_or_default();
        match file.read_at(rest, at + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            some => done += some,
        }
    }
    Ok(())
}

fn versions(world: &World) -> HashSet<Arc<str>> {
    named(world).map(|(_, _, version, _)| version).collect()
}

/// The lists that a world names: tenant, name, version, how many members.
fn named(world: &World) -> impl Iterator<Item = (&str, &Arc<str>, Arc<str>, u64)> {
    world.tenants.iter().flat_map(|(tenant, known)| {
        let lists = known.lists.iter();
        lists.map(|(name, list)| (&**tenant, name, list.version.clone(), list.members))
    })
}
