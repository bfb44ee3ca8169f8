//! A disk for tests that loses power: unsynced writes are dropped, torn at sectors and reordered; calls fail when told to.
//!
//! It holds a whole file system in memory: for every file what is durable and what was written since, for the folders which
//! names are durable. It is at least as hostile as POSIX allows: names and sizes are as volatile as data. Reads never fail.
use std::any::Any;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

mod world;
use world::{Inode, NameChange, World, patch};

use super::disk::{Disk, DiskFile, LockError};

/// The unit that a disk writes whole or not at all, in bytes.
pub const SECTOR_BYTES: usize = 512;

/// What goes wrong at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The power goes: the call may have had its effect, and no later one has any.
    PowerOff,
    /// No space. A sync that fails so has dropped what it should have written.
    NoSpace,
    /// An I/O error. A write may be half done; a sync has dropped what it should have written.
    Io,
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct FaultDisk(Arc<Mutex<World>>);

impl FaultDisk {
    /// An empty disk; the seed decides what survives.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            random: seed,
            ..World::default()
        })))
    }

    /// Lets the `at`-th changing call from now on fail, counted from 0.
    pub fn fail_at(&self, at: u64, fault: Fault) {
        let mut world = self.0.lock();
        world.plan = Some((world.calls + at, fault));
    }

    /// The number of changing calls so far.
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// Whether the power has gone.
    pub fn is_off(&self) -> bool {
        self.0.lock().off
    }

    /// The disk as the next boot could find it, if the power went now. Another seed gives another outcome.
    #[must_use]
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let mut old = self.0.lock().clone();
        old.random = seed;
        let mut names = old.durable_names.clone();
        for (_, change) in std::mem::take(&mut old.pending_names) {
            if old.chance(2) {
                change.apply(&mut names);
            }
        }
        let files = (0..old.files.len())
            .map(|id| Inode::clean(old.survivor(id)))
            .collect();
        let random = old.random;
        Self(Arc::new(Mutex::new(World {
            files,
            durable_names: names.clone(),
            names,
            random,
            ..World::default()
        })))
    }

    /// The same disk after its process was killed: the page cache is still there, locks are not, and no fault is planned.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let old = self.0.lock();
        let world = World {
            locked: BTreeSet::new(),
            plan: None,
            off: false,
            ..old.clone()
        };
        Self(Arc::new(Mutex::new(world)))
    }

    /// The bytes of a file.
    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let world = self.0.lock();
        world.files[world.names[path]].now.clone()
    }

    /// Replaces a file, durably.
    pub fn set_bytes(&self, path: &Path, bytes: Vec<u8>) {
        let mut world = self.0.lock();
        world.files.push(Inode::clean(bytes));
        let id = world.files.len() - 1;
        world.names.insert(path.to_owned(), id);
        world.durable_names.insert(path.to_owned(), id);
    }

    fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> io::Result<T> {
        let mut world = self.0.lock();
        match world.next_fault()? {
            None => Ok(act(&mut world)),
            Some(fault) => {
                if fault == Fault::PowerOff {
                    act(&mut world);
                }
                Err(fault.error())
            }
        }
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::PowerOff => io::Error::other("the power is off"),
            Self::NoSpace => io::Error::from(io::ErrorKind::StorageFull),
            Self::Io => io::Error::other("input/output error"),
        }
    }
}

impl Disk for FaultDisk {
    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let world = self.0.lock();
        let inside = world.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn open(&self, path: &Path, _: bool) -> io::Result<Box<dyn DiskFile>> {
        let id = *self
            .0
            .lock()
            .names
            .get(path)
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(FaultFile {
            disk: self.clone(),
            id,
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // An existing file is replaced rather than emptied: a little more hostile, as the old one may come back.
        let id = self.change(|world| {
            world.files.push(Inode::default());
            let id = world.files.len() - 1;
            world.record(path, NameChange::Set(path.to_owned(), id));
            id
        })?;
        Ok(Box::new(FaultFile {
            disk: self.clone(),
            id,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|world| {
            let id = *world.names.get(from).ok_or(io::ErrorKind::NotFound)?;
            world.record(to, NameChange::Rename(from.to_owned(), to.to_owned(), id));
            Ok(())
        })?
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|world| world.record(path, NameChange::Remove(path.to_owned())))
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        if let Some(fault) = world.next_fault()? {
            return Err(fault.error());
        }
        let pending = std::mem::take(&mut world.pending_names);
        for (folder, change) in pending {
            if folder == dir {
                change.apply(&mut world.durable_names);
            } else {
                world.pending_names.push((folder, change));
            }
        }
        Ok(())
    }

    fn lock(&self, dir: &Path) -> Result<Box<dyn Any + Send + Sync>, LockError> {
        if self.0.lock().locked.insert(dir.to_owned()) {
            Ok(Box::new(Guard {
                disk: self.clone(),
                dir: dir.to_owned(),
            }))
        } else {
            Err(LockError::Held(None))
        }
    }

    fn entropy(&self) -> u32 {
        self.0.lock().next_random() as u32
    }
}

struct Guard {
    disk: FaultDisk,
    dir: PathBuf,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.disk.0.lock().locked.remove(&self.dir);
    }
}

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    id: usize,
}

impl DiskFile for FaultFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.disk.0.lock();
        let content = &world.files[self.id].now;
        let start = content.len().min(offset as usize);
        let count = buffer.len().min(content.len() - start);
        buffer[..count].copy_from_slice(&content[start..start + count]);
        Ok(count)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut world = self.disk.0.lock();
        let fault = world.next_fault()?;
        // What a failing call leaves in the page cache is any first part of it.
        let count = match fault {
            Some(Fault::Io) => world.next_random() as usize % (bytes.len() + 1),
            Some(Fault::NoSpace) => 0,
            Some(Fault::PowerOff) | None => bytes.len(),
        };
        world.files[self.id].write(offset as usize, &bytes[..count]);
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.disk.change(|world| {
            if world.files[self.id].now.len() < len as usize {
                world.files[self.id].write(len as usize, &[]);
            }
        })
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().files[self.id].now.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.disk.0.lock();
        match world.next_fault()? {
            Some(Fault::PowerOff) => Err(Fault::PowerOff.error()),
            Some(fault) => {
                // The kernel wrote some of it, gave up on the rest, and counts all of it as written.
                let durable = world.survivor(self.id);
                let file = &mut world.files[self.id];
                file.durable = durable;
                file.pending.clear();
                Err(fault.error())
            }
            None => {
                let file = &mut world.files[self.id];
                for (offset, bytes) in std::mem::take(&mut file.pending) {
                    patch(&mut file.durable, offset, &bytes);
                }
                Ok(())
            }
        }
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}
