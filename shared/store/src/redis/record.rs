//! What a participant and a ledger entry look like as bytes in Redis. The commit script writes a participant's value and
//! says in its head how it is laid out; this module makes the parts and reads the whole.

use std::sync::Arc;

use machine::Millis;
use machine::ids::{CampaignKey, Pseudonym};
use machine::ledger::Row;
use machine::model::RewardKind;
use machine::model::Sender;
use machine::participant::{Core, Grant, Heard, Participant};
use machine::raffle::figure;
use machine::world::{Attribution, Commit, CounterKey, KeyWasUsed, REMEMBER_MS, Unit};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::LedgerRow;

/// The forms of a participant's value: of one without codes, as all were before there were pools, and of one with codes.
const FORM: u8 = 2;
const FORM_OF_UNITS: u8 = 3;

/// The form of a ledger entry that is written now.
const ROWS_FORM: u8 = 1;

/// Bytes before the core.
const HEADER: usize = 40;

/// Bytes of one code among the units: what its grant is known by (8), its serial (8).
const UNIT: usize = 16;

/// Bytes of one entry in the index of answers.
const ENTRY: usize = 34;

/// Times in six bytes: until the year 10889.
const LAST_TIME: Millis = (1 << 48) - 1;

/// A timer that is not set.
pub(super) const NEVER: [u8; 8] = i64::MIN.to_be_bytes();

/// Bytes that are not what this version writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// Another form.
    #[error("its form {0} is not known here: a newer version wrote it")]
    Form(u8),
    /// It ends too early, or a part is no such part.
    #[error("it is damaged ({0})")]
    Damaged(&'static str),
}

/// A participant's version, and the core it names with what was heard, as they stand in a value: what a commit has seen, and what
/// it leaves. Where nothing was heard nothing stands after the core, as before there were relays; a program of then that steps
/// on a record where something does names another core than the store has, and commits nothing.
pub(super) fn core(version: u64, core: &Core, heard: &[Heard]) -> Result<Vec<u8>, postcard::Error> {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    let mut bytes = postcard::to_extend(core, bytes)?;
    if !heard.is_empty() {
        bytes = postcard::to_extend(heard, bytes)?;
    }
    let length =
        u32::try_from(bytes.len() - 12).map_err(|_| postcard::Error::SerializeBufferFull)?;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    Ok(bytes)
}

/// Grants as bytes: one after another, so that new ones are appended without touching the old.
pub(super) fn grants<'a>(
    mut grants: impl Iterator<Item = &'a Grant>,
) -> Result<Vec<u8>, postcard::Error> {
    grants.try_fold(Vec::new(), |bytes, grant| postcard::to_extend(grant, bytes))
}

/// What an answer is found by: 8 bytes of the SHA-256 of the key and as many of the fingerprint's, which is enough among the
/// sixteen of one participant, and when.
pub(super) fn entry(key: &str, fingerprint: &[u8; 32], at: Millis) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY);
    bytes.extend_from_slice(&digest(key.as_bytes()));
    bytes.extend_from_slice(&digest(fingerprint));
    bytes.extend_from_slice(&at.clamp(0, LAST_TIME).to_be_bytes()[2..]);
    bytes
}

fn digest(bytes: &[u8]) -> [u8; 8] {
    let full: [u8; 32] = Sha256::digest(bytes).into();
    std::array::from_fn(|at| full[at])
}

/// A timer's bytes. A time before all others would read as none.
pub(super) fn timer(due: Option<Millis>) -> [u8; 8] {
    due.map_or(NEVER, |due| due.max(i64::MIN + 1).to_be_bytes())
}

/// A participant's value, its parts found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    core: &'a [u8],
    grants: &'a [u8],
    entries: &'a [u8],
    units: &'a [u8],
    /// The number of the participant's last ledger row.
    pub last_row: Option<u64>,
}

