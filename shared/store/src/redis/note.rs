//! What ops staff changed, on its way into the audit. A campaign and its tenant's audit lie in different slots, so a change
//! is made together with a note of it, and the note is then booked: once, by whoever comes first, also after a crash in
//! between. A note that is not booked stands in the way of the next change of its campaign, so none is ever lost or passed.

use std::sync::Arc;

use machine::Millis;
use machine::ids::hex;
use machine::world::{
    Admin, AdminOutcome, Answer, AuditEntry, CodesPut, Done, KeyWasUsed, REMEMBER_MS,
};
use rand::TryRng;
use redis::Value;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::form;
use super::keys::{Key, OfTenant};
use super::script::{Call, Script};
use super::shared::{Shared, strange};
use crate::Error;

/// For how long a booked note and a remembered answer are kept, in milliseconds: longer than anyone asks.
pub(super) const KEEP_MS: i64 = 2 * REMEMBER_MS;

/// How often the audit may grow under a booking.
const TRIES: u32 = 64;

/// What an entry is called where it can't be read.
const AUDIT_ENTRY: &str = "an audit entry";

/// The word for a purge in the audit.
const PURGE: &str = "purge";

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    id: String,
    /// The caller's key, hashed, and the fingerprint of what it asked.
    key: Option<(String, [u8; 32])>,
    at: Millis,
    by: Arc<str>,
    action: String,
    campaign: Option<Arc<str>>,
    details: String,
    revision: Option<u32>,
    ceiling: Option<i64>,
    #[serde(default)]
    draft: Option<u64>,
    #[serde(default)]
    withdrawn: Option<i64>,
    /// Of a test lane that is being emptied: the counters that it has then, with their figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) renewed: Option<Vec<(String, u64)>>,
}

/// An answer to an admin call.
#[derive(Debug, Serialize, Deserialize)]
struct Answered {
    fingerprint: [u8; 32],
    at: Millis,
    answer: Vec<u8>,
}

/// The hash that an admin key is stored under: keys may be of any characters.
pub(super) fn key_hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes())[..16])
}

/// 128 random bits in hexadecimal.
pub(super) fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| {
            Error::NotWritten(format!("the system gives no random numbers: {error}"))
        })?;
    Ok(hex(&bytes))
}

impl Note {
    /// A note of a change that comes to these figures.
    pub fn new(change: &Admin, campaign: &Arc<str>, done: &Done) -> Result<Self, Error> {
        let (action, details) = change.told(done);
        Ok(Self {
            id: random_id()?,
            key: change
                .key
                .as_ref()
                .map(|(key, fingerprint)| (key_hash(key), *fingerprint)),
            at: change.at,
            by: change.by.clone(),
            action,
            campaign: Some(campaign.clone()),
            details,
            revision: done.revision,
            ceiling: done.ceiling,
            draft: done.draft,
            withdrawn: done.withdrawn,
            renewed: None,
        })
    }

    pub fn write(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::NotWritten(error.to_string()))
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::Read(format!("a campaign's note is not readable: {error}")))
    }
}

/// Books a note that stands in a campaign, and takes it away. What was done, in figures.
pub(super) async fn settle(
    shared: &Shared,
    tenant: &str,
    place: &Key,
    bytes: &[u8],
) -> Result<Done, Error> {
    let note = Note::read(bytes)?;
    if note.action == PURGE {
        // Before it is booked: whoever finds the note after a crash goes on with it.
        super::purge::clear(shared, place).await?;
    }
    if let Some(counters) = &note.renewed {
        super::purge::renew_test_lane(shared, place, bytes, counters).await?;
    }
    let done = book(shared, tenant, &note).await?;
    let call = shared.scripts.forget.call().key(place.clone()).arg(bytes);
    shared.run(&call).await?;
    Ok(done)
}

async fn book(shared: &Shared, tenant: &str, note: &Note) -> Result<Done, Error> {
    let keys = OfTenant(tenant);
    let booked = keys.booked(&note.id);
    for _ in 0..TRIES {
        let (number, previous) = end_of(shared, &keys.audit()).await?;
        let mut entry = AuditEntry {
            number,
            at: note.at,
            by: note.by.clone(),
            action: note.action.clone(),
            campaign: note.campaign.clone(),
            details: note.details.clone(),
            hash: [0; 32],
        };
        entry.hash = entry.expected_hash(previous);
        let done = |number| Done {
            audit: number,
            revision: note.revision,
            ceiling: note.ceiling,
            draft: note.draft,
            withdrawn: note.withdrawn,
            codes: None,
        };
        let (answer_key, answer) = match &note.key {
            None => (booked.clone(), Vec::new()),
            Some((hash, fingerprint)) => {
                let answered = Answered {
                    fingerprint: *fingerprint,
                    at: note.at,
                    answer: serde_json::to_vec(&done(number)).unwrap_or_default(),
                };
                (keys.answer(hash), form::encode(&answered)?)
            }
        };
        let call = shared
            .scripts
            .book
            .call()
            .key(keys.audit())
            .key(booked.clone())
            .key(answer_key)
            .arg(number.to_string())
            .arg(form::encode(&entry)?)
            .arg(answer)
            .arg(KEEP_MS.to_string());
        match shared.run(&call).await? {
            Value::Int(-1) => {}
            Value::Int(number) => return Ok(done(number as u64)),
            other => return Err(strange(&other)),
        }
    }
    Err(Error::Busy)
}

/// What is booked of a change that is made in its tenant's own slot, in the same step as the change.
pub(super) struct Booking {
    /// How long the audit is: the entry's number.
    pub number: u64,
    /// The entry.
    pub entry: Vec<u8>,
    /// Where the answer is remembered.
    pub answer_key: Key,
    /// The answer's value; empty where the caller has no key.
    pub answer: Vec<u8>,
}

