//! A disk with switches: flushes that wait or fail, and no room for another segment.

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::log::fault::FaultDisk;
use crate::log::{Disk, DiskFile, LockError};

/// A disk in memory with switches. Clones are the same disk.
#[derive(Debug, Clone)]
pub(super) struct SwitchDisk {
    pub inner: FaultDisk,
    switches: Arc<(Mutex<Switches>, Condvar)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Switches {
    hold: bool,
    fail: bool,
    full: bool,
    /// How many flushes wait now.
    waiting: u32,
}

impl SwitchDisk {
    pub fn new(inner: FaultDisk) -> Self {
        Self {
            inner,
            switches: Arc::default(),
        }
    }

    fn switch(&self, set: impl FnOnce(&mut Switches)) {
        set(&mut self.switches.0.lock());
        self.switches.1.notify_all();
    }

    /// Flushes wait until the guard is dropped. It comes after the store, so that a test that fails lets the store end.
    #[must_use]
    pub fn hold(&self) -> Held {
        self.switch(|switches| switches.hold = true);
        Held(self.clone())
    }

    /// Flushes fail from now on, once they are not held.
    pub fn fail(&self, on: bool) {
        self.switch(|switches| switches.fail = on);
    }

    /// There is no room for another file from now on, or there is again.
    pub fn full(&self, on: bool) {
        self.switch(|switches| switches.full = on);
    }

    /// Waits until a flush is being held.
    pub fn until_held(&self) {
        let mut switches = self.switches.0.lock();
        while switches.waiting == 0 {
            self.switches.1.wait(&mut switches);
        }
    }

    fn flush(&self) -> io::Result<()> {
        let mut switches = self.switches.0.lock();
        switches.waiting += 1;
        self.switches.1.notify_all();
        while switches.hold {
            self.switches.1.wait(&mut switches);
        }
        switches.waiting -= 1;
        if switches.fail {
            Err(io::Error::other("input/output error"))
        } else {
            Ok(())
        }
    }

    fn file(&self, inner: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(SwitchFile {
            disk: self.clone(),
            inner,
        })
    }
}

/// While it lives, flushes wait.
pub(super) struct Held(SwitchDisk);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.switch(|switches| switches.hold = false);
    }
}

impl Disk for SwitchDisk {
    fn create_folder(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_folder(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.inner.open(path, write)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.inner.create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_folder(dir)
    }

    fn lock(&self, dir: &Path) -> Result<Box<dyn Any + Send + Sync>, LockError> {
        self.inner.lock(dir)
    }

    fn entropy(&self) -> u32 {
        self.inner.entropy()
    }
}

#[derive(Debug)]
struct SwitchFile {
    disk: SwitchDisk,
    inner: Box<dyn DiskFile>,
}

impl DiskFile for SwitchFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_all_at(bytes, offset)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if self.disk.switches.0.lock().full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.allocate(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.flush()?;
        self.inner.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.disk.flush()?;
        self.inner.sync_all()
    }
}