impl<'a> Value<'a> {
    /// Finds the parts. What `Stale` brings ends after the grants.
    pub fn of(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let damaged = Unreadable::Damaged("head");
        let (&form, _) = bytes.split_first().ok_or(damaged.clone())?;
        if form != FORM && form != FORM_OF_UNITS {
            return Err(Unreadable::Form(form));
        }
        let head: &[u8; HEADER] = bytes.first_chunk().ok_or(damaged.clone())?;
        let rest = bytes.get(HEADER..).unwrap_or_default();
        let length = |at: usize| {
            let four = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            u32::from_be_bytes(four) as usize
        };
        let (core, rest) = rest.split_at_checked(length(36)).ok_or(damaged.clone())?;
        let (grants, rest) = rest.split_at_checked(length(24)).ok_or(damaged)?;
        let all = usize::from(head[23]) * ENTRY;
        let (entries, units) = rest.split_at_checked(all).unwrap_or_default();
        let last: [u8; 8] = std::array::from_fn(|at| head[1 + at]);
        Ok(Self {
            core,
            grants,
            entries,
            units,
            last_row: u64::try_from(i64::from_be_bytes(last)).ok(),
        })
    }

    /// The record.
    pub fn participant(&self) -> Result<Participant, Unreadable> {
        let (core, after) = postcard::take_from_bytes::<Core>(self.core)
            .map_err(|_| Unreadable::Damaged("core"))?;
        let heard = if after.is_empty() {
            Vec::new()
        } else {
            postcard::from_bytes(after).map_err(|_| Unreadable::Damaged("what was heard"))?
        };
        let mut grants = Vec::new();
        let mut rest = self.grants;
        while !rest.is_empty() {
            let (grant, after) = postcard::take_from_bytes::<Grant>(rest)
                .map_err(|_| Unreadable::Damaged("grants"))?;
            grants.push(grant);
            rest = after;
        }
        Ok(Participant {
            core,
            grants,
            heard,
        })
    }

    /// Which units of stock those of its grants are that are codes.
    pub fn units(&self) -> Result<Vec<Unit>, Unreadable> {
        if !self.units.len().is_multiple_of(UNIT) {
            return Err(Unreadable::Damaged("units"));
        }
        let units = self.units.chunks_exact(UNIT).map(|unit| Unit {
            grant: number(unit, 0, 8),
            serial: number(unit, 8, 8),
        });
        Ok(units.collect())
    }

    /// Where the answer remembered for a key is, if it is not too old.
    pub fn answer(
        &self,
        key: &str,
        fingerprint: &[u8; 32],
        now: Millis,
    ) -> Option<Result<Kept, KeyWasUsed>> {
        let (wanted, meant) = (digest(key.as_bytes()), digest(fingerprint));
        let entry = self.entries.chunks_exact(ENTRY).find(|entry| {
            let at = number(entry, 16, 6).cast_signed();
            entry.starts_with(&wanted) && now.saturating_sub(at) < REMEMBER_MS
        })?;
        if entry.get(8..16) != Some(meant.as_slice()) {
            return Some(Err(KeyWasUsed));
        }
        Some(Ok(Kept {
            ms: number(entry, 22, 6),
            seq: number(entry, 28, 4),
            place: number(entry, 32, 2),
        }))
    }
}

/// Where an answer is: which entry of the stream of answers, and the how-many-th in it, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub ms: u64,
    pub seq: u64,
    pub place: u64,
}

/// So many bytes from there, big-endian.
fn number(entry: &[u8], at: usize, bytes: usize) -> u64 {
    let bytes = entry.get(at..at + bytes).unwrap_or_default();
    bytes
        .iter()
        .fold(0, |so_far, &byte| so_far << 8 | u64::from(byte))
}

/// A commit's part of a ledger entry. Serials are known to the script only: rows hold their unit's place among those of the
/// same stock, and the entry's name the first serial of each stock, in the order of `stocks`.
#[derive(Debug, Serialize, Deserialize)]
struct Booked {
    revision: u32,
    user: Pseudonym,
    event: Option<Arc<str>>,
    sender: Sender,
    at: Millis,
    attribution: Attribution,
    stocks: Vec<Arc<str>>,
    rows: Vec<Row>,
}

/// A commit's rows as bytes; empty when it has none.
pub(super) fn rows(commit: &Commit) -> Result<Vec<u8>, postcard::Error> {
    if commit.rows.is_empty() {
        return Ok(Vec::new());
    }
    let stocks = stocks(commit);
    let mut places = vec![0_u64; stocks.len()];
    let mut rows = commit.rows.clone();
    for row in &mut rows {
        let Some((name, number)) = numbered(row) else {
            continue;
        };
        *number = None;
        let of = stocks.iter().position(|stock| *stock == name);
        if let Some(place) = of.and_then(|at| places.get_mut(at)) {
            *number = Some(*place);
            *place += 1;
        }
    }
    let booked = Booked {
        revision: commit.revision,
        user: commit.user,
        event: commit.event.clone(),
        sender: commit.sender,
        at: commit.core.now,
        attribution: commit.attribution.clone(),
        stocks,
        rows,
    };
    postcard::to_extend(&booked, vec![ROWS_FORM])
}

