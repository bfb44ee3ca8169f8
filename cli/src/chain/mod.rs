//! The audit as an export has it, one JSON object a line, held against its own hash chain: each entry's hash is taken over the
//! entry and the hash before it, so what was altered, removed, added or moved no longer fits.
//!
//! What a chain alone cannot tell is whether its end is missing, or was written anew as a whole: for that somebody must have kept
//! a hash from before, the head.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use machine::ids::hex;
use machine::world::{AuditEntry, first_tampered};
use serde::{Deserialize, Serialize};

/// A line of an export, as `GET /admin/v1/{tenant}/audit` has its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its number, from 0.
    pub number: u64,
    /// When, for people.
    pub at: String,
    /// When, in milliseconds: what the hash is taken of.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// What, in one word.
    pub action: String,
    /// On which campaign.
    pub campaign: Option<String>,
    /// What exactly, as JSON.
    pub details: String,
    /// SHA-256 over the entry before and this one, in hexadecimal.
    pub hash: String,
}

/// What came of looking at a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How many entries there are.
    pub entries: usize,
    /// The hash of the last one; keep it, and a later look tells whether the end is missing.
    pub head: Option<String>,
    /// What does not fit; none: all does.
    pub first: Option<Broken>,
}

/// The first place that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Which place, from 0: the number that its entry has, or would have.
    pub place: usize,
    /// What is wrong there.
    pub why: String,
}

/// Holds an export against its chain, and against a head that somebody kept.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a str>, head: Option<&str>) -> Verdict {
    let mut entries = Vec::new();
    let mut first = None;
    for (place, text) in lines.into_iter().enumerate() {
        match read(text) {
            Ok(entry) => entries.push(entry),
            Err(why) => {
                first = Some(Broken { place, why });
                break;
            }
        }
    }
    // What comes before a line that can't be read may be wrong already.
    if let Some(place) = first_tampered(&entries) {
        first = Some(Broken {
            place: place as usize,
            why: why(&entries, place as usize),
        });
    }
    let known = head.is_none_or(|head| {
        entries
            .iter()
            .any(|entry| hex(&entry.hash).eq_ignore_ascii_case(head))
    });
    if first.is_none() && !known {
        first = Some(Broken {
            place: entries.len(),
            why:
                "no entry has the head's hash: entries at the end are missing, or were written anew"
                    .to_owned(),
        });
    }
    Verdict {
        entries: entries.len(),
        head: entries.last().map(|last| hex(&last.hash)),
        first,
    }
}

/// An entry; or why it can be none.
fn read(text: &str) -> Result<AuditEntry, String> {
    let line: Line =
        serde_json::from_str(text).map_err(|error| format!("this is no entry: {error}"))?;
    // What no hash covers must follow from what it covers.
    let at = DateTime::from_timestamp_millis(line.at_ms)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    if at.as_deref() != Some(line.at.as_str()) {
        return Err(format!(
            "`at` is {} and `at_ms` is {}, another moment",
            line.at, line.at_ms
        ));
    }
    if line.campaign.as_deref() == Some("") {
        return Err("`campaign` is empty".to_owned());
    }
    let hash = bytes(&line.hash).ok_or("`hash` is no SHA-256 in hexadecimal")?;
    Ok(AuditEntry {
        number: line.number,
        at: line.at_ms,
        by: Arc::from(line.by),
        action: line.action,
        campaign: line.campaign.map(Arc::from),
        details: line.details,
        hash,
    })
}

/// In which way the entry at this place does not fit.
fn why(entries: &[AuditEntry], place: usize) -> String {
    let Some(entry) = entries.get(place) else {
        return "it is missing".to_owned();
    };
    let expected = place as u64;
    if entry.number == expected {
        "its hash is not that of this entry after the one before: one of the two was altered"
            .to_owned()
    } else if entries.iter().any(|other| other.number == expected) {
        format!(
            "entry {} stands in the place of {expected}, which stands elsewhere: they were moved, or one was put in",
            entry.number
        )
    } else {
        format!(
            "entry {} stands in the place of {expected}, which is missing",
            entry.number
        )
    }
}

/// 32 bytes, written as `hex` writes them: another writing is another text, and so a change.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64
        || !text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
