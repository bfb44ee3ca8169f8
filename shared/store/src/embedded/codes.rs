//! The codes of pools: a file for each segment in the folder `codes`, beside the log, read where it lies. The log says which segments
//! a pool has: a file is whole and durable before it does.
//!
//! A file, little-endian: magic `GALACOD\0`, form `u32`, bytes of a code at most `u32`, how many `u64`; the codes, each its length in a
//! byte and then as many bytes as the longest; the CRC32C `u32` of all bytes before it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use machine::world::World;
use parking_lot::{Mutex, RwLock};

use super::lists::full;
use super::state::State;
use crate::codes::Codes;
use crate::log::{Disk, DiskFile};

/// The folder of codes in the store's folder.
pub(crate) const FOLDER: &str = "codes";
const MAGIC: &[u8; 8] = b"GALACOD\0";
const FORM: u32 = 1;
const HEADER_BYTES: u64 = 24;
/// How many bytes are read or written at once.
const PIECE_BYTES: usize = 1 << 20;

/// The codes of every segment that is there.
#[derive(Debug)]
pub(super) struct Pools {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    files: RwLock<HashMap<Arc<str>, Arc<File>>>,
    /// Those under way: written, and not yet in the log.
    staged: Mutex<HashSet<Arc<str>>>,
    /// Held while files are removed, and while they are copied.
    removing: Mutex<()>,
    /// Held while codes are put: what is known must not grow between the look and the change.
    pub putting: tokio::sync::Mutex<()>,
}

/// An open file that was found whole.
#[derive(Debug)]
struct File {
    bytes: Box<dyn DiskFile>,
    /// Bytes of a code with its length.
    stride: u64,
    codes: u64,
}

impl Pools {
    /// Looks at those that the world names, and removes what no pool names.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, world: &World) -> Self {
        let pools = Self {
            disk,
            dir: dir.join(FOLDER),
            files: RwLock::default(),
            staged: Mutex::default(),
            removing: Mutex::default(),
            putting: tokio::sync::Mutex::default(),
        };
        for (tenant, name, version, codes) in named(world) {
            match pools.look(&version, codes) {
                Ok(file) => {
                    pools.files.write().insert(version, Arc::new(file));
                }
                Err(error) => tracing::error!(
                    %error, tenant, pool = %name,
                    "codes of a pool can't be read: those who were given them are not shown them until the file is brought back"
                ),
            }
        }
        pools.sweep(|| versions(world));
        pools
    }

    /// The codes at these places of segments; none where a code can't be read.
    pub fn codes(&self, places: &[(Arc<str>, u64)]) -> Vec<Option<Arc<str>>> {
        let one = |(version, place): &(Arc<str>, u64)| {
            let file = self.files.read().get(version).cloned()?;
            match file.code(*place) {
                Ok(code) => code,
                Err(error) => {
                    tracing::error!(%error, segment = %version, "a code can't be read");
                    None
                }
            }
        };
        places.iter().map(one).collect()
    }

    /// Strikes out what stands in any of these segments; how many those were. An error: one of them can't be read, so that nobody
    /// knows what stands in it.
    pub fn strike(&self, versions: &[Arc<str>], codes: &mut Codes) -> io::Result<usize> {
        let mut known = 0;
        for version in versions {
            let file = self.files.read().get(version).cloned();
            let file = file.ok_or_else(|| damaged("a segment of a pool is not there"))?;
            file.each(|code| known += usize::from(codes.strike(code)))?;
        }
        Ok(known)
    }

    /// Writes a segment, durably. It is swept with the others that no pool names, unless [`Self::settle`] comes first.
    pub fn stage(&self, version: &Arc<str>, codes: &Codes) -> io::Result<()> {
        self.staged.lock().insert(version.clone());
        let written = self
            .write(version, codes)
            .and_then(|()| self.look(version, codes.len() as u64));
        match written {
            Ok(file) => {
                self.files.write().insert(version.clone(), Arc::new(file));
                Ok(())
            }
            Err(error) => {
                self.staged.lock().remove(version);
                let _ = self.disk.remove(&self.dir.join(&**version));
                Err(error)
            }
        }
    }

    /// What was staged is named by a pool now, or never will be.
    pub fn settle(&self, version: &Arc<str>, state: &RwLock<State>) {
        self.staged.lock().remove(version);
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
        self.files
            .write()
            .retain(|version, _| keep.contains(version));
        let Ok(files) = self.disk.list(&self.dir) else {
            // There is no such folder before the first pool.
            return;
        };
        for file in files {
            if !keep.contains(file.as_str())
                && let Err(error) = self.disk.remove(&self.dir.join(&file))
            {
                tracing::warn!(%error, file, "codes that no pool names can't be removed: the next start tries again");
            }
        }
    }

    fn write(&self, version: &str, codes: &Codes) -> io::Result<()> {
        self.disk.create_folder(&self.dir)?;
        let file = self.disk.create_private(&self.dir.join(version))?;
        let width = codes.iter().map(<[u8]>::len).max().unwrap_or(0);
        let mut piece = Vec::with_capacity(PIECE_BYTES + width + 1);
        piece.extend_from_slice(MAGIC);
        piece.extend_from_slice(&FORM.to_le_bytes());
        piece.extend_from_slice(&(width as u32).to_le_bytes());
        piece.extend_from_slice(&(codes.len() as u64).to_le_bytes());
        let (mut crc, mut at) = (0, 0);
        let mut put = |piece: &mut Vec<u8>| {
            file.write_all_at(piece, at)?;
            crc = crc32c::crc32c_append(crc, piece);
            at += piece.len() as u64;
            piece.clear();
            io::Result::Ok((crc, at))
        };
        for code in codes.iter() {
            let end = piece.len() + width + 1;
            piece.push(code.len() as u8);
            piece.extend_from_slice(code);
            piece.resize(end, 0);
            if piece.len() >= PIECE_BYTES {
                put(&mut piece)?;
            }
        }
        let (crc, at) = put(&mut piece)?;
        file.write_all_at(&crc.to_le_bytes(), at)?;
        file.sync_all()?;
        self.disk.sync_folder(&self.dir)
    }

    /// Opens a segment and reads all of it once.
    fn look(&self, version: &str, codes: u64) -> io::Result<File> {
        let file = self.disk.open(&self.dir.join(version), false)?;
        let mut header = [0; HEADER_BYTES as usize];
        full(file.as_ref(), &mut header, 0)?;
        let number = |at: usize| {
            let four = header.get(at..at + 4).and_then(|four| four.try_into().ok());
            four.map_or(0, u32::from_le_bytes)
        };
        if !header.starts_with(MAGIC) || number(8) != FORM {
            return Err(damaged("it is of a form that this version does not know"));
        }
        let stride = u64::from(number(12)) + 1;
        let end = codes.checked_mul(stride).map(|bytes| bytes + HEADER_BYTES);
        if end.map(|end| end + 4) != Some(file.len()?) {
            return Err(damaged("it is not as long as the log says"));
        }
        let (end, mut at, mut crc) = (end.unwrap_or(0), 0, 0);
        let mut piece = vec![0; PIECE_BYTES];
        while at < end {
            let some = usize::try_from(end - at)
                .unwrap_or(PIECE_BYTES)
                .min(PIECE_BYTES);
            let piece = piece.get_mut(..some).unwrap_or_default();
            full(file.as_ref(), piece, at)?;
            crc = crc32c::crc32c_append(crc, piece);
            at += some as u64;
        }
        let mut sum = [0; 4];
        full(file.as_ref(), &mut sum, end)?;
        if u32::from_le_bytes(sum) != crc {
            return Err(damaged("its checksum is wrong"));
        }
        Ok(File {
            bytes: file,
            stride,
            codes,
        })
    }
}