/// What has numbers and is moved by a commit, each once, in order: stocks by their rewards, the entries of a draw by the name
/// that a publish makes them under.
fn stocks(commit: &Commit) -> Vec<Arc<str>> {
    let mut stocks: Vec<Arc<str>> = Vec::new();
    for moved in &commit.moves {
        let name = match &moved.key {
            CounterKey::Stock(reward) => reward.clone(),
            CounterKey::Entries(draw) => figure(draw).0,
            CounterKey::Budget
            | CounterKey::BudgetDay(_)
            | CounterKey::Quota(..)
            | CounterKey::Tally(..)
            | CounterKey::Code(_)
            | CounterKey::Stopped(_) => continue,
        };
        if !stocks.contains(&name) {
            stocks.push(name);
        }
    }
    stocks
}

/// The codes that a commit gives: of which stock, the how-many-th of its units, and what the grant is known by.
pub(super) fn coded(commit: &Commit) -> Vec<(CounterKey, u16, u64)> {
    let moved = stocks(commit);
    let mut places = vec![0_u16; moved.len()];
    let mut coded = Vec::new();
    for row in &commit.rows {
        let Row::Grant(row) = row else { continue };
        let of = moved.iter().position(|stock| *stock == row.reward);
        let Some(place) = of.and_then(|of| places.get_mut(of)) else {
            continue;
        };
        if row.kind == RewardKind::Code {
            let grant = Unit::grant(&row.reward, row.period, row.n);
            coded.push((CounterKey::Stock(row.reward.clone()), *place, grant));
        }
        *place = place.saturating_add(1);
    }
    coded
}

/// The number of a row that has one, and what it is a unit of.
fn numbered(row: &mut Row) -> Option<(Arc<str>, &mut Option<u64>)> {
    match row {
        Row::Grant(grant) => Some((grant.reward.clone(), &mut grant.serial)),
        Row::Entry(entry) => Some((figure(&entry.draw).0, &mut entry.number)),
        Row::Draw(_) | Row::Message(_) | Row::Hand(_) | Row::Amended(_) | Row::Raffle(_) => None,
    }
}

/// One commit's part of a ledger entry, read.
#[derive(Debug)]
pub(super) struct Read {
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// The last row of the same participant before these.
    pub before: Option<u64>,
}

/// Reads a commit's part of a ledger entry: the field's name and value, and the number of its first row.
pub(super) fn read_rows(
    campaign: &CampaignKey,
    first: u64,
    name: &[u8],
    value: &[u8],
) -> Result<Read, Unreadable> {
    let (form, bytes) = value
        .split_first()
        .ok_or(Unreadable::Damaged("ledger entry"))?;
    if *form != ROWS_FORM {
        return Err(Unreadable::Form(*form));
    }
    let booked: Booked =
        postcard::from_bytes(bytes).map_err(|_| Unreadable::Damaged("ledger entry"))?;
    let mut words = std::str::from_utf8(name)
        .map_err(|_| Unreadable::Damaged("ledger entry's name"))?
        .split(' ');
    let before = words.next().and_then(|word| word.parse().ok());
    let bases: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    if bases.len() != booked.stocks.len() {
        return Err(Unreadable::Damaged("ledger entry's serials"));
    }
    let base = |reward: &Arc<str>| {
        let at = booked.stocks.iter().position(|stock| stock == reward)?;
        bases.get(at).copied()
    };
    let mut rows = Vec::with_capacity(booked.rows.len());
    for (number, mut row) in (first..).zip(booked.rows) {
        if let Some((name, number)) = numbered(&mut row)
            && let (Some(place), Some(base)) = (*number, base(&name))
        {
            *number = Some(base + place);
        }
        rows.push(LedgerRow {
            number,
            campaign: campaign.clone(),
            revision: booked.revision,
            user: booked.user,
            event: booked.event.clone(),
            sender: booked.sender,
            at: booked.at,
            attribution: booked.attribution.clone(),
            row,
        });
    }
    Ok(Read { rows, before })
}
