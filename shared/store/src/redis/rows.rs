//! Reads of the ledger: its rows from a number on, and one user's, each of which knows the one before.

use machine::ids::{CampaignKey, Lane as LaneName, Pseudonym};
use redis::Value;

use super::keys::OfLane;
use super::read::{published, unreadable};
use super::record;
use super::shared::Shared;
use crate::{Error, LedgerRow};

/// How many ledger entries are asked for at once.
const PAGE: usize = 256;

/// Up to `most` rows of a ledger from number `from` on.
pub(super) async fn ledger(
    shared: &Shared,
    key: &CampaignKey,
    from: u64,
    most: usize,
) -> Result<Vec<LedgerRow>, Error> {
    let mut found = Vec::new();
    if most == 0 {
        return Ok(found);
    }
    let stream = OfLane::new(key).ledger();
    // An entry's id is its first row's number plus 1: the one that holds `from` is the last not above it.
    let command = redis::cmd("XREVRANGE")
        .arg(&stream)
        .arg(format!("{}-0", from.saturating_add(1)))
        .arg("-")
        .arg("COUNT")
        .arg(1)
        .to_owned();
    let Some(holding) = entries(shared.ask(&command).await?)?.pop() else {
        return Ok(found);
    };
    let mut start = format!("{}-0", holding.first + 1);
    loop {
        let command = redis::cmd("XRANGE")
            .arg(&stream)
            .arg(&start)
            .arg("+")
            .arg("COUNT")
            .arg(PAGE)
            .to_owned();
        let page = entries(shared.ask(&command).await?)?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        start = format!("({}-0", last.first + 1);
        let full = page.len() == PAGE;
        for entry in page {
            for row in entry.rows(key)? {
                if row.number >= from && found.len() < most {
                    found.push(row);
                }
            }
        }
        if found.len() >= most || !full {
            return Ok(found);
        }
    }
}

/// The newest `most` rows of one participant across a tenant's campaigns, oldest first. Each record knows its last row, and
/// each row the one before: as many reads as there are entries.
pub(super) async fn history(
    shared: &Shared,
    tenant: &str,
    user: Pseudonym,
    most: usize,
) -> Result<Vec<LedgerRow>, Error> {
    let mut found: Vec<LedgerRow> = Vec::new();
    for one in published(shared).await? {
        if *one.tenant != *tenant {
            continue;
        }
        for lane in [LaneName::Live, LaneName::Test] {
            let key = CampaignKey {
                tenant: one.tenant.clone(),
                campaign: one.campaign.clone(),
                edition: one.edition,
                lane,
            };
            found.extend(rows_of(shared, &key, user, most).await?);
        }
    }
    found.sort_by(|one, two| {
        let order = |row: &LedgerRow| (row.at, row.campaign.clone(), row.number);
        order(one).cmp(&order(two))
    });
    Ok(found.split_off(found.len().saturating_sub(most)))
}

async fn rows_of(
    shared: &Shared,
    key: &CampaignKey,
    user: Pseudonym,
    most: usize,
) -> Result<Vec<LedgerRow>, Error> {
    let keys = OfLane::new(key);
    let command = redis::cmd("GETRANGE")
        .arg(keys.participant(&user))
        .arg(0)
        .arg(-1)
        .to_owned();
    let Value::BulkString(value) = shared.ask(&command).await? else {
        return Ok(Vec::new());
    };
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let value = record::Value::of(&value).map_err(unreadable("a participant's record"))?;
    let mut found = Vec::new();
    let mut at = value.last_row;
    while let Some(row) = at.filter(|_| found.len() < most) {
        let command = redis::cmd("XREVRANGE")
            .arg(keys.ledger())
            .arg(format!("{}-0", row.saturating_add(1)))
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .to_owned();
        let Some(entry) = entries(shared.ask(&command).await?)?.pop() else {
            break;
        };
        let mut before = None;
        for part in entry.parts(key)? {
            if part
                .rows
                .first()
                .is_some_and(|first| first.user == user && first.number == row)
            {
                before = part.before;
                let mut rows = part.rows;
                rows.reverse();
                found.extend(rows);
            }
        }
        at = before;
    }
    Ok(found)
}

/// A ledger entry.
pub(super) struct Entry {
    /// The number of its first row.
    first: u64,
    /// Names and values.
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Entry {
    fn parts(&self, key: &CampaignKey) -> Result<Vec<record::Read>, Error> {
        let mut parts = Vec::with_capacity(self.fields.len());
        let mut number = self.first;
        for (name, value) in &self.fields {
            let part = record::read_rows(key, number, name, value)
                .map_err(unreadable(&format!("row {number} of {key}")))?;
            number += part.rows.len() as u64;
            parts.push(part);
        }
        Ok(parts)
    }

    fn rows(&self, key: &CampaignKey) -> Result<Vec<LedgerRow>, Error> {
        let parts = self.parts(key)?;
        Ok(parts.into_iter().flat_map(|part| part.rows).collect())
    }
}

/// The entries of an XRANGE.
pub(super) fn entries(value: Value) -> Result<Vec<Entry>, Error> {
    let odd = || Error::Read("the ledger's answer is of an unknown form".to_owned());
    let Value::Array(entries) = value else {
        return Err(odd());
    };
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let Value::Array(parts) = entry else {
            return Err(odd());
        };
        let [Value::BulkString(id), Value::Array(fields)] = parts.as_slice() else {
            return Err(odd());
        };
        let first = std::str::from_utf8(id)
            .ok()
            .and_then(|id| id.split_once('-')?.0.parse::<u64>().ok())
            .and_then(|id| id.checked_sub(1))
            .ok_or_else(odd)?;
        let mut pairs = Vec::with_capacity(fields.len() / 2);
        for pair in fields.chunks_exact(2) {
            let [Value::BulkString(name), Value::BulkString(value)] = pair else {
                return Err(odd());
            };
            pairs.push((name.clone(), value.clone()));
        }
        found.push(Entry {
            first,
            fields: pairs,
        });
    }
    Ok(found)
}
