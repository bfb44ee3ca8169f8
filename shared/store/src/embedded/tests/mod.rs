//! The embedded store under test: opening again, disks that fail or are slow, backups, and a model to be held against.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

mod codes;
mod disk;
mod failing;
mod lists;
mod model;
mod reopen;

use std::path::PathBuf;
use std::sync::Arc;

use machine::luck::Seed;
use machine::world::{Action, AdminOutcome, Commit, Outcome, World};

use super::{Embedded, OpenError, Options, open_on};
use crate::conformance::sample;
use crate::log::fault::FaultDisk;
use crate::{Error, Store};
use disk::SwitchDisk;

/// Small segments, so that every test rotates.
const SMALL: Options = Options {
    snapshot_after: u64::MAX,
    segment_bytes: 16 << 10,
};

fn dir() -> PathBuf {
    PathBuf::from("/store")
}

fn disk() -> SwitchDisk {
    SwitchDisk::new(FaultDisk::new(1))
}

fn open(disk: &SwitchDisk) -> Result<Embedded, OpenError> {
    open_on(Arc::new(disk.clone()), &dir(), SMALL)
}

fn world(store: &Embedded) -> World {
    store.state.read().world.clone()
}

/// A store with the tenant and the campaign, and `stock` mugs.
async fn set(disk: &SwitchDisk, stock: u32) -> Embedded {
    let store = open(disk).unwrap();
    let publish = sample::publish("{}", &[("mug", stock)], Some(1000));
    for action in [
        Action::CreateTenant {
            secret: Seed([9; 32]),
        },
        publish,
    ] {
        let outcome = store.admin(Box::new(sample::admin(action))).await.unwrap();
        assert!(matches!(outcome, AdminOutcome::Done(_)), "{outcome:?}");
    }
    store
}

async fn commit(store: &Embedded, commit: Commit) -> Result<Outcome, Error> {
    store.commit(Box::new(commit)).await
}

fn committed(outcome: &Result<Outcome, Error>) -> bool {
    matches!(outcome, Ok(Outcome::Committed(_)))
}
