//! Reads of the log: a campaign's ledger, one user's history, backups. All run on threads that may block.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::world::{Action, Change, Commit};

use super::record;
use crate::log::{self, Disk, Reader};
use crate::{Copied, Error, LedgerRow};

/// Up to `most` rows of `key`'s ledger from number `from` on, reading the log from change `start` on.
pub(super) fn ledger(
    reader: &Reader,
    key: &CampaignKey,
    start: Option<u64>,
    from: u64,
    most: usize,
) -> Result<Vec<LedgerRow>, Error> {
    let mut found = Vec::new();
    let Some(start) = start else { return Ok(found) };
    each_commit(reader, start, |commit| {
        if commit.campaign == *key {
            let rows = LedgerRow::of(commit).filter(|row| row.number >= from);
            found.extend(rows.take(most.saturating_sub(found.len())));
        }
        found.len() < most
    })?;
    Ok(found)
}

/// The newest `most` rows of one participant across a tenant's campaigns, oldest first. Reads the whole log: support asks
/// for one user at a time, and a log of a gigabyte takes a few seconds. Rows of the editions in `purged` are passed over:
/// the log holds their bytes still, and nobody is shown them. So with what a test lane held before it was emptied.
pub(super) fn of_user(
    reader: &Reader,
    tenant: &str,
    purged: &[(Arc<str>, u32)],
    user: Pseudonym,
    most: usize,
) -> Result<Vec<LedgerRow>, Error> {
    // Lane by lane, each with its newest rows: one that is emptied takes the place of no other's.
    let mut lanes: BTreeMap<CampaignKey, VecDeque<(u64, LedgerRow)>> = BTreeMap::new();
    let mut order = 0;
    each_change(reader, 1, |change| {
        match change {
            Change::Commit(commit) => {
                let of = &commit.campaign;
                let gone = |(campaign, edition): &(Arc<str>, u32)| {
                    *campaign == of.campaign && *edition == of.edition
                };
                if commit.user == user && &*of.tenant == tenant && !purged.iter().any(gone) {
                    let found = lanes.entry(of.clone()).or_default();
                    for row in LedgerRow::of(commit) {
                        found.push_back((order, row));
                        order += 1;
                        if found.len() > most {
                            found.pop_front();
                        }
                    }
                }
            }
            Change::Admin(admin) if &*admin.tenant == tenant => {
                if let Action::PurgeTest {
                    campaign, edition, ..
                } = &admin.action
                {
                    lanes.retain(|key, _| {
                        !(key.lane == Lane::Test
                            && key.campaign == *campaign
                            && key.edition == *edition)
                    });
                }
            }
            _ => {}
        }
        true
    })?;
    let mut all: Vec<_> = lanes.into_values().flatten().collect();
    all.sort_by_key(|(order, _)| *order);
    let before = all.len().saturating_sub(most);
    Ok(all.drain(before..).map(|(_, row)| row).collect())
}

/// Copies everything durable into an empty folder.
pub(super) fn backup(
    disk: &dyn Disk,
    dir: &Path,
    dest: PathBuf,
    durable_seq: u64,
) -> Result<Copied, Error> {
    let copied = log::backup_on(disk, dir, &dest, durable_seq)
        .map_err(|error| Error::Read(chain(&error)))?;
    Ok(Copied {
        dest,
        last_change: durable_seq,
        bytes: copied.bytes,
    })
}

fn each_commit(
    reader: &Reader,
    start: u64,
    mut each: impl FnMut(&Commit) -> bool,
) -> Result<(), Error> {
    each_change(reader, start, |change| match change {
        Change::Commit(commit) => each(commit),
        _ => true,
    })
}

fn each_change(
    reader: &Reader,
    start: u64,
    mut each: impl FnMut(&Change) -> bool,
) -> Result<(), Error> {
    let mut records = reader
        .records_from(start)
        .map_err(|error| Error::Read(chain(&error)))?;
    while let Some((seq, payload)) = records
        .next_record()
        .map_err(|error| Error::Read(chain(&error)))?
    {
        let change = record::decode(payload).map_err(|error| {
            Error::Read(format!("change {seq} of the log is not readable: {error}"))
        })?;
        if !each(&change) {
            return Ok(());
        }
    }
    Ok(())
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        at = cause.source();
    }
    words
}