impl File {
    fn code(&self, place: u64) -> io::Result<Option<Arc<str>>> {
        if place >= self.codes {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(self.stride).map_err(io::Error::other)?];
        full(
            self.bytes.as_ref(),
            &mut bytes,
            HEADER_BYTES + place * self.stride,
        )?;
        let code = code_of(&bytes).and_then(|code| std::str::from_utf8(code).ok());
        code.map(|code| Some(code.into()))
            .ok_or_else(|| damaged("a code is no text"))
    }

    fn each(&self, mut look: impl FnMut(&[u8])) -> io::Result<()> {
        let stride = usize::try_from(self.stride).map_err(io::Error::other)?;
        let at_once = (PIECE_BYTES / stride).max(1) as u64;
        let mut piece = vec![0; at_once as usize * stride];
        let mut done = 0;
        while done < self.codes {
            let some = at_once.min(self.codes - done);
            let piece = piece.get_mut(..some as usize * stride).unwrap_or_default();
            full(
                self.bytes.as_ref(),
                piece,
                HEADER_BYTES + done * self.stride,
            )?;
            for bytes in piece.chunks_exact(stride) {
                look(code_of(bytes).ok_or_else(|| damaged("a code is no text"))?);
            }
            done += some;
        }
        Ok(())
    }
}

/// A code, from its length and the bytes after it.
fn code_of(bytes: &[u8]) -> Option<&[u8]> {
    let (length, code) = bytes.split_first()?;
    code.get(..usize::from(*length))
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn versions(world: &World) -> HashSet<Arc<str>> {
    named(world).map(|(_, _, version, _)| version).collect()
}

/// The segments that a world names: tenant, pool, version, how many codes.
fn named(world: &World) -> impl Iterator<Item = (&str, &Arc<str>, Arc<str>, u64)> {
    world.tenants.iter().flat_map(|(tenant, known)| {
        known.pools.iter().flat_map(move |(name, pool)| {
            let segments = pool.segments.iter();
            segments.map(move |segment| (&**tenant, name, segment.version.clone(), segment.codes))
        })
    })
}