/// The booking of a change, as the audit is now.
pub(super) async fn booking(shared: &Shared, change: &Admin) -> Result<Booking, Error> {
    booking_of(shared, change, None).await
}

/// [`booking`], of a change that puts codes.
pub(super) async fn booking_of(
    shared: &Shared,
    change: &Admin,
    codes: Option<CodesPut>,
) -> Result<Booking, Error> {
    let keys = OfTenant(&change.tenant);
    let (number, previous) = end_of(shared, &keys.audit()).await?;
    let done = Done {
        audit: number,
        codes,
        ..Done::default()
    };
    let (action, details) = change.told(&done);
    let mut entry = AuditEntry {
        number,
        at: change.at,
        by: change.by.clone(),
        action,
        campaign: None,
        details,
        hash: [0; 32],
    };
    entry.hash = entry.expected_hash(previous);
    let (answer_key, answer) = match &change.key {
        None => (keys.audit(), Vec::new()),
        Some((key, fingerprint)) => {
            let answered = Answered {
                fingerprint: *fingerprint,
                at: change.at,
                answer: serde_json::to_vec(&done).unwrap_or_default(),
            };
            (keys.answer(&key_hash(key)), form::encode(&answered)?)
        }
    };
    Ok(Booking {
        number,
        entry: form::encode(&entry)?,
        answer_key,
        answer,
    })
}

/// Has a script make a change in its tenant's own slot, booked in the same step; again where the audit has grown meanwhile.
/// The script takes the audit, the answer's key and `keys`; the entry's number, the entry, the answer, for how long that is kept
/// and `args`. None: it answered -2, there is nothing to change.
pub(super) async fn make_booked(
    shared: &Shared,
    change: &Admin,
    script: &Script,
    keys: &[Key],
    args: &[&[u8]],
) -> Result<Option<AdminOutcome>, Error> {
    for _ in 0..TRIES {
        if let Some(answer) = super::admin::answered(shared, change).await? {
            return Ok(Some(answer));
        }
        let booking = booking(shared, change).await?;
        let call = script
            .call()
            .key(OfTenant(&change.tenant).audit())
            .key(booking.answer_key);
        let call = keys.iter().fold(call, Call::key);
        let call = call
            .arg(booking.number.to_string())
            .arg(booking.entry)
            .arg(booking.answer)
            .arg(KEEP_MS.to_string());
        let call = args.iter().fold(call, |call, arg| call.arg(*arg));
        match shared.run(&call).await? {
            Value::Int(-1) => {}
            Value::Int(-2) => return Ok(None),
            Value::Int(number) => {
                return Ok(Some(AdminOutcome::Done(Done {
                    audit: number.unsigned_abs(),
                    ..Done::default()
                })));
            }
            other => return Err(strange(&other)),
        }
    }
    Err(Error::Busy)
}

/// Makes a tenant known; false where it was.
pub(super) async fn create(
    shared: &Shared,
    change: &Admin,
    secret: &[u8; 32],
) -> Result<bool, Error> {
    let keys = OfTenant(&change.tenant);
    let done = Done::default();
    let (action, details) = change.told(&done);
    let mut entry = AuditEntry {
        number: 0,
        at: change.at,
        by: change.by.clone(),
        action,
        campaign: None,
        details,
        hash: [0; 32],
    };
    entry.hash = entry.expected_hash([0; 32]);
    let call = shared
        .scripts
        .create
        .call()
        .key(keys.secret())
        .key(keys.audit())
        .arg(secret.as_slice())
        .arg(form::encode(&entry)?);
    Ok(shared.run(&call).await? == Value::Int(1))
}

/// How long an audit is, and the hash of its last entry.
async fn end_of(shared: &Shared, audit: &Key) -> Result<(u64, [u8; 32]), Error> {
    for _ in 0..TRIES {
        let length = redis::cmd("LLEN").arg(audit).to_owned();
        let length = match shared.tell(&length).await? {
            Value::Int(length) => length as u64,
            _ => 0,
        };
        if length == 0 {
            return Ok((0, [0; 32]));
        }
        let last = redis::cmd("LINDEX").arg(audit).arg(length - 1).to_owned();
        if let Value::BulkString(bytes) = shared.tell(&last).await? {
            return Ok((
                length,
                form::decode::<AuditEntry>(AUDIT_ENTRY, &bytes)?.hash,
            ));
        }
    }
    Err(Error::Busy)
}

/// A tenant's audit from entry `from` on.
pub(super) async fn audit(
    shared: &Shared,
    tenant: &str,
    from: u64,
) -> Result<Vec<AuditEntry>, Error> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let command = redis::cmd("LRANGE")
        .arg(OfTenant(tenant).audit())
        .arg(from)
        .arg(-1)
        .to_owned();
    match shared.ask(&command).await? {
        Value::Array(entries) => entries
            .into_iter()
            .map(|entry| match entry {
                Value::BulkString(bytes) => form::decode(AUDIT_ENTRY, &bytes),
                other => Err(Error::Read(format!("an audit entry is {other:?}"))),
            })
            .collect(),
        other => Err(Error::Read(format!("the audit is {other:?}"))),
    }
}

/// What is remembered under an admin's key.
pub(super) fn remembered(
    bytes: &[u8],
    fingerprint: &[u8; 32],
    now: Millis,
) -> Result<Option<Result<Answer, KeyWasUsed>>, Error> {
    let known: Answered = form::decode("an admin answer", bytes)?;
    if now.saturating_sub(known.at) >= REMEMBER_MS {
        return Ok(None);
    }
    Ok(Some(if known.fingerprint == *fingerprint {
        Ok(known.answer.into())
    } else {
        Err(KeyWasUsed)
    }))
}
