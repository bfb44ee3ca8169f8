//! The disk, as the log sees it: the few file operations it is built from, and the real ones over `std`.
//!
//! It holds file I/O and nothing about records. Everything the log does to a disk goes through here, so that a test can put a
//! disk underneath that loses power.
use std::any::Any;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Files and folders with explicit durability: nothing is promised to survive before the matching `sync_*` returned.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates a folder and its parents, durably. An existing folder is fine.
    fn create_folder(&self, dir: &Path) -> io::Result<()>;
    /// The names of the entries of a folder, in any order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Opens an existing file, for reading and, if `write`, for writing.
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>>;
    /// Creates an empty file; an existing one is emptied. The name is durable only after [`Disk::sync_folder`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// [`Disk::create`], for the owner's eyes alone where the disk knows owners.
    fn create_private(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.create(path)
    }
    /// Renames a file, atomically, over an existing one. Durable only after [`Disk::sync_folder`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable only after [`Disk::sync_folder`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, dir: &Path) -> io::Result<()>;
    /// Takes the one lock of a folder; dropping the guard releases it.
    fn lock(&self, dir: &Path) -> Result<Box<dyn Any + Send + Sync>, LockError>;
    /// A number that a writer of payloads cannot guess.
    fn entropy(&self) -> u32;
}

/// An open file with positioned reads and writes.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Reads at `offset`; returns fewer bytes than asked only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Reserves the first `len` bytes, growing the file with zeros, so that writing there cannot run out of space.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// The file's length, in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file holds no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Makes the content durable (`fdatasync`: data, and the length).
    fn sync_data(&self) -> io::Result<()>;
    /// Makes content and attributes durable (`fsync`).
    fn sync_all(&self) -> io::Result<()>;
}

/// Why a folder could not be locked.
#[derive(Debug)]
pub enum LockError {
    /// Someone else holds it; with their process id, if the lock file tells.
    Held(Option<u32>),
    /// The lock file could not be used.
    Io(io::Error),
}

/// The machine's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_folder(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        self.create_folder(&parent)?;
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.sync_folder(&parent)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // A name that is not UTF-8 is not one of ours, and still makes a folder not empty.
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(
            OpenOptions::new().read(true).write(write).open(path)?,
        )))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn create_private(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, dir: &Path) -> Result<Box<dyn Any + Send + Sync>, LockError> {
        let path = dir.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let holder = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held(holder));
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        // The lock is the fence; the process id in the file only helps whoever finds it taken.
        file.set_len(0).map_err(LockError::Io)?;
        writeln!(file, "{}", std::process::id()).map_err(LockError::Io)?;
        Ok(Box::new(file))
    }

    fn entropy(&self) -> u32 {
        // The standard library seeds its hash maps from the system's randomness.
        RandomState::new().build_hasher().finish() as u32
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self
                .0
                .read_at(&mut buffer[filled..], offset + filled as u64)
            {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::empty(), 0, len) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => return self.allocate(len),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
        // The file system cannot reserve: write the zeros that are missing.
        let zeros = vec![0; 1 << 20];
        let mut offset = self.len()?;
        while offset < len {
            let count = (len - offset).min(zeros.len() as u64) as usize;
            self.0.write_all_at(&zeros[..count], offset)?;
            offset += count as u64;
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}
