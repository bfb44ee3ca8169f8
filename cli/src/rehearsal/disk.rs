//! The machine's disk without waiting for it: a rehearsal's store is thrown away, and each commit's flush is most of the time it would take.
//! What is written is read again as it was, only a power cut would lose it. Made here alone: no server's store can be opened on it.

use std::any::Any;
use std::io;
use std::path::Path;

use store::log::{Disk, DiskFile, LockError, RealDisk};

/// The real disk, that says it is done before it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct HastyDisk;

/// A file on it.
#[derive(Debug)]
struct HastyFile(Box<dyn DiskFile>);

fn hasty(file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
    Box::new(HastyFile(file))
}

impl Disk for HastyDisk {
    fn create_folder(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_folder(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path, write).map(hasty)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create(path).map(hasty)
    }

    fn create_private(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create_private(path).map(hasty)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, dir: &Path) -> Result<Box<dyn Any + Send + Sync>, LockError> {
        RealDisk.lock(dir)
    }

    fn entropy(&self) -> u32 {
        RealDisk.entropy()
    }
}

impl DiskFile for HastyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.0.allocate(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}
